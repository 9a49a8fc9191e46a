// SPDX-License-Identifier: MIT
//
// Healthy at locks, and waits with an end of their own.
#include "corpus.hpp"

#include <array>

namespace corpus {
namespace {

/// Opposite orders, but never without the gate.
void gate_lock() {
  auto* const gate = new spool::Lock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const rounds = new std::latch{200};
  const auto work = [=](spool::Lock& outer, spool::Lock& inner) {
    for (int i = 0; i < 100; ++i) {
      const std::lock_guard gate_guard{*gate};
      const std::lock_guard guard{outer};
      const std::lock_guard inner_guard{inner};
      rounds->count_down();
    }
    serve();
  };
  start("left", [=] { work(*a, *b); });
  start("right", [=] { work(*b, *a); });
  rounds->wait();
  serve();
}

/// Opposite orders, one after the other's end: start and join keep them apart.
void one_after_the_other() {
  spool::Lock a{"a"};
  spool::Lock b{"b"};
  const auto both = [](spool::Lock& outer, spool::Lock& inner) {
    const std::lock_guard guard{outer};
    const std::lock_guard inner_guard{inner};
  };
  run("left", [&] { both(a, b); });
  run("right", [&] { both(b, a); });
  serve();
}

void hand_over_hand() {
  struct List {
    std::array<spool::Lock, 4> locks;
  };
  auto* const list = new List;
  const auto walk = [=] {
    for (;;) {
      list->locks[0].lock();
      for (std::size_t i = 1; i < list->locks.size(); ++i) {
        list->locks[i].lock();
        list->locks[i - 1].unlock();
      }
      list->locks.back().unlock();
    }
  };
  start("left", walk);
  start("right", walk);
  serve();
}

void reentered() {
  auto* const lock = new spool::RLock{"lock"};
  start("again", [=] {
    lock->lock();
    lock->lock();
    serve();
  });
  serve();
}

/// One holds it for long, the others wait; it is busy, not stuck.
void long_hold() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const held = new std::latch{1};
  start("holder", [=] {
    lock->lock();
    held->count_down();
    serve();
  });
  held->wait();
  start("left", [=] { lock->lock(); });
  start("right", [=] { lock->lock(); });
  serve();
}

/// Opposite orders. Where both would give up, each wait ends by itself; where one would, the other waits for that.
void locks_with_limit(bool both_have_one) {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const both = new std::latch{2};
  const auto work = [=](spool::Lock& first, spool::Lock& second, bool limited) {
    first.lock();
    both->arrive_and_wait();
    if (limited) {
      (void)second.try_lock_for(1h);
    } else {
      second.lock();
    }
  };
  start("left", [=] { work(*a, *b, true); });
  start("right", [=] { work(*b, *a, both_have_one); });
  serve();
}

/// Tries that time out, back off, and are made again.
void backing_off() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto work = [](spool::Lock& first, spool::Lock& second) {
    for (;;) {
      const std::lock_guard guard{first};
      if (second.try_lock_for(1ms)) second.unlock();
    }
  };
  start("left", [=] { work(*a, *b); });
  start("right", [=] { work(*b, *a); });
  serve();
}

void waits_with_limit() {
  auto* const event = new spool::Event{"event"};
  auto* const permits = new spool::Semaphore{0, "permits"};
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  auto* const ready = new spool::Condition{"ready"};
  auto event_thread = start("event", [=] { (void)event->wait_for(1h); });
  start("permit", [=] { (void)permits->try_acquire_for(1h); });
  start("item", [=] { (void)jobs->get_for(1h); });
  start("notified", [=] {
    const std::lock_guard guard{*ready};
    (void)ready->wait_for(1h);
  });
  (void)event_thread.join_for(1h);
}

/// A lock as a signal: acquired twice by one thread, released by the other.
void lock_as_signal() {
  auto* const go = new spool::Lock{"go"};
  auto* const served = new std::latch{3};
  go->lock();
  start("waiter", [=] {
    for (;;) {
      go->lock();
      served->count_down();
    }
  });
  for (int i = 0; i < 3; ++i) {
    while (go->try_lock()) {  // as long as the signal has not been taken
      go->unlock();
      std::this_thread::yield();
    }
    go->unlock();
  }
  served->wait();
  serve();
}

void many_readers() {
  auto* const lock = new spool::SharedLock{"data"};
  auto* const all = new std::latch{4};
  for (const char* name : {"reader-1", "reader-2", "reader-3", "reader-4"}) {
    start(name, [=] {
      const std::shared_lock guard{*lock};
      all->arrive_and_wait();
      serve();
    });
  }
  all->wait();
  start("writer", [=] { lock->lock(); });
  serve();
}

void joins_of_the_healthy() {
  auto busy = start("busy", [] { serve(); });
  auto joiner = start("joiner", [busy]() mutable { busy.join(); });
  joiner.join();
}

void long_timer() {
  spool::Timer timer{spool::ThreadOptions{.name = "alarm"}, 1h, [] {}};
  timer.start();
  timer.join();
}

}  // namespace

Programs healthy() {
  return {
      {"gate_lock", gate_lock},
      {"one_after_the_other", one_after_the_other},
      {"hand_over_hand", hand_over_hand},
      {"reentered", reentered},
      {"long_hold", long_hold},
      {"locks_with_limits", [] { locks_with_limit(true); }},
      {"locks_with_one_limit", [] { locks_with_limit(false); }},
      {"backing_off", backing_off},
      {"waits_with_limit", waits_with_limit},
      {"lock_as_signal", lock_as_signal},
      {"many_readers", many_readers},
      {"joins_of_the_healthy", joins_of_the_healthy},
      {"long_timer", long_timer},
  };
}

}  // namespace corpus
