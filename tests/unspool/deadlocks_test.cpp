// SPDX-License-Identifier: MIT
//
// Who is stuck at the end, and who only waits.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber main_thread = 100;

/// Two transfers that lock two accounts in opposite orders, while main waits in join for the first of them.
Script transfers(trace::ThreadNumber first = 1, trace::ThreadNumber second = 2, trace::Ticks start = 1000) {
  Script script;
  script.thread(main_thread, "MainThread");
  script.thread(first, "worker-" + std::to_string(first));
  script.thread(second, "worker-" + std::to_string(second));
  script.site(40, "/src/bank/transfer.cpp", 40, "transfer");
  script.site(41, "/src/bank/transfer.cpp", 41, "transfer");
  script.site(80, "/src/bank/main.cpp", 80, "main");
  script.site(12, "/src/bank/account.hpp", 12, "Account");
  script.object(lock(3), Kind::lock, "account-3", 12);
  script.object(lock(7), Kind::lock, "account-7", 12);
  script.begin(start, main_thread);
  script.acquire(start + 100, first, lock(3), 40);
  script.join(start + 150, main_thread, first, 80);
  script.acquire(start + 200, second, lock(7), 40);
  script.block(start + 300, first, lock(7), 41, second, 40);
  script.block(start + 400, second, lock(3), 41, first, 40);
  script.add(Kind::message, Verb::text, start + 1000, main_thread, 0);
  return script;
}

trace::StatusEntry waits_in_status(trace::ThreadNumber thread, trace::ObjectNumber object, trace::SiteNumber site,
                                   trace::ThreadNumber owner) {
  trace::StatusEntry entry{};
  entry.thread = thread;
  entry.wait_record = trace::record_id(Kind::lock, Verb::block);
  entry.wait_object = object;
  entry.wait_site = site;
  entry.wait_owner = owner;
  return entry;
}

std::vector<trace::ThreadNumber> threads_of(const Deadlocks& deadlocks, const std::vector<std::size_t>& indexes) {
  std::vector<trace::ThreadNumber> threads;
  for (const std::size_t each : indexes)
    threads.push_back(deadlocks.waiting()[each].wait.thread);
  return threads;
}

using Threads = std::vector<trace::ThreadNumber>;

}  // namespace

TEST_CASE("two threads that hold each other's lock are a certain deadlock, and main hangs on it") {
  const Script script = transfers();
  const Answer answer{script};
  const Deadlocks& deadlocks = answer.analysis.deadlocks;
  REQUIRE(deadlocks.cycles().size() == 1);
  const Cycle& cycle = deadlocks.cycles()[0];
  CHECK(cycle.certainty == Certainty::certain);
  CHECK(threads_of(deadlocks, cycle.members) == Threads{1, 2});
  CHECK(threads_of(deadlocks, cycle.hanging) == Threads{main_thread});
  CHECK(cycle.since == 1400);
  const Waiting& first = deadlocks.waiting()[cycle.members[0]];
  CHECK(first.owner == 2);
  CHECK(first.owner_site == 40);
  CHECK(first.owner_since == 1200);
}

TEST_CASE("three threads in a ring are one deadlock; who waits for those that wait hangs on it too") {
  Script script;
  for (std::uint32_t i = 0; i < 3; ++i)
    script.acquire(100 + i, 1 + i, lock(i), 10);
  for (std::uint32_t i = 0; i < 3; ++i)
    script.block(200 + i, 1 + i, lock((i + 1) % 3), 20, 1 + (i + 1) % 3, 10);
  script.acquire(210, 4, lock(9), 10);
  script.block(300, 4, lock(0), 30, 1, 10);
  script.block(310, 5, lock(9), 31, 4, 10);
  const Answer answer{script};
  const Deadlocks& deadlocks = answer.analysis.deadlocks;
  REQUIRE(deadlocks.cycles().size() == 1);
  CHECK(threads_of(deadlocks, deadlocks.cycles()[0].members) == Threads{1, 2, 3});
  CHECK(threads_of(deadlocks, deadlocks.cycles()[0].hanging) == Threads{4, 5});
  CHECK(deadlocks.waiting()[4].distance == 2);
}

TEST_CASE("a Lock acquired twice by one thread is a deadlock of one") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(200, 1, lock(1), 11, 1, 10);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
}

TEST_CASE("joining a thread that waits for a lock of the joiner is a deadlock") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.block(150, 2, lock(1), 20, 1, 10);
  script.join(200, 1, 2, 30);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].since == 200);
}

TEST_CASE("the shortest deadlock comes first") {
  Script script;
  for (std::uint32_t i = 0; i < 3; ++i)
    script.acquire(100 + i, 1 + i, lock(i), 10);
  for (std::uint32_t i = 0; i < 3; ++i)
    script.block(200 + i, 1 + i, lock((i + 1) % 3), 20, 1 + (i + 1) % 3);
  script.acquire(300, 9, lock(9), 10);
  script.block(400, 9, lock(9), 11, 9);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 2);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[1].members.size() == 3);
}

TEST_CASE("idle workers in a Condition, and main that joins one of them, are no deadlock") {
  Script script;
  for (trace::ThreadNumber worker = 1; worker <= 8; ++worker) {
    script.acquire(100 + worker * 10, worker, lock(1), 10);
    script.add(Kind::condition, Verb::block, 101 + worker * 10, worker, condition(1), 11);
    script.release(102 + worker * 10, worker, lock(1));
  }
  script.join(500, main_thread, 1, 80);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  CHECK(answer.analysis.deadlocks.waiting().size() == 9);
  bool findings = true;
  const std::string text = printed(run_deadlocks, script, {}, &findings);
  CHECK_FALSE(findings);
  CHECK(text.find("No deadlock.") != std::string::npos);
  CHECK(text.find("thread 1 and 7 more") != std::string::npos);
}

TEST_CASE("a lock that was released is nobody's: its waiters were about to be woken") {
  Script script = transfers();
  script.release(2500, 9, lock(7), 40, 2);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  CHECK(answer.analysis.deadlocks.waiting()[0].edge == Edge::none);
}

TEST_CASE("a join of a thread that has ended was about to return") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.join(200, 1, 2, 30);
  script.block(210, 2, lock(1), 20, 1, 10);
  script.end(300, 2);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  CHECK(answer.analysis.deadlocks.waiting()[0].edge == Edge::none);
}

namespace {

/// Before the transfers, thread 9 released what thread 8 had acquired; then it ended, if it did.
Script transfers_with_signals(bool releaser_ended) {
  Script script;
  script.object(lock(5), Kind::lock, "signal", 12);
  script.acquire(10, 8, lock(5), 10);
  script.release(20, 9, lock(5), 11, 8);
  if (releaser_ended) script.end(30, 9);
  const Script stuck = transfers();
  script.process = stuck.process;
  script.object(lock(5), Kind::lock, "signal", 12);
  script.records.insert(script.records.end(), stuck.records.begin(), stuck.records.end());
  return script;
}

}  // namespace

TEST_CASE("where one of the locks was released by a thread that goes on there is no deadlock") {
  Script script;
  script.acquire(10, 8, lock(1), 10);
  script.release(20, 9, lock(1), 11, 8);
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 10);
  script.block(200, 1, lock(2), 20, 2, 10);
  script.block(210, 2, lock(1), 20, 1, 10);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  CHECK(answer.analysis.deadlocks.waiting()[1].edge == Edge::candidate);
}

TEST_CASE("where other locks of the class were released by another thread a deadlock is only possible") {
  const Script script = transfers_with_signals(false);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::possible);
}

TEST_CASE("where such locks were released by another thread, and it has ended, a deadlock is only possible") {
  const Script script = transfers_with_signals(true);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::possible);
}

TEST_CASE("where waits at one of the lines have timed out a deadlock is only possible") {
  Script script;
  script.add(Kind::lock, Verb::busy, 10, 8, lock(50), 41);
  script.block(10, 8, lock(50), 41, 9);
  script.add(Kind::lock, Verb::timeout, 20, 8, lock(50), 41, 9);
  const Script stuck = transfers();
  script.process = stuck.process;
  script.records.insert(script.records.end(), stuck.records.begin(), stuck.records.end());
  script.process.tells_limits = false;
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::possible);
}

TEST_CASE("where Records were lost after the owners acquired a deadlock is only likely") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 10);
  script.lost(120, 3, 5);
  script.block(200, 1, lock(2), 20);
  script.block(210, 2, lock(1), 20);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::likely);
}

TEST_CASE("owners that the blocks name after a loss are certain again") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 10);
  script.lost(120, 3, 5);
  script.block(200, 1, lock(2), 20, 2, 10);
  script.block(210, 2, lock(1), 20, 1, 10);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
}

TEST_CASE("in contended mode the blocks alone tell a deadlock") {
  Script script;
  script.process.mode = Mode::contended;
  script.block(200, 1, lock(2), 20, 2, 10);
  script.block(210, 2, lock(1), 20, 1, 10);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
}

TEST_CASE("a deadlock older than the oldest segment is told by the status file alone") {
  Script script;
  script.add(Kind::message, Verb::text, 9000, main_thread, 0);
  script.process.status = {waits_in_status(1, lock(2), 20, 2), waits_in_status(2, lock(1), 21, 1)};
  script.process.status[0].depth = 1;
  script.process.status[0].holds[0] = {lock(1), 10, 5, 0};
  const Answer answer{script};
  const Deadlocks& deadlocks = answer.analysis.deadlocks;
  REQUIRE(deadlocks.cycles().size() == 1);
  CHECK(deadlocks.waiting()[1].owner == 1);
  CHECK(deadlocks.waiting()[1].owner_since == 10);
  CHECK(deadlocks.waiting()[1].owner_site == 5);
}

TEST_CASE("the status file says that a thread went on: no deadlock") {
  Script script = transfers();
  trace::StatusEntry running{};
  running.thread = 2;
  running.depth = 1;
  running.holds[0] = {lock(7), 1200, 40, 0};
  script.process.status = {running};
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
}

TEST_CASE("where the status file does not know an owner's hold any more a deadlock is only likely") {
  Script script = transfers();
  script.process.status = {waits_in_status(1, lock(7), 41, 2)};
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::likely);
}

TEST_CASE("who waits for a lock of an ended thread is likely to wait for ever") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.end(200, 1);
  script.block(300, 2, lock(1), 20, 1, 10);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].cause == Cause::abandoned);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::likely);
  CHECK(printed(run_deadlocks, script).find("whose owner has ended") != std::string::npos);
}

TEST_CASE("the fingerprint is the same for other threads, numbers and times, and another for other lines") {
  const Script one = transfers(1, 2, 1000);
  Script other = transfers(5, 3, 77'000);
  other.process.objects[lock(3)].name = "account-1234";
  Script elsewhere = transfers();
  elsewhere.process.sites[41].line = 43;
  const auto fingerprint = [](const Script& script) {
    return Answer{script}.analysis.deadlocks.cycles().at(0).fingerprint;
  };
  CHECK(fingerprint(one) == fingerprint(other));
  CHECK(fingerprint(one) != fingerprint(elsewhere));
}

TEST_CASE("10,000 threads in a ring are found") {
  constexpr std::uint32_t n = 10'000;
  Script script;
  for (std::uint32_t i = 0; i < n; ++i)
    script.acquire(100 + i, 1 + i, lock(i), 10);
  for (std::uint32_t i = 0; i < n; ++i)
    script.block(20'000 + i, 1 + i, lock((i + 1) % n), 20, 1 + (i + 1) % n, 10);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == n);
  const std::string text = printed(run_deadlocks, script);
  CHECK(text.find("10,000 threads wait for each other") != std::string::npos);
  CHECK(text.size() < 10'000);
}

TEST_CASE("the story names threads, locks, lines and times") {
  Script script = transfers();
  bool findings = false;
  const std::string text = printed(run_deadlocks, script, {}, &findings);
  CHECK(findings);
  for (const char* part :
       {"DEADLOCK, certain: 2 threads wait for each other.", "since +0.000000 s (2024-05-01T12:00:00.000Z)",
        "600 ns before the last", "worker-1  holds      lock \"account-3\"", "+0.000000 s  transfer.cpp:40 (transfer)",
        "waits for  lock \"account-7\" of worker-2", "transfer.cpp:41 (transfer)",
        "MainThread waits in join for worker-1, part of deadlock 1, since +0.000000 s at main.cpp:80"}) {
    INFO(part << "\n" << text);
    CHECK(text.find(part) != std::string::npos);
  }
}

// The story: "Deadlocked since -2.179776 s" where the ring's older segments were gone.
TEST_CASE("a deadlock from before the first Record that is kept is told as that") {
  Script script;
  script.thread(main_thread, "MainThread");
  script.begin(2'000'000'000, main_thread);
  trace::StatusEntry entry = waits_in_status(main_thread, main_thread, 80, main_thread);
  entry.wait_record = trace::record_id(Kind::thread, Verb::block);
  entry.wait_since = 500'000'000;
  script.process.status.push_back(entry);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("Deadlocked since 1.50 s before the first Record that is kept") != std::string::npos);
}

// The story: a server hung at two in the morning and was killed at eight, and the deadlock was said to have lasted 600
// ns.
TEST_CASE("how long a process lived on after its last Record is told, as the recorder's clock readings say") {
  constexpr std::uint64_t second = 1'000'000'000;
  Script script = transfers();
  const ClockReading start = script.process.clocks.front();
  const auto after = [&start](std::uint64_t time) {
    return ClockReading{start.ticks + time, start.monotonic + time, start.realtime + time, 0, start.frequency};
  };
  const std::uint64_t last = script.records.back().time;
  script.process.clocks.push_back(after(last + second / 10));
  std::string short_life = printed(run_deadlocks, script);
  CHECK(short_life.find("lived on") == std::string::npos);
  CHECK(short_life.find(", for 100 ms at least.") != std::string::npos);
  // Told by what recording cost, where no clock was read so late.
  script.process.cost = Cost{.time = last + second};
  short_life = printed(run_deadlocks, script);
  CHECK(short_life.find("lived on for 1.00 s without a Record") != std::string::npos);
  CHECK(short_life.find(", for 1.00 s at least.") != std::string::npos);
  script.process.clocks.push_back(after(20'820 * second));
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("lived on for 5 h 46 min without a Record, until 2024-05-01T17:47:00.000Z at least") !=
        std::string::npos);
  CHECK(text.find("(2024-05-01T12:00:00.000Z), for 5 h 46 min at least.") != std::string::npos);
  Options options;
  options.format = Options::Format::json;
  const Json document = Json::parse(printed(run_deadlocks, script, options));
  CHECK(document["processes"][0]["quiet"] == 20'820 * second - 2000);
  script.add(Kind::trace, Verb::end, 5000, main_thread, 0);
  CHECK(printed(run_deadlocks, script).find("lived on") == std::string::npos);
}

TEST_CASE("a process that ended in order with stuck daemons says so") {
  Script script = transfers();
  script.add(Kind::trace, Verb::end, 5000, main_thread, 0);
  const std::string text = printed(run_deadlocks, script);
  CHECK(text.find("The process ended in order all the same") != std::string::npos);
}

TEST_CASE("JSON of deadlocks has the cycle, the edges and who hangs on it") {
  Script script = transfers();
  Options options;
  options.format = Options::Format::json;
  const Json document = Json::parse(printed(run_deadlocks, script, options));
  const Json& process = document["processes"][0];
  CHECK(process["verdict"] == "deadlock");
  const Json& cycle = process["deadlocks"][0];
  CHECK(cycle["certainty"] == "certain");
  CHECK(cycle["since"] == 400);
  CHECK(cycle["lasted"] == 600);
  CHECK(cycle["threads"][0]["thread"]["name"] == "worker-1");
  CHECK(cycle["threads"][0]["waits_for"]["name"] == "account-7");
  CHECK(cycle["threads"][0]["edge"] == "owned");
  CHECK(cycle["threads"][0]["owner"]["number"] == 2);
  CHECK(cycle["threads"][0]["site"]["line"] == 41);
  CHECK(cycle["hanging"][0]["thread"]["name"] == "MainThread");
}

namespace {

/// In contended mode: 2 waits for writer 1, reads, and is done unseen; so is another writing of 1, which then works.
Script stale_reader() {
  Script script;
  script.process.mode = Mode::contended;
  script.object(lock(1), Kind::shared_lock, "cache", 10);
  script.add(Kind::shared_lock, Verb::block_shared, 200, 2, lock(1), 20, 1, 10);
  script.add(Kind::shared_lock, Verb::release, 300, 1, lock(1), 11, 1, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 310, 2, lock(1), 20, 1, 1);
  return script;
}

}  // namespace

// The story: a cache's reader was believed to read for ever, as its release, for which nobody waited, is not recorded:
// "a thread waits for itself", for certain, in a healthy program.
TEST_CASE("in contended mode whoever once read does not wait for itself") {
  Script script = stale_reader();
  script.add(Kind::shared_lock, Verb::block_shared, 900, 2, lock(1), 21, 1, 12);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  REQUIRE(answer.analysis.deadlocks.waiting().size() == 1);
  CHECK(answer.analysis.deadlocks.waiting()[0].owner == 1);
  CHECK(answer.analysis.deadlocks.waiting()[0].owner_site == 12);
  CHECK(answer.analysis.deadlocks.waiting()[0].holds == 0);
}

// The story: killed between two Records. The writer had been given the lock, and others said so before it did.
TEST_CASE("in contended mode whoever was given a lock and has not said so yet does not wait for itself") {
  Script script = stale_reader();
  script.add(Kind::shared_lock, Verb::block, 900, 3, lock(1), 30, 1, 12);
  script.add(Kind::shared_lock, Verb::release, 950, 1, lock(1), 11, 1, 1);
  script.add(Kind::shared_lock, Verb::block_shared, 960, 4, lock(1), 40, 3, 30);
  CHECK(Answer{script}.analysis.deadlocks.cycles().empty());
  // It asks again for what it has: that it says itself.
  script.add(Kind::shared_lock, Verb::acquire, 970, 3, lock(1), 30, 1);
  script.add(Kind::shared_lock, Verb::block, 980, 3, lock(1), 31, 3, 30);
  script.add(Kind::shared_lock, Verb::block_shared, 990, 5, lock(1), 40, 3, 30);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
}

TEST_CASE("in contended mode nobody waits for an ended thread that once read") {
  for (const trace::ThreadNumber owner : {1U, 0U}) {
    Script script = stale_reader();
    script.end(400, 2);
    script.add(Kind::shared_lock, Verb::block, 900, 3, lock(1), 30, owner, owner);
    CHECK(Answer{script}.analysis.deadlocks.cycles().empty());
  }
}

TEST_CASE(
    "in contended mode a reader that asks again behind a writer is stuck for certain where the writer waited "
    "throughout") {
  Script script;
  script.process.mode = Mode::contended;
  script.object(lock(1), Kind::shared_lock, "cache", 10);
  script.add(Kind::shared_lock, Verb::block_shared, 200, 2, lock(1), 20, 1, 10);
  script.add(Kind::shared_lock, Verb::block, 210, 3, lock(1), 30, 1, 10);
  script.add(Kind::shared_lock, Verb::release, 300, 1, lock(1), 11, 2, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 310, 2, lock(1), 20, 1, 1);
  script.add(Kind::shared_lock, Verb::block_shared, 400, 2, lock(1), 21);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 2);
}
