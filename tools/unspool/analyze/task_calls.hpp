// SPDX-License-Identifier: MIT
//
// Which locks the tasks of pools ask for: whoever waits for a task's result must not hold one of them. Owns for how long
// that is remembered of a task.
//
// Memory: the last few thousand tasks that asked for any lock, and a few locks of each.
#pragma once

#include <spool/trace/ids.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

struct TaskKey {
  trace::ObjectNumber pool = 0;
  std::uint32_t task = 0;
  auto operator<=>(const TaskKey&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};

/// A task asks for a lock, without a limit as far as that is known.
struct TaskCall {
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Ticks time = 0;
  bool shared = false;
  bool waited = false;
  bool stuck = false;
  bool told = false;  ///< its thread has handed something over since: others may know that it is past
};

class TaskCalls {
 public:
  struct Task {
    trace::ThreadNumber worker = 0;
    std::vector<TaskCall> calls;
    trace::Ticks first_result = std::numeric_limits<trace::Ticks>::max();  ///< when somebody had its result
  };

  void began(trace::ThreadNumber worker, const TaskKey& task);
  void ended(trace::ThreadNumber worker) { running_.erase(worker); }
  void asked(trace::ThreadNumber worker, const TaskCall& call);
  /// The worker has handed something over, other than its task's result.
  void handed_over(trace::ThreadNumber worker);
  void had_result(const TaskKey& task, trace::Ticks time);
  /// Somebody has waited for the end of all tasks.
  void had_all_results(trace::ObjectNumber pool, trace::Ticks time);
  /// null: it asked for no lock, or that is not known any more.
  const Task* find(const TaskKey& task) const;
  /// It has run tasks, so that all that it asked for is theirs.
  bool is_worker(trace::ThreadNumber thread) const { return workers_.contains(thread); }
  /// The call of one of its tasks that `chosen(task, call)` is true for, one that is stuck if there is; null: none is.
  template <class Chosen>
  const TaskCall* find_of_worker(trace::ThreadNumber worker, Chosen chosen) const {
    const TaskCall* found = nullptr;
    for (const auto& [key, task] : tasks_) {
      if (task.worker != worker) continue;
      for (const TaskCall& call : task.calls) {
        if (chosen(task, call) && (found == nullptr || call.stuck)) found = &call;
      }
    }
    return found;
  }

 private:
  std::unordered_set<trace::ThreadNumber> workers_;
  std::unordered_map<trace::ThreadNumber, TaskKey> running_;  ///< by worker
  std::map<TaskKey, Task> tasks_;
  std::deque<TaskKey> order_;                                                    ///< of `tasks_`, the oldest first
  std::unordered_map<trace::ObjectNumber, std::deque<TaskKey>> without_result_;  ///< by pool; some may have one
};

}  // namespace unspool
