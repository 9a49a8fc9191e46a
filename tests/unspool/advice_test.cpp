// SPDX-License-Identifier: MIT
//
// What threads do with a lock held, and what could be done about the waits for it.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <string>

using namespace unspool;
using namespace unspool::test;
using Catch::Matchers::Contains;

namespace {

Script named() {
  Script script;
  script.thread(1, "reader");
  script.thread(2, "writer");
  script.thread(3, "feeder");
  script.site(11, "reader.cpp", 11, "read");
  script.site(21, "writer.cpp", 21, "write");
  script.site(25, "writer.cpp", 25, "fetch");
  script.site(26, "writer.cpp", 26, "fetch");
  script.site(31, "feeder.cpp", 31, "feed");
  script.object(lock(1), Kind::lock, "index", 21);
  script.object(condition(1), Kind::queue, "jobs", 21);
  return script;
}

const MessageClass spoken{trace::Level::info, "", "fetched", {}, {}, "", false};

/// The writer waits for an item with the lock held, and the reader for the lock.
Script waits_inside() {
  Script script = named();
  script.acquire(1000, 2, lock(1), 21);
  script.block(2000, 1, lock(1), 11, 2, 21);
  script.add(Kind::queue, Verb::block, 3000, 2, condition(1), 25, 1);
  script.add(Kind::queue, Verb::put, 9000, 3, condition(1), 31);
  script.add(Kind::queue, Verb::get, 9000, 2, condition(1), 25, 3, 31);
  script.add(Kind::message, Verb::text, 9100, 2, 0, 26).message = &spoken;
  script.release(10'000, 2, lock(1), 21);
  script.acquire(10'000, 1, lock(1), 11, 2);
  script.release(10'100, 1, lock(1), 11);
  return script;
}

std::string text(Script& script, bool (*command)(std::span<Input>, const Options&, std::FILE*)) {
  Options options;
  options.width = 10'000;
  return printed(command, script, options);
}

Json locks_of(Script& script) {
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_locks, script, options))["processes"][0]["locks"][0];
}

/// Short holds at one line, and a few long ones at another that others wait for.
Script long_holds() {
  Script script = named();
  trace::Ticks now = 1000;
  for (int i = 0; i < 100; ++i) {
    script.acquire(now, 1, lock(1), 11);
    script.release(now + 10, 1, lock(1), 11);
    now += 20;
  }
  for (int i = 0; i < 10; ++i) {
    script.acquire(now, 2, lock(1), 21);
    script.block(now + 10, 1, lock(1), 11, 2, 21);
    script.release(now + 5000, 2, lock(1), 21);
    script.acquire(now + 5010, 1, lock(1), 11, 2);
    script.release(now + 5020, 1, lock(1), 11);
    now += 20'000;
  }
  return script;
}

}  // namespace

TEST_CASE("a lock that is held across another wait is told with the line of that wait") {
  Script script = waits_inside();
  const std::string locks = text(script, run_locks);
  INFO(locks);
  CHECK_THAT(locks,
             Contains("Advice: The lock is held across a wait for queue \"jobs\" at writer.cpp:25 (fetch), having been "
                      "taken at writer.cpp:21: 1 time, 6.00 µs in all; by its end others waited"));
  CHECK_THAT(locks, Contains("a wait for queue \"jobs\"") && Contains("a message"));
  const std::string report = text(script, run_report);
  INFO(report);
  CHECK_THAT(report, Contains("What could be done about it") &&
                         Contains("\"index\", waited for 8.00 µs: The lock is held across a wait for queue"));
}

TEST_CASE("JSON has what was done inside, and the advice") {
  Script script = waits_inside();
  const Json lock = locks_of(script);
  REQUIRE(lock["inside"].size() == 2);
  CHECK(lock["inside"][0]["what"] == "wait");
  CHECK(lock["inside"][0]["site"]["line"] == 25);
  CHECK(lock["inside"][0]["hold_site"]["line"] == 21);
  CHECK(lock["inside"][0]["time"] == 6000);
  CHECK(lock["inside"][0]["hindered"] == 1);
  CHECK(lock["inside"][1]["what"] == "message");
  CHECK(lock["inside"][1]["site"]["line"] == 26);
  REQUIRE(lock["advice"].size() == 1);
  CHECK(lock["advice"][0]["what"] == "waits_inside");
  CHECK(lock["advice"][0]["site"]["line"] == 25);
}

TEST_CASE("a Condition's wait gives its own lock back: it is not inside it") {
  Script script = named();
  script.acquire(1000, 1, lock(1), 11);
  script.release(1100, 1, lock(1), 11);
  script.add(Kind::condition, Verb::block, 1100, 1, condition(2), 11);
  script.acquire(1200, 2, lock(1), 21);
  script.add(Kind::condition, Verb::notify, 1300, 2, condition(2), 21, 1);
  script.block(1310, 1, lock(1), 11, 2, 21);
  script.release(1400, 2, lock(1), 21);
  script.acquire(1410, 1, lock(1), 11, 2);
  script.add(Kind::condition, Verb::resume, 1420, 1, condition(2), 11, 2, 21);
  CHECK(locks_of(script)["inside"].empty());
}

TEST_CASE("a wait that has not ended is the verdict's, and no advice") {
  Script script = named();
  script.object(lock(2), Kind::lock, "log", 31);
  script.acquire(1000, 2, lock(1), 21);
  script.acquire(1000, 1, lock(2), 31);
  script.block(2000, 1, lock(1), 11, 2, 21);
  script.block(3000, 2, lock(2), 25, 1, 31);
  script.add(Kind::message, Verb::text, 9000, 3, 0, 26).message = &spoken;
  const Json lock = locks_of(script);
  CHECK(lock["inside"].empty());
  CHECK(lock["advice"].empty());
}

TEST_CASE("few long holds at one line among many short ones are told") {
  Script script = long_holds();
  const Json lock = locks_of(script);
  REQUIRE(lock["advice"].size() == 1);
  CHECK(lock["advice"][0]["what"] == "long_holds");
  CHECK(lock["advice"][0]["site"]["line"] == 21);
  CHECK(lock["blocking_holds"][0]["count"] == 10);
  CHECK(lock["blocking_holds"][0]["total"] == 50'000);
  const std::string locks = text(script, run_locks);
  INFO(locks);
  CHECK_THAT(locks, Contains("of the time waited for it is because of 10 holds taken at writer.cpp:21 (write), 5.00 µs "
                             "each in mean, while half of all "
                             "its holds last 10 ns or less"));
}

TEST_CASE("a lock that is mostly free while others wait for it gets other advice than one that is held") {
  Script script = named();
  trace::Ticks now = 1000;
  for (int i = 0; i < 10; ++i) {
    script.acquire(now, 2, lock(1), 21);
    script.block(now + 10, 1, lock(1), 11, 2, 21);
    script.release(now + 20, 2, lock(1), 21);
    script.acquire(now + 900, 1, lock(1), 11, 2);
    script.release(now + 910, 1, lock(1), 11);
    now += 1000;
  }
  const Json lock = locks_of(script);
  REQUIRE(lock["advice"].size() == 1);
  CHECK(lock["advice"][0]["what"] == "hand_over");
}

TEST_CASE("where hardly anybody waits nobody is advised") {
  Script script = long_holds();
  script.add(Kind::message, Verb::text, 100'000'000, 3, 0).message = &spoken;
  CHECK(locks_of(script)["advice"].empty());
  CHECK_THAT(text(script, run_report), !Contains("What could be done about it"));
}

TEST_CASE("in a mode that leaves out what nobody waited for nothing is said of what was done inside") {
  Script script = waits_inside();
  script.process.mode = Mode::contended;
  const Json lock = locks_of(script);
  CHECK(lock["inside"].empty());
  CHECK(lock["advice"].empty());
}
