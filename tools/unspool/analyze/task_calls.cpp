// SPDX-License-Identifier: MIT
#include <unspool/analyze/task_calls.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most_tasks = 4096;
constexpr std::size_t most_calls = 16;  // of one task

}  // namespace

void TaskCalls::began(trace::ThreadNumber worker, const TaskKey& task) {
  running_[worker] = task;
  workers_.insert(worker);
}

void TaskCalls::asked(trace::ThreadNumber worker, const TaskCall& call) {
  const auto running = running_.find(worker);
  if (running == running_.end()) return;
  const auto [found, added] = tasks_.try_emplace(running->second);
  Task& task = found->second;
  task.worker = worker;
  if (added) {
    order_.push_back(running->second);
    std::deque<TaskKey>& open = without_result_[running->second.pool];
    open.push_back(running->second);
    if (open.size() > most_tasks) open.pop_front();
  }
  const auto before = std::ranges::find_if(task.calls, [&](const TaskCall& each) {
    return each.object == call.object && each.shared == call.shared && each.site == call.site;
  });
  if (before != task.calls.end()) {
    *before = call;
  } else if (task.calls.size() < most_calls) {
    task.calls.push_back(call);
  } else if (call.stuck) {
    task.calls.back() = call;
  }
  if (order_.size() <= most_tasks) return;
  tasks_.erase(order_.front());
  order_.pop_front();
}

void TaskCalls::handed_over(trace::ThreadNumber worker) {
  const auto running = running_.find(worker);
  if (running == running_.end()) return;
  const auto found = tasks_.find(running->second);
  if (found == tasks_.end()) return;
  for (TaskCall& each : found->second.calls)
    each.told = true;
}

void TaskCalls::had_result(const TaskKey& task, trace::Ticks time) {
  const auto found = tasks_.find(task);
  if (found != tasks_.end()) found->second.first_result = std::min(found->second.first_result, time);
}

void TaskCalls::had_all_results(trace::ObjectNumber pool, trace::Ticks time) {
  const auto found = without_result_.find(pool);
  if (found == without_result_.end()) return;
  const auto runs = [this](const TaskKey& task) {
    return std::ranges::any_of(running_, [&](const auto& each) { return each.second == task; });
  };
  std::deque<TaskKey> running;
  for (const TaskKey& each : found->second) {
    if (runs(each)) {
      running.push_back(each);
    } else {
      had_result(each, time);
    }
  }
  found->second = std::move(running);
}

const TaskCalls::Task* TaskCalls::find(const TaskKey& task) const {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace unspool
