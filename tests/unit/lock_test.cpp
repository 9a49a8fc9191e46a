// SPDX-License-Identifier: MIT
//
// What a Lock promises beside its Records: exclusion, the standard's requirements, misuse. Most of it an RLock promises
// too, at any depth; what only that has is in rlock_test.cpp.
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/rlock.hpp>

#include "records/modes.hpp"
#include "support/named_requirements.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Verb;

namespace {

static_assert(TimedLockable<Lock>);
static_assert(TimedLockable<std::unique_lock<Lock>>);
static_assert(!std::is_copy_constructible_v<Lock> && !std::is_move_constructible_v<Lock>);
static_assert(std::is_nothrow_move_constructible_v<std::unique_lock<Lock>>);

template <class L>
constinit L made_before_main{"static"};

/// Once, and an RLock once more.
template <class L>
void lock_deeply(L& lock) {
  lock.lock();
  if constexpr (std::is_same_v<L, RLock>) lock.lock();
}
template <class L>
void unlock_wholly(L& lock) {
  if constexpr (std::is_same_v<L, RLock>) lock.unlock();
  lock.unlock();
}

/// Adds to a plain integer from many threads; only exclusion keeps the sum right.
template <class Add>
long sum_of(int threads, int rounds, Add add) {
  long sum = 0;
  std::vector<Thread> running;
  for (int i = 0; i < threads; ++i) {
    running.push_back(start_thread("adder", [&] {
      for (int n = 0; n < rounds; ++n)
        add(sum, n);
    }));
  }
  for (Thread& each : running)
    each.join();
  return sum;
}

}  // namespace

TEMPLATE_TEST_CASE("a lock excludes, with more threads than processors, in every mode", "", Lock, RLock) {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    TestType lock;
    CHECK(sum_of(8, 3000, [&](long& sum, int) {
            const std::lock_guard guard{lock};
            ++sum;
          }) == 8 * 3000);
    CHECK_FALSE(lock.locked());
  }
}

TEMPLATE_TEST_CASE("tries, timeouts and stops beside plain locks lose no wake-up and no exclusion", "", Lock, RLock) {
  tap();
  TestType lock;
  std::atomic<long> taken{0};
  const long sum = sum_of(6, 600, [&](long& shared, int n) {
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
    if (!mine) return;
    if constexpr (std::is_same_v<TestType, RLock>) lock.lock();
    ++shared;
    ++taken;
    unlock_wholly(lock);
  });
  CHECK(sum == taken.load());
  CHECK(lock.try_lock());
  lock.unlock();
}

TEMPLATE_TEST_CASE("a waiter that times out wakes nobody's wait for ever", "", Lock, RLock) {
  tap();
  TestType lock;
  lock_deeply(lock);
  std::vector<Thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(start_thread("patient", [&] { const std::lock_guard guard{lock}; }));
    waiters.push_back(start_thread("hasty", [&] {
      if (lock.try_lock_for(1ms)) lock.unlock();
    }));
  }
  tap().await(lock.log_object().kind(), Verb::timeout, number_of(lock), 3);
  unlock_wholly(lock);
  for (Thread& each : waiters)
    each.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("another thread than the owner may release") {
  Lock lock;
  lock.lock();
  CHECK(lock.is_owned());
  run_in_thread("helper", [&] {
    CHECK_FALSE(lock.is_owned());
    lock.unlock();
  });
  CHECK_FALSE(lock.locked());
  CHECK_FALSE(lock.is_owned());
}

TEST_CASE("release of a free lock says which lock, who and where") {
  Lock lock{"accounts\n"};
  CHECK_THROWS_AS(lock.unlock(), MisuseError);
  CHECK_THROWS_WITH(lock.unlock(), Contains("release of a free lock \"accounts\\n\"") && Contains("lock_test.cpp") &&
                                       Contains("held by nobody") && Contains("by thread MainThread (1)"));
  std::unique_lock guard{lock};
  guard.unlock();
  CHECK_THROWS_AS(guard.unlock(), std::system_error);
}

TEST_CASE("std::unique_lock moves, swaps, releases and refuses as the standard says") {
  Lock lock;
  std::unique_lock<Lock> empty;
  CHECK_THROWS_AS(empty.lock(), std::system_error);
  std::unique_lock guard{lock};
  CHECK_THROWS_AS(guard.lock(), std::system_error);
  empty = std::move(guard);
  CHECK(empty.owns_lock());
  CHECK(empty.mutex() == &lock);
  CHECK_FALSE(guard.owns_lock());
  CHECK(empty.release() == &lock);
  CHECK(lock.locked());
  lock.unlock();
  {
    std::unique_lock first{lock};
    std::unique_lock<Lock> second;
    second = std::unique_lock{std::move(first)};
    CHECK(static_cast<bool>(second));
  }
  CHECK_FALSE(lock.locked());
}

TEST_CASE("std::scoped_lock in opposite orders does not deadlock") {
  tap();
  Lock a;
  Lock b;
  Lock c;
  const long sum = sum_of(4, 500, [&](long& shared, int n) {
    if (n % 2 == 0) {
      const std::scoped_lock guard{a, b, c};
      ++shared;
    } else {
      const std::scoped_lock guard{c, b, a};
      ++shared;
    }
  });
  CHECK(sum == 4 * 500);
}

TEST_CASE("std::lock in opposite orders does not deadlock, also beside a lock that is not ours") {
  tap();
  Lock a;
  Lock b;
  std::mutex theirs;
  const long sum = sum_of(4, 500, [&](long& shared, int n) {
    if (n % 2 == 0) {
      std::lock(a, theirs, b);
    } else {
      std::lock(b, a, theirs);
    }
    const std::scoped_lock adopted{std::adopt_lock, theirs, b, a};
    ++shared;
  });
  CHECK(sum == 4 * 500);
}

TEST_CASE("std::try_lock holds all or none, and says which one it could not have") {
  Lock a;
  Lock b;
  Lock c;
  CHECK(std::try_lock(a, b, c) == -1);
  CHECK((a.is_owned() && b.is_owned() && c.is_owned()));
  b.unlock();
  run_in_thread("trier", [&] {
    CHECK(std::try_lock(a, b) == 0);
    CHECK(std::try_lock(b, a) == 1);
    CHECK(std::try_lock(b, c, a) == 1);
  });
  CHECK_FALSE(b.locked());
  const std::scoped_lock adopted{std::adopt_lock, a, c};
}

TEMPLATE_TEST_CASE("std::condition_variable_any works on a lock, bare or under a guard", "", Lock, RLock) {
  TestType lock;
  std::condition_variable_any changed;
  bool ready = false;
  Thread guarded = start_thread("guarded", [&] {
    std::unique_lock guard{lock};
    changed.wait(guard, [&] { return ready; });
  });
  Thread bare = start_thread("bare", [&] {
    lock.lock();
    changed.wait(lock, [&] { return ready; });
    CHECK(lock.is_owned());
    lock.unlock();
  });
  {
    const std::lock_guard guard{lock};
    ready = true;
  }
  changed.notify_all();
  guarded.join();
  bare.join();
  CHECK_FALSE(lock.locked());
}

TEMPLATE_TEST_CASE("absurd times are taken as for ever, or as passed", "", Lock, RLock) {
  tap();
  TestType lock;
  using Seconds = std::chrono::duration<double>;
  CHECK(lock.try_lock_for(Seconds{std::numeric_limits<double>::infinity()}));
  Thread waiter = start_thread("eternal", [&] {
    CHECK(lock.try_lock_for(std::chrono::hours::max()));
    lock.unlock();
    CHECK(lock.try_lock_until(std::chrono::system_clock::time_point::max()));
    lock.unlock();
  });
  tap().await(lock.log_object().kind(), Verb::block, number_of(lock));
  run_in_thread("never", [&] {
    CHECK_FALSE(lock.try_lock_for(Seconds{std::numeric_limits<double>::quiet_NaN()}));
    CHECK_FALSE(lock.try_lock_for(std::chrono::hours::min()));
    CHECK_FALSE(lock.try_lock_until(std::chrono::system_clock::time_point::min()));
    CHECK_FALSE(lock.try_lock_until(std::chrono::steady_clock::time_point::min()));
  });
  lock.unlock();
  waiter.join();
}

TEMPLATE_TEST_CASE("a lock may be destroyed by whoever acquires it last", "", Lock, RLock) {
  tap();
  for (int i = 0; i < 300; ++i) {
    auto lock = std::make_unique<TestType>();
    lock_deeply(*lock);
    Thread last = start_thread("last", [&] {
      lock_deeply(*lock);
      unlock_wholly(*lock);
      lock.reset();
    });
    if (i % 2 == 0) tap().await(lock->log_object().kind(), Verb::block, number_of(*lock));
    unlock_wholly(*lock);
    last.join();
  }
  SUCCEED();
}

TEMPLATE_TEST_CASE("a lock of static storage works", "", Lock, RLock) {
  const std::lock_guard guard{made_before_main<TestType>};
  CHECK(made_before_main<TestType>.is_owned());
}
