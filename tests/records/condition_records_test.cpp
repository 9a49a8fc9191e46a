// SPDX-License-Identifier: MIT
//
// Which Records a Condition makes: who waited, who woke whom and where, and that a notification is never lost to a
// waiter that has given up.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("a notified wait records block and continue, with who notified and where") {
  tap();
  Lock lock;
  Condition condition{lock, "ready"};
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();       // @enter
    condition.wait();  // @wait
    lock.unlock();     // @leave
  });
  tap().await_by(waiter.ident(), Kind::lock, Verb::release);
  lock.lock();             // @notifier_in
  condition.notify_one();  // @notify
  lock.unlock();           // @notifier_out
  waiter.join();
  CHECK(tap().story(number_of(condition)) ==
        Story{"waiter condition.block @wait waiters=1 depth=1",
              "MainThread condition.notify @notify seq=1 woken=1 waiters=1",
              "waiter condition.continue @wait seq=1 waker=MainThread waker_site=@notify"});
  CHECK(tap().object_name(number_of(condition)) == "ready");
  CHECK(tap().parent_of(number_of(condition)) == number_of(lock));

  Story by_waiter;
  for (const std::string& each : tap().story_by(waiter.ident())) {
    if (each.find("lock.block") == std::string::npos) by_waiter.push_back(each);
  }
  // Whether the lock is still the notifier's when the waiter comes back is the scheduler's choice.
  REQUIRE(by_waiter.size() == 8);
  CHECK(by_waiter[1] == "waiter lock.acquire @enter seq=1");
  CHECK(by_waiter[2] == "waiter condition.block @wait waiters=1 depth=1");
  CHECK(by_waiter[3] == "waiter lock.release @wait seq=2 owner=waiter");
  CHECK(by_waiter[4] == "waiter condition.continue @wait seq=1 waker=MainThread waker_site=@notify");
  CHECK(by_waiter[5].starts_with("waiter lock.acquire @wait seq=5"));
  CHECK(by_waiter[6].starts_with("waiter lock.release @leave seq=6"));
}

TEST_CASE("a notify that nobody waits for is recorded too") {
  tap();
  Condition condition;
  const std::lock_guard guard{condition};
  condition.notify_all();  // @to_nobody
  CHECK(tap().story(number_of(condition)) == Story{"MainThread condition.notify @to_nobody seq=1"});
}

TEST_CASE("a wait that times out records block and timeout") {
  tap();
  Lock lock;
  Condition condition{lock};
  const std::lock_guard guard{lock};
  CHECK_FALSE(condition.wait_for(1ms));  // @span
  CHECK_FALSE(condition.wait_for(0s));   // @zero
  CHECK(tap().story(number_of(condition)) ==
        Story{"MainThread condition.block_timed @span waiters=1 depth=1", "MainThread condition.timeout @span",
              "MainThread condition.block_timed @zero waiters=1 depth=1", "MainThread condition.timeout @zero"});
}

TEST_CASE("a stopped wait records block and cancel") {
  tap();
  Lock lock;
  Condition condition{lock};
  std::stop_source stop;
  Thread waiter = start_thread("stopped", [&] {
    const std::lock_guard guard{lock};
    CHECK_FALSE(condition.wait(stop.get_token()));  // @stoppable
    CHECK_FALSE(condition.wait(stop.get_token()));  // @late
  });
  tap().await_by(waiter.ident(), Kind::condition, Verb::block);
  stop.request_stop();
  waiter.join();
  CHECK(tap().story(number_of(condition)) ==
        Story{"stopped condition.block_stoppable @stoppable waiters=1 depth=1", "stopped condition.cancel @stoppable",
              "stopped condition.block_stoppable @late waiters=1 depth=1", "stopped condition.cancel @late"});
}

TEST_CASE("waiters continue first come, first served") {
  tap();
  Condition condition;
  std::vector<Thread> waiters;
  for (const char* name : {"first", "second", "third"}) {
    waiters.push_back(start_thread(name, [&] {
      const std::lock_guard guard{condition};
      condition.wait();
    }));
    tap().await_by(waiters.back().ident(), Kind::condition, Verb::block);
  }
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    {
      const std::lock_guard guard{condition};
      condition.notify_one();
    }
    tap().await_by(waiters[i].ident(), Kind::condition, Verb::resume);
  }
  for (Thread& each : waiters)
    each.join();
  std::vector<std::uint32_t> waiting;
  for (const TappedRecord& each : tap().records_of(number_of(condition))) {
    if (each.verb == Verb::notify) waiting.push_back(each.b);
  }
  CHECK(waiting == std::vector<std::uint32_t>{3, 2, 1});
}

TEST_CASE("notify takes the longest waiting, as many as it is told") {
  tap();
  Condition condition;
  std::vector<Thread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.push_back(start_thread("waiter", [&] {
      const std::lock_guard guard{condition};
      condition.wait();
    }));
    tap().await_by(waiters.back().ident(), Kind::condition, Verb::block);
  }
  const auto notify = [&](std::size_t count) {
    const std::lock_guard guard{condition};
    condition.notify(count);
  };
  notify(2);
  tap().await_by(waiters[0].ident(), Kind::condition, Verb::resume);
  tap().await_by(waiters[1].ident(), Kind::condition, Verb::resume);
  notify(0);
  notify(100);
  for (Thread& each : waiters)
    each.join();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> woken;
  for (const TappedRecord& each : tap().records_of(number_of(condition))) {
    if (each.verb == Verb::notify) woken.emplace_back(each.a, each.b);
  }
  CHECK(woken == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{2, 5}, {0, 3}, {3, 3}});
}

TEST_CASE("a notification goes to a waiter that still waits: notify and timeout decide once") {
  tap();
  Condition condition;
  constexpr int rounds = 300;
  std::atomic<int> told_true{0};
  std::atomic<bool> over{false};
  std::vector<Thread> waiters;
  for (int i = 0; i < 2; ++i) {
    waiters.push_back(start_thread("racer", [&] {
      for (int n = 0; n < rounds; ++n) {
        const std::lock_guard guard{condition};
        if (condition.wait_for(std::chrono::microseconds{n % 100})) ++told_true;
      }
    }));
  }
  Thread notifier = start_thread("notifier", [&] {
    while (!over.load()) {
      {
        const std::lock_guard guard{condition};
        condition.notify_one();
      }
      std::this_thread::yield();
    }
  });
  for (Thread& each : waiters)
    each.join();
  over.store(true);
  notifier.join();
  std::uint32_t woken = 0;
  int continued = 0;
  int given_up = 0;
  for (const TappedRecord& each : tap().records_of(number_of(condition))) {
    if (each.verb == Verb::notify) woken += each.a;
    if (each.verb == Verb::resume) ++continued;
    if (each.verb == Verb::timeout) ++given_up;
  }
  CHECK(woken == static_cast<std::uint32_t>(continued));
  CHECK(continued == told_true.load());
  CHECK(continued + given_up == 2 * rounds);
}

TEST_CASE("misuse of a condition records nothing") {
  tap();
  Condition condition;
  CHECK_THROWS_AS(condition.notify_one(), MisuseError);
  CHECK_THROWS_AS(condition.wait(), MisuseError);
  CHECK(number_of(condition) == 0);
}

TEST_CASE("a destroyed condition leaves a destroy with its creation line") {
  tap();
  Lock lock;
  std::optional<Condition> condition;
  condition.emplace(lock, Name{}, Site::current());  // @made
  {
    const std::lock_guard guard{lock};
    condition->notify_all();
  }
  const trace::ObjectNumber number = number_of(*condition);
  condition.reset();
  CHECK(tap().story(number).back() == "MainThread condition.destroy @made seq=2");
}

TEST_CASE("a wait under a re-entered RLock records its depth, and one release and one acquire") {
  tap();
  RLock lock;
  Condition condition{lock};
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();       // @outer
    lock.lock();       // @inner
    condition.wait();  // @wait_deep
    lock.unlock();     // @leave_inner
    lock.unlock();     // @leave_outer
  });
  tap().await_by(waiter.ident(), Kind::rlock, Verb::release);
  lock.lock();             // @notifier_takes
  condition.notify_one();  // @notify_deep
  lock.unlock();           // @notifier_gives
  waiter.join();
  CHECK(tap().story(number_of(condition)) ==
        Story{"waiter condition.block @wait_deep waiters=1 depth=2",
              "MainThread condition.notify @notify_deep seq=1 woken=1 waiters=1",
              "waiter condition.continue @wait_deep seq=1 waker=MainThread waker_site=@notify_deep"});
  Story of_lock = tap().story(number_of(lock));
  // Whether the lock is still the notifier's when the waiter comes back is the scheduler's choice.
  std::erase_if(of_lock, [](const std::string& each) { return each.find("rlock.block") != std::string::npos; });
  REQUIRE(of_lock.size() == 8);
  CHECK(of_lock[0] == "waiter rlock.acquire @outer seq=1");
  CHECK(of_lock[1] == "waiter rlock.enter @inner seq=2 depth=2");
  CHECK(of_lock[2] == "waiter rlock.release @wait_deep seq=3 owner=waiter");
  CHECK(of_lock[3] == "MainThread rlock.acquire @notifier_takes seq=4");
  CHECK(of_lock[4].starts_with("MainThread rlock.release @notifier_gives seq=5"));
  CHECK(of_lock[5].starts_with("waiter rlock.acquire @wait_deep seq=6"));
  CHECK(of_lock[6] == "waiter rlock.leave @leave_inner seq=7 depth=1");
  CHECK(of_lock[7].starts_with("waiter rlock.release @leave_outer seq=8"));
}

TEST_CASE("a Condition of its own has an RLock as its parent, which bears its name") {
  tap();
  Condition condition{"filled"};
  {
    const std::lock_guard guard{condition};  // @own
    const std::lock_guard again{condition};  // @own_again
    CHECK_FALSE(condition.wait_for(0s));     // @own_wait
  }
  CHECK(tap().story(number_of(condition)).size() == 2);
  const trace::ObjectNumber lock = tap().parent_of(number_of(condition));
  CHECK(tap().object_name(lock) == "filled");
  CHECK(tap().story(lock) ==
        Story{"MainThread rlock.acquire @own seq=1", "MainThread rlock.enter @own_again seq=2 depth=2",
              "MainThread rlock.release @own_wait seq=3 owner=MainThread", "MainThread rlock.acquire @own_wait seq=4",
              "MainThread rlock.leave @own_again seq=5 depth=1",
              "MainThread rlock.release @own seq=6 owner=MainThread"});
}
