// SPDX-License-Identifier: MIT
//
// The rules by kind: whom a wait can hope for.
#include <unspool/analyze/hopes.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace unspool {

using trace::Kind;
using trace::Verb;
using trace::WaitLimit;

/// It can be stopped, or waits at its line have been given up.
bool Hopes::may_give_up(const Waiting& waiting) const {
  const bool gives_up = waiting.wait.site != 0 && habits_.gave_up.contains(waiting.wait.site);
  return waiting.wait.limit == WaitLimit::stop || (waiting.wait.limit == WaitLimit::unknown && gives_up);
}

void Hopes::find(Waiting& waiting) const {
  const Kind kind = waiting.wait.kind;
  if (kind == Kind::thread) {
    hope_for_thread(waiting);
  } else if (can_be_held(kind)) {
    hope_for_owner(waiting);
  } else if (kind != Kind::timer && !may_give_up(waiting)) {
    hope_for_past(waiting);
  }
  if (waiting.wait.limit == WaitLimit::deadline) {
    waiting.hope = Hope::open;
  } else if (waiting.is_owned() && may_give_up(waiting)) {
    waiting.edge = Edge::candidate;
  }
}

bool Hopes::has_ended(trace::ThreadNumber thread) const {
  const auto found = replay_.threads().find(thread);
  return found != replay_.threads().end() && found->second.life == ThreadState::Life::ended;
}

/// Who can make another thread like this one, which has ended; 0: nobody.
trace::ThreadNumber Hopes::follower_of(trace::ThreadNumber thread) const {
  constexpr int most_generations = 64;
  for (int i = 0; i < most_generations; ++i) {
    const auto defined = process_.threads.find(thread);
    if (defined == process_.threads.end()) return 0;
    if (defined->second.creator == thread) return 0;
    thread = defined->second.creator;
    if (thread == 0 || !has_ended(thread)) return thread;
  }
  return 0;
}

void Hopes::add_suspect(Waiting& waiting, trace::ThreadNumber thread, const Deed& deed, Role role,
                        bool followed) const {
  Suspect suspect{thread, thread, deed, role, false, false};
  suspect.ended = has_ended(thread);
  if (suspect.ended) {
    suspect.exception = replay_.threads().find(thread)->second.exception;
    suspect.answers = followed && !suspect.exception ? follower_of(thread) : 0;
    const auto defined = process_.threads.find(thread);
    const bool foreign = defined != process_.threads.end() && defined->second.origin == trace::Origin::foreign;
    if (foreign && followed) waiting.hope = Hope::open;  // whoever made it, spool does not know
  }
  waiting.suspects.push_back(suspect);
}

void Hopes::add_role(Waiting& waiting, const Past& past, Role role) const {
  for (const auto& [thread, deeds] : past.threads) {
    if (deed_of(deeds, role).count != 0) add_suspect(waiting, thread, deed_of(deeds, role), role, true);
  }
}

void Hopes::hope_for_thread(Waiting& waiting) const {
  waiting.owner = static_cast<trace::ThreadNumber>(waiting.wait.object);
  waiting.owner_ended = has_ended(waiting.owner);
  if (waiting.owner_ended) return;  // about to return
  waiting.edge = Edge::owned;
  waiting.hope = Hope::suspects;
  add_suspect(waiting, waiting.owner, {}, Role::give, false);
}

void Hopes::hope_for_owner(Waiting& waiting) const {
  const auto found = replay_.objects().find(waiting.wait.object);
  if (found == replay_.objects().end()) return;
  const ObjectState& object = found->second;
  const Tenure& now = object.now();
  const bool reads = waiting.verb == Verb::block_shared;
  if (!object.readers.empty()) {
    if (reads) hope_for_writers(waiting);
    if (waiting.suspects.empty()) hope_for_readers(waiting, object);
  } else if (now.holder.tenant == Holder::Tenant::thread) {
    waiting.owner = now.holder.thread;
    waiting.owner_site = now.holder.site;
    waiting.owner_since = now.from;
    waiting.owner_since_known = now.from_known;
    waiting.edge = Edge::owned;
    add_suspect(waiting, waiting.owner, {}, Role::take, false);
  } else if (now.holder.tenant != Holder::Tenant::nobody && waiting.wait.owner != 0 &&
             (object.complete || object.confirmed != replay_.losses())) {  // else it is the owner no more
    waiting.owner = waiting.wait.owner;
    waiting.owner_site = waiting.wait.owner_site;
    waiting.edge = Edge::last_known;
    add_suspect(waiting, waiting.owner, {}, Role::take, false);
  }
  if (waiting.suspects.empty()) {
    const bool unrecorded = !object.complete && now.holder.tenant == Holder::Tenant::unknown;
    if (unrecorded && !may_give_up(waiting)) waiting.hope = Hope::unknown;  // else it was just released
    return;
  }
  if (object.confirmed != replay_.losses()) waiting.edge = Edge::last_known;
  waiting.hope = Hope::suspects;
  waiting.needs_all = true;
  waiting.owner_ended = has_ended(waiting.owner);
  if (is_left_held(waiting)) waiting.suspects.front().answers = 0;
  weaken_lock(waiting);
}

/// By a task that is over: its worker is at rest, and what it runs next is another task.
bool Hopes::is_left_held(const Waiting& waiting) const {
  const auto owner = index_.find(waiting.owner);
  return owner != index_.end() && waiting_[owner->second].is(PoolWait::work) && waiting.edge == Edge::owned;
}

void Hopes::hope_for_readers(Waiting& waiting, const ObjectState& object) const {
  waiting.edge = Edge::owned;
  for (const Reader& each : object.readers)
    add_suspect(waiting, each.thread, {1, each.since, each.site}, Role::take, false);
}

/// A reader that is kept out by readers is kept out by the writers that came before it.
void Hopes::hope_for_writers(Waiting& waiting) const {
  waiting.edge = Edge::owned;
  for (const std::size_t index : waiters_.at(waiting.wait.object)) {
    const Waiting& other = waiting_[index];
    const bool writes = other.details_known && other.verb == Verb::block;
    if (writes && other.wait.thread != waiting.wait.thread && other.wait.since <= waiting.wait.since) {
      add_suspect(waiting, other.wait.thread, {1, other.wait.since, other.wait.site}, Role::take, false);
    }
  }
}

/// Locks of its class were also released by threads that did not own them. Those may end the wait as well where it was this
/// lock, or where a thread waits for what it has itself: so a lock is used as a signal. In mode long most such releases are
/// not recorded.
void Hopes::weaken_lock(Waiting& waiting) const {
  const bool by_itself = waiting.wait.kind == Kind::lock && waiting.owner == waiting.wait.thread;
  if (by_itself && process_.mode == trace::Mode::long_waits) waiting.edge = Edge::candidate;
  const auto found = habits_.other_releasers.find(deeds_.line_of(waiting.wait.object, waiting.wait.kind));
  if (found == habits_.other_releasers.end()) return;
  waiting.by_others = true;
  waiting.edge = Edge::candidate;
  const auto own = habits_.own_other_releasers.find(waiting.wait.object);
  if (own == habits_.own_other_releasers.end() && !by_itself) return;
  waiting.needs_all = false;
  for (const trace::ThreadNumber each : by_itself ? found->second : own->second)
    add_suspect(waiting, each, {}, Role::give, true);
}

/// Everything that is not owned: whoever ended such waits before, of this object, else of its class.
void Hopes::hope_for_past(Waiting& waiting) const {
  waiting.edge = Edge::none;
  waiting.hope = Hope::unknown;
  waiting.idle = waiting.is(PoolWait::work) || waiting.is(QueueCall::get);
  static const Past none;
  const Past* own = deeds_.of(waiting.wait.object);
  const Past& past = own == nullptr ? none : *own;
  if (past.crowded) waiting.hope = Hope::open;
  const trace::Ticks since = waiting.wait.since;
  switch (waiting.wait.kind) {
    case Kind::event:
      if (past.last_all > since) waiting.hope = Hope::open;
      add_role(waiting, past, Role::give);
      break;
    case Kind::condition:
      add_role(waiting, past, Role::give);
      break;
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      semaphore(waiting, past);
      break;
    case Kind::barrier:
      barrier(waiting, past);
      break;
    case Kind::queue:
      queue(waiting, past);
      break;
    default:
      pool(waiting, past);
  }
  const bool counts_wakes = waiting.wait.kind != Kind::event && waiting.wait.kind != Kind::barrier;
  if (counts_wakes && past.wakes > past.woken && !lost_some()) {  // so many are about to go on, the longest waiting
    const auto& waiters = waiters_.at(waiting.wait.object);
    const auto place = std::ranges::find(waiters, index_.at(waiting.wait.thread)) - waiters.begin();
    if (static_cast<std::uint64_t>(place) < past.wakes - past.woken) waiting.hope = Hope::open;
  }
  // Whom they woke may have gone on in a Record that is missing.
  if (counts_wakes && lost_between() && past.last_given() > since) waiting.hope = Hope::open;
  const Past* all = deeds_.of_class(waiting.wait.object, waiting.wait.kind);
  const bool by_class = waiting.wait.kind == Kind::event || waiting.wait.kind == Kind::condition;
  if (waiting.suspects.empty() && waiting.hope == Hope::unknown && by_class && all != nullptr) {
    if (all->crowded) waiting.hope = Hope::open;
    waiting.by_class = true;
    add_role(waiting, *all, Role::give);
  }
  if (waiting.suspects.empty() || waiting.hope == Hope::open) return;
  waiting.hope = Hope::suspects;
  waiting.edge = Edge::candidate;
}

/// Who gives without taking, where there are such; else who has permits, for they are given back by whoever took them.
void Hopes::semaphore(Waiting& waiting, const Past& past) const {
  for (const auto& [thread, deeds] : past.threads) {
    const Deed& gave = deed_of(deeds, Role::give);
    if (gave.count > deed_of(deeds, Role::take).count) add_suspect(waiting, thread, gave, Role::give, true);
  }
  const bool has_givers = !waiting.suspects.empty();
  for (const auto& [thread, deeds] : past.threads) {
    const Deed& gave = deed_of(deeds, Role::give);
    const Deed& took = deed_of(deeds, Role::take);
    const bool may_have_more = !replay_.complete() && gave.count + took.count != 0;
    const bool has_permits = took.count > gave.count || may_have_more;
    if (has_permits && (!has_givers || gave.count != 0)) add_suspect(waiting, thread, took, Role::take, false);
  }
}

/// Those who came to earlier generations and do not wait at it now; once all are there, who runs the action.
void Hopes::barrier(Waiting& waiting, const Past& past) const {
  if (past.acting != 0) {
    waiting.needs_all = true;
    return add_suspect(waiting, past.acting, {}, Role::finish, false);
  }
  const Past* all = deeds_.of_class(waiting.wait.object, Kind::barrier);
  const std::uint32_t parties = past.parties != 0 || all == nullptr ? past.parties : all->parties;
  const auto& here = waiters_.at(waiting.wait.object);
  if (past.last_all > waiting.wait.since || (parties != 0 && here.size() >= parties)) waiting.hope = Hope::open;
  if (parties == 0) return;
  waiting.needs = parties - std::min<std::size_t>(here.size(), parties);
  if (past.parties == 0) return;
  const auto own = past.threads.find(waiting.wait.thread);
  waiting.same_team = own != past.threads.end() && deed_of(own->second, Role::give).count > 1;
  for (const auto& [thread, deeds] : past.threads) {
    const auto found = index_.find(thread);
    const bool is_here = found != index_.end() && waiting_[found->second].wait.object == waiting.wait.object;
    if (!is_here) add_suspect(waiting, thread, deed_of(deeds, Role::give), Role::give, !waiting.same_team);
  }
}

/// A Queue's join needs each of those who have got an item and not called task_done for it, if each has called it for its
/// own items so far. False: not so, or not known.
bool Hopes::add_debtors(Waiting& waiting, const Past& past) const {
  if (incomplete()) return false;
  const auto owed = [](const auto& deeds) {
    return static_cast<std::int64_t>(deed_of(deeds, Role::take).count - deed_of(deeds, Role::finish).count);
  };
  if (std::ranges::any_of(past.threads, [&](const auto& each) { return owed(each.second) < 0; })) return false;
  for (const auto& [thread, deeds] : past.threads) {
    if (owed(deeds) > 0) add_suspect(waiting, thread, deed_of(deeds, Role::take), Role::take, true);
  }
  waiting.needs_all = !waiting.suspects.empty();
  return waiting.needs_all;
}

void Hopes::queue(Waiting& waiting, const Past& past) const {
  if (!waiting.details_known) return;
  switch (static_cast<QueueCall>(waiting.a)) {
    case QueueCall::put:
      if (past.size < waiting.b) waiting.hope = Hope::open;
      add_role(waiting, past, Role::take);
      for (const trace::ThreadNumber each : past.triers) {
        const auto did = past.threads.find(each);
        const bool took = did != past.threads.end() && deed_of(did->second, Role::take).count != 0;
        if (!took && each != waiting.wait.thread) add_suspect(waiting, each, {}, Role::take, true);
      }
      return;
    case QueueCall::get:
      if (past.size != 0 || past.last_all > waiting.wait.since) waiting.hope = Hope::open;
      return add_role(waiting, past, Role::give);
    case QueueCall::join:
      if (std::max(past.last_all, past.last_finished) > waiting.wait.since) waiting.hope = Hope::open;
      if (add_debtors(waiting, past)) return;
      add_role(waiting, past, Role::finish);
      if (waiting.suspects.empty()) add_role(waiting, past, Role::take);
  }
}

namespace {

bool has_no_task(const Waiting& worker, trace::ObjectNumber pool) {
  return worker.wait.object == pool && worker.is(PoolWait::work);
}

/// In modes that do not record each task's begin: a worker found nothing to do after the last submission that is known.
/// A later one would have been for that worker, and so in the trace.
bool all_begun(const Past& past, const std::vector<Waiting>& all, std::span<const std::size_t> waiters,
               trace::ObjectNumber pool) {
  return std::ranges::any_of(waiters, [&](std::size_t each) {
    return has_no_task(all[each], pool) && (!past.queued() || all[each].wait.since > past.last_given());
  });
}

}  // namespace

void Hopes::pool(Waiting& waiting, const Past& past) const {
  if (!waiting.details_known) return;
  const auto task = past.running.find(waiting.b);
  switch (static_cast<PoolWait>(waiting.a)) {
    case PoolWait::work:
      if (past.queued() || past.last_all > waiting.wait.since) waiting.hope = Hope::open;
      return add_role(waiting, past, Role::give);
    case PoolWait::room:
      return hope_for_workers(waiting, past);
    case PoolWait::result:
      if (task != past.running.end()) {
        return add_suspect(waiting, task->second, {}, Role::finish, false);
      }
      if (replay_.complete() && (waiting.b <= past.last_begun || past.dropped.contains(waiting.b))) {
        waiting.hope = Hope::open;  // it is over
      }
      return hope_for_workers(waiting, past);
    case PoolWait::all:
      if (past.queued() || past.running.empty()) return hope_for_workers(waiting, past);
      waiting.needs_all = true;
      for (const auto& [number, worker] : past.running)
        add_suspect(waiting, worker, {}, Role::finish, false);
  }
}

/// Any of them; one without a task takes what is queued at once. Where nothing is, one that has a task runs what is
/// waited for.
void Hopes::hope_for_workers(Waiting& waiting, const Past& past) const {
  const trace::ObjectNumber pool = waiting.wait.object;
  add_role(waiting, past, Role::finish);
  const auto add = [&](trace::ThreadNumber worker, bool followed) {
    const bool known = std::ranges::find(waiting.suspects, worker, &Suspect::thread) != waiting.suspects.end();
    if (!known) add_suspect(waiting, worker, {}, Role::finish, followed);
  };
  for (const trace::ThreadNumber each : past.workers)
    add(each, true);
  const auto object = process_.objects.find(pool);
  const bool made_known = object != process_.objects.end() && object->second.site != 0;
  if (made_known && (waiting.suspects.empty() || !replay_.complete())) {
    for (const auto& [number, thread] : process_.threads) {
      const bool may_be = deeds_.made_at(number) == object->second.site && !is_of_another_team(number, waiting);
      if (may_be) add(number, false);
    }
  }
  const auto is_idle = [&](const Suspect& each) {
    const auto found = index_.find(each.thread);
    return found != index_.end() && has_no_task(waiting_[found->second], pool);
  };
  const bool for_room = waiting.is(PoolWait::room);
  const bool begun = !replay_.complete() && !lost_some() && all_begun(past, waiting_, waiters_.at(pool), pool);
  if (begun && !for_room)
    std::erase_if(waiting.suspects, [&](const Suspect& each) { return each.ended || is_idle(each); });
  if (waiting.suspects.empty() ? begun : std::ranges::any_of(waiting.suspects, is_idle)) waiting.hope = Hope::open;
}

}  // namespace unspool
