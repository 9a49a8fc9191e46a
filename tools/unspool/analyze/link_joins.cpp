// SPDX-License-Identifier: MIT
//
// Joins with a lock held, and waits for a task's result: links.hpp's part that knows whether the joined thread, one that
// it joins in turn, or the task asks for that lock.
#include <unspool/analyze/links.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace unspool {

using trace::Effect;
using trace::Verb;

namespace {

constexpr std::size_t most_joins = 10'000;
constexpr std::size_t most_joined_at = 8;    // of one thread
constexpr std::size_t most_followed = 1000;  // threads that one join waits for

/// Of the begin of a wait.
bool has_limit(const trace::Row& row) {
  return row.limit == trace::WaitLimit::deadline || row.limit == trace::WaitLimit::stop;
}

}  // namespace

void Links::thread(const Record& record) {
  if (!trace::is_thread(record.object)) return;
  const auto other = static_cast<trace::ThreadNumber>(record.object);
  if (record.row->verb == Verb::end) {
    if (ThreadLocks* const locks = threads_.get(other)) locks->held.clear();
    return;
  }
  if (record.row->verb == Verb::start) {
    gates_.started(record.thread, other, held_from(record.thread));
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
  JoinUnderLock join;
  join.target = target;
  join.limited = has_limit(*record.row);
  add_joins(joining_[target], record, join);
  if (effect == Effect::resume) judge_joins(target);
}

/// One for each lock that is held now.
void Links::add_joins(std::vector<JoinUnderLock>& joins, const Record& record, const JoinUnderLock& form) {
  ThreadLocks& mine = threads_[record.thread];
  if (mine.held.empty() || !replay_->complete()) return;
  forget_stale(record.thread, mine.held);
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
    JoinUnderLock join = form;
    join.lock = each.object;
    join.shared = each.shared;
    join.joiner = record.thread;
    join.lock_site = each.site;
    join.join_site = record.site;
    join.lock_since = each.since;
    join.join_time = record.time;
    join.seen = each.seen;
    joins.push_back(std::move(join));
  }
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

/// This call of a task: unless it may be known to be past, has a limit, or reads what is read.
bool Links::keeps_waiting(const TaskCalls::Task& task, const TaskCall& call, const JoinUnderLock& join) const {
  const bool gives_up = !call.stuck && may_give_up(call.waited, call.site);
  return call.object == join.lock && !(call.shared && join.shared) && !gives_up && !call.told &&
         task.first_result > join.lock_since;
}

/// The thread's call for the lock that is held at this join; nothing: it has made none that could wait for it.
std::optional<Links::Asker> Links::asker_of(trace::ThreadNumber thread, const JoinUnderLock& join) const {
  if (tasks_.is_worker(thread)) {
    const TaskCall* const call = tasks_.find_of_worker(
        thread, [&](const TaskCalls::Task& task, const TaskCall& each) { return keeps_waiting(task, each, join); });
    if (call == nullptr) return std::nullopt;
    return Asker{call->site, call->time, call->stuck};
  }
  const auto found = threads_.find(thread);
  if (found == threads_.end()) return std::nullopt;
  const ThreadLocks& locks = found->second;
  const auto entry = std::find_if(locks.asked.begin(), locks.asked.end(), [&](const auto& item) {
    const Asked& lock = item.second;
    const bool gives_up = !lock.stuck && may_give_up(lock.waited, lock.site);
    return lock.object == join.lock && !(lock.shared && join.shared) && !gives_up && !precedes(locks, lock, join);
  });
  if (entry == locks.asked.end()) return std::nullopt;
  return Asker{entry->second.site, entry->second.time, entry->second.stuck};
}

/// By the fewest joins from the joined thread on.
std::optional<Links::Asker> Links::find_asker(JoinUnderLock& join) const {
  if (const auto asker = asker_of(join.target, join)) return asker;
  std::vector<std::pair<ThreadJoin, std::size_t>> reached{{{0, join.target, 0, 0}, 0}};  // with the one before
  std::unordered_set<trace::ThreadNumber> met{join.joiner, join.target};
  for (std::size_t at = 0; at < reached.size(); ++at) {
    const trace::ThreadNumber joiner = reached[at].first.target;
    for (auto each = thread_joins_.lower_bound({joiner, 0}); each != thread_joins_.end(); ++each) {
      const ThreadJoin& next = each->second;
      if (next.joiner != joiner) break;
      if (reached.size() > most_followed) return std::nullopt;
      if (joins_give_up_.contains(next.site) || was_over(next.target, join)) continue;
      if (!met.insert(next.target).second) continue;
      reached.emplace_back(next, at);
      const auto asker = asker_of(next.target, join);
      if (!asker) continue;
      for (std::size_t step = reached.size() - 1; step != 0; step = reached[step].second)
        join.via.insert(join.via.begin(), reached[step].first);
      join.asker = next.target;
      return asker;
    }
  }
  return std::nullopt;
}

/// Which of the locks that were held at its joins this thread asked for, or one that it joined.
void Links::judge_joins(trace::ThreadNumber target) {
  const auto found = joining_.find(target);
  if (found == joining_.end()) return;
  for (JoinUnderLock& each : found->second) {
    each.asker = target;
    const auto asker = find_asker(each);
    if (!asker) {
      --joins_under_locks_;
      continue;
    }
    each.target_site = asker->site;
    each.target_time = asker->time;
    each.stuck = asker->stuck;
    joins_.push_back(each);
  }
  joining_.erase(found);
}

void Links::pool(const Record& record) {
  switch (record.row->verb) {
    case Verb::begin:
      tasks_.began(record.thread, {record.object, record.a});
      threads_[record.thread].runs_task = true;
      return;
    case Verb::end:
      tasks_.ended(record.thread);
      threads_[record.thread].runs_task = false;
      return;
    default:
      return wait_for_task(record);
  }
}

/// For its result: the begin of the wait, if there was one, and its end.
void Links::wait_for_task(const Record& record) {
  constexpr std::uint32_t for_result = 1;
  const Effect effect = record.row->effect;
  if (record.row->verb == Verb::resume && record.b == 0) tasks_.had_all_results(record.object, record.time);
  const bool begins = effect == Effect::wait && record.a == for_result;
  const bool fails = effect == Effect::fail && record.row->verb != Verb::closed && record.a == for_result;
  if (record.b == 0 || !(record.row->verb == Verb::resume || begins || fails)) return;
  const TaskKey task{record.object, record.b};
  if (effect == Effect::fail) {
    joins_give_up_.insert(record.site);
    const auto found = awaiting_.find(task);
    if (found == awaiting_.end()) return;
    joins_under_locks_ -=
        std::erase_if(found->second, [&](const JoinUnderLock& each) { return each.joiner == record.thread; });
    if (found->second.empty()) awaiting_.erase(found);
    return;
  }
  JoinUnderLock join;
  join.task = task;
  join.limited = has_limit(*record.row);
  add_joins(awaiting_[task], record, join);
  if (effect == Effect::resume) {
    judge_task(task);
    tasks_.had_result(task, record.time);
  } else if (awaiting_[task].empty()) {
    awaiting_.erase(task);
  }
}

/// Which of the locks that were held at the waits for its result the task asked for, unless that was over by then.
void Links::judge_task(const TaskKey& key) {
  const std::vector<JoinUnderLock> joins = std::move(awaiting_[key]);
  awaiting_.erase(key);
  const TaskCalls::Task* const task = tasks_.find(key);
  for (const JoinUnderLock& each : joins) {
    const auto asks = [&](const TaskCall& call) {
      return task->worker != each.joiner && keeps_waiting(*task, call, each);
    };
    const TaskCall* found = nullptr;
    for (std::size_t i = 0; task != nullptr && i < task->calls.size(); ++i) {
      if (asks(task->calls[i]) && (found == nullptr || task->calls[i].stuck)) found = &task->calls[i];
    }
    if (found == nullptr || joins_give_up_.contains(each.join_site)) {
      --joins_under_locks_;
      continue;
    }
    JoinUnderLock join = each;
    join.target = join.asker = task->worker;
    join.target_site = found->site;
    join.target_time = found->time;
    join.stuck = found->stuck;
    joins_.push_back(std::move(join));
  }
}

}  // namespace unspool
