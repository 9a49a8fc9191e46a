// SPDX-License-Identifier: MIT
//
// Could deadlock, and did not: readers, joins, and rings with less in plain sight.
#include "corpus.hpp"

#include <array>
#include <iterator>

namespace corpus {
namespace {

/// Readers in both orders get along, but not with writers in between.
void readers_among_writers() {
  auto* const a = new spool::SharedLock{"a"};
  auto* const b = new spool::SharedLock{"b"};
  const auto read = [](spool::SharedLock& outer, spool::SharedLock& inner) {
    const std::shared_lock guard{outer};
    const std::shared_lock inner_guard{inner};
  };
  auto* const written = new std::latch{2};
  for (spool::SharedLock* const lock : {a, b}) {
    start("writer", [=] {
      { const std::lock_guard guard{*lock}; }
      written->count_down();
      serve();
    });
  }
  written->wait();
  apart([=] { read(*a, *b); }, [=] { read(*b, *a); });
}

/// Reads, and reads again; the other one writes.
void reads_again() {
  auto* const data = new spool::SharedLock{"data"};
  apart(
      [=] {
        const std::shared_lock guard{*data};
        const std::shared_lock again{*data};
      },
      [=] { const std::lock_guard guard{*data}; });
}

/// The joined thread had the lock already; it might have been slower.
void join_under_lock() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const done = new std::latch{1};
  auto worker = start("worker", [=] {
    { const std::lock_guard guard{*lock}; }
    done->count_down();
  });
  done->wait();
  {
    const std::lock_guard guard{*lock};
    worker.join();
  }
  serve();
}

/// The joined thread has nothing to do with the lock, but joins one that asks for it.
void join_of_a_join_under_lock() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const done = new std::latch{1};
  auto worker = start("worker", [=] { const std::lock_guard guard{*lock}; });
  auto overseer = start("overseer", [worker, done]() mutable {
    worker.join();
    done->count_down();
  });
  done->wait();
  {
    const std::lock_guard guard{*lock};
    overseer.join();
  }
  serve();
}

/// The task had the lock already; it might have been slower.
void result_under_lock() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  auto result = pool->submit([=] { const std::lock_guard guard{*lock}; });
  while (!result.is_done())
    std::this_thread::yield();
  {
    const std::lock_guard guard{*lock};
    result.get();
  }
  serve();
}

/// The thread is started between the two: its order is another one.
void started_in_between() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const worker_done = new std::latch{1};
  both(*a, *b);
  start("worker", [=] {
    both(*b, *a);
    worker_done->count_down();
    serve();
  });
  worker_done->wait();
  both(*a, *b);
  serve();
}

/// A ring of four, each by a thread of its own.
void ring_of_four() {
  auto* const locks = new std::array<spool::Lock, 4>{};
  in_turn(locks->size(), [=](std::size_t i) { both((*locks)[i], (*locks)[(i + 1) % locks->size()]); });
}

/// So many may sit down as there are.
void seats_for_all() {
  auto* const locks = new std::array<spool::Lock, 4>{};
  auto* const seats = new spool::Semaphore{std::ssize(*locks), "seats"};
  in_turn(locks->size(), [=](std::size_t i) {
    const spool::Permit seat{*seats};
    both((*locks)[i], (*locks)[(i + 1) % locks->size()]);
  });
}

/// A seat is asked for with a fork in hand: all have their first one then.
void seats_too_late() {
  auto* const locks = new std::array<spool::Lock, 4>{};
  auto* const seats = new spool::Semaphore{std::ssize(*locks) - 1, "seats"};
  in_turn(locks->size(), [=](std::size_t i) {
    const std::lock_guard first{(*locks)[i]};
    const spool::Permit seat{*seats};
    const std::lock_guard second{(*locks)[(i + 1) % locks->size()]};
  });
}

/// Both take the one before the other; but after a Condition's wait its lock is acquired again, with the other one
/// held.
void reacquired_in_wait() {
  auto* const outer = new spool::Lock{"outer"};
  auto* const inner = new spool::Condition{"inner"};
  apart(
      [=] {
        const std::lock_guard inner_guard{*inner};
        const std::lock_guard guard{*outer};
        (void)inner->wait_for(1ms);
      },
      [=] { both(*inner, *outer); });
}

/// Some readers keep each other's gate open: it keeps only writers apart.
void open_gate() {
  auto* const gate = new spool::SharedLock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto work = [=](spool::Lock& outer, spool::Lock& inner) {
    const std::shared_lock guard{*gate};
    both(outer, inner);
  };
  apart([=] { work(*a, *b); }, [=] { work(*b, *a); });
}

/// std::scoped_lock for two of them does not help against a third one.
void scoped_inside() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const c = new spool::Lock{"c"};
  apart(
      [=] {
        const std::lock_guard guard{*c};
        const std::scoped_lock inner_guard{*a, *b};
      },
      [=] {
        const std::scoped_lock guard{*a, *b};
        const std::lock_guard inner_guard{*c};
      });
}

}  // namespace

Programs could_deadlock_too() {
  return {
      {"could_readers_among_writers", readers_among_writers},
      {"could_read_again", reads_again},
      {"could_join_under_lock", join_under_lock},
      {"could_join_of_a_join", join_of_a_join_under_lock},
      {"could_result_under_lock", result_under_lock},
      {"could_started_in_between", started_in_between},
      {"could_ring_of_four", ring_of_four},
      {"could_seats_for_all", seats_for_all},
      {"could_seats_too_late", seats_too_late},
      {"could_reacquire", reacquired_in_wait},
      {"could_open_gate", open_gate},
      {"could_scoped_inside", scoped_inside},
  };
}

}  // namespace corpus
