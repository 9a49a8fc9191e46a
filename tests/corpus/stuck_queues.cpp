// SPDX-License-Identifier: MIT
//
// Stuck at queues and pools.
#include "corpus.hpp"

namespace corpus {
namespace {

void producer_gone() {
  spool::Queue<int> jobs{0, "jobs"};
  auto consumer = start("consumer", [&] {
    for (;;)
      (void)jobs.get();
  });
  auto other = start("other", [&] {
    for (;;)
      (void)jobs.get();
  });
  run("producer", [&] {
    for (int i = 0; i < 3; ++i)
      jobs.put(i);
  });
  consumer.join();
  other.join();
}

void producer_threw() {
  spool::Queue<int> jobs{0, "jobs"};
  start("consumer", [&] {
    for (;;)
      (void)jobs.get();
  });
  start("producer", [&] {
    jobs.put(1);
    throw std::runtime_error{"no more"};
  });
  serve();
}

void consumer_gone() {
  spool::Queue<int> jobs{1, "jobs"};
  auto producer = start("producer", [&] {
    for (;;)
      jobs.put(1);
  });
  run("consumer", [&] { (void)jobs.get(); });
  producer.join();
}

void item_never_done() {
  spool::Queue<int> jobs{0, "jobs"};
  jobs.put(1);
  run("consumer", [&] { (void)jobs.get(); });
  jobs.join();
}

/// Who makes room needs the lock that is held meanwhile.
void full_queue_under_lock() {
  spool::Queue<int> jobs{1, "jobs"};
  spool::Lock lock{"lock"};
  std::latch got{1};
  std::latch locked{1};
  auto consumer = start("consumer", [&] {
    (void)jobs.get();
    got.count_down();
    locked.wait();
    const std::lock_guard guard{lock};
    (void)jobs.get();
  });
  auto producer = start("producer", [&] {
    jobs.put(1);
    got.wait();
    const std::lock_guard guard{lock};
    locked.count_down();
    jobs.put(2);
    jobs.put(3);
  });
  consumer.join();
  producer.join();
}

/// Each waits for the other's next word.
void request_and_reply() {
  spool::Queue<int> requests{0, "requests"};
  spool::Queue<int> replies{0, "replies"};
  auto client = start("client", [&] {
    requests.put(1);
    (void)replies.get();
    (void)replies.get();
    requests.put(2);
  });
  auto server = start("server", [&] {
    (void)requests.get();
    replies.put(1);
    (void)requests.get();
    replies.put(2);
  });
  client.join();
  server.join();
}

/// All workers wait for tasks that are queued behind them.
void pool_starved() {
  auto* const pool = new spool::ThreadPool{2, {.name = "worker"}};
  auto* const both = new std::latch{2};
  const auto outer = [=] {
    both->arrive_and_wait();
    return pool->submit([] { return 1; }).get();
  };
  auto one = pool->submit(outer);
  auto two = pool->submit(outer);
  (void)one.get();
  (void)two.get();
}

void pool_of_one() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  (void)pool->submit([=] { return pool->submit([] { return 1; }).get(); });
  serve();
}

void pool_full() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker", .max_queued = 1}};
  auto* const submitted = new std::latch{1};
  (void)pool->submit([=] {
    submitted->wait();
    (void)pool->submit([] {});
    (void)pool->submit([] {});
  });
  submitted->count_down();
  serve();
}

void pool_joined_in_task() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  (void)pool->submit([=] { pool->join(); });
  serve();
}

void result_under_lock() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  lock->lock();
  auto result = pool->submit([=] { const std::lock_guard guard{*lock}; });
  result.get();
}

/// The permit went along with the connection, and was forgotten: the worker waits for the next one.
void permit_forgotten() {
  auto* const connections = new spool::Semaphore{1, "connections"};
  auto* const accepted = new spool::Queue<int>{0, "accepted"};
  start("worker", [=] {
    for (;;)
      (void)accepted->get();
  });
  start("acceptor", [=] {
    for (int i = 0;; ++i) {
      connections->acquire();
      accepted->put(i);
    }
  }).join();
}

}  // namespace

Programs stuck_queues() {
  return {
      {"producer_gone", producer_gone},
      {"producer_threw", producer_threw},
      {"consumer_gone", consumer_gone},
      {"item_never_done", item_never_done},
      {"full_queue_under_lock", full_queue_under_lock},
      {"request_and_reply", request_and_reply},
      {"pool_starved", pool_starved},
      {"pool_of_one", pool_of_one},
      {"pool_full", pool_full},
      {"pool_joined_in_task", pool_joined_in_task},
      {"result_under_lock", result_under_lock},
      {"permit_forgotten", permit_forgotten},
  };
}

}  // namespace corpus
