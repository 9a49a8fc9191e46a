// SPDX-License-Identifier: MIT
#include <unspool/analyze/task_calls.hpp>

#include <algorithm>

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
  if (added) order_.push_back(running->second);
  const auto before = std::ranges::find_if(task.calls, [&](const TaskCall& each) {
    return each.object == call.object && each.shared == call.shared && each.site == call.site;
  });
  if (before != task.calls.end()) {
    *before = call;
  } else if (task.calls.size() < most_calls) {
    task.calls.push_back(call);
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
  for (auto each = tasks_.lower_bound({pool, 0}); each != tasks_.end() && each->first.pool == pool; ++each)
    each->second.first_result = std::min(each->second.first_result, time);
}

const TaskCalls::Task* TaskCalls::find(const TaskKey& task) const {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace unspool
