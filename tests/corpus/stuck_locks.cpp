// SPDX-License-Identifier: MIT
//
// Stuck at locks and in joins.
#include "corpus.hpp"

#include <deque>
#include <vector>

namespace corpus {
namespace {

/// Each locks its own, then wants the next one's.
template <class L>
void ring(std::size_t size) {
  std::deque<L> locks;
  for (std::size_t i = 0; i < size; ++i)
    locks.emplace_back();
  std::latch all{static_cast<std::ptrdiff_t>(size)};
  std::vector<spool::Thread> threads;
  for (std::size_t i = 0; i < size; ++i) {
    threads.push_back(start("ring-" + std::to_string(i), [&, i] {
      locks[i].lock();
      all.arrive_and_wait();
      locks[(i + 1) % size].lock();
    }));
  }
  for (spool::Thread& each : threads)
    each.join();
}

void lock_twice() {
  spool::Lock lock{"lock"};
  run("again", [&] {
    lock.lock();
    lock.lock();
  });
}

/// Both read, and both want to write.
void upgrade() {
  spool::SharedLock lock{"data"};
  std::latch both{2};
  const auto work = [&] {
    lock.lock_shared();
    both.arrive_and_wait();
    lock.lock();
  };
  auto left = start("left", work);
  auto right = start("right", work);
  left.join();
  right.join();
}

/// A reader asks again while a writer stands in the queue.
void read_again() {
  spool::SharedLock lock{"data"};
  std::latch reads{1};
  std::latch writer_waits{1};
  auto reader = start("reader", [&] {
    lock.lock_shared();
    reads.count_down();
    writer_waits.wait();
    lock.lock_shared();
  });
  reads.wait();
  auto writer = start("writer", [&] { lock.lock(); });
  while (lock.try_lock_shared()) {  // until the writer keeps new readers out
    lock.unlock_shared();
    std::this_thread::yield();
  }
  writer_waits.count_down();
  reader.join();
  writer.join();
}

void readers_and_writers() {
  spool::SharedLock a{"a"};
  spool::SharedLock b{"b"};
  std::latch both{2};
  auto left = start("left", [&] {
    a.lock_shared();
    both.arrive_and_wait();
    b.lock();
  });
  auto right = start("right", [&] {
    b.lock_shared();
    both.arrive_and_wait();
    a.lock();
  });
  left.join();
  right.join();
}

void join_under_lock() {
  spool::Lock lock{"lock"};
  run("joiner", [&] {
    const std::lock_guard guard{lock};
    start("joined", [&] { lock.lock(); }).join();
  });
}

void join_ring() {
  std::optional<spool::Thread> first;
  std::optional<spool::Thread> second;
  std::latch made{1};
  first = start("first", [&] {
    made.wait();
    second->join();
  });
  second = start("second", [&] {
    made.wait();
    first->join();
  });
  made.count_down();
  first->join();
}

/// The main thread joins one that joins main's lock's waiter.
void main_takes_part() {
  spool::Lock lock{"lock"};
  lock.lock();
  auto waiter = start("waiter", [&] { lock.lock(); });
  auto joiner = start("joiner", [&] { waiter.join(); });
  joiner.join();
}

void owner_ended() {
  spool::Lock lock{"lock"};
  run("owner", [&] { lock.lock(); });
  run("waiter", [&] { lock.lock(); });
}

void owner_threw() {
  spool::RLock lock{"lock"};
  run("owner", [&] {
    lock.lock();
    throw std::runtime_error{"in the middle"};
  });
  start("waiter", [&] { lock.lock(); });
  serve();
}

void two_at_once() {
  spool::Thread one = start("one", [] { ring<spool::Lock>(2); });
  lock_twice();
  one.join();
}

/// Others, which are well, use a third lock all the time.
void stuck_amid_traffic() {
  auto* const busy = new spool::Lock{"busy"};
  for (const char* name : {"busy-1", "busy-2"}) {
    start(name, [busy] {
      for (;;) {
        const std::lock_guard guard{*busy};
      }
    });
  }
  ring<spool::Lock>(3);
}

}  // namespace

Programs stuck_locks() {
  return {
      {"abba", [] { ring<spool::Lock>(2); }},
      {"ring_of_rlocks", [] { ring<spool::RLock>(5); }},
      {"ring_of_100", [] { ring<spool::Lock>(100); }},
      {"ring_of_shared", [] { ring<spool::SharedLock>(3); }},
      {"lock_twice", lock_twice},
      {"upgrade", upgrade},
      {"read_again", read_again},
      {"readers_and_writers", readers_and_writers},
      {"join_under_lock", join_under_lock},
      {"join_ring", join_ring},
      {"main_takes_part", main_takes_part},
      {"owner_ended", owner_ended},
      {"owner_threw", owner_threw},
      {"two_at_once", two_at_once},
      {"stuck_amid_traffic", stuck_amid_traffic},
  };
}

}  // namespace corpus
