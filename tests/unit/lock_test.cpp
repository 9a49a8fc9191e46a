// SPDX-License-Identifier: MIT
//
// What a Lock promises beside its Records: exclusion, the standard's requirements, misuse.
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/misuse.hpp>

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
using trace::Kind;
using trace::Verb;

namespace {

static_assert(TimedLockable<Lock>);
static_assert(TimedLockable<std::unique_lock<Lock>>);
static_assert(!std::is_copy_constructible_v<Lock> && !std::is_move_constructible_v<Lock>);
static_assert(std::is_nothrow_move_constructible_v<std::unique_lock<Lock>>);

constinit Lock made_before_main{"static"};

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

TEST_CASE("a Lock excludes, with more threads than processors, in every mode") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    Lock lock;
    CHECK(sum_of(8, 3000, [&](long& sum, int) {
            const std::lock_guard guard{lock};
            ++sum;
          }) == 8 * 3000);
    CHECK_FALSE(lock.locked());
  }
}

TEST_CASE("tries, timeouts and stops beside plain locks lose no wake-up and no exclusion") {
  tap();
  Lock lock;
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
    ++shared;
    ++taken;
    lock.unlock();
  });
  CHECK(sum == taken.load());
  CHECK(lock.try_lock());
  lock.unlock();
}

TEST_CASE("a waiter that times out wakes nobody's wait for ever") {
  tap();
  Lock lock;
  lock.lock();
  std::vector<Thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(start_thread("patient", [&] { const std::lock_guard guard{lock}; }));
    waiters.push_back(start_thread("hasty", [&] {
      if (lock.try_lock_for(1ms)) lock.unlock();
    }));
  }
  tap().await(Kind::lock, Verb::timeout, number_of(lock), 3);
  lock.unlock();
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

TEST_CASE("std::condition_variable_any works on a Lock") {
  Lock lock;
  std::condition_variable_any changed;
  bool ready = false;
  Thread waiter = start_thread("waiter", [&] {
    std::unique_lock guard{lock};
    changed.wait(guard, [&] { return ready; });
  });
  {
    const std::lock_guard guard{lock};
    ready = true;
  }
  changed.notify_all();
  waiter.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("absurd times are taken as for ever, or as passed") {
  tap();
  Lock lock;
  using Seconds = std::chrono::duration<double>;
  CHECK(lock.try_lock_for(Seconds{std::numeric_limits<double>::infinity()}));
  Thread waiter = start_thread("eternal", [&] {
    CHECK(lock.try_lock_for(std::chrono::hours::max()));
    lock.unlock();
    CHECK(lock.try_lock_until(std::chrono::system_clock::time_point::max()));
    lock.unlock();
  });
  tap().await(Kind::lock, Verb::block, number_of(lock));
  run_in_thread("never", [&] {
    CHECK_FALSE(lock.try_lock_for(Seconds{std::numeric_limits<double>::quiet_NaN()}));
    CHECK_FALSE(lock.try_lock_for(std::chrono::hours::min()));
    CHECK_FALSE(lock.try_lock_until(std::chrono::system_clock::time_point::min()));
    CHECK_FALSE(lock.try_lock_until(std::chrono::steady_clock::time_point::min()));
  });
  lock.unlock();
  waiter.join();
}

TEST_CASE("a lock may be destroyed by whoever acquires it last") {
  tap();
  for (int i = 0; i < 300; ++i) {
    auto lock = std::make_unique<Lock>();
    lock->lock();
    Thread last = start_thread("last", [&] {
      lock->lock();
      lock->unlock();
      lock.reset();
    });
    if (i % 2 == 0) tap().await(Kind::lock, Verb::block, number_of(*lock));
    lock->unlock();
    last.join();
  }
  SUCCEED();
}

TEST_CASE("a lock of static storage works") {
  const std::lock_guard guard{made_before_main};
  CHECK(made_before_main.is_owned());
}
