// SPDX-License-Identifier: MIT
//
// Stuck, though somebody goes on: what that one does is known by then, or it is not its part.
#include "corpus.hpp"

#include <stdexcept>

namespace corpus {
namespace {

/// The task that took it has failed, and its worker waits for the next one.
void lock_left_by_task() {
  auto* const ledger = new spool::RLock{"ledger"};
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  auto* const taken = new std::latch{1};
  (void)pool->submit([=] {
    ledger->lock();
    taken->count_down();
    throw std::runtime_error{"no such account"};
  });
  start("clerk", [=] {
    taken->wait();
    const std::lock_guard guard{*ledger};
  });
  serve();
}

/// Main, which has put all there was, joins the worker, which waits for more.
void no_end_for_the_last() {
  auto* const tasks = new spool::Queue<int>{0, "tasks"};
  auto worker = start("worker", [=] {
    for (;;) {
      (void)tasks->get();
      tasks->task_done();
    }
  });
  for (int task = 0; task < 20; ++task)
    tasks->put(task);
  worker.join();
}

/// Whoever could take from it never had to wait for an item, and never found one.
void retries_of_a_full_queue() {
  auto* const work = new spool::Queue<int>{2, "work"};
  auto* const retry = new spool::Queue<int>{2, "retry"};
  start("worker", [=] {
    for (;;)
      retry->put(work->get());
  });
  start("parser", [=] {
    (void)retry->try_get();
    for (int item = 0;; ++item)
      work->put(item);
  });
  serve();
}

/// Two pass buffers to and fro; one keeps some. A third has done nothing yet, and it is not its part.
void beside_a_quiet_thread() {
  auto* const free_buffers = new spool::Semaphore{2, "free"};
  auto* const full_buffers = new spool::Semaphore{0, "full"};
  start("quiet", [] { serve(); });
  start("reader", [=] {
    for (;;) {
      free_buffers->acquire();
      full_buffers->release();
    }
  });
  start("parser", [=] {
    for (int block = 1;; ++block) {
      full_buffers->acquire();
      if (block % 20 != 0) free_buffers->release();
    }
  });
  serve();
}

}  // namespace

Programs stuck_parts() {
  return {
      {"lock_left_by_task", lock_left_by_task},
      {"no_end_for_the_last", no_end_for_the_last},
      {"retries_of_a_full_queue", retries_of_a_full_queue},
      {"beside_a_quiet_thread", beside_a_quiet_thread},
  };
}

}  // namespace corpus
