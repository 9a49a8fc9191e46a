// SPDX-License-Identifier: MIT
//
// Healthy, and idle: whoever brings the next piece of work is there, or will be made.
#include "corpus.hpp"

namespace corpus {
namespace {

/// Main is in accept(); it has put before.
void idle_server() {
  auto* const requests = new spool::Queue<int>{0, "requests"};
  for (const char* name : {"worker-1", "worker-2", "worker-3"}) {
    start(name, [=] {
      for (;;)
        (void)requests->get();
    });
  }
  for (int i = 0; i < 10; ++i)
    requests->put(i);
  serve();
}

/// No request came yet.
void fresh_server() {
  auto* const requests = new spool::Queue<int>{0, "requests"};
  start("worker", [=] {
    for (;;)
      (void)requests->get();
  });
  serve();
}

/// A thread for each connection puts its request and ends; main joins the acceptor.
void thread_per_connection() {
  auto* const requests = new spool::Queue<int>{0, "requests"};
  start("worker", [=] {
    for (;;)
      (void)requests->get();
  });
  auto acceptor = start("acceptor", [=] {
    run("connection", [=] { requests->put(1); });
    serve();
  });
  acceptor.join();
}

/// The acceptor is no thread of ours, and main waits to be told to stop.
void foreign_acceptor() {
  auto* const requests = new spool::Queue<int>{0, "requests"};
  auto* const stop = new spool::Event{"stop"};
  start("worker", [=] {
    for (;;)
      (void)requests->get();
  });
  std::thread acceptor{[=] {
    requests->put(1);
    serve();
  }};
  acceptor.detach();
  stop->wait();
}

/// Nobody that spool knows has anything to do, but main waits for a signal, and a thread of the system's may accept.
void told_to_stop() {
  auto* const requests = new spool::Queue<int>{0, "requests"};
  auto* const stop = new spool::Event{"stop"};
  start("worker", [=] {
    for (;;)
      (void)requests->get();
  });
  stop->wait();
}

void idle_pool() {
  auto* const pool = new spool::ThreadPool{3, {.name = "worker"}};
  for (int i = 0; i < 10; ++i)
    pool->submit([] {}).get();
  serve();
}

/// Of which nobody ever asked anything; main joins somebody who is busy.
void unused_pool() {
  auto* const pool = new spool::ThreadPool{2, {.name = "worker"}};
  auto server = start("server", [=] {
    (void)pool;
    serve();
  });
  server.join();
}

void idle_workers_at_condition() {
  auto* const ready = new spool::Condition{"ready"};
  auto* const jobs = new int{0};
  for (const char* name : {"worker-1", "worker-2"}) {
    start(name, [=] {
      for (;;) {
        const std::lock_guard guard{*ready};
        ready->wait([=] { return *jobs != 0; });
        --*jobs;
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    const std::lock_guard guard{*ready};
    ++*jobs;
    ready->notify_one();
  }
  serve();
}

/// The producer lives on and rests.
void producer_at_rest() {
  auto* const jobs = new spool::Queue<int>{2, "jobs"};
  start("producer", [=] {
    for (int i = 0; i < 10; ++i)
      jobs->put(i);
    serve();
  });
  auto consumer = start("consumer", [=] {
    for (;;)
      (void)jobs->get();
  });
  consumer.join();
}

/// All stages rest, for the source does.
void pipeline_at_rest() {
  auto* const raw = new spool::Queue<int>{0, "raw"};
  auto* const cooked = new spool::Queue<int>{0, "cooked"};
  start("cook", [=] {
    for (;;)
      cooked->put(raw->get());
  });
  auto eater = start("eater", [=] {
    for (;;)
      (void)cooked->get();
  });
  start("source", [=] {
    for (int i = 0; i < 5; ++i)
      raw->put(i);
    serve();
  });
  eater.join();
}

/// The queue is full, and the consumer takes its time.
void slow_consumer() {
  auto* const jobs = new spool::Queue<int>{1, "jobs"};
  auto producer = start("producer", [=] {
    for (;;)
      jobs->put(1);
  });
  start("consumer", [=] {
    (void)jobs->get();
    serve();
  });
  producer.join();
}

void permits_in_use() {
  auto* const permits = new spool::Semaphore{2, "permits"};
  auto* const all = new std::latch{2};
  for (const char* name : {"user-1", "user-2"}) {
    start(name, [=] {
      const spool::Permit permit{*permits};
      all->arrive_and_wait();
      serve();
    });
  }
  all->wait();
  auto waiter = start("waiter", [=] { permits->acquire(); });
  waiter.join();
}

/// Two semaphores as a mailbox; who fills it lives on.
void signalled_by_semaphore() {
  auto* const full = new spool::Semaphore{0, "full"};
  auto* const empty = new spool::Semaphore{1, "empty"};
  start("writer", [=] {
    for (int i = 0; i < 3; ++i) {
      empty->acquire();
      full->release();
    }
    serve();
  });
  auto reader = start("reader", [=] {
    for (;;) {
      full->acquire();
      empty->release();
    }
  });
  reader.join();
}

/// The third party is still at work.
void slow_party() {
  auto* const lap = new spool::Barrier{3, "lap"};
  for (const char* name : {"left", "right"}) {
    start(name, [=] {
      lap->wait();
      lap->wait();
    });
  }
  auto slow = start("slow", [=] {
    lap->wait();
    serve();
  });
  slow.join();
}

/// One Event a request, set by a worker that is busy with another one.
void event_per_request() {
  struct Request {
    spool::Event done{"done"};
  };
  auto* const requests = new spool::Queue<Request*>{0, "requests"};
  start("worker", [=] {
    for (int i = 0; i < 3; ++i)
      requests->get()->done.set();
    serve();
  });
  auto client = start("client", [=] {
    for (;;) {
      auto* const request = new Request;
      requests->put(request);
      request->done.wait();
    }
  });
  client.join();
}

void result_of_a_long_task() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  (void)pool->submit([] { serve(); });
  pool->submit([] {}).get();
}

}  // namespace

Programs healthy_idle() {
  return {
      {"idle_server", idle_server},
      {"fresh_server", fresh_server},
      {"thread_per_connection", thread_per_connection},
      {"foreign_acceptor", foreign_acceptor},
      {"told_to_stop", told_to_stop},
      {"idle_pool", idle_pool},
      {"unused_pool", unused_pool},
      {"idle_workers_at_condition", idle_workers_at_condition},
      {"producer_at_rest", producer_at_rest},
      {"pipeline_at_rest", pipeline_at_rest},
      {"slow_consumer", slow_consumer},
      {"permits_in_use", permits_in_use},
      {"signalled_by_semaphore", signalled_by_semaphore},
      {"slow_party", slow_party},
      {"event_per_request", event_per_request},
      {"result_of_a_long_task", result_of_a_long_task},
  };
}

}  // namespace corpus
