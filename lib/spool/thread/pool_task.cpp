// SPDX-License-Identifier: MIT
#include <spool/thread/pool_core.hpp>

#include <utility>

namespace spool::thread {

void PoolTask::run() noexcept {
  try {
    invoke();
  } catch (...) {
    exception_ = std::current_exception();
  }
  forget();
}

void TaskQueue::push(std::shared_ptr<PoolTask> task) noexcept {
  PoolTask* const added = task.get();
  added->before_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = std::move(task);
  last_ = added;
  ++size_;
}

std::shared_ptr<PoolTask> TaskQueue::remove(PoolTask& task) noexcept {
  std::shared_ptr<PoolTask>& link = task.before_ == nullptr ? first_ : task.before_->next_;
  std::shared_ptr<PoolTask> removed = std::move(link);
  link = std::move(task.next_);
  (link == nullptr ? last_ : link->before_) = task.before_;
  task.before_ = nullptr;
  --size_;
  return removed;
}

}  // namespace spool::thread
