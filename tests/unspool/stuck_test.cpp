// SPDX-License-Identifier: MIT
//
// Who is stuck without a cycle of owners: the rules of hopes.hpp, kind by kind. Whole programs are in tests/corpus.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <map>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber main_thread = 1;
constexpr trace::ThreadNumber worker = 2;
constexpr trace::ThreadNumber other = 3;
constexpr trace::ObjectNumber object = trace::first_object_number + 77;

/// Main, and two threads that it made.
Script threads() {
  Script script;
  script.thread(main_thread, "MainThread");
  script.process.threads[main_thread].origin = trace::Origin::main;
  for (const trace::ThreadNumber each : {worker, other}) {
    script.thread(each, "thread-" + std::to_string(each));
    script.process.threads[each].creator = main_thread;
    script.begin(each, each);
  }
  script.begin(5, main_thread);
  return script;
}

constexpr std::uint32_t get_call = 1;

/// The worker got what the other put, and waits for the next.
Script consumer() {
  Script script = threads();
  script.add(Kind::queue, Verb::put, 10, other, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 20, worker, object, 31, 0, 0);
  script.add(Kind::queue, Verb::block, 30, worker, object, 31, get_call, 0);
  return script;
}

std::vector<Cycle> findings(const Script& script) {
  const Answer answer{script};
  return answer.analysis.deadlocks.cycles();
}

trace::StatusEntry status(trace::ThreadNumber thread, const Record& block, trace::WaitLimit limit) {
  trace::StatusEntry entry{};
  entry.thread = thread;
  entry.wait_record = trace::record_id(block.row->kind, block.row->verb);
  entry.wait_object = block.object;
  entry.wait_since = block.time;
  entry.wait_site = block.site;
  entry.wait_limit = static_cast<std::uint32_t>(limit);
  entry.wait_a = block.a;
  entry.wait_b = block.b;
  return entry;
}

}  // namespace

TEST_CASE("an idle consumer is none as long as the producer goes on") {
  CHECK(findings(consumer()).empty());
}

TEST_CASE("a consumer is idle while the thread that made its ended producer goes on: it may make another") {
  Script script = consumer();
  script.end(40, other);
  CHECK(findings(script).empty());
}

TEST_CASE("a producer that ended by an exception is not followed by another") {
  Script script = consumer();
  script.end(40, other, true);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].cause == Cause::abandoned);
  CHECK(findings(script)[0].certainty == Certainty::likely);
}

namespace {

constexpr trace::ThreadNumber third = 4;

/// The producer ended by an exception; beside main lives a third thread.
Script with_third(trace::SiteNumber made_at, const char* name = "spare") {
  Script script;
  script.add(Kind::thread, Verb::create, 1, main_thread, other, 60);
  script.add(Kind::thread, Verb::create, 1, main_thread, third, made_at);
  const Script rest = consumer();
  script.process = rest.process;
  script.records.insert(script.records.end(), rest.records.begin(), rest.records.end());
  script.thread(third, name);
  script.process.threads[third].creator = main_thread;
  script.process.threads[other].name = "producer";
  script.begin(35, third);
  script.end(40, other, true);
  return script;
}

}  // namespace

TEST_CASE("a thread made at the same line as the ended producer, or in its place, may be the next one") {
  CHECK(findings(with_third(60)).empty());
  CHECK(findings(with_third(61, "producer")).empty());
  CHECK(findings(with_third(61)).size() == 1);
  CHECK(findings(with_third(61, "producer2")).size() == 1);

  Script stuck = with_third(60);  // it waits for an item as well
  stuck.add(Kind::queue, Verb::block, 50, third, object, 31, get_call, 0);
  REQUIRE(findings(stuck).size() == 1);
  CHECK(findings(stuck)[0].members.size() == 2);
}

TEST_CASE("where it is not known where threads were made, those of one name but for its digits are of one make") {
  Script script = consumer();
  script.thread(third, "producer-2");
  script.process.threads[other].name = "producer-1";
  script.process.threads[third].creator = main_thread;
  script.begin(35, third);
  script.end(40, other, true);
  CHECK(findings(script).empty());
  script.process.threads[third].name = "consumer-2";
  CHECK(findings(script).size() == 1);
}

TEST_CASE("a thread that the ended producer made may be the next one") {
  Script script = consumer();
  script.thread(third, "spare");
  script.process.threads[third].creator = other;
  script.begin(35, third);
  script.end(40, other, true);
  CHECK(findings(script).empty());
}

TEST_CASE("a thread that the waiting one made since it was last served may be what it waits for") {
  for (const trace::Ticks made : {trace::Ticks{25}, trace::Ticks{5}}) {
    Script script = consumer();
    script.thread(third, "spare");
    script.process.threads[third].creator = worker;
    script.add(Kind::thread, Verb::create, made, worker, third, 61);
    std::ranges::stable_sort(script.records, {}, &Record::time);
    script.begin(35, third);
    script.end(40, other, true);
    CHECK(findings(script).size() == (made == 25 ? 0 : 1));
  }
}

TEST_CASE("who holds its first permit is hope also where others gave more than they took; mere consumers are none") {
  Script script = threads();
  script.thread(third, "third");
  script.begin(6, third);
  script.add(Kind::semaphore, Verb::release, 10, other, object, 30, 2, 0);
  script.add(Kind::semaphore, Verb::acquire, 11, third, object, 31, 0, 1);
  script.add(Kind::semaphore, Verb::block, 20, worker, object, 32, 1);
  script.end(30, other, true);
  CHECK(findings(script).empty());
  script.add(Kind::semaphore, Verb::acquire, 31, third, object, 31, 0, 0);
  CHECK(findings(script).size() == 1);
}

TEST_CASE("a consumer is stuck when the producer has ended and whoever made it joins the consumer") {
  Script script = consumer();
  script.end(40, other);
  script.join(50, main_thread, worker, 80);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].hanging.size() == 1);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("a thread waits") == std::string::npos);
  CHECK(text.find("1 thread waits for an item from queue") != std::string::npos);
  CHECK(text.find("thread-3 put into it once") != std::string::npos);
  CHECK(text.find("and has ended") != std::string::npos);
}

TEST_CASE("an item that is there, or a wake-up that is under way, is no deadlock") {
  Script script = consumer();
  script.add(Kind::queue, Verb::put, 35, other, object, 30, 0, 1);
  script.end(40, other);
  script.join(50, main_thread, worker, 80);
  CHECK(findings(script).empty());
}

TEST_CASE("a producer that is stuck itself makes its consumer stuck") {
  Script script = consumer();
  script.acquire(32, worker, lock(1), 40);
  script.block(60, other, lock(1), 41, worker, 40);
  Script waits_again = consumer();
  script.records.erase(script.records.begin() + 5);  // the wait comes after the lock
  script.add(Kind::queue, Verb::block, 70, worker, object, 31, get_call, 0);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  const Cycle& cycle = answer.analysis.deadlocks.cycles()[0];
  CHECK(cycle.cause == Cause::cycle);
  CHECK(cycle.members.size() == 2);
  CHECK(cycle.certainty == Certainty::likely);
}

TEST_CASE("where Records are missing an abandoned wait is only possible") {
  Script script = consumer();
  script.process.cut = true;
  script.end(40, other, true);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].certainty == Certainty::possible);
}

TEST_CASE("an event that nobody ever set is waited for in vain only when the whole process stands still") {
  Script script = threads();
  script.end(10, other);
  script.add(Kind::event, Verb::block, 20, worker, object, 30);
  CHECK(findings(script).empty());
  const Record waits = script.records.back();
  script.join(30, main_thread, worker, 80);
  CHECK(findings(script).size() == 1);
  script.process.tells_limits = false;
  CHECK(findings(script).empty());  // the waits may have a limit
  script.process.status = {status(worker, waits, trace::WaitLimit::none),
                           status(main_thread, script.records.back(), trace::WaitLimit::none)};
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].cause == Cause::nobody);
  script.process.unknown_threads = 1;
  CHECK(findings(script).empty());
  script.process.unknown_threads = 0;
  script.process.threads[9] = {"Dummy-1", 9, 0, true, trace::Origin::foreign};
  CHECK(findings(script).empty());
}

TEST_CASE("main that waits to be told to stop, with workers that wait for work, is an idle server") {
  Script script = threads();
  script.end(10, other);
  script.add(Kind::queue, Verb::block, 20, worker, object, 30, get_call, 0);
  script.process.status.push_back(status(worker, script.records.back(), trace::WaitLimit::none));
  script.add(Kind::event, Verb::block, 30, main_thread, object + 1, 31);
  script.process.status.push_back(status(main_thread, script.records.back(), trace::WaitLimit::none));
  CHECK(findings(script).empty());
}

TEST_CASE("a wait with a deadline ends by itself: no deadlock, whoever holds the lock") {
  for (const trace::WaitLimit limit : {trace::WaitLimit::none, trace::WaitLimit::deadline}) {
    Script script = threads();
    script.acquire(10, worker, lock(1), 10);
    script.acquire(11, other, lock(2), 10);
    script.block(20, worker, lock(2), 20, other, 10);
    script.process.status.push_back(status(worker, script.records.back(), limit));
    script.block(21, other, lock(1), 20, worker, 10);
    script.process.status.push_back(status(other, script.records.back(), trace::WaitLimit::none));
    for (trace::StatusEntry& each : script.process.status) {
      each.depth = 1;
      each.holds[0] = {each.thread == worker ? lock(1) : lock(2), 10, 10, 0};
    }
    CHECK(findings(script).size() == (limit == trace::WaitLimit::none ? 1 : 0));
  }
}

namespace {

/// The last Record, as the block of a wait that has this limit.
void limit_last(Script& script, std::string_view suffix) {
  Record& block = script.records.back();
  block.row = trace::row_named(std::string{block.row->name} + std::string{suffix});
}

Script crossed(std::string_view suffix) {
  Script script = threads();
  script.acquire(10, worker, lock(1), 10);
  script.acquire(11, other, lock(2), 10);
  script.block(20, worker, lock(2), 20, other, 10);
  limit_last(script, suffix);
  script.block(21, other, lock(1), 20, worker, 10);
  return script;
}

}  // namespace

TEST_CASE("a block Record says whether its wait has a limit") {
  CHECK(findings(crossed("_timed")).empty());
  REQUIRE(findings(crossed("")).size() == 1);
  CHECK(findings(crossed(""))[0].certainty == Certainty::certain);
  REQUIRE(findings(crossed("_stoppable")).size() == 1);
  CHECK(findings(crossed("_stoppable"))[0].certainty == Certainty::possible);

  Script at_queue = consumer();
  limit_last(at_queue, "_timed");
  at_queue.end(40, other, true);
  CHECK(findings(at_queue).empty());
}

TEST_CASE("a wait that a status Record repeats has the limit of its block") {
  for (const trace::WaitLimit limit : {trace::WaitLimit::none, trace::WaitLimit::deadline}) {
    Script script = threads();
    script.acquire(10, worker, lock(1), 10);
    script.acquire(11, other, lock(2), 10);
    Record& repeated = script.add(Kind::status, Verb::wait, 20, worker, lock(2), 20, other, 10);
    repeated.since = 15;
    repeated.count = trace::wait_id(Kind::lock, Verb::block, limit);
    script.block(21, other, lock(1), 20, worker, 10);
    CHECK(findings(script).size() == (limit == trace::WaitLimit::none ? 1 : 0));
  }
}

// The story: workers at rest were called stuck, because the loader that had put the first jobs had ended; the thread in
// accept() just had not put anything yet.
TEST_CASE("a thread that has done nothing yet may be the next one, unless one that did it has died of an exception") {
  for (const bool by_exception : {false, true}) {
    Script script = consumer();
    script.thread(third, "net");
    script.process.threads[third].creator = main_thread;
    script.begin(35, third);
    script.end(40, other, by_exception);
    script.join(50, main_thread, worker, 80);
    CHECK(findings(script).size() == (by_exception ? 1 : 0));
    script.acquire(60, third, lock(1), 10);  // what it does is something else
    script.release(61, third, lock(1), 11);
    CHECK(findings(script).size() == 1);
  }
}

TEST_CASE("of more threads than are kept those that have ended and were made alike stand for each other") {
  Script script = threads();
  constexpr trace::ThreadNumber first = 100;
  for (trace::ThreadNumber each = first; each < first + 3000; ++each) {
    script.thread(each, "request");
    script.process.threads[each].creator = other;
    const trace::Ticks at = 100 + 10 * trace::Ticks{each};
    script.begin(at, each);
    script.add(Kind::queue, Verb::put, at + 1, each, object, 30, 0, 1);
    script.end(at + 2, each);
    script.add(Kind::queue, Verb::get, at + 3, worker, object, 31, 0, 0);
  }
  script.add(Kind::queue, Verb::block, 40'000, worker, object, 31, get_call, 0);
  script.join(40'001, main_thread, worker, 80);
  CHECK(findings(script).empty());  // who made them goes on
  script.end(40'002, other, true);
  CHECK(findings(script).size() == 1);
}

TEST_CASE("a queue's join needs everybody who has an item") {
  constexpr std::uint32_t join_call = 2;
  Script script = threads();
  script.acquire(5, main_thread, lock(1), 10);
  for (int i = 0; i < 2; ++i)
    script.add(Kind::queue, Verb::put, 10, main_thread, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 20, worker, object, 31, 0, 1);
  script.add(Kind::queue, Verb::get, 21, other, object, 31, 0, 0);
  script.add(Kind::queue, Verb::block, 30, main_thread, object, 32, join_call, 0);
  CHECK(findings(script).empty());
  script.block(40, worker, lock(1), 33, main_thread, 10);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].members.size() == 2);
  CHECK(findings(script)[0].certainty == Certainty::likely);
}

TEST_CASE("where Records are missing whoever was given something since it waits may have gone on") {
  Script script = consumer();
  script.add(Kind::queue, Verb::put, 35, other, object, 30, 0, 0);
  script.end(40, other, true);
  CHECK(findings(script).size() == 1);
  script.lost(50, main_thread, 1);
  CHECK(findings(script).empty());
}

TEST_CASE("the status file tells what a wait is for whose block Record is gone") {
  Script script = threads();
  script.add(Kind::queue, Verb::put, 10, other, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 20, worker, object, 31, 0, 0);
  script.end(40, other, true);
  Record block;
  block.row = trace::row_of(Kind::queue, Verb::block);
  block.object = object;
  block.time = 30;
  block.a = get_call;
  script.process.status = {status(worker, block, trace::WaitLimit::none)};
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].cause == Cause::abandoned);
}

TEST_CASE("a party that came to earlier rounds is missing by name") {
  Script script = threads();
  script.add(Kind::barrier, Verb::block, 10, worker, object, 30, 0, 0);
  script.add(Kind::barrier, Verb::trip, 11, other, object, 31, 1, 0);
  script.add(Kind::barrier, Verb::resume, 12, worker, object, 30, other);
  script.add(Kind::barrier, Verb::block, 20, worker, object, 30, 0, 1);
  CHECK(findings(script).empty());
  script.end(30, other, true);
  REQUIRE(findings(script).size() == 1);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("1 of 2 parties is missing") != std::string::npos);
  CHECK(text.find("thread-3 came to it once") != std::string::npos);
  CHECK(text.find("and ended by") != std::string::npos);
}

TEST_CASE("a notify before the wait is told as a lost wake-up") {
  Script script = threads();
  script.object(condition(1), Kind::condition, "ready", 10);
  script.process.objects[condition(1)].parent = lock(1);
  script.acquire(9, other, lock(1), 30);
  script.add(Kind::condition, Verb::notify, 10, other, condition(1), 30, 0, 0);
  script.release(11, other, lock(1), 30);
  Script seen = script;
  script.acquire(19, worker, lock(1), 31);
  script.add(Kind::condition, Verb::block, 20, worker, condition(1), 31, 1, 1);
  script.end(30, other, true);
  REQUIRE(findings(script).size() == 1);
  CHECK(printed(run_deadlocks, script).find("met nobody: a wake-up that was lost") != std::string::npos);
  script.process.mode = Mode::contended;
  CHECK(findings(script).empty());  // main may have notified
  script.join(40, main_thread, worker, 32);
  CHECK(printed(run_deadlocks, script).find("met nobody: perhaps a wake-up that was lost") != std::string::npos);
  // It had the lock in between, and did not wait.
  seen.acquire(12, worker, lock(1), 31);
  seen.release(13, worker, lock(1), 31);
  seen.acquire(19, worker, lock(1), 31);
  seen.add(Kind::condition, Verb::block, 20, worker, condition(1), 31, 1, 1);
  seen.end(30, other, true);
  REQUIRE(findings(seen).size() == 1);
  const std::string text = printed(run_deadlocks, seen);
  CHECK(text.find("met nobody") == std::string::npos);
  CHECK(text.find("wait with a predicate") == std::string::npos);
}

TEST_CASE("a thread that is joined and stuck has not ended, and holds nothing") {
  Script script = threads();
  script.add(Kind::event, Verb::set, 10, other, object, 30);
  script.add(Kind::event, Verb::block, 20, worker, object, 31);
  script.join(21, main_thread, worker, 32);
  script.add(Kind::event, Verb::block, 30, other, object + 1, 33);
  script.join(40, other, worker, 34);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("holds it") == std::string::npos);
  CHECK(text.find("thread-2 has not ended, and waits itself") != std::string::npos);
}

TEST_CASE("of each wait that is no deadlock it is said why not, and what it is for") {
  Script script = consumer();
  script.add(Kind::event, Verb::block, 40, main_thread, object + 1, 33);
  std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("an item from queue") != std::string::npos);
  CHECK(text.find("thread-3 goes on (put before)") != std::string::npos);
  CHECK(text.find("nobody ever set") != std::string::npos);
}

TEST_CASE("advice about a queue is about the side that waits") {
  Script script = consumer();
  script.end(40, other, true);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("Shut the queue down when its last producer ends.") != std::string::npos);
}

TEST_CASE("who holds permits and gave none back is waited for; who gave all back is not") {
  Script script = threads();
  script.add(Kind::semaphore, Verb::acquire, 10, main_thread, object, 30, 0, 0);
  script.add(Kind::semaphore, Verb::release, 11, main_thread, object, 30, 1, 0);
  script.add(Kind::semaphore, Verb::acquire, 12, other, object, 31, 0, 0);
  script.add(Kind::semaphore, Verb::block, 20, worker, object, 32, 1);
  CHECK(findings(script).empty());
  script.end(30, other);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].cause == Cause::abandoned);
}

TEST_CASE("workers that all wait for queued tasks are stuck; one that is idle, or at work, is hope") {
  constexpr std::uint32_t result = 1;
  Script script = threads();
  script.add(Kind::pool, Verb::submit, 10, main_thread, object, 30, 1);
  script.add(Kind::pool, Verb::begin, 11, worker, object, 30, 1, main_thread);
  script.add(Kind::pool, Verb::submit, 12, main_thread, object, 30, 2);
  script.add(Kind::pool, Verb::begin, 13, other, object, 30, 2, main_thread);
  script.add(Kind::pool, Verb::submit, 14, worker, object, 31, 3);
  script.add(Kind::pool, Verb::block, 15, worker, object, 31, result, 3);
  CHECK(findings(script).empty());
  script.add(Kind::pool, Verb::submit, 16, other, object, 31, 4);
  script.add(Kind::pool, Verb::block, 17, other, object, 31, result, 4);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].members.size() == 2);
  const std::string told = printed(run_deadlocks, script);
  INFO(told);
  CHECK(told.find("a pool of their own") != std::string::npos);
  // Both wait for the same threads: what these do is told once.
  CHECK(told.find("thread-2 ran tasks of it") == told.rfind("thread-2 ran tasks of it"));
}

TEST_CASE("threads that wait alike have one line below the table of threads") {
  Script script = threads();
  script.add(Kind::event, Verb::block, 20, worker, object, 31);
  script.add(Kind::event, Verb::block, 30, other, object, 31);
  script.add(Kind::event, Verb::block, 40, main_thread, object, 32);
  const std::string told = printed(run_threads, script);
  INFO(told);
  CHECK(told.find("thread-2 and 1 more wait for event") != std::string::npos);
  CHECK(told.find("MainThread waits for event") != std::string::npos);
  CHECK(told.find("thread-3 wait") == std::string::npos);
}

TEST_CASE("JSON tells whom a stuck thread hopes for, and why it is stuck") {
  Script script = consumer();
  script.end(40, other, true);
  Options options;
  options.format = Options::Format::json;
  const Json finding = Json::parse(printed(run_deadlocks, script, options))["processes"][0]["deadlocks"][0];
  CHECK(finding["cause"] == "abandoned");
  CHECK(finding["severity"] == "error");
  const Json& hope = finding["threads"][0]["hopes_for"][0];
  CHECK(hope["thread"]["name"] == "thread-3");
  CHECK(hope["did"] == "put into");
  CHECK(hope["times"] == 1);
  CHECK(hope["exception"] == true);
}

namespace {

Options wide() {
  Options options;
  options.width = 1000;
  return options;
}

void name_lines(Script& script) {
  for (const trace::SiteNumber line : {30U, 31U, 32U, 33U})
    script.site(line, "/src/bank.cpp", line, "pay");
}

Json json_of(Script& script) {
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_deadlocks, script, options))["processes"][0];
}

}  // namespace

// The story: "dead holds it, and has ended", and one had to search where it took the lock.
TEST_CASE("of a lock's owner that has ended it is told where and when it took the lock") {
  Script script = threads();
  name_lines(script);
  script.acquire(10'000, other, lock(1), 30);
  script.end(20'000, other);
  script.block(30'000, worker, lock(1), 31, other, 30);
  const std::string text = printed(run_deadlocks, script, wide());
  INFO(text);
  CHECK(text.find("thread-3 holds it, taken at bank.cpp:30 (pay) at +0.000010 s, and has ended") != std::string::npos);
}

// The story: the consumer waits at a Condition with another lock held, which the producer needs.
TEST_CASE("in a cycle over several kinds each holder's line is told, of each reader its own") {
  Script script = threads();
  name_lines(script);
  script.add(Kind::event, Verb::set, 10'000, other, object, 33);
  SECTION("a lock") {
    script.acquire(20'000, worker, lock(1), 30);
    script.add(Kind::event, Verb::block, 30'000, worker, object, 32);
    script.block(40'000, other, lock(1), 31, worker, 30);
  }
  SECTION("a reader") {
    script.object(lock(1), Kind::shared_lock, "cache", 0);
    script.add(Kind::shared_lock, Verb::acquire_shared, 20'000, worker, lock(1), 30, 0, 1);
    script.add(Kind::event, Verb::block, 30'000, worker, object, 32);
    script.add(Kind::shared_lock, Verb::block, 40'000, other, lock(1), 31);
  }
  const std::string text = printed(run_deadlocks, script, wide());
  INFO(text);
  CHECK(text.find("thread-2 holds it, taken at bank.cpp:30 (pay) at +0.000020 s, and waits itself") !=
        std::string::npos);
}

TEST_CASE("of a lock that only threads behind a deadlock wait for it is told where it was taken") {
  Script script = threads();
  name_lines(script);
  script.acquire(10'000, worker, lock(1), 30);
  script.acquire(11'000, worker, lock(2), 31);
  script.block(12'000, worker, lock(2), 31, worker, 31);
  script.block(20'000, other, lock(1), 32, worker, 30);
  script.block(21'000, main_thread, lock(2), 33, worker, 31);
  const std::string text = printed(run_deadlocks, script, wide());
  INFO(text);
  CHECK(text.find("bank.cpp:32 (pay); it was taken at bank.cpp:30 (pay) at +0.000010 s") != std::string::npos);
  CHECK(text.find("bank.cpp:33 (pay); it was") == std::string::npos);  // stands above
}

TEST_CASE("threads that hang alike share a line, so that others are seen") {
  Script script = threads();
  script.acquire(10, worker, lock(1), 30);
  script.block(20, worker, lock(1), 31, worker, 30);
  for (trace::ThreadNumber each = 10; each < 70; ++each)
    script.block(20'000 + each, each, lock(1), 32, worker, 30);
  script.join(90'000, main_thread, worker, 33);
  const std::string text = printed(run_deadlocks, script, wide());
  INFO(text);
  CHECK(text.find("    60 threads wait for lock #2 of thread-2, part of deadlock 1, the first since +0.000020 s at") !=
        std::string::npos);
  CHECK(text.find("thread 17 and 52 more") != std::string::npos);
  CHECK(text.find("MainThread waits in join for thread-2, part of deadlock 1") != std::string::npos);
  CHECK(json_of(script)["deadlocks"][0]["hanging"].size() == 61);
}

// The story: each idle worker's wait for work was counted as a task.
TEST_CASE("a pool's worker ran as many tasks as began; who only waited for one is a worker all the same") {
  constexpr std::uint32_t result = 1;
  constexpr std::uint32_t work = 2;
  Script script = threads();
  script.add(Kind::pool, Verb::block, 6, worker, object, 30, work);
  script.add(Kind::pool, Verb::block, 7, other, object, 30, work);
  script.add(Kind::pool, Verb::submit, 10, main_thread, object, 30, 1);
  script.add(Kind::pool, Verb::resume, 11, worker, object, 30, main_thread, 30);
  script.add(Kind::pool, Verb::begin, 12, worker, object, 30, 1, main_thread);
  script.add(Kind::pool, Verb::submit, 14, worker, object, 31, 2);
  script.add(Kind::pool, Verb::block, 15, worker, object, 31, result, 2);
  CHECK(findings(script).empty());
  script.add(Kind::pool, Verb::resume, 16, other, object, 30, worker, 31);
  script.add(Kind::event, Verb::block, 17, other, object + 1, 32);
  CHECK(findings(script).empty());
  script.end(20, other, true);
  const Json finding = json_of(script)["deadlocks"][0];
  std::map<std::string, Json> times;
  for (const Json& each : finding["threads"][0]["hopes_for"])
    times[each["thread"]["name"]] = each["times"];
  CHECK(times["thread-2"] == 1);
  REQUIRE(times.contains("thread-3"));
  CHECK(times["thread-3"].is_null());
}

TEST_CASE("the owner that a knot leads to has not ended, though another that notified has") {
  Script script = threads();
  script.thread(third, "third");
  script.begin(6, third);
  script.add(Kind::condition, Verb::notify, 10, other, condition(1), 30);
  script.add(Kind::condition, Verb::notify, 11, third, condition(1), 31);
  script.add(Kind::condition, Verb::block, 20, worker, condition(1), 32);
  const bool other_waits = GENERATE(true, false);
  script.join(21, other_waits ? other : third, worker, 33);
  script.end(22, other_waits ? third : other, true);
  const Json threads = json_of(script)["deadlocks"][0]["threads"];
  REQUIRE(threads.size() == 2);
  CHECK(threads[0]["owner"]["number"] == (other_waits ? other : third));
  CHECK(threads[0]["owner_ended"] == false);
}

namespace {

/// In mode contended nobody knows who reads: main joins the worker, which asks to write; the other has ended.
Script unknown_readers(trace::WaitLimit limit) {
  Script script = threads();
  script.process.mode = Mode::contended;
  script.process.tells_limits = limit != trace::WaitLimit::unknown;
  script.object(lock(1), Kind::shared_lock, "cache", 0);
  script.end(10, other);
  script.join(20, main_thread, worker, 30);
  script.process.status.push_back(status(main_thread, script.records.back(), trace::WaitLimit::none));
  script.add(Kind::shared_lock, Verb::block, 30, worker, lock(1), 31);
  script.process.status.push_back(status(worker, script.records.back(), limit));
  return script;
}

}  // namespace

TEST_CASE("where everything stands still, a lock of which no Record names the holder is a finding") {
  Script script = unknown_readers(trace::WaitLimit::none);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].cause == Cause::nobody);
  CHECK(findings(script)[0].certainty == Certainty::likely);
  CHECK(findings(script)[0].hanging.size() == 1);
  CHECK(printed(run_deadlocks, script, wide()).find("which somebody holds whom no Record names") != std::string::npos);
  script.process.mode = Mode::all;  // there nobody holds it
  CHECK(findings(script).empty());
}

TEST_CASE("a lock of an unknown holder is none where somebody goes on, or the wait has an end of its own") {
  for (const trace::WaitLimit limit : {trace::WaitLimit::deadline, trace::WaitLimit::stop, trace::WaitLimit::unknown}) {
    CHECK(findings(unknown_readers(limit)).empty());
  }
  Script script = unknown_readers(trace::WaitLimit::none);
  script.thread(third, "third");
  script.begin(40, third);
  CHECK(findings(script).empty());
}

TEST_CASE("a lock that was just released in mode contended is none") {
  Script script = unknown_readers(trace::WaitLimit::none);
  script.add(Kind::shared_lock, Verb::release, 40, main_thread, lock(1), 32, 1, main_thread);
  CHECK(findings(script).empty());
}
