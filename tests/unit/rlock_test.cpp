// SPDX-License-Identifier: MIT
//
// What an RLock promises beside its Records: exclusion, re-entry, the standard's requirements, misuse.
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/rlock.hpp>

#include "records/modes.hpp"
#include "support/named_requirements.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

namespace {

static_assert(TimedLockable<RLock>);
static_assert(TimedLockable<std::unique_lock<RLock>>);
static_assert(!std::is_copy_constructible_v<RLock> && !std::is_move_constructible_v<RLock>);

constinit RLock made_before_main{"static"};

long nested_sum(RLock& lock, long& sum, int depth) {
  const std::lock_guard guard{lock};
  ++sum;
  return depth == 0 ? sum : nested_sum(lock, sum, depth - 1);
}

}  // namespace

TEST_CASE("an RLock excludes others at any depth, with more threads than processors, in every mode") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    RLock lock;
    long sum = 0;
    std::vector<Thread> running;
    for (int i = 0; i < 8; ++i) {
      running.push_back(start_thread("nester", [&] {
        for (int n = 0; n < 600; ++n)
          nested_sum(lock, sum, n % 4);
      }));
    }
    for (Thread& each : running)
      each.join();
    CHECK(sum == 8 * 150 * (1 + 2 + 3 + 4));
    CHECK_FALSE(lock.locked());
  }
}

TEST_CASE("an RLock is free after as many releases as acquires, and not before") {
  RLock lock;
  CHECK(lock.depth() == 0);
  lock.lock();
  CHECK(lock.try_lock());
  CHECK(lock.depth() == 2);
  const auto seen_from_elsewhere = [&] {
    bool taken = false;
    run_in_thread("other", [&] {
      CHECK_FALSE(lock.is_owned());
      CHECK(lock.depth() == 0);
      taken = lock.try_lock();
      if (taken) lock.unlock();
    });
    return taken;
  };
  CHECK_FALSE(seen_from_elsewhere());
  lock.unlock();
  CHECK(lock.locked());
  CHECK(lock.is_owned());
  CHECK_FALSE(seen_from_elsewhere());
  lock.unlock();
  CHECK_FALSE(lock.locked());
  CHECK(seen_from_elsewhere());
}

TEST_CASE("a release by another thread is refused, in words that name the holder") {
  RLock lock{"tree\n"};
  CHECK_THROWS_WITH(lock.unlock(), Contains("release of a free rlock \"tree\\n\"") && Contains("held by nobody"));
  std::atomic<bool> refused{false};
  std::atomic<bool> held{false};
  Thread holder = start_thread("gardener", [&] {
    const std::lock_guard guard{lock};
    held.store(true);
    until([&] { return refused.load(); }, "the release is refused");
  });
  until([&] { return held.load(); }, "the lock is held");
  CHECK_THROWS_WITH(lock.unlock(), Contains("release of another thread's rlock \"tree\\n\"") &&
                                       Contains("held by thread gardener (") && Contains("rlock_test.cpp") &&
                                       Contains("by thread MainThread (1)"));
  refused.store(true);
  holder.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("tries, timeouts and stops beside nested locks lose no wake-up and no exclusion") {
  tap();
  RLock lock;
  long shared = 0;
  std::atomic<long> taken{0};
  std::vector<Thread> running;
  for (int i = 0; i < 6; ++i) {
    running.push_back(start_thread("mixer", [&] {
      for (int n = 0; n < 400; ++n) {
        bool mine = true;
        if (n % 4 == 0) {
          lock.lock();
        } else if (n % 4 == 1) {
          mine = lock.try_lock();
        } else if (n % 4 == 2) {
          mine = lock.try_lock_for(std::chrono::microseconds{n % 50});
        } else {
          std::stop_source stop;
          std::thread stopper{[&] { stop.request_stop(); }};
          mine = lock.lock(stop.get_token());
          stopper.join();
        }
        if (!mine) continue;
        const std::lock_guard again{lock};
        ++shared;
        ++taken;
        lock.unlock();
      }
    }));
  }
  for (Thread& each : running)
    each.join();
  CHECK(shared == taken.load());
  CHECK_FALSE(lock.locked());
}

TEST_CASE("std::scoped_lock and std::lock take an RLock that the thread holds, beside others") {
  tap();
  RLock a;
  RLock b;
  const std::lock_guard outer{a};
  {
    const std::scoped_lock both{b, a};
    CHECK(a.depth() == 2);
  }
  std::lock(a, b);
  CHECK((a.depth() == 2 && b.depth() == 1));
  const std::scoped_lock adopted{std::adopt_lock, a, b};
}

TEST_CASE("std::condition_variable_any works on an RLock, bare or under a guard") {
  RLock lock;
  std::condition_variable_any changed;
  int ready = 0;
  Thread guarded = start_thread("guarded", [&] {
    std::unique_lock guard{lock};
    changed.wait(guard, [&] { return ready != 0; });
  });
  Thread bare = start_thread("bare", [&] {
    lock.lock();
    changed.wait(lock, [&] { return ready != 0; });
    CHECK(lock.depth() == 1);
    lock.unlock();
  });
  {
    const std::lock_guard guard{lock};
    ready = 1;
  }
  changed.notify_all();
  guarded.join();
  bare.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("an RLock may be destroyed by whoever acquires it last") {
  tap();
  for (int i = 0; i < 200; ++i) {
    auto lock = std::make_unique<RLock>();
    lock->lock();
    lock->lock();
    Thread last = start_thread("last", [&] {
      lock->lock();
      lock->lock();
      lock->unlock();
      lock->unlock();
      lock.reset();
    });
    if (i % 2 == 0) tap().await(Kind::rlock, Verb::block, number_of(*lock));
    lock->unlock();
    lock->unlock();
    last.join();
  }
  SUCCEED();
}

TEST_CASE("an RLock of static storage works") {
  const std::lock_guard guard{made_before_main};
  CHECK(made_before_main.depth() == 1);
}
