// SPDX-License-Identifier: MIT
//
// Waits and holds out of Records: the rules of replay, one by one.
#include <catch2/catch.hpp>
#include <unspool/replay_notes.hpp>

using namespace unspool;
using namespace unspool::test;

TEST_CASE("acquire and release without a wait make holds and no wait") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(150, 1, lock(1));
  script.acquire(200, 2, lock(1), 11);
  script.release(220, 2, lock(1));
  const Run run{script};
  CHECK(run.notes.waits.empty());
  CHECK(run.notes.acquired_plain == 2);
  REQUIRE(run.notes.holds.size() == 2);
  CHECK(run.notes.holds[0].ticks() == 50);
  CHECK(run.notes.holds[1].ticks() == 20);
}

TEST_CASE("a wait on one holder is divided into the holder's part and the hand-over") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(200, 2, lock(1), 20, 1, 10);
  script.release(300, 1, lock(1));
  script.acquire(330, 2, lock(1), 20, 1);
  script.release(400, 2, lock(1));
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  const Wait& wait = run.notes.waits[0];
  CHECK(wait.ending == Ending::acquired);
  CHECK(wait.ticks() == 130);
  CHECK(wait.waker == 1);
  CHECK(share_of(wait, held_by(1, 10)) == 100);
  CHECK(share_of(wait, hand_over) == 30);
  CHECK(run.notes.acquired_after_wait == 1);
}

TEST_CASE("barging holders in turn each get their part, and the hand-overs between them add up") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 9, lock(1), 90, 1, 10);
  script.release(200, 1, lock(1));      // 1: 90
  script.acquire(205, 2, lock(1), 20);  // hand-over: 5
  script.release(300, 2, lock(1));      // 2: 95
  script.acquire(310, 3, lock(1), 30);  // hand-over: 10
  script.release(450, 3, lock(1));      // 3: 140
  script.acquire(451, 9, lock(1), 90);  // hand-over: 1
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  const Wait& wait = run.notes.waits[0];
  CHECK(share_of(wait, held_by(1, 10)) == 90);
  CHECK(share_of(wait, held_by(2, 20)) == 95);
  CHECK(share_of(wait, held_by(3, 30)) == 140);
  CHECK(share_of(wait, hand_over) == 16);
  CHECK(sum(wait) == wait.ticks());
}

TEST_CASE("a futile wake goes on with the same wait") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 3, lock(1), 30, 1, 10);
  script.release(200, 1, lock(1));
  script.acquire(205, 2, lock(1), 20);
  script.block(210, 3, lock(1), 30, 2, 20);
  script.release(300, 2, lock(1));
  script.acquire(301, 3, lock(1), 30);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].blocks == 2);
  CHECK(run.notes.waits[0].ticks() == 191);
}

TEST_CASE("a timed-out and a cancelled wait end as such, and a try that fails at once is no wait") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);
  script.add(Kind::lock, Verb::timeout, 160, 2, lock(1), 20, 1, 10);
  script.block(170, 3, lock(1), 30, 1, 10);
  script.add(Kind::lock, Verb::cancel, 180, 3, lock(1), 30, 1, 10);
  script.add(Kind::lock, Verb::busy, 190, 2, lock(1), 20, 1, 10);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(run.notes.waits[0].ending == Ending::timeout);
  CHECK(run.notes.waits[0].ticks() == 50);
  CHECK(share_of(run.notes.waits[0], held_by(1, 10)) == 50);
  CHECK(run.notes.waits[1].ending == Ending::cancel);
  CHECK(run.notes.tries_failed == 1);
}

TEST_CASE("a Condition's wait lasts over the release of its lock and ends before the lock is waited for") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.add(Kind::condition, Verb::block, 110, 1, condition(1), 11);
  script.release(111, 1, lock(1));
  script.acquire(200, 2, lock(1), 20);
  script.add(Kind::condition, Verb::notify, 210, 2, condition(1), 21, 1, 1);
  script.add(Kind::condition, Verb::resume, 220, 1, condition(1), 11, 2, 21);
  script.block(221, 1, lock(1), 11, 2, 20);
  script.release(300, 2, lock(1));
  script.acquire(310, 1, lock(1), 11, 2);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(run.notes.waits[0].kind == Kind::condition);
  CHECK(run.notes.waits[0].ending == Ending::continued);
  CHECK(run.notes.waits[0].ticks() == 110);
  CHECK(run.notes.waits[0].waker == 2);
  CHECK(run.notes.waits[0].waker_site == 21);
  CHECK(run.notes.waits[1].kind == Kind::lock);
  CHECK(run.notes.waits[1].ticks() == 89);
  CHECK(share_of(run.notes.waits[1], held_by(2, 20)) == 79);
}

TEST_CASE("a Condition that takes its lock back before it says so has both waits, one inside the other") {
  Script script;
  script.add(Kind::condition, Verb::block, 110, 1, condition(1), 11);
  script.block(221, 1, lock(1), 11, 2, 20);
  script.acquire(310, 1, lock(1), 11, 2);
  script.add(Kind::condition, Verb::resume, 320, 1, condition(1), 11, 2, 21);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(run.notes.waits[0].ticks() == 89);
  CHECK(run.notes.waits[1].kind == Kind::condition);
  CHECK(run.notes.waits[1].ticks() == 210);
}

TEST_CASE("a release by another thread ends the owner's hold") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(150, 2, lock(1), 0, 1);
  const Run run{script};
  REQUIRE(run.notes.holds.size() == 1);
  CHECK(run.notes.holds[0].thread == 1);
  CHECK(run.notes.holds[0].releaser == 2);
}

TEST_CASE("an object that is destroyed while a waiter has yet to say that it went on is kept until then") {
  Script script;
  script.add(Kind::condition, Verb::block, 100, 1, condition(1), 11);
  script.add(Kind::condition, Verb::notify, 110, 2, condition(1), 21, 1, 1);
  script.add(Kind::condition, Verb::destroy, 111, 2, condition(1), 22);
  script.add(Kind::condition, Verb::resume, 120, 1, condition(1), 11, 2, 21);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ending == Ending::continued);
  CHECK(run.notes.freed == 1);
  CHECK(run.replay.objects().empty());
}

TEST_CASE("destroyed objects leave nothing behind") {
  Script script;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    script.acquire(10 * i, 1, lock(i), 10);
    script.release(10 * i + 1, 1, lock(i));
    script.add(Kind::lock, Verb::destroy, 10 * i + 2, 1, lock(i));
  }
  const Run run{script};
  CHECK(run.replay.objects().empty());
  CHECK(run.notes.freed == 10'000);
}

TEST_CASE("a wait on a lock that changes hands a million times keeps exact sums in little memory") {
  Script script;
  script.acquire(0, 1, lock(1), 10);
  script.block(1, 9, lock(1), 90, 1, 10);
  trace::Ticks time = 1;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    script.release(time += 3, 1 + i % 8, lock(1));
    script.acquire(time += 1, 1 + (i + 1) % 8, lock(1), 10 + (i + 1) % 8);
  }
  script.release(time += 3, 1 + 300'000 % 8, lock(1));
  script.acquire(time += 1, 9, lock(1), 90);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  const Wait& wait = run.notes.waits[0];
  CHECK(sum(wait) == wait.ticks());
  CHECK(share_of(wait, hand_over) == 300'001);
  CHECK(wait.shares.size() == 9);
}

TEST_CASE("nonsense is survived: no thread, no row, threads as locks, times and sequences that go back") {
  Script script;
  script.acquire(100, 0, lock(1), 10);
  script.acquire(~std::uint64_t{0}, 1, lock(1), 10);
  script.release(5, 1, lock(1));
  script.block(100, 2, lock(1), 20, 0xffff'ffff, 3);
  script.acquire(3, 2, lock(1), 20);
  script.add(Kind::thread, Verb::end, 3, 1, lock(7));
  script.records.push_back({});
  Record& again = script.add(Kind::lock, Verb::acquire, 9, 1, lock(1));
  again.seq = 1;
  Record& zero = script.add(Kind::lock, Verb::release, 9, 1, 5);
  zero.seq = 0;
  const Run run{script};
  CHECK(run.replay.records() == script.records.size());
  CHECK(run.replay.doubts().unnamed >= 3);
  CHECK(run.replay.doubts().disordered == 1);
  for (const Wait& wait : run.notes.waits)
    CHECK(sum(wait) == wait.ticks());
}

TEST_CASE("an empty trace has nothing in it") {
  const Script script;
  const Run run{script};
  CHECK(run.replay.records() == 0);
  CHECK(run.notes.waits.empty());
}
