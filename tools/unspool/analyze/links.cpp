// SPDX-License-Identifier: MIT
#include <unspool/analyze/links.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <utility>

namespace unspool {

using trace::Effect;
using trace::Kind;
using trace::Verb;

namespace {

constexpr std::size_t most_held = 64;  // by one thread

/// The field that names a waker names the calling thread itself where the call could have given up, but had not to
/// wait.
bool could_have_given_up(const Record& record) {
  return other_thread(record) == record.thread;
}

}  // namespace

bool Links::hears(const trace::Row& row) {
  const bool of_lock = row.kind == Kind::lock || row.kind == Kind::rlock;
  return !of_lock || row.effect == Effect::release;
}

void Links::record(const Record& record) {
  if (record.row == nullptr) return;
  switch (record.row->effect) {
    case Effect::release: {
      const trace::ThreadNumber owner = field_means(*record.row, 3, trace::Means::thread) ? record.b : 0;
      return release(owner == 0 ? record.thread : owner, record.object, false);
    }
    case Effect::unshare:
      return release(record.thread, record.object, true);
    case Effect::wait:
      if (record.row->kind == Kind::shared_lock)
        threads_[record.thread].asks_shared = record.row->verb == Verb::block_shared;
      break;
    default:
      break;
  }
  if (Clocks::concerns(*record.row)) date(record);
  clocks_.record(record);
  if (record.row->kind == Kind::semaphore || record.row->kind == Kind::bounded_semaphore)
    return gates_.semaphore(record);
  if (record.row->kind == Kind::thread) return thread(record);
  if (record.row->kind == Kind::pool) return pool(record);
  if (record.row->kind == Kind::status && record.row->verb == Verb::wait)
    threads_[record.thread].asks_shared = verb_of_wait(record) == Verb::block_shared;
  if (record.row->kind == Kind::status && record.row->verb == Verb::hold) {
    enter(threads_[record.thread], record.place.segment);
    return restore(record.thread, {record.object, record.site, record.since, record.a != 0, false, true, nullptr});
  }
  if (record.row->kind == Kind::trace && record.row->verb == Verb::loss) {
    if (ThreadLocks* const locks = threads_.get(record.thread)) locks->held.clear();
    gates_.forget_permits(record.thread);
  }
}

/// Before its thread learns of others, or others of it: what it holds it got knowing no more than now, and what it
/// asked for was before this.
void Links::date(const Record& record) {
  const trace::ThreadNumber thread = record.thread;
  ThreadLocks* const locks = threads_.get(thread);
  if (locks == nullptr) return;
  const bool ends_task = record.row->kind == Kind::pool && record.row->verb == Verb::end;
  if (locks->runs_task && !ends_task && Clocks::hands_over(*record.row)) tasks_.handed_over(thread);
  for (Held& each : locks->held) {
    if (!std::exchange(each.is_dated, true)) each.seen = clocks_.seen(thread);
  }
  if (!Clocks::hands_over(*record.row) || !locks->asks_anew || locks->asks_much()) return;
  locks->asks_anew = false;
  Moment now = clocks_.mark_if_plenty(thread);
  now.seen = nullptr;
  for (auto& [key, asked] : locks->asked) {
    if (std::exchange(asked.anew, false)) asked.last = now;
  }
}

void Links::release(trace::ThreadNumber thread, trace::ObjectNumber object, bool shared) {
  ThreadLocks* const locks = threads_.get(thread);
  if (locks == nullptr) return;
  std::vector<Held>& held = locks->held;
  for (std::size_t i = held.size(); i-- > 0;) {
    if (held[i].object != object || held[i].shared != shared) continue;
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

/// Between two segments some may be missing, with what was released there. The status Records at a segment's head tell
/// all that is still held.
void Links::enter(ThreadLocks& locks, std::uint32_t segment) {
  if (segment > locks.segment + 1) locks.held.clear();
  locks.segment = segment;
}

/// A hold that began before the first Record.
void Links::restore(trace::ThreadNumber thread, const Held& hold) {
  std::vector<Held>& held = threads_[thread].held;
  const bool known = std::ranges::find(held, hold.object, &Held::object) != held.end();
  if (!known && hold.object != 0 && held.size() < most_held) held.insert(held.begin(), hold);
}

const trace::StatusEntry* Links::status_of(trace::ThreadNumber thread) const {
  const auto entry = std::ranges::find(process_.status, thread, &trace::StatusEntry::thread);
  return entry == process_.status.end() ? nullptr : &*entry;
}

/// Of a thread that has written nothing since its segment was recycled, only its status entry tells what it holds.
void Links::restore_from(const trace::StatusEntry& entry) {
  for (std::size_t i = std::min<std::size_t>(entry.depth, trace::status_holds); i-- > 0;)
    restore(entry.thread, {entry.holds[i].object, entry.holds[i].site, entry.holds[i].since, entry.holds[i].mode != 0,
                           false, true, nullptr});
}

/// As replay knows it: Records may be missing, others may have released it.
bool Links::still_holds(trace::ThreadNumber thread, const Held& held) const {
  const auto found = replay_->objects().find(held.object);
  if (found == replay_->objects().end()) return false;
  const Holder& holder = found->second.now().holder;
  if (holder.tenant == Holder::Tenant::thread && holder.thread == thread) return true;
  const std::vector<Reader>& readers = found->second.readers;
  return held.shared && std::ranges::find(readers, thread, &Reader::thread) != readers.end();
}

void Links::forget_stale(trace::ThreadNumber thread, std::vector<Held>& held) {
  std::erase_if(held, [&](const Held& each) { return !still_holds(thread, each); });
}

/// std::lock waits for one and tries the rest: what it has got so far, from the one that it waited for on. Empty: it is
/// no such call.
std::span<const Links::Held> Links::of_several(const std::vector<Held>& held, trace::SiteNumber site) {
  for (std::size_t i = held.size(); site != 0 && i-- > 0 && held[i].site == site;) {
    if (!held[i].tried) return std::span{held}.subspan(i);
  }
  return {};
}

void Links::acquired(const ObjectState& object, const Record& record, bool waited) {
  if (record.thread == 0) return;
  ThreadLocks& locks = threads_[record.thread];
  enter(locks, record.place.segment);
  const bool shared = record.row->effect == Effect::share;
  const bool tried = !waited && could_have_given_up(record);
  const bool of_several = tried && !Links::of_several(locks.held, record.site).empty();
  if (tried && !of_several) {
    gives_up_.insert(record.site);
  } else if (!waited) {  // else waited() told of it
    ask({record.thread, object.number, object.kind, record.site, record.time, shared, waited, false, false, of_several},
        locks);
  }
  if (locks.held.size() < most_held)
    locks.held.push_back({object.number, record.site, record.time, shared, tried, false, nullptr});
}

void Links::note(const ObjectState& object, const PlainHold& hold) {
  last_holder_ = hold.thread;
  last_holder_locks_ = &threads_[hold.thread];
  ThreadLocks& locks = *last_holder_locks_;
  enter(locks, hold.segment);
  const bool tried = hold.waker == hold.thread;
  const bool of_several = tried && !Links::of_several(locks.held, hold.site).empty();
  if (tried && !of_several) {
    gives_up_.insert(hold.site);
  } else if (!locks.is_settled()) {
    ask({hold.thread, object.number, object.kind, hold.site, hold.since, false, false, false, false, of_several},
        locks);
  }
}

void Links::failed(const Record& record) {
  if (!can_be_held(record.row->kind)) return;
  const ThreadLocks* const locks = threads_.get(record.thread);
  const bool tries_on =
      record.row->verb == Verb::busy && locks != nullptr && !of_several(locks->held, record.site).empty();
  if (!tries_on) gives_up_.insert(record.site);
}

/// It was asked for when the wait began, whether it ended with the lock or not.
void Links::waited(const Wait& wait) {
  if (!can_be_held(wait.kind)) return;
  const bool has_limit = wait.limit == trace::WaitLimit::deadline || wait.limit == trace::WaitLimit::stop;
  const bool shared = wait.kind == Kind::shared_lock && threads_[wait.thread].asks_shared;
  Call call{wait.thread, wait.object, wait.kind, wait.site, wait.since, shared, true, true, false};
  if (wait.ending == Ending::timeout || wait.ending == Ending::cancel) {
    gives_up_.insert(wait.site);
    return ask(call, threads_[call.thread]);
  }
  if (wait.ending == Ending::acquired) {
    call.limited = has_limit;  // where that is not known settle_limits() knows at the end
    return ask(call, threads_[call.thread]);
  }
  if (wait.ending != Ending::unended) return;
  const trace::StatusEntry* const status = status_of(wait.thread);
  if (status != nullptr) restore_from(*status);
  call.limited = has_limit || (wait.limit == trace::WaitLimit::unknown && gives_up_.contains(wait.site));
  call.stuck = !call.limited;
  ask(call, threads_[call.thread]);
}

namespace {

/// A permit keeps others out of what its thread acquired with it in hand: one that it got later, others may have waited
/// for with locks in theirs.
std::span<const HeldFrom> permits_before(std::span<const HeldFrom> permits, trace::Ticks time) {
  const auto later = std::ranges::find_if(permits, [&](const HeldFrom& each) { return each.since >= time; });
  return {permits.begin(), later};
}

}  // namespace

void Links::ask(const Call& call, ThreadLocks& locks) {
  if (!replay_->complete()) return;  // what was released unseen would count as held
  remember_asked(locks, call);
  if (locks.runs_task && !call.limited) {
    tasks_.asked(call.thread, {call.object, call.site, call.time, call.shared, call.waited, call.stuck, false});
  }
  const bool writes = call.kind == Kind::shared_lock && !call.shared;
  if (locks.held.empty() && !writes) return;
  forget_stale(call.thread, locks.held);
  if (locks.held.empty() && !writes) return;
  std::vector<Held> before;  // what the call has is let go before it waits for this one
  if (call.of_several) {
    before.assign(locks.held.begin(),
                  locks.held.end() - static_cast<std::ptrdiff_t>(of_several(locks.held, call.site).size()));
  }
  const std::vector<Held>& kept = call.of_several ? before : locks.held;
  if (kept.empty() && !writes) return;
  const Moment moment = clocks_.mark(call.thread);
  const std::span<const HeldFrom> permits = gates_.permits_of(call.thread);
  if (writes) {
    if (const HeldLocks* const held = interned(kept, permits)) add_writer(call, held, moment);
  }
  for (const Held& outer : kept) {
    const HeldLocks* const held = interned(kept, permits_before(permits, outer.since));
    if (held == nullptr) {
      ++left_out_;
    } else {
      add(outer, call, held, moment);
    }
  }
}

std::span<const HeldSince> Links::held_by(trace::ThreadNumber thread) const {
  const auto found = threads_.find(thread);
  return found == threads_.end() ? std::span<const HeldSince>{} : found->second.held;
}

void Links::remember_asked(ThreadLocks& locks, const Call& call) {
  if (call.limited) return;
  const std::uint64_t key = call.object << 1U | (call.shared ? 1U : 0U);
  const Asked asked{call.object, call.site, call.time, call.shared, call.waited, call.stuck, true, {}};
  Asked* before = locks.asked.get(key);
  if (before != nullptr) {
    before->anew = locks.asks_anew = true;
    if (!call.stuck && (!before->waited || call.waited)) return;
    locks.improvable -= before->waited ? 1 : 0;
  } else if (locks.asked.size() < most_asked) {
    before = &locks.asked.add(key).second;
  } else {
    return;
  }
  *before = asked;
  locks.asks_anew = true;
  locks.improvable += asked.waited ? 1 : 0;
}

std::vector<HeldFrom> Links::held_from(trace::ThreadNumber thread) {
  if (!replay_->complete()) return {};
  const auto permits = gates_.permits_of(thread);
  std::vector<HeldFrom> held{permits.begin(), permits.end()};
  ThreadLocks* const locks = threads_.get(thread);
  if (locks == nullptr || locks->held.empty()) return held;
  forget_stale(thread, locks->held);
  for (const Held& each : locks->held)
    held.push_back({{each.object, each.shared}, each.since});
  return held;
}

/// A wait that ended with the lock does not say whether it had a limit. If calls at its line have one, so had it.
void Links::settle_limits() {
  for (auto& [key, list] : links_) {
    for (Occurrence& each : list)
      each.limited |= !each.stuck && may_give_up(each.waited, key.inner_site);
  }
}

void Links::finish() {
  settle_limits();
  std::vector<trace::ThreadNumber> targets;
  for (const auto& [target, joins] : joining_)
    targets.push_back(target);
  std::ranges::sort(targets);
  for (const trace::ThreadNumber each : targets)
    judge_joins(each);
  while (!awaiting_.empty())
    judge_task(awaiting_.begin()->first);
  std::ranges::stable_sort(joins_, {}, &JoinUnderLock::join_time);
}

}  // namespace unspool
