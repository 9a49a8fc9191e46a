// SPDX-License-Identifier: MIT
//
// `unspool check`: each rule, broken by one Record; and what is no violation because Records are missing for a reason.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/builder.hpp>
#include <unspool/running.hpp>

#include <string>

using namespace unspool_test;
using Json = nlohmann::json;

namespace {

const auto lock = object_number(1);
const auto shared = object_number(2);
const auto timer = object_number(3);

trace::Value number(std::uint64_t value) {
  return value;
}

/// Two threads, their objects and a site, with all transitions recorded.
struct Run {
  TraceBuilder trace;
  SegmentBuilder& segment;
  explicit Run(std::uint32_t number = 1) : segment{trace.segment(number)} {
    segment.define_mode(trace::Mode::all).define_thread(1, "main").define_thread(2, "worker");
    segment.define_object(lock, trace::Kind::lock, "accounts");
    segment.define_object(shared, trace::Kind::shared_lock, "cache");
    segment.define_object(timer, trace::Kind::timer, "tick");
  }
  ChunkBuilder& thread(std::uint32_t number) { return segment.writer(number, 1); }

  /// The one violation's rule, thread and words; "" where there is none.
  std::string judged() {
    trace.write();
    const Outcome outcome = unspool("check --format json " + trace.path());
    INFO(outcome.out << outcome.err);
    const Json process = Json::parse(outcome.out)["processes"][0];
    CHECK(outcome.exit == (process["violations"].empty() ? 0 : 1));
    REQUIRE(process["violations"].size() <= 1);
    if (process["violations"].empty()) return "";
    const Json& violation = process["violations"][0];
    CHECK(process["broken"][violation["rule"].get<std::string>()] == 1);
    return violation["rule"].get<std::string>() + ": " + violation["thread"]["name"].get<std::string>() + ", " +
           violation["record"].get<std::string>() + ", " + violation["what"].get<std::string>();
  }
};

}  // namespace

TEST_CASE("a run in which two threads take turns is legal") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 2, 1, 1);
  run.thread(2).transition(20, "lock.block", lock, 0, 1, 1).transition(40, "lock.acquire", lock, 0, 3, 1);
  CHECK(run.judged().empty());
}

TEST_CASE("a number that is skipped or borne twice is found") {
  Run skips;
  skips.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 3);
  skips.thread(1).record(50, "trace.end", 0, {number(0), number(0), number(0), number(0)});
  CHECK(skips.judged() == "sequence: main, lock.release, it bears the number 3, 2 was due");
  Run repeats;
  repeats.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 1);
  CHECK(repeats.judged() == "sequence: main, lock.release, it bears the number 1, 2 was due");
}

TEST_CASE("a quoted number that nobody bears is found") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1);
  run.thread(2).transition(20, "lock.busy", lock, 0, 4, 1);
  CHECK(run.judged() == "quote: worker, lock.busy, it quotes the number 4, 1 was the last");
}

TEST_CASE("a step that may not follow the last one is found") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1);
  run.thread(2).transition(20, "lock.block", lock, 0, 1, 1).transition(30, "lock.busy", lock, 0, 1, 1);
  CHECK(run.judged() == "step: worker, lock.busy, it may not follow lock.block");
  Run begins;
  begins.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(20, "lock.timeout", lock, 0, 1);
  CHECK(begins.judged() == "step: main, lock.timeout, its thread may not begin with that");
  Run destroyed;
  destroyed.thread(1).transition(10, "lock.destroy", lock, 0, 1).transition(20, "lock.acquire", lock, 0, 2);
  CHECK(destroyed.judged() == "step: main, lock.acquire, its thread may not begin with that");
}

TEST_CASE("two holders at once, and a release of what nobody holds, are found") {
  Run two;
  two.thread(1).transition(10, "lock.acquire", lock, 0, 1);
  two.thread(2).transition(20, "lock.acquire", lock, 0, 2);
  CHECK(two.judged() == "holder: worker, lock.acquire, main holds it");
  Run nobody;
  nobody.thread(1).transition(10, "lock.release", lock, 0, 1);
  CHECK(nobody.judged() == "holder: main, lock.release, nobody holds it");
  Run reader;
  reader.thread(1).transition(10, "shared_lock.acquire", shared, 0, 1);
  reader.thread(2).transition(20, "shared_lock.acquire_shared", shared, 0, 2, 0, 1);
  CHECK(reader.judged() == "holder: worker, shared_lock.acquire_shared, main holds it");
  Run readers;
  readers.thread(1).transition(10, "shared_lock.acquire_shared", shared, 0, 1, 0, 1);
  readers.thread(2)
      .transition(20, "shared_lock.acquire_shared", shared, 0, 2, 0, 2)
      .transition(30, "shared_lock.release_shared", shared, 0, 3, 0, 1);
  readers.thread(1)
      .transition(40, "shared_lock.release_shared", shared, 0, 4)
      .transition(50, "shared_lock.acquire", shared, 0, 5);
  CHECK(readers.judged().empty());
}

TEST_CASE("a count that is not what the Records before make of it is found") {
  Run readers;
  readers.thread(1)
      .transition(10, "shared_lock.acquire_shared", shared, 0, 1, 0, 1)
      .transition(20, "shared_lock.release_shared", shared, 0, 2, 0, 1);
  CHECK(readers.judged() == "count: main, shared_lock.release_shared, readers is 1 in it, 0 was due");
  Run owner;
  owner.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(20, "lock.release", lock, 0, 2, 0, 2);
  CHECK(owner.judged() == "count: main, lock.release, owner is worker in it, main was due");
  Run depth;
  depth.segment.define_object(object_number(4), trace::Kind::rlock, "again");
  depth.thread(1)
      .transition(10, "rlock.acquire", object_number(4), 0, 1)
      .transition(20, "rlock.enter", object_number(4), 0, 2, 3);
  CHECK(depth.judged() == "count: main, rlock.enter, depth is 3 in it, 2 was due");
  Run permits;
  permits.segment.define_object(object_number(5), trace::Kind::semaphore, "permits");
  permits.thread(1)
      .transition(10, "semaphore.acquire", object_number(5), 0, 1, 0, 4)
      .transition(20, "semaphore.release", object_number(5), 0, 2, 2, 0)
      .transition(30, "semaphore.acquire", object_number(5), 0, 3, 0, 4);
  CHECK(permits.judged() == "count: main, semaphore.acquire, value is 4 in it, 5 was due");
  Run none;
  none.segment.define_object(object_number(5), trace::Kind::semaphore, "permits");
  none.thread(1)
      .transition(10, "semaphore.acquire", object_number(5), 0, 1, 0, 0)
      .transition(20, "semaphore.acquire", object_number(5), 0, 2, 0, 3);
  CHECK(none.judged() == "count: main, semaphore.acquire, value is 3 in it, though none was left");
  // Several are handed over at once: each takes one of those that were given.
  Run handed;
  handed.segment.define_object(object_number(5), trace::Kind::semaphore, "permits").define_thread(3, "third");
  handed.thread(1)
      .transition(10, "semaphore.block", object_number(5), 0, 0, 1)
      .transition(40, "semaphore.acquire", object_number(5), 0, 2, 3, 3);
  handed.thread(2)
      .transition(20, "semaphore.block", object_number(5), 0, 0, 2)
      .transition(50, "semaphore.acquire", object_number(5), 0, 3, 3, 2);
  handed.thread(3).transition(30, "semaphore.release", object_number(5), 0, 1, 4, 2);
  CHECK(handed.judged().empty());
}

TEST_CASE("only its owner enters an RLock again, and a Condition gives back all that it took") {
  const auto again = object_number(4);
  const auto changed = object_number(5);
  Run other;
  other.segment.define_object(again, trace::Kind::rlock, "again");
  other.thread(1).transition(10, "rlock.acquire", again, 0, 1);
  other.thread(2).transition(20, "rlock.enter", again, 0, 2, 2);
  CHECK(other.judged() == "holder: worker, rlock.enter, main holds it");
  Run waits;
  waits.segment.define_object(again, trace::Kind::rlock, "again");
  waits.segment.define_object(changed, trace::Kind::condition, "changed", 0, again);
  waits.thread(1)
      .transition(10, "rlock.acquire", again, 0, 1)
      .transition(20, "rlock.enter", again, 0, 2, 2)
      .transition(30, "condition.block", changed, 0, 0, 0, 2)
      .transition(40, "rlock.release", again, 0, 3, 0, 1)
      .transition(50, "condition.timeout", changed, 0, 0)
      .transition(60, "rlock.acquire", again, 0, 4)
      .transition(70, "rlock.leave", again, 0, 5, 1)
      .transition(80, "rlock.release", again, 0, 6, 0, 1)
      .transition(90, "rlock.acquire", again, 0, 7)
      .transition(100, "rlock.enter", again, 0, 8, 2);
  CHECK(waits.judged().empty());
}

TEST_CASE("a wait that nobody ended is found, but time itself ends a timer's") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 2, 1, 1);
  run.thread(2).transition(20, "lock.block", lock, 0, 1, 1).transition(40, "lock.acquire", lock, 0, 3, 0);
  CHECK(run.judged() == "waker: worker, lock.acquire, the wait since lock.block was ended by nobody");
  Run timed;
  timed.thread(1).transition(10, "timer.block", timer, 0, 0).transition(30, "timer.continue", timer, 0, 1);
  CHECK(timed.judged() == "");
}

TEST_CASE("numbers without a definition are found") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 77, 1);
  CHECK(run.judged() == "defined: main, lock.acquire, the number 77 in it is not defined");
}

TEST_CASE("what a kill left unwritten is no violation, and is told") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1);
  // The release was being written when the process was killed.
  run.thread(2).transition(30, "lock.acquire", lock, 0, 3, 1);
  CHECK(run.judged().empty());
  CHECK(unspool("check " + run.trace.path()).out.find("1 number was taken and the Record not written") !=
        std::string::npos);
}

TEST_CASE("what others have seen of a number that a kill left unwritten is no violation either") {
  const auto judged = [](bool orderly) {
    Run run;
    run.thread(1).transition(10, "lock.acquire", lock, 0, 1);
    run.thread(2).transition(20, "lock.busy", lock, 0, 2, 1).transition(30, "lock.busy", lock, 0, 2, 1);
    if (orderly) run.thread(1).record(50, "trace.end", 0, {number(0), number(0), number(0), number(0)});
    run.trace.write();
    return unspool("check " + run.trace.path());
  };
  CHECK(judged(false).exit == 0);
  CHECK(judged(false).out.find("1 number was taken and the Record not written") != std::string::npos);
  CHECK(judged(true).exit == 1);
}

TEST_CASE("a wait whose end may stand in segments that are gone accuses nobody") {
  Run run;
  run.thread(1).transition(10, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 2, 1, 1);
  run.thread(2).transition(20, "lock.block", lock, 0, 1, 1);
  SegmentBuilder& later = run.trace.segment(8);
  later.define_mode(trace::Mode::all).define_thread(1, "main").define_thread(2, "worker");
  later.define_object(lock, trace::Kind::lock, "accounts");
  later.writer(2, 100).transition(140, "lock.release", lock, 0, 104, 0, 2);
  CHECK(run.judged().empty());
}

TEST_CASE("where older segments are gone, what began there is no violation") {
  Run run{7};
  run.thread(1).transition(10, "lock.release", lock, 0, 1001).transition(20, "lock.acquire", lock, 0, 1005);
  CHECK(run.judged().empty());
}
