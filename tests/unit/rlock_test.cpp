// SPDX-License-Identifier: MIT
//
// What an RLock promises beside its Records: re-entry, and what follows from it. What it has in common
// with a Lock is in lock_test.cpp.
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/rlock.hpp>

#include "records/modes.hpp"
#include "support/named_requirements.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <vector>

using namespace spool;
using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

static_assert(TimedLockable<RLock>);
static_assert(TimedLockable<std::unique_lock<RLock>>);
static_assert(!std::is_copy_constructible_v<RLock> && !std::is_move_constructible_v<RLock>);

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
