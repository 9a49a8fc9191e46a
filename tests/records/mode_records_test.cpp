// SPDX-License-Identifier: MIT
//
// What each mode records, and what happens to a hold that is open when the mode changes.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("mode off records no transition, and the sequence goes on gaplessly after it") {
  tap();
  Lock lock;
  lock.lock();
  lock.unlock();
  {
    const ModeFor off{Mode::off};
    lock.lock();
    lock.unlock();
    CHECK(lock.try_lock());
    run_in_thread("silent", [&] { CHECK_FALSE(lock.try_lock_for(1ms)); });
    lock.unlock();
  }
  lock.lock();
  lock.unlock();
  CHECK(tap().records_of(number_of(lock)).size() == 4);
  CHECK(tap().sequence(number_of(lock)) == std::vector<trace::Sequence>{1, 2, 3, 4});
}

TEST_CASE("mode contended records waits, their ends, and the releases that were waited for") {
  tap();
  const ModeFor contended{Mode::contended};
  Lock lock;
  lock.lock();
  lock.unlock();
  CHECK(number_of(lock) == 0);
  lock.lock();  // @hold
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();    // @wait
    lock.unlock();  // @done
    lock.lock();
    lock.unlock();
  });
  until([&] { return number_of(lock) != 0; }, "the lock has a number");
  tap().await(Kind::lock, Verb::block, number_of(lock));
  lock.unlock();  // @let_go
  waiter.join();
  CHECK(tap().story(number_of(lock)) == Story{"waiter lock.block @wait owner=MainThread owner_site=@hold",
                                              "MainThread lock.release @let_go seq=1 waiters=1 owner=MainThread",
                                              "waiter lock.acquire @wait seq=2 waker=MainThread",
                                              "waiter lock.release @done seq=3 waiters=1 owner=waiter"});
}

TEST_CASE("mode contended records a timeout but no busy") {
  tap();
  const ModeFor contended{Mode::contended};
  Lock lock;
  lock.lock();  // @hold_a
  run_in_thread("trier", [&] {
    CHECK_FALSE(lock.try_lock());
    CHECK_FALSE(lock.try_lock_for(1ms));  // @timed_out
  });
  lock.unlock();  // @release_a
  CHECK(tap().story(number_of(lock)) == Story{"trier lock.block_timed @timed_out owner=MainThread owner_site=@hold_a",
                                              "trier lock.timeout @timed_out owner=MainThread owner_site=@hold_a",
                                              "MainThread lock.release @release_a seq=1 waiters=1 owner=MainThread"});
}

TEST_CASE("a hold that was recorded is released as recorded, whatever the mode is by then") {
  tap();
  for (const Mode then : {Mode::off, Mode::contended}) {
    Lock lock;
    lock.lock();  // @under_all
    {
      const ModeFor changed{then};
      lock.unlock();  // @under_other
    }
    CHECK(tap().story(number_of(lock)) == Story{"MainThread lock.acquire @under_all seq=1",
                                                "MainThread lock.release @under_other seq=2 owner=MainThread"});
  }
}

TEST_CASE("a hold that was not recorded is not released as recorded") {
  tap();
  for (const Mode first : {Mode::off, Mode::contended}) {
    Lock lock;
    {
      const ModeFor other{first};
      lock.lock();
    }
    lock.unlock();
    CHECK(number_of(lock) == 0);
    lock.lock();
    lock.unlock();
    CHECK(tap().sequence(number_of(lock)) == std::vector<trace::Sequence>{1, 2});
  }
}

TEST_CASE("changes of mode amid contention leave every sequence gapless") {
  tap();
  Lock lock;
  std::atomic<int> running{3};
  std::vector<Thread> switched;
  for (int i = 0; i < 3; ++i) {
    switched.push_back(start_thread("switched", [&] {
      for (int n = 0; n < 5000; ++n) {
        const std::lock_guard guard{lock};
      }
      --running;
    }));
  }
  for (int i = 0; running.load() != 0; ++i) {
    log::set_mode(static_cast<Mode>(i % trace::mode_count));
    std::this_thread::yield();
  }
  log::set_mode(Mode::all);
  for (Thread& each : switched)
    each.join();
  // One at least in mode all, whenever the threads had their turns.
  lock.lock();
  lock.unlock();
  const auto numbers = tap().sequence(number_of(lock));
  REQUIRE_FALSE(numbers.empty());
  CHECK(numbers.front() == 1);
  CHECK(numbers.back() == numbers.size());
}

TEST_CASE("in mode contended a condition records its waits and the notifies that met a waiter") {
  tap();
  Lock lock;
  Condition condition{lock};
  const ModeFor contended{Mode::contended};
  {
    const std::lock_guard guard{lock};
    condition.notify_one();
  }
  CHECK(number_of(condition) == 0);
  Thread waiter = start_thread("waiter", [&] {
    const std::lock_guard guard{lock};
    condition.wait();  // @cond_wait
  });
  until([&] { return number_of(condition) != 0; }, "the waiter has recorded its block");
  {
    const std::lock_guard guard{lock};
    condition.notify_one();  // @cond_notify
  }
  waiter.join();
  CHECK(tap().story(number_of(condition)) ==
        Story{"waiter condition.block @cond_wait waiters=1 depth=1",
              "MainThread condition.notify @cond_notify seq=1 woken=1 waiters=1",
              "waiter condition.continue @cond_wait seq=1 waker=MainThread waker_site=@cond_notify"});
}

// The end of such a wait was left out, so that the trace had a thread in a wait that it had long left.
TEST_CASE("a condition's wait that was recorded gets its end, whatever the mode is by then") {
  tap();
  for (const Mode then : {Mode::off, Mode::contended, Mode::long_waits}) {
    Lock lock;
    Condition condition{lock};
    Thread waiter = start_thread("waiter", [&] {
      const std::lock_guard guard{lock};
      condition.wait();  // @begun
    });
    until([&] { return number_of(condition) != 0; }, "the waiter has recorded its block");
    {
      const ModeFor changed{then};
      {
        const std::lock_guard guard{lock};
        condition.notify_one();
      }
      waiter.join();
    }
    const Story story = tap().story(number_of(condition));
    REQUIRE(story.size() >= 2);
    CHECK(story.front() == "waiter condition.block @begun waiters=1 depth=1");
    CHECK(story.back().starts_with("waiter condition.continue @begun "));
  }
}
