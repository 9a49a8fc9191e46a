// SPDX-License-Identifier: MIT
//
// What each thread did at a moment of the past.
#include <catch2/catch.hpp>
#include <unspool/analyze/snapshot.hpp>
#include <unspool/replay_script.hpp>

#include <map>
#include <regex>
#include <string>

using namespace unspool;
using namespace unspool::test;

namespace {

/// Thread 1 holds "a" from 100 to 1000; thread 2 waits for it from 200 and has it from 1100 to 1500.
Script two_threads() {
  Script script;
  script.thread(1, "holder");
  script.thread(2, "waiter");
  script.site(10, "/src/bank.cpp", 10, "hold");
  script.site(20, "/src/bank.cpp", 20, "wait");
  script.object(lock(1), Kind::lock, "a", 10);
  script.acquire(100, 1, lock(1), 10);
  script.block(200, 2, lock(1), 20, 1, 10);
  script.release(1000, 1, lock(1), 10);
  script.acquire(1100, 2, lock(1), 20, 1);
  script.release(1500, 2, lock(1), 20);
  return script;
}

std::string state(Script& script, const std::string& at, Options::Format format = Options::Format::table) {
  StateOptions wanted;
  wanted.at = *When::parse(at);
  Options options;
  options.format = format;
  return printed([&](auto inputs, const Options& how, std::FILE* out) { return run_state(inputs, how, wanted, out); },
                 script, options);
}

/// The threads of the one process, by name.
std::map<std::string, Json> threads(Script& script, const std::string& at) {
  std::map<std::string, Json> out;
  const Json document = Json::parse(state(script, at, Options::Format::json));
  for (const Json& thread : document["processes"][0]["threads"])
    out[thread["name"]] = thread;
  return out;
}

Json process(Script& script, const std::string& at) {
  return Json::parse(state(script, at, Options::Format::json))["processes"][0];
}

/// Wherever its lines are broken.
bool has(const std::string& text, const std::string& part) {
  const std::string words = std::regex_replace(text, std::regex{"\n {2,}"}, " ");
  INFO(text);
  return text.find(part) != std::string::npos || words.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("in mode long a wait that is recorded once it has lasted is there from its beginning on") {
  Script script = two_threads();
  script.records.clear();
  script.process.mode = Mode::long_waits;
  script.process.long_wait = 1'000'000;
  script.add(Kind::thread, Verb::begin, 50, 1, 1);
  script.add(Kind::thread, Verb::begin, 60, 2, 2);
  script.add(Kind::status, Verb::wait, 1200, 2, lock(1), 20, 1, 10).since = 200;
  script.block(1201, 2, lock(1), 20, 1, 10);
  script.release(1500, 1, lock(1), 0, 1);
  script.acquire(1510, 2, lock(1), 20, 1);
  CHECK(threads(script, "+140ns")["waiter"]["state"] == "running");
  CHECK(process(script, "+140ns")["threads"].size() == 2);
  const Json early = threads(script, "+150ns")["waiter"];
  CHECK(early["state"] == "waiting");
  CHECK(early["waits_for"]["owner"]["name"] == "holder");
  CHECK(early["waits_for"]["since"] == threads(script, "+1300ns")["waiter"]["waits_for"]["since"]);
  CHECK(has(state(script, "+150ns"), ": 2 Records up to then"));
  CHECK(threads(script, "end")["waiter"]["state"] == "running");
}

TEST_CASE("in the middle of a wait the waiter waits, since when and where is told, and the holder holds") {
  Script script = two_threads();
  auto all = threads(script, "+400ns");
  CHECK(all["waiter"]["state"] == "waiting");
  CHECK(all["waiter"]["waits_for"]["object"]["name"] == "a");
  CHECK(all["waiter"]["waits_for"]["since"] == 100);
  CHECK(all["waiter"]["waits_for"]["site"]["line"] == 20);
  CHECK(all["waiter"]["waits_for"]["owner"]["name"] == "holder");
  CHECK(all["waiter"]["waits_for"]["edge"] == "owned");
  CHECK(all["holder"]["state"] == "running");
  REQUIRE(all["holder"]["holds"].size() == 1);
  CHECK(all["holder"]["holds"][0]["since"] == 0);
  CHECK(all["holder"]["holds"][0]["site"]["line"] == 10);
  CHECK(all["holder"]["next_record"] == 900);
}

TEST_CASE("a Record at the very moment has happened") {
  Script script = two_threads();
  CHECK(threads(script, "+900ns")["holder"]["holds"].empty());
  CHECK(threads(script, "+900ns")["waiter"]["state"] == "waiting");
  CHECK(threads(script, "+899ns")["holder"]["holds"].size() == 1);
  CHECK(threads(script, "+1000ns")["waiter"]["holds"].size() == 1);
}

TEST_CASE("the end is the state that the Records leave") {
  Script script = two_threads();
  for (const auto& [name, thread] : threads(script, "end")) {
    CHECK(thread["state"] == "running");
    CHECK(thread["holds"].empty());
    CHECK(thread["next_record"].is_null());
  }
  CHECK(process(script, "-600ns")["at"] == 800);
}

TEST_CASE("a moment outside of the Records is told as such") {
  Script script = two_threads();
  CHECK(has(state(script, "+1h"), "after the last Record"));
  CHECK(process(script, "+1h")["position"] == "after the last Record");
  script.process.clocks.clear();
  script.process.clocks.push_back({0, 0, 1'714'564'800'000'000'000, 0, 1'000'000'000});
  CHECK(has(state(script, "2024-05-01T11:00:00Z"), "before the first Record"));
  CHECK(process(script, "2024-05-01T11:00:00Z")["threads"].empty());
  Script empty;
  StateOptions end;
  CHECK(has(
      printed([&](auto inputs, const Options& how, std::FILE* out) { return run_state(inputs, how, end, out); }, empty),
      "No thread has recorded anything."));
}

TEST_CASE("a moment in a gap of loss says whose Records are missing") {
  Script script = two_threads();
  script.lost(3000, 1, 17);
  CHECK(threads(script, "+2us")["holder"]["lost"] == 17);
  CHECK(threads(script, "+2us")["waiter"]["lost"] == 0);
  CHECK(has(state(script, "+2us"), "17 Records were lost here"));
  CHECK(threads(script, "+100ns")["holder"]["lost"] == 0);
}

TEST_CASE("readers of a SharedLock hold it, each from its own line") {
  Script script;
  script.thread(1, "reader-1");
  script.thread(2, "reader-2");
  script.object(lock(1), Kind::shared_lock, "cache", 0);
  script.add(Kind::shared_lock, Verb::acquire_shared, 100, 1, lock(1), 10, 0, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 150, 2, lock(1), 20, 0, 2);
  script.add(Kind::message, Verb::text, 200, 2, 0);
  auto all = threads(script, "end");
  CHECK(all["reader-1"]["holds"][0]["mode"] == "shared");
  CHECK(all["reader-2"]["holds"][0]["since"] == 50);
}

TEST_CASE("the last state of the status file is not that of an earlier moment") {
  Script script = two_threads();
  trace::StatusEntry entry{};
  entry.thread = 2;
  entry.version = 2;
  entry.wait_record = 1;
  entry.wait_object = lock(1);
  entry.wait_since = 1600;
  script.process.status.push_back(entry);
  CHECK(threads(script, "+50ns")["waiter"].is_null());
  CHECK(threads(script, "+1200ns")["waiter"]["state"] == "running");
  CHECK(threads(script, "end")["waiter"]["state"] == "waiting");
}

TEST_CASE("idle workers that wait alike are told together") {
  Script script;
  script.object(condition(1), Kind::condition, "work", 0);
  for (trace::ThreadNumber i = 1; i <= 12; ++i) {
    script.thread(i, "worker-" + std::to_string(i));
    script.add(Kind::condition, Verb::block, 100 * i, i, condition(1), 5);
  }
  const std::string text = state(script, "end");
  CHECK(has(text, "12 threads wait up to 1.10 µs for condition \"work\""));
  CHECK(has(text, "and 4 more"));
}

TEST_CASE("threads that run and did the same last are told together") {
  Script script = two_threads();
  for (trace::ThreadNumber each = 11; each <= 14; ++each) {
    script.thread(each, "runner-" + std::to_string(each));
    script.acquire(1600 + each, each, lock(1), 10);
    script.release(1700 + each, each, lock(1), 20);
  }
  const std::string text = state(script, "end");
  INFO(text);
  CHECK(has(text, "waiter, runner-11, runner-12, runner-13, runner-14"));
  CHECK(has(text, "5 threads run, or are blocked where spool does not see it; last Records 0 ns to 214 ns before:"));
}

// The story: a process that hung for a second was said to have waited for 0 ns.
TEST_CASE("waits at the end last to the process's last sign of life") {
  Script script = two_threads();
  script.acquire(1600, 1, lock(1), 10);
  script.block(1700, 2, lock(1), 20, 1, 10);
  CHECK(has(state(script, "end"),
            "    waits for lock \"a\" at bank.cpp:20 (wait); held by holder, taken at bank.cpp:10 100 ns before"));
  const ClockReading start = script.process.clocks.front();
  constexpr std::uint64_t later = 1'000'001'700;
  script.process.clocks.push_back({later, start.monotonic + later, start.realtime + later, 0, start.frequency});
  const std::string text = state(script, "end");
  CHECK(has(text, "the last Record; the process lived on for 1.00 s at least, and times are as of then"));
  CHECK(has(text, "waits 1.00 s for lock \"a\""));
  CHECK(has(printed(run_report, script), "1 thread still waits at the end, for 1.00 s at least"));
  CHECK(has(printed(run_locks, script), "1 thread still waits for \"a\" at the end, for 1.00 s at least"));
  // Between the last Record and the last sign of life it waits up to the moment, and later nothing is known.
  CHECK(has(state(script, "+500ms"), "waits 500 ms for lock"));
  CHECK_FALSE(has(state(script, "+500ms"), "as of then"));
  CHECK(has(state(script, "+1h"), "as of then"));
  CHECK(has(state(script, "+1h"), "waits 1.00 s for lock"));
  // Of a moment before the end the end says nothing.
  CHECK(has(state(script, "+1000ns"), "taken at"));
  CHECK_FALSE(has(state(script, "+1000ns"), "1.00 s"));
}

TEST_CASE("who let such waits end before is told as that, and holds nothing") {
  Script script = two_threads();
  script.object(condition(1), Kind::condition, "done", 10);
  script.begin(1610, 2);
  script.add(Kind::condition, Verb::notify, 1620, 1, condition(1), 10, 0, 0);
  script.end(1630, 1, true);
  script.add(Kind::condition, Verb::block, 1700, 2, condition(1), 20);
  const std::string text = state(script, "end");
  CHECK_FALSE(has(text, "held by"));
  CHECK(has(text,
            "condition \"done\" at bank.cpp:20 (wait); holder notified it before, the last time at bank.cpp:10 80 ns "
            "before"));
}

TEST_CASE("a reader behind a writer that waits is not told that the writer holds the lock") {
  Script script = two_threads();
  script.thread(3, "reader");
  const trace::ObjectNumber cache = lock(2);
  script.object(cache, Kind::shared_lock, "cache", 10);
  script.add(Kind::shared_lock, Verb::acquire_shared, 1600, 1, cache, 10, 0, 1);
  script.add(Kind::shared_lock, Verb::block, 1700, 2, cache, 20, 1, 10);
  script.add(Kind::shared_lock, Verb::block_shared, 1900, 3, cache, 10, 1, 10);
  const std::string text = state(script, "end");
  CHECK(has(text, "behind waiter, who waits for it as well, asked at bank.cpp:20 200 ns before"));
  CHECK_FALSE(has(text, "held by waiter"));
  CHECK(threads(script, "end")["reader"]["waits_for"]["owner_waits"] == true);
  CHECK(threads(script, "end")["waiter"]["waits_for"]["owner_waits"] == false);
  const std::string table = printed(run_deadlocks, script);
  CHECK(has(table, "held by holder"));
  CHECK(has(table, "behind waiter, who waits for it as well"));
}

TEST_CASE("a hostile name stays on its line") {
  Script script = two_threads();
  script.thread(2, "evil\n\x1b[2Jname");
  CHECK_FALSE(has(state(script, "+400ns"), "\x1b"));
  CHECK_FALSE(has(state(script, "+400ns"), "evil\n"));
}

TEST_CASE("a deadlock of the past is told at its time, and is a finding") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 20);
  script.block(120, 1, lock(2), 11, 2, 20);
  script.block(130, 2, lock(1), 21, 1, 10);
  script.add(Kind::lock, Verb::timeout, 900, 1, lock(2), 11, 2, 20);
  StateOptions wanted;
  wanted.at = *When::parse("+500ns");
  bool found = false;
  const auto run = [&](auto inputs, const Options& how, std::FILE* out) { return run_state(inputs, how, wanted, out); };
  CHECK(has(printed(run, script, {}, &found), "is part of a deadlock"));
  CHECK(found);
  wanted.at = *When::parse("+850ns");
  printed(run, script, {}, &found);
  CHECK_FALSE(found);
}

TEST_CASE("in contended mode only what is waited for is said to be held, as a release may not be recorded") {
  Script script = two_threads();
  script.process.mode = Mode::contended;
  script.records.erase(script.records.begin());  // nobody waited when 1 took it
  script.records.pop_back();                     // nor when 2 released it
  CHECK(threads(script, "+400ns")["waiter"]["waits_for"]["owner"]["name"] == "holder");
  CHECK(threads(script, "end")["waiter"]["holds"].empty());
}
