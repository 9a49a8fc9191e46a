// SPDX-License-Identifier: MIT
//
// What replay makes of Records that do not tell all: lost, not recorded, in a segment that is gone; and what status
// Records and the status file restore.
#include <catch2/catch.hpp>
#include <unspool/replay_notes.hpp>

using namespace unspool;
using namespace unspool::test;

TEST_CASE("missing Records of an object make its holder unknown, not wrong") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);
  script.skip(lock(1));  // the release by 1
  script.skip(lock(1));  // the acquire by 3
  script.release(300, 3, lock(1));
  script.acquire(310, 2, lock(1), 20, 3);
  const Run run{script};
  CHECK(run.notes.missing_records == 2);
  CHECK(run.notes.holds.empty());
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(share_of(run.notes.waits[0], unknown) == 190);
  CHECK(share_of(run.notes.waits[0], hand_over) == 10);
  CHECK(share_of(run.notes.waits[0], held_by(1, 10)) == 0);
}

TEST_CASE("a wait whose end is missing is closed when its thread does something else") {
  Script script;
  script.block(110, 2, lock(1), 20, 1, 10);
  script.acquire(500, 2, lock(2), 21);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ending == Ending::lost);
  CHECK(run.replay.doubts().lost_ends == 1);
}

TEST_CASE("a loss Record ends what its thread was waiting for, and the next block begins a new wait") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);
  script.lost(200, 2, 7);
  script.block(210, 2, lock(1), 20, 1, 10);
  script.release(300, 1, lock(1));
  script.acquire(310, 2, lock(1), 20, 1);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(run.notes.waits[0].ending == Ending::lost);
  CHECK(run.notes.waits[1].ending == Ending::acquired);
  CHECK(run.notes.waits[1].ticks() == 100);
  CHECK(run.replay.lost_records() == 7);
}

TEST_CASE("after a loss the owner that a block names is believed over the Records") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(120, 1, lock(1));
  script.lost(150, 3, 1);  // its acquire of the lock
  script.block(200, 2, lock(1), 20, 3, 30);
  script.release(300, 3, lock(1));
  script.acquire(301, 2, lock(1), 20, 3);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(share_of(run.notes.waits[0], held_by(3, 30)) == 100);
}

// The story: of a server's first requests one thread was descheduled between taking a lock for the first time and the
// Record of it. Whoever waited meanwhile waited for a holder without a line.
TEST_CASE("who is seen to have an object before the Record of its first acquire had it at that line") {
  Script script;
  script.block(100, 2, lock(1), 20, 1, 0);
  script.acquire(130, 1, lock(1), 10);
  script.release(180, 1, lock(1));
  script.acquire(190, 2, lock(1), 20, 1);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(share_of(run.notes.waits[0], held_by(1, 10)) == 80);
  CHECK(share_of(run.notes.waits[0], hand_over) == 10);
}

TEST_CASE("where every Record is there, a block that comes after the release does not bring the owner back") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(120, 1, lock(1));
  script.block(121, 2, lock(1), 20, 1, 10);
  script.acquire(130, 2, lock(1), 20, 1);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(share_of(run.notes.waits[0], hand_over) == 9);
}

TEST_CASE("in contended mode the owner that a block names holds the lock") {
  Script script;
  script.process.mode = Mode::contended;
  script.block(110, 2, lock(1), 20, 1, 10);
  script.release(200, 1, lock(1), 0, 1);
  script.block(210, 2, lock(1), 20, 3, 30);  // 3 barged in, and nothing says when: as early as it can
  script.release(300, 3, lock(1), 0, 3);
  script.acquire(305, 2, lock(1), 20, 3);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  const Wait& wait = run.notes.waits[0];
  CHECK(share_of(wait, held_by(1, 10)) == 90);
  CHECK(share_of(wait, held_by(3, 30)) == 100);
  CHECK(share_of(wait, hand_over) == 5);
  CHECK(run.notes.holds.empty());
}

// The story: a thread whose own wait was too short for mode long had a lock for 3 ms, and its release said so; that time
// was told as hand-over, which was twice as much in all as there was.
TEST_CASE("where acquires are missing, a release, a failure or a block tells who had the lock since it was free") {
  const auto run_with = [](const auto& who_has_it) {
    Script script;
    script.process.mode = Mode::long_waits;
    script.add(Kind::status, Verb::wait, 1110, 2, lock(1), 20, 1, 10).since = 110;
    script.block(1111, 2, lock(1), 20, 1, 10);
    script.release(2000, 1, lock(1), 0, 1);
    who_has_it(script);
    script.acquire(5010, 2, lock(1), 20, 3);
    return Run{script};
  };
  const auto shares_of = [](const Run& run, const Holder& holder) { return share_of(run.notes.waits.back(), holder); };

  const Run released = run_with([](Script& script) { script.release(5000, 3, lock(1), 0, 3); });
  CHECK(shares_of(released, held_by(1, 10)) == 1890);
  CHECK(shares_of(released, held_by(3, 0)) == 3000);
  CHECK(shares_of(released, hand_over) == 10);
  CHECK(released.notes.holds.empty());

  const Run gave_up = run_with([](Script& script) {
    script.add(Kind::status, Verb::wait, 2900, 4, lock(1), 40).since = 1900;
    script.add(Kind::lock, Verb::timeout, 4000, 4, lock(1), 40, 3, 30);
    script.release(5000, 3, lock(1), 0, 3);
  });
  REQUIRE(gave_up.notes.waits.size() == 2);
  CHECK(share_of(gave_up.notes.waits[0], held_by(3, 30)) == 2000);
  CHECK(share_of(gave_up.notes.waits[0], hand_over) == 0);
  CHECK(shares_of(gave_up, held_by(3, 30)) == 3000);
  CHECK(shares_of(gave_up, hand_over) == 10);

  // What was quoted before the release says nothing of what came after it.
  const Run late = run_with([](Script& script) {
    script.add(Kind::status, Verb::wait, 1990, 4, lock(1), 40).since = 900;
    script.add(Kind::lock, Verb::timeout, 2001, 4, lock(1), 40, 1, 10).seq -= 1;
    script.release(5000, 3, lock(1), 0, 3);
  });
  REQUIRE(late.notes.waits.size() == 2);
  CHECK(share_of(late.notes.waits[0], hand_over) == 1);
  CHECK(shares_of(late, held_by(3, 0)) == 3000);

  // 3 released last, unseen: it had it for some of the time.
  const Run unseen = run_with([](Script&) {});
  CHECK(shares_of(unseen, hand_over) == 0);
  CHECK(shares_of(unseen, unknown) == 3010);
}

TEST_CASE("a reader that nobody saw come had a SharedLock since it was free, if it was the only one") {
  for (const std::uint32_t left : {0U, 1U}) {
    Script script;
    script.process.mode = Mode::long_waits;
    script.process.objects[lock(1)].kind = Kind::shared_lock;
    script.add(Kind::status, Verb::wait, 1110, 2, lock(1), 20, 1, 10).since = 110;
    script.add(Kind::shared_lock, Verb::block, 1111, 2, lock(1), 20, 1, 10);
    script.add(Kind::shared_lock, Verb::release, 2000, 1, lock(1), 0, 1, 1);
    script.add(Kind::shared_lock, Verb::release_shared, 3000, 3, lock(1), 0, 1, left);
    if (left != 0) script.add(Kind::shared_lock, Verb::release_shared, 3500, 4, lock(1), 0, 1, 0);
    script.add(Kind::shared_lock, Verb::acquire, 3510, 2, lock(1), 20, left == 0 ? 3 : 4);
    const Run run{script};
    const Wait& wait = run.notes.waits.back();
    CHECK(share_of(wait, left == 0 ? held_by(3, 0) : unknown) == 1000);
    CHECK(share_of(wait, hand_over) == (left == 0 ? 510 : 10));
  }
}

TEST_CASE("who was given the lock, and is known to wait for it, did not take it unseen") {
  Script script;
  script.process.mode = Mode::contended;
  script.block(110, 2, lock(1), 20, 1, 10);
  script.block(120, 3, lock(1), 30, 1, 10);
  script.release(200, 1, lock(1), 0, 1);
  script.add(Kind::lock, Verb::timeout, 230, 2, lock(1), 20, 3, 0);
  script.acquire(250, 3, lock(1), 30, 1);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(share_of(run.notes.waits[0], hand_over) == 30);
  CHECK(share_of(run.notes.waits[1], hand_over) == 50);
}

TEST_CASE(
    "in contended mode a hold counts from its acquire only while somebody waits, so that its release is recorded") {
  Script script;
  script.process.mode = Mode::contended;
  script.block(110, 2, lock(1), 20, 1, 10);
  script.release(200, 1, lock(1), 0, 1);
  script.acquire(210, 2, lock(1), 20, 1);  // released unseen, and acquired again by 2 elsewhere
  script.block(900, 3, lock(1), 30, 2, 21);
  script.block(910, 4, lock(1), 40, 2, 21);
  script.release(1000, 2, lock(1), 0, 2);
  script.acquire(1010, 3, lock(1), 30, 2);  // 4 still waits
  script.release(1100, 3, lock(1), 0, 3);
  script.acquire(1101, 4, lock(1), 40, 3);
  const Run run{script};
  REQUIRE(run.notes.holds.size() == 1);
  CHECK(run.notes.holds[0].thread == 3);
  CHECK(run.notes.holds[0].ticks() == 90);
  REQUIRE(run.notes.waits.size() == 3);
  CHECK(share_of(run.notes.waits[1], held_by(2, 21)) == 100);
}

TEST_CASE("status Records restore a wait and a hold that began in a segment that is gone") {
  Script script;
  script.add(Kind::status, Verb::hold, 1000, 1, lock(1), 10).since = 200;
  Record& wait = script.add(Kind::status, Verb::wait, 1001, 2, lock(1), 20, 1, 10);
  wait.since = 300;
  script.release(1100, 1, lock(1));
  script.acquire(1110, 2, lock(1), 20, 1);
  const Run run{script};
  REQUIRE(run.notes.holds.size() == 1);
  CHECK(run.notes.holds[0].ticks() == 900);
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ticks() == 810);
  CHECK(share_of(run.notes.waits[0], held_by(1, 10)) == 800);
  CHECK(sum(run.notes.waits[0]) == 810);
}

TEST_CASE("a wait that was recorded once it had lasted counts from its beginning, and as one") {
  for (const Kind kind : {Kind::lock, Kind::event, Kind::barrier, Kind::queue, Kind::pool, Kind::condition}) {
    Script script;
    script.process.mode = Mode::long_waits;
    const trace::ObjectNumber object = lock(1);
    script.process.objects[object].kind = kind;
    script.add(Kind::status, Verb::wait, 1000, 2, object, 20).since = 300;
    script.add(kind, Verb::block, 1001, 2, object, 20);
    script.add(kind, kind == Kind::lock ? Verb::acquire : Verb::resume, 1300, 2, object, 20, 1);
    const Run run{script};
    REQUIRE(run.notes.waits.size() == 1);
    CHECK(run.notes.waits[0].ticks() == 1000);
    CHECK(run.notes.waits[0].blocks == 1);
    CHECK(run.replay.doubts().lost_ends == 0);
  }
}

TEST_CASE("a join that was recorded once it had lasted counts from its beginning, and as one") {
  Script script;
  script.process.mode = Mode::long_waits;
  script.add(Kind::status, Verb::wait, 1000, 2, 3, 20, 3).since = 300;
  script.join(1001, 2, 3, 20);
  script.joined(1300, 2, 3, 20);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ticks() == 1000);
  CHECK(run.replay.doubts().lost_ends == 0);
}

TEST_CASE("in mode long the block of an announced wait tells who has the lock, not what was known before the wait") {
  Script script;
  script.process.mode = Mode::long_waits;
  script.process.objects[lock(1)].kind = Kind::shared_lock;
  script.add(Kind::shared_lock, Verb::block_shared, 100, 2, lock(1), 20, 1, 10);
  script.add(Kind::shared_lock, Verb::release, 150, 1, lock(1), 0, 1, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 160, 2, lock(1), 20, 1, 1);
  // 2 is done unseen, and others read.
  script.add(Kind::status, Verb::wait, 2000, 3, lock(1), 30).since = 1000;
  script.add(Kind::shared_lock, Verb::block, 2001, 3, lock(1), 30);
  script.add(Kind::shared_lock, Verb::acquire, 2500, 3, lock(1), 30, 4);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(share_of(run.notes.waits[1], held_by(2, 20)) == 0);
  CHECK(share_of(run.notes.waits[1], unknown) == 1500);
}

TEST_CASE("status Records that repeat what is known change nothing") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);
  script.add(Kind::status, Verb::hold, 150, 1, lock(1), 10).since = 100;
  script.add(Kind::status, Verb::wait, 160, 2, lock(1), 20, 1, 10).since = 110;
  script.release(200, 1, lock(1));
  script.acquire(210, 2, lock(1), 20, 1);
  const Run run{script};
  REQUIRE(run.notes.holds.size() == 1);
  CHECK(run.notes.holds[0].ticks() == 100);
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ticks() == 100);
  CHECK(run.notes.waits[0].blocks == 1);
}

TEST_CASE("a status hold of a lock that another thread has released does not bring it back") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(150, 2, lock(1), 0, 1);
  script.add(Kind::status, Verb::hold, 160, 1, lock(1), 10).since = 100;
  script.block(170, 3, lock(1), 30);
  script.acquire(180, 3, lock(1), 30);
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(share_of(run.notes.waits[0], hand_over) == 10);
}

TEST_CASE("a status hold does not take a lock from the thread that acquired it since") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.release(150, 2, lock(1), 0, 1);
  script.acquire(155, 3, lock(1), 30);
  script.add(Kind::status, Verb::hold, 160, 1, lock(1), 10).since = 100;
  script.release(170, 3, lock(1));
  const Run run{script};
  REQUIRE(run.notes.holds.size() == 2);
  CHECK(run.notes.holds[1].thread == 3);
  CHECK(run.notes.holds[1].ticks() == 15);
}

TEST_CASE("the status file corrects who waits at the end") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);  // went on; the Record was never written
  trace::StatusEntry running{};
  running.thread = 2;
  trace::StatusEntry waiting{};
  waiting.thread = 3;
  waiting.wait_record = trace::record_id(Kind::lock, Verb::block);
  waiting.wait_object = lock(1);
  waiting.wait_since = 50;
  waiting.wait_site = 30;
  waiting.wait_owner = 1;
  script.process.status = {running, waiting};
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 2);
  CHECK(run.notes.waits[0].ending == Ending::lost);
  CHECK(run.notes.waits[1].thread == 3);
  CHECK(run.notes.waits[1].ending == Ending::unended);
  CHECK(run.notes.waits[1].since == 50);
  CHECK(sum(run.notes.waits[1]) == run.notes.waits[1].ticks());
}

TEST_CASE("a status entry that was being written is not believed") {
  Script script;
  script.block(110, 2, lock(1), 20, 1, 10);
  trace::StatusEntry torn{};
  torn.version = 7;
  torn.thread = 2;
  torn.depth = 4'000'000'000;
  script.process.status = {torn};
  const Run run{script};
  REQUIRE(run.notes.waits.size() == 1);
  CHECK(run.notes.waits[0].ending == Ending::unended);
}
