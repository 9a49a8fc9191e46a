// SPDX-License-Identifier: MIT
//
// What the watchdog makes of threads' states: made up here, so that every moment of a deadlock can be looked at.
#include <spool/log/live_text.hpp>
#include <spool/log/watchdog.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using namespace spool;
using namespace spool::log;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

namespace {

constexpr trace::ObjectNumber object(unsigned number) {
  return trace::first_object_number + number;
}

std::string nowhere(trace::SiteNumber number) {
  return number == 0 ? "" : "bank.cpp:" + std::to_string(number);
}

/// A process at second 1000, a tick a second.
LiveProcess process_of(std::vector<LiveThread> threads) {
  return {std::move(threads), 1000, 1, trace::Mode::all};
}

LiveThread thread(trace::ThreadNumber number, std::vector<unsigned> holds = {}) {
  LiveThread made;
  made.number = number;
  made.name = "t" + std::to_string(number);
  for (const unsigned each : holds)
    made.holds.push_back({{object(each), nullptr}, 900, 7, false});
  return made;
}

LiveThread waiting(LiveThread made, Kind kind, trace::ObjectNumber wanted, trace::Ticks since = 950,
                   trace::ThreadNumber owner = 0) {
  made.wait = {trace::record_id(kind, Verb::block), {wanted, nullptr}, since, 8, owner, 0};
  return made;
}

LiveProcess deadlock() {
  return process_of({waiting(thread(2, {1}), Kind::lock, object(2)), waiting(thread(3, {2}), Kind::lock, object(1))});
}

std::vector<Finding> look_twice(Watch& watch, const LiveProcess& first, const LiveProcess& second) {
  CHECK(watch.look(first, nowhere).empty());
  return watch.look(second, nowhere);
}

}  // namespace

TEST_CASE("a circle that is there at two looks is a deadlock, and is told once") {
  Watch watch{{.patience = 1000s}};
  const auto found = look_twice(watch, deadlock(), deadlock());
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == Finding::What::deadlock);
  CHECK(found[0].certain);
  CHECK(found[0].threads == std::vector<trace::ThreadNumber>{2, 3});
  CHECK(found[0].sentence ==
        "deadlock: t2(2) waits for lock 100000002 held by t3(3), which waits for lock 100000001 held by t2(2)");
  CHECK_THAT(found[0].story, Contains("\"t2\" #2") &&
                                 Contains("has waited 50.000 s for lock 100000002, at bank.cpp:8") &&
                                 Contains("held by t3(3) for 1 min 40 s, taken at bank.cpp:7"));
  CHECK(watch.look(deadlock(), nowhere).empty());
}

TEST_CASE("a circle of other waits than at the last look is not yet a deadlock") {
  Watch watch{{.patience = 1000s}};
  LiveProcess later = deadlock();
  later.threads[1].wait.since = 960;
  CHECK(look_twice(watch, deadlock(), later).empty());
  CHECK(watch.look(later, nowhere).size() == 1);
}

TEST_CASE("whoever holds counts, not who held when the wait began") {
  // t3 was seen as owner, but has let go since: t4 has the lock, and runs.
  const LiveProcess process = process_of({waiting(thread(2, {1}), Kind::lock, object(2), 950, 3),
                                          waiting(thread(3), Kind::lock, object(1), 950, 2), thread(4, {2})});
  Watch watch{{.patience = 1000s}};
  CHECK(look_twice(watch, process, process).empty());
}

TEST_CASE("a writer waits for each of the readers") {
  LiveThread reader = thread(4, {2});
  reader.holds[0].shared = true;
  LiveThread stuck = thread(3, {2});
  stuck.holds[0].shared = true;
  const LiveProcess process = process_of(
      {waiting(thread(2, {1}), Kind::shared_lock, object(2)), waiting(stuck, Kind::lock, object(1)), reader});
  Watch watch{{.patience = 1000s}};
  const auto found = look_twice(watch, process, process);
  REQUIRE(found.size() == 1);
  CHECK(found[0].threads == std::vector<trace::ThreadNumber>{2, 3});
}

TEST_CASE("a circle with a timed wait ends by itself: it is no deadlock, and long waits in it say when they end") {
  LiveProcess process = deadlock();
  process.monotonic = 5'000'000'000;
  process.threads[1].wait.limit = trace::WaitLimit::deadline;
  process.threads[1].wait.deadline = 17'500'000'000;
  Watch patient{{.patience = 1000s}};
  CHECK(look_twice(patient, process, process).empty());
  CHECK_THAT(dump(process, 4711, nowhere), Contains("these wait in a circle: t2(2) waits for lock 100000002") &&
                                               Contains("held by t2(2), ends by itself in 12.500 s"));
  Watch strict{{.patience = 30s}};
  const auto found = strict.look(process, nowhere);
  REQUIRE(found.size() == 2);
  CHECK(found[0].what == Finding::What::long_wait);
  CHECK_THAT(found[0].sentence,
             Contains("t3(3) has waited 50.000 s for lock 100000001") && Contains(", ends by itself in 12.500 s"));
  CHECK_THAT(found[1].sentence,
             Contains("t2(2) has waited 50.000 s for lock 100000002") && !Contains("ends by itself"));
}

TEST_CASE("the dump ends with what several wait for, and who has it") {
  const LiveProcess process =
      process_of({waiting(thread(2), Kind::lock, object(1), 960), thread(3, {1}),
                  waiting(thread(4), Kind::lock, object(1), 950), waiting(thread(5), Kind::event, object(2), 900)});
  const std::string text = dump(process, 4711, nowhere);
  CHECK_THAT(text, Contains("\nspool: 2 threads wait for lock 100000001, the first of them t4(4) for 50.000 s\n"
                            "    held by t3(3) for "));
  CHECK(text.find("threads wait for", text.find("threads wait for") + 1) == std::string::npos);
  CHECK(dump(process_of({waiting(thread(2), Kind::lock, object(1)), thread(3, {1})}), 4711, nowhere)
            .find("threads wait for") == std::string::npos);
}

TEST_CASE("a deadlock is only likely where an owner is not sure to hold still") {
  LiveProcess process = process_of(
      {waiting(thread(2), Kind::lock, object(2), 950, 3), waiting(thread(3, {2}), Kind::lock, object(1), 950, 2)});
  process.mode = trace::Mode::contended;
  Watch watch{{.patience = 1000s}};
  const auto found = look_twice(watch, process, process);
  REQUIRE(found.size() == 1);
  CHECK_FALSE(found[0].certain);
  CHECK_THAT(found[0].sentence, Contains("likely deadlock: t2(2) waits for lock 100000002 held by t3(3)"));
  CHECK_THAT(dump(process, 4711, nowhere), Contains("these are likely to wait in a circle"));

  LiveProcess stoppable = deadlock();
  stoppable.threads[0].wait.limit = trace::WaitLimit::stop;
  Watch other{{.patience = 1000s}};
  const auto stopped = look_twice(other, stoppable, stoppable);
  REQUIRE(stopped.size() == 1);
  CHECK_FALSE(stopped[0].certain);
}

TEST_CASE("a join of a thread that waits for the joiner's lock is a deadlock") {
  const LiveProcess process =
      process_of({waiting(thread(1, {1}), Kind::thread, 2), waiting(thread(2), Kind::lock, object(1))});
  Watch watch{{.patience = 1000s}};
  const auto found = look_twice(watch, process, process);
  REQUIRE(found.size() == 1);
  CHECK(found[0].sentence ==
        "deadlock: t1(1) waits for the end of t2(2), which waits for lock 100000001 held by t1(1)");
}

TEST_CASE("waits for an event or a queue have no owner, whatever their threads hold") {
  const LiveProcess process = process_of(
      {waiting(thread(2, {1}), Kind::event, object(2), 950, 3), waiting(thread(3, {2}), Kind::lock, object(1))});
  Watch watch{{.patience = 1000s}};
  CHECK(look_twice(watch, process, process).empty());
}

TEST_CASE("those who wait too long for one lock are one finding, told once") {
  Watch watch{{.patience = 30s}};
  LiveProcess process = process_of(
      {thread(1, {1}), waiting(thread(2), Kind::lock, object(1), 960), waiting(thread(3), Kind::lock, object(1), 950),
       waiting(thread(4), Kind::lock, object(1), 990), waiting(thread(5), Kind::queue, object(9), 100)});
  const auto found = watch.look(process, nowhere);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == Finding::What::long_wait);
  CHECK(found[0].threads == std::vector<trace::ThreadNumber>{3, 2});
  CHECK(found[0].sentence == "t3(3) has waited 50.000 s for lock 100000001 held by t1(1), at bank.cpp:8 (and 1 more)");
  CHECK_THAT(found[0].story, Contains("\"t1\" #1"));
  CHECK(watch.look(process, nowhere).empty());
  process.now = 1030;
  CHECK(watch.look(process, nowhere).size() == 1);  // t4 now, too
}

TEST_CASE("every wait is watched where that is asked for") {
  Watch watch{{.patience = 30s, .every_wait = true}};
  const auto found = watch.look(process_of({waiting(thread(5), Kind::queue, object(9), 100)}), nowhere);
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].sentence, Contains("t5(5) has waited 15 min 0 s for queue 100000009"));
}

TEST_CASE("names forge no lines and steer no terminal") {
  LiveThread evil = thread(2, {1});
  evil.name = "a\nspool: deadlock\x1b[31m" + std::string(1 << 20, 'x');
  const std::string text = dump(process_of({evil}), 4711, nowhere);
  CHECK(text.size() < 2000);
  CHECK_THAT(text, Contains("\"a\\nspool: deadlock\\x1b[31m"));
  CHECK(text.find('\x1b') == std::string::npos);
}
