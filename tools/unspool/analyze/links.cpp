// SPDX-License-Identifier: MIT
#include <unspool/analyze/links.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace unspool {

using trace::Effect;
using trace::Kind;
using trace::Verb;

namespace {

constexpr std::size_t most_held = 64;  // by one thread
constexpr std::size_t most_joins = 10'000;
constexpr std::size_t most_joined_at = 8;    // of one thread
constexpr std::size_t most_followed = 1000;  // threads that one join waits for

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
  } else {
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

/// Waits that did not end with the lock: it was asked for all the same.
void Links::waited(const Wait& wait) {
  if (!can_be_held(wait.kind)) return;
  const bool shared = wait.kind == Kind::shared_lock && threads_[wait.thread].asks_shared;
  Call call{wait.thread, wait.object, wait.kind, wait.site, wait.since, shared, true, true, false};
  if (wait.ending == Ending::timeout || wait.ending == Ending::cancel) {
    gives_up_.insert(wait.site);
    return ask(call, threads_[call.thread]);
  }
  if (wait.ending != Ending::unended) return;
  const trace::StatusEntry* const status = status_of(wait.thread);
  if (status != nullptr) restore_from(*status);
  call.limited = wait.limit == trace::WaitLimit::deadline || wait.limit == trace::WaitLimit::stop ||
                 (wait.limit == trace::WaitLimit::unknown && gives_up_.contains(wait.site));
  call.stuck = !call.limited;
  ask(call, threads_[call.thread]);
}

void Links::ask(const Call& call, ThreadLocks& locks) {
  if (!replay_->complete()) return;  // what was released unseen would count as held
  remember_asked(locks, call);
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
  const HeldLocks* const held = interned(call.thread, kept);
  if (held == nullptr) {
    ++left_out_;
    return;
  }
  const Moment moment = clocks_.mark(call.thread);
  if (writes) add_writer(call, held, moment);
  for (const Held& outer : kept)
    add(outer, call, held, moment);
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

void Links::thread(const Record& record) {
  if (!trace::is_thread(record.object)) return;
  const auto other = static_cast<trace::ThreadNumber>(record.object);
  if (record.row->verb == Verb::end) {
    if (ThreadLocks* const locks = threads_.get(other)) locks->held.clear();
    return;
  }
  if (record.row->verb == Verb::start) {
    std::vector<HeldFrom> held = held_from(record.thread);
    if (!held.empty()) gates_.started(record.thread, other, std::move(held));
    return;
  }
  join(record);
  if (record.row->effect == Effect::resume) gates_.joined(record.thread, other, held_from(record.thread));
}

/// Its begin, and its end. A join with a limit fails in the end.
void Links::join(const Record& record) {
  const auto target = static_cast<trace::ThreadNumber>(record.object);
  const Effect effect = record.row->effect;
  note_join(record);
  if (effect == Effect::fail) {
    joins_under_locks_ -=
        std::erase_if(joining_[target], [&](const JoinUnderLock& each) { return each.joiner == record.thread; });
    return;
  }
  if (effect != Effect::wait && effect != Effect::resume) return;
  ThreadLocks& mine = threads_[record.thread];
  if (!mine.held.empty() && replay_->complete()) {
    forget_stale(record.thread, mine.held);
    std::vector<JoinUnderLock>& joins = joining_[target];
    for (const Held& each : mine.held) {
      const bool known = std::ranges::any_of(joins, [&](const JoinUnderLock& other) {
        return other.joiner == record.thread && other.lock == each.object && other.join_site == record.site;
      });
      if (known) continue;
      if (joins_under_locks_ >= most_joins) {
        ++left_out_;
        continue;
      }
      ++joins_under_locks_;
      JoinUnderLock join;
      join.lock = each.object;
      join.shared = each.shared;
      join.joiner = record.thread;
      join.target = target;
      join.lock_site = each.site;
      join.join_site = record.site;
      join.lock_since = each.since;
      join.join_time = record.time;
      join.seen = each.seen;
      joins.push_back(std::move(join));
    }
  }
  if (effect == Effect::resume) judge_joins(target);
}

/// Of a join that ended it is known from which moment on others can know that the thread is over.
void Links::note_join(const Record& record) {
  const auto target = static_cast<trace::ThreadNumber>(record.object);
  const Effect effect = record.row->effect;
  const std::pair both{record.thread, target};
  if (effect == Effect::fail) {
    joins_give_up_.insert(record.site);
    thread_joins_.erase(both);
    return;
  }
  if (effect != Effect::wait && effect != Effect::resume) return;
  if (thread_joins_.size() < most_joins)
    thread_joins_.try_emplace(both, ThreadJoin{record.thread, target, record.site, record.time});
  const bool is_followed = thread_joins_.contains(both) || joined_at_.contains(target);
  if (effect != Effect::resume || !is_followed) return;
  std::vector<Moment>& moments = joined_at_[target];
  if (moments.size() < most_joined_at) moments.push_back(clocks_.mark_if_plenty(record.thread));
}

/// In every run it was asked for the last time before the one who joins got it.
bool Links::precedes(const ThreadLocks& locks, const Asked& asked, const JoinUnderLock& join) const {
  return !asked.anew && !locks.asks_much() && asked.last.precedes({Moment::unknown, 0, join.seen});
}

/// Somebody had joined the thread, and the one who joins now knew it when it got the lock; or that is not known.
bool Links::was_over(trace::ThreadNumber thread, const JoinUnderLock& join) const {
  const auto found = joined_at_.find(thread);
  if (found == joined_at_.end()) return false;
  return std::ranges::any_of(found->second, [&](const Moment& each) {
    return each.component == Moment::unknown || each.precedes({Moment::unknown, 0, join.seen});
  });
}

/// The thread's call for the lock that is held at this join; null: it has made none that could wait for it.
const Links::Asked* Links::asked_of(trace::ThreadNumber thread, const JoinUnderLock& join) {
  const ThreadLocks* const locks = threads_.get(thread);
  if (locks == nullptr) return nullptr;
  const auto entry = std::find_if(locks->asked.begin(), locks->asked.end(), [&](const auto& item) {
    const Asked& lock = item.second;
    const bool gives_up = !lock.stuck && may_give_up(lock.waited, lock.site);
    return lock.object == join.lock && !(lock.shared && join.shared) && !gives_up && !precedes(*locks, lock, join);
  });
  return entry == locks->asked.end() ? nullptr : &entry->second;
}

/// By the fewest joins from the joined thread on.
const Links::Asked* Links::find_asker(JoinUnderLock& join) {
  if (const Asked* const asked = asked_of(join.target, join)) return asked;
  std::vector<std::pair<ThreadJoin, std::size_t>> reached{{{0, join.target, 0, 0}, 0}};  // with the one before
  std::unordered_set<trace::ThreadNumber> met{join.joiner, join.target};
  for (std::size_t at = 0; at < reached.size(); ++at) {
    const trace::ThreadNumber joiner = reached[at].first.target;
    for (auto each = thread_joins_.lower_bound({joiner, 0}); each != thread_joins_.end(); ++each) {
      const ThreadJoin& next = each->second;
      if (next.joiner != joiner) break;
      if (reached.size() > most_followed) return nullptr;
      if (joins_give_up_.contains(next.site) || was_over(next.target, join)) continue;
      if (!met.insert(next.target).second) continue;
      reached.emplace_back(next, at);
      const Asked* const asked = asked_of(next.target, join);
      if (asked == nullptr) continue;
      for (std::size_t step = reached.size() - 1; step != 0; step = reached[step].second)
        join.via.insert(join.via.begin(), reached[step].first);
      join.asker = next.target;
      return asked;
    }
  }
  return nullptr;
}

/// Which of the locks that were held at its joins this thread asked for, or one that it joined.
void Links::judge_joins(trace::ThreadNumber target) {
  const auto found = joining_.find(target);
  if (found == joining_.end()) return;
  for (JoinUnderLock& each : found->second) {
    each.asker = target;
    const Asked* const asked = find_asker(each);
    if (asked == nullptr) {
      --joins_under_locks_;
      continue;
    }
    each.target_site = asked->site;
    each.target_time = asked->time;
    each.stuck = asked->stuck;
    joins_.push_back(each);
  }
  joining_.erase(found);
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
  std::ranges::stable_sort(joins_, {}, &JoinUnderLock::join_time);
}

}  // namespace unspool
