// SPDX-License-Identifier: MIT
//
// What a Condition promises beside its Records: order, predicates, no spurious wake, misuse.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>

#include "records/modes.hpp"
#include "support/named_requirements.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

static_assert(TimedLockable<Condition>);
static_assert(TimedLockable<std::unique_lock<Condition>>);

TEST_CASE("waiters are woken in the order in which they came") {
  tap();
  Condition turn;
  std::vector<int> order;
  std::vector<Thread> waiters;
  constexpr int count = 6;
  for (int i = 0; i < count; ++i) {
    waiters.push_back(start_thread("waiter", [&, i] {
      const std::lock_guard guard{turn};
      turn.wait();
      order.push_back(i);
    }));
    tap().await_by(waiters.back().ident(), Kind::condition, Verb::block);
  }
  for (int i = 0; i < count; ++i) {
    {
      const std::lock_guard guard{turn};
      turn.notify_one();
    }
    waiters[static_cast<std::size_t>(i)].join();
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a predicate is waited for, and its last value is the answer") {
  tap();
  Condition changed;
  bool ready = false;
  std::unique_lock guard{changed};
  CHECK_FALSE(changed.wait_for(1ms, [&] { return ready; }));
  CHECK_FALSE(changed.wait_until(std::chrono::steady_clock::now() - 1h, [&] { return ready; }));
  CHECK(changed.wait_for(-1h, [] { return true; }));
  // It turns true while the wait times out: that counts.
  CHECK(changed.wait_for(1ms, [&, asked = 0]() mutable { return asked++ == 1; }));
  guard.unlock();
  Thread waiter = start_thread("waiter", [&] {
    const std::lock_guard inner{changed};
    changed.wait([&] { return ready; });
    CHECK(changed.wait_for(1h, [&] { return ready; }));
  });
  tap().await_by(waiter.ident(), Kind::condition, Verb::block);
  guard.lock();
  changed.notify_all();
  guard.unlock();
  tap().await_by(waiter.ident(), Kind::condition, Verb::block, 2);
  guard.lock();
  ready = true;
  changed.notify_all();
  guard.unlock();
  waiter.join();
}

TEST_CASE("a stop ends a wait, and its predicate is asked once more") {
  tap();
  Condition changed;
  std::stop_source stop;
  bool ready = false;
  Thread waiter = start_thread("stopped", [&] {
    const std::lock_guard guard{changed};
    CHECK_FALSE(changed.wait(stop.get_token(), [&] { return ready; }));
    CHECK_FALSE(changed.wait_for(stop.get_token(), 1h, [&] { return ready; }));
    ready = true;
    CHECK(changed.wait(stop.get_token(), [&] { return ready; }));
  });
  tap().await_by(waiter.ident(), Kind::condition, Verb::block);
  stop.request_stop();
  waiter.join();
}

TEST_CASE("a stop that races with a notify leaves no notification lost and none doubled") {
  tap();
  Condition changed;
  for (int i = 0; i < 300; ++i) {
    std::stop_source stop;
    bool notified = false;
    Thread waiter = start_thread("racer", [&] {
      const std::lock_guard guard{changed};
      notified = changed.wait(stop.get_token());
    });
    tap().await_by(waiter.ident(), Kind::condition, Verb::block);
    Thread stopper = start_thread("stopper", [&] { stop.request_stop(); });
    {
      const std::lock_guard guard{changed};
      changed.notify_one();
    }
    waiter.join();
    stopper.join();
    const auto records = tap().records_by(waiter.ident());
    const bool told = std::ranges::count(records, Verb::resume, &TappedRecord::verb) == 1;
    REQUIRE(told == notified);
  }
}

TEST_CASE("no wait returns without a notification: none is spurious") {
  tap();
  Condition ping;
  std::atomic<int> returned{0};
  std::vector<Thread> waiters;
  constexpr int rounds = 200;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(start_thread("waiter", [&] {
      for (int n = 0; n < rounds; ++n) {
        const std::lock_guard guard{ping};
        ping.wait();
        ++returned;
      }
    }));
  }
  std::uint64_t given = 0;
  for (int awaited = 1; given < 4 * rounds; ++awaited) {
    until([&] { return returned.load() == static_cast<int>(given); }, "all that were woken have returned");
    until([&] { return number_of(ping) != 0; }, "somebody waits");
    tap().await(Kind::condition, Verb::block, number_of(ping), given + 1);
    const std::lock_guard guard{ping};
    ping.notify_one();
    ++given;
    REQUIRE(returned.load() == static_cast<int>(given) - 1);
  }
  for (Thread& each : waiters)
    each.join();
  CHECK(returned.load() == 4 * rounds);
}

TEST_CASE("a queue of one producer and many consumers delivers all, in every mode") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    Condition filled;
    std::deque<int> queue;
    long sum = 0;
    std::vector<Thread> consumers;
    for (int i = 0; i < 4; ++i) {
      consumers.push_back(start_thread("consumer", [&] {
        for (;;) {
          const std::lock_guard guard{filled};
          filled.wait([&] { return !queue.empty(); });
          const int item = queue.front();
          queue.pop_front();
          if (item < 0) return;
          sum += item;
        }
      }));
    }
    const auto put = [&](int item) {
      const std::lock_guard guard{filled};
      queue.push_back(item);
      filled.notify_one();
    };
    for (int item = 1; item <= 1000; ++item)
      put(item);
    for (int i = 0; i < 4; ++i)
      put(-1);
    for (Thread& each : consumers)
      each.join();
    CHECK(sum == 500'500);
  }
}

TEST_CASE("waiting or notifying without the lock is refused, in words") {
  Condition condition{"ready"};
  CHECK_THROWS_AS(condition.wait(), MisuseError);
  CHECK_THROWS_WITH(condition.notify_all(),
                    Contains("notify without the lock on condition \"ready\"") && Contains("condition_test.cpp"));
  CHECK_THROWS_WITH((void)condition.wait_for(1s), Contains("wait without the lock"));
  // Somebody else's hold does not count.
  const std::lock_guard guard{condition};
  run_in_thread("intruder", [&] { CHECK_THROWS_AS(condition.notify_one(), MisuseError); });
}

TEST_CASE("a condition is locked in each way in which its lock is, and misuse of it names no holder that is none") {
  tap();
  Lock lock;
  Condition over_lock{lock};
  Condition own;
  for (Condition* condition : {&over_lock, &own}) {
    std::stop_source stop;
    CHECK(condition->lock(stop.get_token()));
    run_in_thread("other", [&] {
      CHECK_FALSE(condition->try_lock_for(1ms));
      CHECK_FALSE(condition->try_lock_until(std::chrono::steady_clock::now() + 1ms));
      CHECK_FALSE(condition->try_lock_for(stop.get_token(), 1ms));
      CHECK_THROWS_WITH(condition->notify(), Contains("by thread other (") && !Contains("held by"));
      stop.request_stop();
      CHECK_FALSE(condition->lock(stop.get_token()));
      CHECK_FALSE(condition->try_lock_for(stop.get_token(), std::chrono::hours::max()));
    });
    condition->unlock();
  }
}

TEST_CASE("a wait lets a re-entered RLock go, and holds it as often again when it returns") {
  tap();
  RLock lock;
  Condition changed{lock};
  std::stop_source stop;
  Thread waiter = start_thread("waiter", [&] {
    for (int i = 0; i < 3; ++i)
      lock.lock();
    changed.wait();
    CHECK(lock.depth() == 3);
    CHECK_FALSE(changed.wait_for(1ms));
    CHECK(lock.depth() == 3);
    CHECK_FALSE(changed.wait(stop.get_token()));
    CHECK(lock.depth() == 3);
    for (int i = 0; i < 3; ++i)
      lock.unlock();
    CHECK(lock.depth() == 0);
  });
  tap().await_by(waiter.ident(), Kind::condition, Verb::block);
  {
    const std::lock_guard outer{lock};
    const std::lock_guard inner{changed};
    CHECK(lock.depth() == 2);
    changed.notify_one();
  }
  tap().await_by(waiter.ident(), Kind::condition, Verb::block, 3);
  stop.request_stop();
  waiter.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("a Condition of its own is over an RLock, and may be entered again") {
  Condition condition;
  const std::lock_guard outer{condition};
  const std::lock_guard inner{condition};
  CHECK(condition.try_lock());
  CHECK(condition.try_lock_for(0s));
  CHECK(condition.try_lock_until(std::chrono::steady_clock::now()));
  CHECK_FALSE(condition.wait_for(1ms));
  for (int i = 0; i < 3; ++i)
    condition.unlock();
  run_in_thread("other", [&] {
    CHECK_FALSE(condition.try_lock());
    CHECK_FALSE(condition.try_lock_for(1ms));
    CHECK_THROWS_AS(condition.unlock(), MisuseError);
  });
}

TEST_CASE("a stop or a deadline ends a wait, whichever comes first") {
  Lock lock;
  Condition condition{lock};
  std::stop_source stop;
  const std::lock_guard guard{lock};
  CHECK_FALSE(condition.wait_for(stop.get_token(), 1ms));
  stop.request_stop();
  CHECK_FALSE(condition.wait_for(stop.get_token(), 1h));
}

TEST_CASE("many threads that wait at different depths, with timeouts, stops and notifies, all come back") {
  tap();
  RLock lock;
  Condition changed{lock};
  std::atomic<bool> over{false};
  std::vector<Thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(start_thread("waiter", [&, i] {
      for (int n = 0; n < 200; ++n) {
        const int depth = 1 + (n + i) % 3;
        for (int d = 0; d < depth; ++d)
          lock.lock();
        (void)changed.wait_for(std::chrono::microseconds{n % 70});
        REQUIRE(lock.depth() == static_cast<std::uint32_t>(depth));
        for (int d = 0; d < depth; ++d)
          lock.unlock();
      }
    }));
  }
  Thread notifier = start_thread("notifier", [&] {
    while (!over.load()) {
      {
        const std::lock_guard guard{changed};
        changed.notify(2);
      }
      std::this_thread::yield();
    }
  });
  for (Thread& each : waiters)
    each.join();
  over.store(true);
  notifier.join();
  CHECK_FALSE(lock.locked());
}
