// SPDX-License-Identifier: MIT
#include "worker_pool.hpp"

#include <mutex>
#include <string>
#include <utility>

namespace http_server {

WorkerPool::WorkerPool(std::size_t workers) {
  for (std::size_t i = 0; i < workers; ++i) {
    workers_.emplace_back(spool::ThreadOptions{.name = "worker-" + std::to_string(i)}, [this] { work(); });
    workers_.back().start();
  }
}

void WorkerPool::enqueue(std::function<void()> task) {
  const std::lock_guard guard{lock_};
  tasks_.push_back(std::move(task));
  ready_.notify_one();
}

void WorkerPool::shutdown() {
  {
    const std::lock_guard guard{lock_};
    ending_ = true;
    ready_.notify_all();
  }
  for (spool::Thread& worker : workers_)
    worker.join();
}

void WorkerPool::work() {
  while (const std::function<void()> task = next_task())
    task();
}

/// Waits for a task; an empty one when there is nothing left to do.
std::function<void()> WorkerPool::next_task() {
  const std::lock_guard guard{lock_};
  // A loop, where ready_.wait([&] { ... }) would do as well: clang's thread-safety analysis follows it.
  while (tasks_.empty() && !ending_)
    ready_.wait();
  if (tasks_.empty()) return {};
  std::function<void()> task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

}  // namespace http_server
