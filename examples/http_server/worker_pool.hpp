// SPDX-License-Identifier: MIT
//
// The server's worker threads: httplib's task queue on spool's threads. Owns the queue and the threads; what a task
// does is httplib's: it serves one connection until that is closed, so there must be as many workers as connections.
#pragma once

#include <spool/spool.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include <httplib.h>

namespace http_server {

class WorkerPool final : public httplib::TaskQueue {
 public:
  explicit WorkerPool(std::size_t workers);

  /// From httplib's accepting thread.
  void enqueue(std::function<void()> task) override;

  /// Returns when the tasks that were enqueued are done and all workers are joined. httplib calls it once, as the
  /// server stops.
  void shutdown() override;

 private:
  void work();
  std::function<void()> next_task();

  // The names are what a report calls them.
  spool::Lock lock_{"tasks"};
  spool::Condition ready_{lock_, "task ready"};
  std::deque<std::function<void()>> tasks_ SPOOL_GUARDED_BY(lock_);
  bool ending_ SPOOL_GUARDED_BY(lock_) = false;
  std::vector<spool::Thread> workers_;
};

}  // namespace http_server
