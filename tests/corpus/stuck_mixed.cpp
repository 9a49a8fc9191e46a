// SPDX-License-Identifier: MIT
//
// Stuck over several kinds.
#include "corpus.hpp"

namespace corpus {
namespace {

void permit_and_lock() {
  spool::Semaphore permits{1, "permits"};
  spool::Lock lock{"lock"};
  std::latch both{2};
  auto left = start("left", [&] {
    const spool::Permit permit{permits};
    both.arrive_and_wait();
    lock.lock();
  });
  auto right = start("right", [&] {
    lock.lock();
    both.arrive_and_wait();
    const spool::Permit permit{permits};
  });
  left.join();
  right.join();
}

/// Waits on the inner condition with the outer lock held, which whoever notifies needs.
void nested_monitor() {
  spool::Lock outer{"outer"};
  spool::Condition inner{"inner"};
  std::latch locked{1};
  auto waiter = start("waiter", [&] {
    const std::lock_guard guard{outer};
    locked.count_down();
    const std::lock_guard inner_guard{inner};
    inner.wait();
  });
  auto notifier = start("notifier", [&] {
    locked.wait();
    const std::lock_guard guard{outer};
    const std::lock_guard inner_guard{inner};
    inner.notify_one();
  });
  waiter.join();
  notifier.join();
}

/// The same with a round that went well, and a main that goes on.
void nested_monitor_later() {
  auto* const outer = new spool::Lock{"outer"};
  auto* const inner = new spool::Condition{"inner"};
  auto* const waits = new std::latch{1};
  auto* const locked = new std::latch{1};
  start("waiter", [=] {
    {
      const std::lock_guard guard{*inner};
      waits->count_down();
      inner->wait();
    }
    outer->lock();
    locked->count_down();
    const std::lock_guard guard{*inner};
    inner->wait();
  });
  start("notifier", [=] {
    waits->wait();
    {
      const std::lock_guard guard{*inner};  // free only when the wait has begun
      inner->notify_one();
    }
    locked->wait();
    outer->lock();
    const std::lock_guard guard{*inner};
    inner->notify_one();
  });
  serve();
}

/// Joins, with what the joined thread waits for still to be done.
void join_before_set() {
  spool::Event go{"go"};
  run("boss", [&] {
    go.set();
    go.clear();
    auto worker = start("worker", [&] { go.wait(); });
    worker.join();
    go.set();
  });
}

void join_before_put() {
  spool::Queue<int> jobs{0, "jobs"};
  auto worker = start("worker", [&] {
    while (jobs.get() != 0) {}
  });
  jobs.put(1);
  worker.join();
  jobs.put(0);
}

void timer_wants_joiners_lock() {
  spool::Lock lock{"lock"};
  run("joiner", [&] {
    const std::lock_guard guard{lock};
    spool::Timer timer{spool::ThreadOptions{.name = "alarm"}, 1ms, [&] { lock.lock(); }};
    timer.start();
    timer.join();
  });
}

/// Lock, queue and event, each waited for by the holder of the one before.
void three_kinds() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  auto* const event = new spool::Event{"event"};
  auto* const ready = new std::latch{3};
  start("holder", [=] {
    jobs->put(1);
    lock->lock();
    ready->arrive_and_wait();
    event->wait();
    jobs->put(2);
  });
  start("setter", [=] {
    event->set();
    event->clear();
    ready->arrive_and_wait();
    (void)jobs->get();
    (void)jobs->get();
    event->set();
  });
  start("bystander", [=] {
    ready->arrive_and_wait();
    lock->lock();
  });
  serve();
}

/// Two of three threads lock each other out, the third waits for permits of both.
void permits_behind_abba() {
  spool::Lock a{"a"};
  spool::Lock b{"b"};
  spool::Semaphore permits{2, "permits"};
  std::latch both{2};
  const auto work = [&](spool::Lock& first, spool::Lock& second) {
    permits.acquire();
    first.lock();
    both.arrive_and_wait();
    second.lock();
  };
  auto left = start("left", [&] { work(a, b); });
  auto right = start("right", [&] { work(b, a); });
  auto third = start("third", [&] {
    both.wait();
    permits.acquire();
  });
  left.join();
  right.join();
  third.join();
}

}  // namespace

Programs stuck_mixed() {
  return {
      {"permit_and_lock", permit_and_lock},
      {"nested_monitor", nested_monitor},
      {"nested_monitor_later", nested_monitor_later},
      {"join_before_set", join_before_set},
      {"join_before_put", join_before_put},
      {"timer_wants_joiners_lock", timer_wants_joiners_lock},
      {"three_kinds", three_kinds},
      {"permits_behind_abba", permits_behind_abba},
  };
}

}  // namespace corpus
