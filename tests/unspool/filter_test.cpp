// SPDX-License-Identifier: MIT
//
// Filters: what they let pass, that figures are restricted and holders stay right, and what is said of it.
#include <catch2/catch.hpp>
#include <unspool/render/names.hpp>
#include <unspool/replay_script.hpp>

#include <functional>
#include <string>

using namespace unspool;
using namespace unspool::test;

namespace {

/// "a" is held by thread 1 from 1000 to 3000; thread 2 waits 1500 ns for it, thread 3 then 200 ns. Lock "b" is free.
Script three_threads() {
  Script script;
  script.process.first_time = 1000;
  script.thread(1, "holder");
  script.thread(2, "worker-1");
  script.thread(3, "worker-2");
  script.site(10, "/src/bank.cpp", 10, "hold");
  script.site(20, "/src/bank.cpp", 20, "wait");
  script.object(lock(1), Kind::lock, "a", 10);
  script.object(lock(2), Kind::lock, "", 20);
  script.acquire(1000, 1, lock(1), 10);
  script.block(1500, 2, lock(1), 20, 1, 10);
  script.release(3000, 1, lock(1), 10);
  script.acquire(3000, 2, lock(1), 20, 1);
  script.block(3100, 3, lock(1), 20, 2, 20);
  script.release(3300, 2, lock(1), 20);
  script.acquire(3300, 3, lock(1), 20, 2);
  script.release(3400, 3, lock(1), 20);
  script.acquire(4000, 1, lock(2), 10);
  script.release(4100, 1, lock(2), 10);
  return script;
}

using Command = std::function<bool(std::span<Input>, const Options&, std::FILE*)>;

std::string text(const Command& command, Script script, const Wanted& wanted, bool* found = nullptr) {
  Options options;
  options.wanted = wanted;
  return printed(command, script, options, found);
}

Json json(const Command& command, Script script, const Wanted& wanted) {
  Options options;
  options.wanted = wanted;
  options.format = Options::Format::json;
  return Json::parse(printed(command, script, options))["processes"][0];
}

Wanted by_thread(const std::string& name) {
  Wanted wanted;
  wanted.threads = {name};
  return wanted;
}

Wanted by_object(std::vector<std::string> names) {
  Wanted wanted;
  wanted.objects = std::move(names);
  return wanted;
}

Wanted by_kind(const std::string& kind) {
  Wanted wanted;
  wanted.kinds = {kind};
  return wanted;
}

bool has(const std::string& whole, const std::string& part) {
  INFO(whole);
  return whole.find(part) != std::string::npos;
}

/// Two threads in a ring, and a third that waits for a timer's end of time.
Script deadlock() {
  Script script = three_threads();
  script.acquire(5000, 1, lock(1), 10);
  script.acquire(5000, 2, lock(2), 20);
  script.block(5100, 1, lock(2), 10, 2, 20);
  script.block(5200, 2, lock(1), 20, 1, 10);
  return script;
}

}  // namespace

TEST_CASE("a filter by thread counts the waits of that thread, and their holders stay right") {
  const Json process = json(run_locks, three_threads(), by_thread("worker-1"));
  REQUIRE(process["locks"].size() == 1);
  const Json& a = process["locks"][0];
  CHECK(a["wait"]["count"] == 1);
  CHECK(a["wait"]["total"] == 1500);
  CHECK(a["acquisitions"] == 1);
  REQUIRE(a["holders"].size() == 1);
  CHECK(a["holders"][0]["thread"]["name"] == "holder");
  CHECK(a["holders"][0]["time"] == 1500);
  CHECK(process["filter"]["threads"] == Json{{"passing", 1}, {"all", 3}});
  CHECK(process["filter"]["waits"] == Json{{"passing", 1}, {"all", 2}});
}

TEST_CASE("names, globs and numbers choose threads, and several add up") {
  const auto waits = [](const Wanted& wanted) {
    return json(run_locks, three_threads(), wanted)["filter"]["waits"]["passing"].get<int>();
  };
  CHECK(waits(by_thread("worker-*")) == 2);
  CHECK(waits(by_thread("worker-[2-9]")) == 1);
  CHECK(waits(by_thread("3")) == 1);
  CHECK(waits(by_thread("worker-2#3")) == 1);
  CHECK(waits(by_thread("holder")) == 0);
  Wanted both = by_thread("2");
  both.threads.emplace_back("3");
  CHECK(waits(both) == 2);
}

TEST_CASE("objects are chosen by name, number, kind, and by their creation where they have no name") {
  const auto rows = [](Wanted wanted) { return json(run_locks, three_threads(), wanted)["locks"].size(); };
  CHECK(rows({}) == 2);
  CHECK(rows(by_object({"a"})) == 1);
  CHECK(rows(by_object({"bank.cpp:20"})) == 1);
  CHECK(rows(by_object({"a", "bank.cpp:*"})) == 2);
  CHECK(rows(by_kind("lock")) == 2);
  CHECK(rows(by_kind("event")) == 0);
  CHECK(rows(by_object({object_number(lock(2))})) == 1);
}

TEST_CASE("objects are chosen by their line where they have a name too, and by the number that JSON has") {
  const auto chosen = [](const std::string& pattern) {
    Wanted wanted;
    wanted.objects = {pattern};
    return json(run_locks, three_threads(), wanted)["locks"].size();
  };
  CHECK(chosen("bank.cpp:10") == 1);
  CHECK(chosen(std::to_string(lock(1))) == 1);
}

TEST_CASE("a wait counts whole where any of it lies within the times") {
  const auto waited = [](const char* from, const char* to) {
    Wanted wanted;
    wanted.from = When::parse(from);
    wanted.to = When::parse(to);
    const Json process = json(run_locks, three_threads(), wanted);
    return process["locks"].empty() ? 0 : process["locks"][0]["wait"]["total"].get<int>();
  };
  CHECK(waited("+0s", "+900ns") == 1500);
  CHECK(waited("+2200ns", "end") == 200);
  CHECK(waited("+0s", "end") == 1700);
  CHECK(waited("-900ns", "end") == 200);
  CHECK(waited("-700ns", "end") == 0);
  CHECK(waited("+3000ns", "end") == 0);
}

// The story: "Only from +18446714334.244076 s: 0 of 1,535 waits."
TEST_CASE("from the end on is from the last Record on, and waits that go on pass") {
  Script script = three_threads();
  script.acquire(4200, 1, lock(1), 10);
  script.block(4300, 2, lock(1), 20, 1, 10);
  Options options;
  options.wanted.from = When::parse("end");
  CHECK(options.wanted.needs_last());
  const Filter filter{options.wanted, script.process, 4300};
  CHECK(filter.from() == 4300);
  Wait wait;
  wait.thread = 2;
  wait.object = lock(1);
  wait.kind = Kind::lock;
  wait.since = 4300;
  wait.until = 4300;
  CHECK(filter.passes(wait));
  Wanted nobody = by_thread("holder");
  nobody.min_wait = 1'000'000'000;
  CHECK(has(text(run_locks, three_threads(), nobody), "0 of 2 waits"));
  Wanted nothing;
  nothing.kinds = {"rlock"};
  CHECK(has(text(run_locks, three_threads(), nothing), "No lock passes the filter."));
  CHECK(has(text(run_joins, three_threads(), nothing), "No join passes the filter."));
}

TEST_CASE("the least length is of waits alone") {
  Wanted wanted;
  wanted.min_wait = 1000;
  const Json a = json(run_locks, three_threads(), wanted)["locks"][0];
  CHECK(a["wait"]["count"] == 1);
  CHECK(a["acquisitions"] == 3);
}

TEST_CASE("the head says what is chosen and how much that leaves out") {
  Wanted wanted = by_thread("worker-*");
  wanted.objects = {"a"};
  wanted.min_wait = 1'000;
  CHECK(has(text(run_locks, three_threads(), wanted),
            "Only threads worker-* (2 of 3); object a (1 of 2); waits of 1.00 µs or more: 1 of 2 waits."));
  CHECK(json(run_locks, three_threads(), {})["filter"].is_null());
  CHECK_FALSE(has(text(run_locks, three_threads(), {}), "Only"));
}

TEST_CASE("blame divides the waits that pass, along whole chains") {
  const Command blame = [](auto inputs, const Options& options, std::FILE* out) {
    return run_blame(inputs, options, false, out);
  };
  CHECK(json(blame, three_threads(), {})["total"] == 1700);
  const Json process = json(blame, three_threads(), by_thread("worker-2"));
  CHECK(process["total"] == 200);
  CHECK(process["roots"][0]["thread"]["name"] == "worker-1");
}

TEST_CASE("a deadlock is told where one of its threads passes, and is no finding otherwise") {
  bool found = false;
  CHECK(has(text(run_deadlocks, deadlock(), by_thread("holder"), &found), "2 threads wait for each other"));
  CHECK(found);
  const std::string other = text(run_deadlocks, deadlock(), by_thread("worker-2"), &found);
  CHECK(has(other, "No deadlock."));
  CHECK_FALSE(has(other, "as part of no deadlock"));
  CHECK_FALSE(found);
}

TEST_CASE("misuse is counted for the threads and objects that pass") {
  Script script = three_threads();
  script.add(Kind::lock, Verb::timeout, 4500, 2, lock(1), 20, 0, 0);
  script.add(Kind::lock, Verb::timeout, 4600, 3, lock(1), 20, 0, 0);
  const auto count = [&](const Wanted& wanted) {
    const Json misuses = json(run_misuse, script, wanted)["misuses"];
    return misuses.empty() ? 0 : misuses[0]["count"].get<int>();
  };
  CHECK(count({}) == 2);
  CHECK(count(by_thread("worker-1")) == 1);
  CHECK(count(by_object({"bank.cpp:20"})) == 0);
}

TEST_CASE("a thread dump shows the threads that pass, or that have to do with the objects that do") {
  const Command state = [](auto inputs, const Options& options, std::FILE* out) {
    return run_state(inputs, options, {}, out);
  };
  CHECK(json(state, deadlock(), by_thread("worker-*"))["threads"].size() == 2);
  const Json holders = json(state, deadlock(), by_object({"a"}))["threads"];
  REQUIRE(holders.size() == 2);
  CHECK(holders[0]["name"] == "holder");
  CHECK(holders[1]["name"] == "worker-1");
}

TEST_CASE("a queue's depth is its own, and its waits are the thread's") {
  Script script;
  script.process.first_time = 100;
  script.thread(1, "producer");
  script.thread(2, "consumer");
  const auto queue = trace::first_object_number + 7;
  script.object(queue, Kind::queue, "jobs", 0);
  script.add(Kind::queue, Verb::block, 100, 2, queue, 0, 1);
  script.add(Kind::queue, Verb::put, 500, 1, queue, 0, 0, 3);
  script.add(Kind::queue, Verb::get, 600, 2, queue, 0, 0, 2);
  const Json of_producer = json(run_waits, script, by_thread("producer"))["waits"][0];
  CHECK(of_producer["signals"] == 1);
  CHECK(of_producer["wait"]["count"] == 0);
  CHECK(of_producer["depth"]["max"] == 3);
}

TEST_CASE("a pattern that fits nothing is told with the names that are nearest") {
  const Script script = three_threads();
  const std::array<const Process*, 1> all{&script.process};
  CHECK(misfit(by_thread("worker-*"), all).empty());
  CHECK(misfit(by_thread("wroker-1"), all) ==
        "no thread is called \"wroker-1\"; the nearest: \"worker-1\", \"worker-2\", \"holder\"");
  CHECK(misfit(by_kind("lok"), all).starts_with("no kind is called \"lok\"; the nearest: \"lock\""));
  CHECK(misfit(by_object({"#99"}), all).starts_with("no object is called \"#99\""));
}

TEST_CASE("names that are globs themselves, or hold anything, are found as they stand or as they are printed") {
  Script script;
  script.process.first_time = 1;
  script.thread(1, "queue[3]");
  script.thread(2, "evil\x1b\n*");
  const std::array<const Process*, 1> all{&script.process};
  CHECK(misfit(by_thread("queue[3]"), all).empty());
  CHECK(misfit(by_thread("evil\\x1b\\n*"), all).empty());
  CHECK(misfit(by_thread("evil*"), all).empty());
  CHECK_FALSE(misfit(by_thread(""), all).empty());
}
