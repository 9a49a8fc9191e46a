// SPDX-License-Identifier: MIT
//
// Healthy, and made to look stuck or out of order; and some that are out of order and look healthy.
#include "corpus.hpp"

namespace corpus {
namespace {

/// Loops that look for the end of the program now and then.
void accept_loops() {
  auto* const stop = new spool::Event{"stop"};
  for (const char* name : {"acceptor-1", "acceptor-2"}) {
    start(name, [=] {
      while (!stop->wait_for(1ms)) {}
    });
  }
  serve();
}

/// Each Timer starts the next one.
void tick(spool::Event* ticked) {
  spool::Timer next{5ms, [=] {
                      ticked->set();
                      tick(ticked);
                    }};
  next.start();
}
void periodic_timers() {
  auto* const ticked = new spool::Event{"ticked"};
  start("watcher", [=] {
    for (;;) {
      ticked->wait();
      ticked->clear();
    }
  });
  tick(ticked);
  serve();
}

/// Daemons for what nobody has asked for yet; main is in accept().
void daemons_at_rest() {
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  auto* const changed = new spool::Condition{"changed"};
  spool::Thread cleaner{spool::ThreadOptions{.name = "cleaner", .daemon = true}, [=] { (void)jobs->get(); }};
  spool::Thread writer{spool::ThreadOptions{.name = "writer", .daemon = true}, [=] {
                         const std::lock_guard guard{*changed};
                         changed->wait();
                       }};
  cleaner.start();
  writer.start();
  serve();
}

/// Readers in the kernel, a writer behind them, and a reader behind that.
void writer_behind_readers() {
  auto* const data = new spool::SharedLock{"data"};
  auto* const reads = new std::latch{1};
  start("reader-1", [=] {
    const std::shared_lock guard{*data};
    reads->count_down();
    serve();
  });
  reads->wait();
  start("writer", [=] { const std::lock_guard guard{*data}; });
  start("reader-2", [=] {
    while (data->try_lock_shared())  // until the writer waits
      data->unlock_shared();
    const std::shared_lock guard{*data};
  });
  serve();
}

/// A task waits for a task of another pool, which is at work.
void pool_behind_pool() {
  auto* const front = new spool::ThreadPool{1, {.name = "front"}};
  auto* const back = new spool::ThreadPool{1, {.name = "back"}};
  auto* const works = new std::latch{1};
  auto result = front->submit([=] {
    back->submit([=] {
          works->count_down();
          serve();
        })
        .get();
  });
  works->wait();
  result.get();
}

/// Main pulses, and will again.
void pulsed_event() {
  auto* const pulse = new spool::Event{"pulse"};
  auto* const rounds = new std::latch{2};
  for (const char* name : {"left", "right"}) {
    start(name, [=] {
      pulse->wait();
      rounds->count_down();
      for (;;)
        pulse->wait();
    });
  }
  pulse->set();
  rounds->wait();
  pulse->clear();
  serve();
}

/// Work is counted by permits; main brings them.
void jobs_as_permits() {
  auto* const jobs = new spool::Semaphore{0, "jobs"};
  auto* const done = new std::latch{4};
  for (const char* name : {"worker-1", "worker-2"}) {
    start(name, [=] {
      for (;;) {
        jobs->acquire();
        done->count_down();
      }
    });
  }
  jobs->release(4);
  done->wait();
  serve();
}

/// Main waits until all is done, and a worker is at it.
void last_item_in_work() {
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  jobs->put(1);
  start("worker", [=] {
    (void)jobs->get();
    serve();
  });
  jobs->join();
}

/// The workers look for work again now and then, whoever told them to.
void workers_on_predicate() {
  auto* const ready = new spool::Condition{"ready"};
  auto* const jobs = new int{0};
  for (const char* name : {"worker-1", "worker-2"}) {
    start(name, [=] {
      const std::lock_guard guard{*ready};
      for (;;) {
        if (ready->wait_for(1ms, [=] { return *jobs > 0; })) --*jobs;
      }
    });
  }
  run("boss", [=] {
    const std::lock_guard guard{*ready};
    *jobs += 2;
    ready->notify_all();
  });
  serve();
}

/// A connection's thread is made for each request, notifies, and ends; the next one will come.
void notified_by_the_ended() {
  auto* const ready = new spool::Condition{"ready"};
  auto* const jobs = new int{0};
  auto* const done = new std::latch{1};
  start("worker", [=] {
    const std::lock_guard guard{*ready};
    for (;;) {
      ready->wait([=] { return *jobs > 0; });
      --*jobs;
      done->count_down();
    }
  });
  start("acceptor", [=] {
    run("connection", [=] {
      const std::lock_guard guard{*ready};
      ++*jobs;
      ready->notify_one();
    });
    serve();
  });
  done->wait();
  serve();
}

/// Opposite orders inside of an RLock that is entered twice and left once before.
void gate_of_rlock() {
  auto* const gate = new spool::RLock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto inside = [=](spool::Lock& outer, spool::Lock& inner) {
    gate->lock();
    gate->lock();
    gate->unlock();
    both(outer, inner);
    gate->unlock();
  };
  apart([=] { inside(*a, *b); }, [=] { inside(*b, *a); });
}

/// The same, with the gate left before the inner lock is taken.
void gate_left_too_early() {
  auto* const gate = new spool::RLock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto inside = [=](spool::Lock& outer, spool::Lock& inner) {
    gate->lock();
    outer.lock();
    gate->unlock();
    inner.lock();
    inner.unlock();
    outer.unlock();
  };
  apart([=] { inside(*a, *b); }, [=] { inside(*b, *a); });
}

/// A gate that both read keeps nobody out.
void gate_of_readers() {
  auto* const gate = new spool::SharedLock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto inside = [=](spool::Lock& outer, spool::Lock& inner) {
    const std::shared_lock guard{*gate};
    both(outer, inner);
  };
  apart([=] { inside(*a, *b); }, [=] { inside(*b, *a); });
}

/// One reads the gate, the other writes it.
void gate_of_reader_and_writer() {
  auto* const gate = new spool::SharedLock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  apart(
      [=] {
        const std::shared_lock guard{*gate};
        both(*a, *b);
      },
      [=] {
        const std::lock_guard guard{*gate};
        both(*b, *a);
      });
}

/// Takes the second only if it is free, gives the first back otherwise, and tries again.
void backing_off_by_tries() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto work = [](spool::Lock& first, spool::Lock& second) {
    for (;;) {
      first.lock();
      if (second.try_lock()) break;
      first.unlock();
      std::this_thread::yield();
    }
    second.unlock();
    first.unlock();
  };
  apart([=] { work(*a, *b); }, [=] { work(*b, *a); });
}

/// A Timer that is started after the first order is done; start orders them.
void timer_afterwards() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const rang = new std::latch{1};
  both(*a, *b);
  spool::Timer alarm{1ms, [=] {
                       both(*b, *a);
                       rang->count_down();
                     }};
  alarm.start();
  rang->wait();
  serve();
}

/// The Timer runs already.
void timer_beside() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const rang = new std::latch{1};
  auto* const go = new std::latch{1};
  spool::Timer alarm{1ms, [=] {
                       go->wait();
                       both(*b, *a);
                       rang->count_down();
                     }};
  alarm.start();
  both(*a, *b);
  go->count_down();
  rang->wait();
  serve();
}

/// Two threads share out who goes first by a semaphore that is used as a lock: that orders nothing.
void permit_as_lock() {
  auto* const permit = new spool::Semaphore{1, "permit"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto inside = [=](spool::Lock& outer, spool::Lock& inner) {
    { const spool::Permit turn{*permit}; }
    both(outer, inner);
  };
  apart([=] { inside(*a, *b); }, [=] { inside(*b, *a); });
}

}  // namespace

Programs healthy_nasty() {
  return {
      {"accept_loops", accept_loops},
      {"periodic_timers", periodic_timers},
      {"daemons_at_rest", daemons_at_rest},
      {"writer_behind_readers", writer_behind_readers},
      {"pool_behind_pool", pool_behind_pool},
      {"pulsed_event", pulsed_event},
      {"jobs_as_permits", jobs_as_permits},
      {"last_item_in_work", last_item_in_work},
      {"workers_on_predicate", workers_on_predicate},
      {"notified_by_the_ended", notified_by_the_ended},
      {"gate_of_rlock", gate_of_rlock},
      {"could_gate_left_too_early", gate_left_too_early},
      {"could_gate_of_readers", gate_of_readers},
      {"gate_of_reader_and_writer", gate_of_reader_and_writer},
      {"backing_off_by_tries", backing_off_by_tries},
      {"timer_afterwards", timer_afterwards},
      {"could_timer_beside", timer_beside},
      {"could_permit_as_lock", permit_as_lock},
  };
}

}  // namespace corpus
