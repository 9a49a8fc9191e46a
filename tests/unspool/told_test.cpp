// SPDX-License-Identifier: MIT
//
// What is told of those who wait: since when, by which names, and for which reason. Who is stuck, stuck_test.cpp asks.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>
#include <unspool/render/table.hpp>

#include <regex>
#include <string>

using namespace unspool;
using namespace unspool::test;
using Catch::Matchers::Contains;

namespace {

constexpr trace::ThreadNumber main_thread = 1;
constexpr trace::ThreadNumber worker = 2;
constexpr trace::ThreadNumber other = 3;
constexpr trace::ObjectNumber object = trace::first_object_number + 77;
constexpr std::uint32_t result = 1;
constexpr std::uint32_t work = 2;
constexpr trace::Ticks second = 1'000'000'000;

/// Main, and two threads that it made.
Course threads() {
  Course script;
  script.thread(main_thread, "MainThread");
  script.process.threads[main_thread].origin = trace::Origin::main;
  script.thread(worker, "worker");
  script.thread(other, "other");
  for (const trace::ThreadNumber each : {worker, other}) {
    script.process.threads[each].creator = main_thread;
    script.begin(each, each);
  }
  script.begin(5, main_thread);
  return script;
}

std::string joined_lines(const std::string& text) {
  return std::regex_replace(text, std::regex{"\n {4,}"}, " ");
}

std::string deadlocks(Script& script) {
  return joined_lines(printed(run_deadlocks, script));
}

std::string state(Script& script) {
  StateOptions wanted;
  wanted.at = *When::parse("end");
  return joined_lines(printed(
      [&](auto inputs, const Options& how, std::FILE* out) { return run_state(inputs, how, wanted, out); }, script));
}

Json json(Script& script) {
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_deadlocks, script, options))["processes"][0];
}

void goes_on_for(Script& script, trace::Ticks time) {
  script.process.cost = Cost{.time = script.records.back().time + time};
}

}  // namespace

// The story: a consumer "deadlocked since" it waited, long before its last producer died.
TEST_CASE("a thread is stuck no sooner than the last one who could have ended its wait has ended") {
  Course script = threads();
  script.add(Kind::queue, Verb::put, 10, other, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 20, worker, object, 31, 0, 0);
  script.add(Kind::queue, Verb::block, 30, worker, object, 31, 1, 0);
  script.end(500, other, true);
  script.join(600, main_thread, worker, 32);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].cause == Cause::abandoned);
  CHECK(answer.analysis.deadlocks.cycles()[0].since == 500);
}

TEST_CASE("a lock's waiter is stuck since its owner has ended, and a ring since its latest wait") {
  Course script = threads();
  script.acquire(10, other, lock(1), 40);
  script.block(20, worker, lock(1), 41, other, 40);
  script.end(300, other);
  const Answer ended{script};
  REQUIRE(ended.analysis.deadlocks.cycles().size() == 1);
  CHECK(ended.analysis.deadlocks.cycles()[0].since == 300);

  Course ring = threads();
  ring.acquire(10, worker, lock(1), 40);
  ring.acquire(20, other, lock(2), 40);
  ring.block(30, worker, lock(2), 41, other, 40);
  ring.block(400, other, lock(1), 41, worker, 40);
  ring.join(900, main_thread, worker, 32);
  const Answer circle{ring};
  REQUIRE(circle.analysis.deadlocks.cycles().size() == 1);
  CHECK(circle.analysis.deadlocks.cycles()[0].since == 400);
}

// The story: the server had set another request's reply, and was said to have set this one.
TEST_CASE("who did it to another object made at the same line is told to have done that") {
  Course script = threads();
  script.object(object, Kind::event, "reply", 70);
  script.object(object + 1, Kind::event, "reply", 70);
  script.add(Kind::event, Verb::set, 10, other, object, 30);
  script.add(Kind::event, Verb::block, 20, worker, object + 1, 31);
  script.end(40, other, true);
  CHECK_THAT(deadlocks(script), Contains("other set another one made at the same line once"));
  CHECK_THAT(state(script), Contains("other set another one made at the same line before"));
  CHECK(json(script)["deadlocks"][0]["threads"][0]["by_class"] == true);
}

// The story: "crawl-0: no deadlock, as crawl-2 goes on", and crawl-2 was in the same line as one who waits.
TEST_CASE("the reason names one who goes on, not one who waits itself") {
  Course script = threads();
  script.add(Kind::queue, Verb::put, 10, main_thread, object, 30, 0, 1);
  for (const trace::ThreadNumber each : {worker, other}) {
    script.add(Kind::queue, Verb::put, 11, each, object, 30, 0, 1);
    script.add(Kind::queue, Verb::get, 12, each, object, 31, 0, 0);
  }
  script.add(Kind::queue, Verb::get, 13, worker, object, 31, 0, 0);
  for (const trace::ThreadNumber each : {worker, other})
    script.add(Kind::queue, Verb::block, 30, each, object, 31, 1, 0);
  CHECK_THAT(deadlocks(script), Contains("MainThread goes on (put before)"));
  CHECK(json(script)["waiting"][0]["hopes_for"][0]["thread"]["name"] == "MainThread");
}

TEST_CASE("where all who did it wait, the reason says who goes on in the end") {
  Course script = threads();
  script.add(Kind::event, Verb::set, 10, main_thread, object, 30);
  script.add(Kind::event, Verb::set, 11, worker, object + 1, 31);
  script.add(Kind::event, Verb::block, 20, worker, object, 32);
  script.add(Kind::event, Verb::block, 21, other, object + 1, 33);
  const std::string text = deadlocks(script);
  CHECK_THAT(text, Contains("MainThread goes on (set before)"));
  CHECK_THAT(text, Contains("MainThread goes on, for which worker waits"));
}

TEST_CASE("of a lock that another thread may release the reason is that one; and its owner has ended") {
  Course script = threads();
  script.acquire(10, other, lock(1), 40);
  script.release(11, main_thread, lock(1), 41, other);
  script.acquire(12, other, lock(1), 40);
  script.block(13, worker, lock(1), 42, other, 40);
  script.end(14, other);
  const std::string text = deadlocks(script);
  CHECK_THAT(text, Contains("MainThread goes on (released"));
  CHECK_THAT(text, !Contains("which has ended"));
  CHECK_THAT(state(script), Contains("held by other, which has ended, taken"));
}

// The story: "holds lock "row", waits for lock "row"" read like a thread that waits for itself.
TEST_CASE("objects of one name are told with their numbers, others are not") {
  Course script = threads();
  script.object(lock(1), Kind::lock, "row", 12);
  script.object(lock(2), Kind::lock, "row", 12);
  script.object(object, Kind::event, "go", 12);
  script.acquire(10, worker, lock(1), 40);
  script.acquire(20, other, lock(2), 40);
  script.block(30, worker, lock(2), 41, other, 40);
  script.block(40, other, lock(1), 41, worker, 40);
  script.add(Kind::event, Verb::block, 50, main_thread, object, 32);
  const std::string text = deadlocks(script);
  CHECK_THAT(text, Contains("lock \"row\" #3 of other"));
  CHECK_THAT(text, Contains("lock \"row\" #2 of worker"));
  CHECK_THAT(text, !Contains("\"go\" #"));
  CHECK_THAT(state(script), Contains("holds lock \"row\" #2, taken"));
}

// The story: "MainThread waits for pool #1, which a worker could end".
TEST_CASE("which task is waited for is told, and who runs it or could") {
  Course script = threads();
  script.add(Kind::pool, Verb::submit, 10, main_thread, object, 30, 1);
  script.add(Kind::pool, Verb::begin, 11, worker, object, 30, 1, main_thread);
  script.add(Kind::pool, Verb::block, 12, main_thread, object, 31, result, 1);
  script.add(Kind::pool, Verb::block, 13, other, object, 0, work);
  script.acquire(14, worker, lock(1), 40);
  script.block(15, worker, lock(1), 40, worker, 40);
  const std::string text = deadlocks(script);
  CHECK_THAT(text, Contains("MainThread waits for task 1 of pool #78 (worker runs it), part of deadlock 1"));
  CHECK_THAT(text, !Contains("other waits for work") && Contains("a worker at rest"));
  CHECK_THAT(state(script), Contains("for task 1 of pool #78 at unknown line; worker runs it"));
  CHECK(json(script)["deadlocks"][0]["hanging"][0]["task"] == 1);
}

TEST_CASE("findings are counted as they are told: several of one class as one") {
  Course script;
  for (std::uint32_t i = 0; i < 2; ++i) {
    script.object(lock(i), Kind::lock, "row", 12);
    script.acquire(100 + i, 1 + i, lock(i), 10);
    script.block(200 + i, 1 + i, lock(i), 11, 1 + i, 10);
  }
  CHECK_THAT(deadlocks(script), Contains("DEADLOCK, certain"));
  script.acquire(300, 9, lock(9), 50);
  script.block(310, 9, lock(9), 51, 9, 50);
  CHECK_THAT(deadlocks(script), Contains("DEADLOCK 1 of 2") && Contains("DEADLOCK 2 of 2"));
}

TEST_CASE("a reader that asks again waits for the writer before it, which waits for the reader") {
  Script script;
  script.thread(1, "reader");
  script.thread(2, "writer");
  script.add(Kind::shared_lock, Verb::acquire_shared, 10, 1, lock(1), 40, 0, 1);
  script.add(Kind::shared_lock, Verb::block, 20, 2, lock(1), 41, 1, 40);
  script.add(Kind::shared_lock, Verb::block_shared, 30, 1, lock(1), 42, 1, 40);
  goes_on_for(script, second);
  Options options;
  options.wanted.threads = {"reader"};
  CHECK_THAT(joined_lines(printed(run_why, script, options)),
             Contains("writer had it, or asked for it before, and waited for shared_lock #2"));
}

TEST_CASE("a lock was asked for when its wait began, not when it was got") {
  Course course;
  course.both(1, a, b);
  course.take(2, b);
  course.take(3, a);
  course.block(2000, 2, a, 1, 3, 1);
  course.release(3000, 3, a, 99, 3);
  course.acquire(3010, 2, a, 1, 3);
  const Answer answer{course};
  const auto& all = answer.analysis.inversions.all();
  REQUIRE(all.size() == 1);
  const auto& links = all[0].cycle.links;
  const auto asks = std::ranges::find_if(links, [](const LinkOf& each) { return each.by->thread == 2; });
  REQUIRE(asks != links.end());
  CHECK(asks->by->time == 2000);
  CHECK(asks->by->waited);
}

TEST_CASE("a long hold that goes on at the end is told, as long as it is known to have lasted") {
  Script script;
  script.thread(1, "owner");
  script.thread(2, "waiter");
  script.object(lock(1), Kind::lock, "L", 12);
  script.acquire(10, 1, lock(1), 40);
  script.block(20, 2, lock(1), 41, 1, 40);
  CHECK_THAT(printed(run_misuse, script), Contains("No misuse."));
  CHECK_THAT(joined_lines(printed(run_locks, script)), Contains("owner holds lock \"L\" at the end"));
  goes_on_for(script, 2 * second);
  bool findings = false;
  const std::string text = printed(run_misuse, script, {}, &findings);
  CHECK_THAT(text, Contains("long hold") && Contains("lock \"L\", for 2.00 s so far"));
  CHECK(findings);
  CHECK_THAT(joined_lines(printed(run_locks, script)), Contains("for 2.00 s so far"));
  Script waits = script;  // the owner waits itself: `unspool deadlocks` has more to say
  waits.acquire(11, 3, lock(2), 42);
  waits.block(25, 1, lock(2), 43, 3, 42);
  CHECK_THAT(printed(run_misuse, waits), !Contains("lock \"L\", for"));
  script.end(30, 1);  // that is another misuse
  CHECK_THAT(printed(run_misuse, script), !Contains("so far"));
}

TEST_CASE("a lock that nobody waits for may be held for as long as the process lives") {
  Script script;
  script.acquire(10, 1, lock(1), 40);
  goes_on_for(script, 2 * second);
  CHECK_THAT(printed(run_misuse, script), Contains("No misuse."));
}

TEST_CASE("a reason is not cut: it goes on in further lines of its column") {
  Table table{{{"who", Table::Align::left, true}, {"why", Table::Align::left, true, "", Table::Cut::wrap}}};
  table.row({{"a"}, {"nobody ever put anything into it"}});
  table.row({{"b"}, {"it waits"}});
  CHECK(table.text(20, false) ==
        "who  why\n"
        "a    nobody ever put\n"
        "     anything into\n"
        "     it\n"
        "b    it waits\n");
  CHECK(table.text(60, false) ==
        "who  why\n"
        "a    nobody ever put anything into it\n"
        "b    it waits\n");
}
