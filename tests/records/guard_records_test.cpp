// SPDX-License-Identifier: MIT
//
// The standard's guards record the line of the user, not one of <mutex>.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <mutex>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

Story pair_at(const std::string& label) {
  return {"MainThread lock.acquire " + label + " seq=1",
          "MainThread lock.release " + label + " seq=2 owner=MainThread"};
}

}  // namespace

TEST_CASE("std::lock_guard records its own line, twice") {
  tap();
  Lock lock;
  { const std::lock_guard guard{lock}; }  // @lock_guard
  CHECK(tap().story(number_of(lock)) == pair_at("@lock_guard"));
  Lock adopted;
  adopted.lock();                                             // @before
  { const std::lock_guard guard{adopted, std::adopt_lock}; }  // @adopts
  CHECK(tap().story(number_of(adopted)) ==
        Story{"MainThread lock.acquire @before seq=1", "MainThread lock.release @adopts seq=2 owner=MainThread"});
}

TEST_CASE("std::scoped_lock over one lock records its own line") {
  tap();
  Lock lock;
  { const std::scoped_lock guard{lock}; }  // @scoped_lock
  CHECK(tap().story(number_of(lock)) == pair_at("@scoped_lock"));
}

TEST_CASE("std::unique_lock records the line of each call") {
  tap();
  Lock lock;
  { const std::unique_lock guard{lock}; }  // @unique_lock
  CHECK(tap().story(number_of(lock)) == pair_at("@unique_lock"));

  Lock later;
  {
    std::unique_lock guard{later, std::defer_lock};
    guard.lock();                   // @deferred
    guard.unlock();                 // @early
    CHECK(guard.try_lock_for(1h));  // @again
    std::unique_lock moved{std::move(guard)};
  }
  CHECK(tap().story(number_of(later)) ==
        Story{"MainThread lock.acquire @deferred seq=1", "MainThread lock.release @early seq=2 owner=MainThread",
              "MainThread lock.acquire @again seq=3", "MainThread lock.release @again seq=4 owner=MainThread"});
}

TEST_CASE("std::unique_lock tries with the caller's line, and records busy where it fails") {
  tap();
  Lock lock;
  lock.lock();  // @outer
  run_in_thread("trier", [&] {
    const std::unique_lock guard{lock, std::try_to_lock};  // @try_to_lock
    CHECK_FALSE(guard.owns_lock());
    const std::unique_lock timed{lock, 1ms};  // @timed
    CHECK_FALSE(timed.owns_lock());
  });
  lock.unlock();
  const Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 5);
  CHECK(story[1] == "trier lock.busy @try_to_lock seq=1 owner=MainThread owner_site=@outer");
  CHECK(story[2] == "trier lock.block @timed seq=1 owner=MainThread owner_site=@outer");
  CHECK(story[3] == "trier lock.timeout @timed seq=1 owner=MainThread owner_site=@outer");
}

TEST_CASE("std::scoped_lock over two locks records its own line for both") {
  tap();
  Lock first;
  Lock second;
  { const std::scoped_lock guard{first, second}; }  // @both
  CHECK(tap().story(number_of(first)) == pair_at("@both"));
  CHECK(tap().story(number_of(second)) == pair_at("@both"));
}

TEST_CASE("std::scoped_lock lets the first go while it waits for the second") {
  tap();
  Lock first;
  Lock second;
  second.lock();  // @taken
  Thread pair = start_thread("pair", [&] {
    const std::scoped_lock guard{first, second};  // @pair
  });
  tap().await(Kind::lock, Verb::block, number_of(second));
  CHECK_FALSE(first.locked());
  second.unlock();  // @given
  pair.join();
  CHECK(tap().story(number_of(second)) ==
        Story{"MainThread lock.acquire @taken seq=1", "pair lock.busy @pair seq=1 owner=MainThread owner_site=@taken",
              "pair lock.block @pair seq=1 owner=MainThread owner_site=@taken",
              "MainThread lock.release @given seq=2 waiters=1 owner=MainThread",
              "pair lock.acquire @pair seq=3 waker=MainThread", "pair lock.release @pair seq=4 waiters=1 owner=pair"});
  CHECK(tap().story(number_of(first)) ==
        Story{"pair lock.acquire @pair seq=1", "pair lock.release @pair seq=2 owner=pair",
              "pair lock.acquire @pair seq=3", "pair lock.release @pair seq=4 owner=pair"});
}

TEST_CASE("a guard over a Condition records its own line for the condition's lock") {
  tap();
  Lock lock;
  Condition condition{lock};
  { const std::lock_guard guard{condition}; }  // @condition_guard
  CHECK(tap().story(number_of(lock)) == pair_at("@condition_guard"));
}
