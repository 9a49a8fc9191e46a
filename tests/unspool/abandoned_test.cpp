// SPDX-License-Identifier: MIT
//
// Since when a wait is told as stuck that nobody is left to end; and whom a thread that has only logged leaves hope to.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber main_thread = 1;
constexpr trace::ThreadNumber worker = 2;
constexpr trace::ThreadNumber acceptor = 3;
constexpr trace::ObjectNumber jobs = trace::first_object_number + 77;

Script with_threads() {
  Script script;
  script.thread(main_thread, "MainThread");
  script.process.threads[main_thread].origin = trace::Origin::main;
  script.begin(5, main_thread);
  for (const trace::ThreadNumber each : {worker, acceptor}) {
    script.thread(each, "thread-" + std::to_string(each));
    script.process.threads[each].creator = main_thread;
    script.begin(each + 5, each);
  }
  return script;
}

}  // namespace

// The story: handlers came one after the other to a lock whose owner had died at the start of the day; told was "since"
// the last of them.
TEST_CASE("a lock whose owner has ended is stuck since its first waiter is, whoever comes later") {
  Script script = with_threads();
  script.acquire(10, worker, lock(1), 20);
  script.block(100, acceptor, lock(1), 21, worker, 20);
  script.end(200, worker);
  script.block(5000, main_thread, lock(1), 22, worker, 20);
  const Answer answer{script};
  const auto& cycles = answer.analysis.deadlocks.cycles();
  REQUIRE(cycles.size() == 1);
  CHECK(cycles[0].cause == Cause::abandoned);
  CHECK(cycles[0].since == 200);
}

// The story: main put a first job and joined the worker; the acceptor had said that it listens, and waited for the first
// connection. That was told as a deadlock of the two.
TEST_CASE("a thread that has only logged, or taken a lock a while ago, may do what nobody else is left to do") {
  enum class Did { nothing, lock, join, item };
  const auto found = [](Did what, trace::Ticks end) {
    Script script = with_threads();
    script.add(Kind::queue, Verb::put, 20, main_thread, jobs, 30, 0, 1);
    script.add(Kind::queue, Verb::get, 30, worker, jobs, 31, 0, 0);
    script.add(Kind::queue, Verb::block, 40, worker, jobs, 31, 1, 0);
    script.add(Kind::message, Verb::text, 50, acceptor, 0);
    if (what == Did::lock) {
      script.acquire(60, acceptor, lock(1), 20);
      script.release(70, acceptor, lock(1), 20, acceptor);
    }
    if (what == Did::join) script.joined(60, acceptor, 9, 33);
    if (what == Did::item) script.add(Kind::queue, Verb::put, 70, acceptor, jobs + 1, 33, 0, 1);
    script.join(80, main_thread, worker, 32);
    script.add(Kind::message, Verb::text, end, acceptor, 0);
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(Did::nothing, 90) == 0);
  CHECK(found(Did::lock, 90) == 1);  // as one does that takes it again and again
  CHECK(found(Did::lock, 200) == 0);
  CHECK(found(Did::join, 200) == 0);
  CHECK(found(Did::item, 200) == 1);
}

// The story: one connection at a time; the permit went with it to a worker, and the acceptor that waited for the next one
// was told as stuck on itself.
TEST_CASE("a permit may have come along with an item") {
  constexpr trace::ObjectNumber permits = jobs + 2;
  const auto found = [](bool got_it, bool waits_again) {
    Script script = with_threads();
    script.add(Kind::semaphore, Verb::acquire, 20, acceptor, permits, 40, 0, 0);
    script.add(Kind::queue, Verb::put, 30, acceptor, jobs, 41, 0, 1);
    if (got_it) script.add(Kind::queue, Verb::get, 40, worker, jobs, 31, 0, 0);
    if (waits_again) script.add(Kind::queue, Verb::block, 50, worker, jobs, 31, 1, 0);
    if (!got_it) script.add(Kind::queue, Verb::put, 50, worker, jobs + 1, 31, 0, 0);
    script.add(Kind::semaphore, Verb::block, 60, acceptor, permits, 40, 0, 0);
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(true, false) == 0);
  CHECK(found(true, true) == 1);
  CHECK(found(false, false) == 1);
}

TEST_CASE("any permit of several may have come along, but not one of those that their taker gives back itself") {
  constexpr trace::ObjectNumber permits = jobs + 2;
  const auto found = [](bool gives_back) {
    Script script = with_threads();
    script.add(Kind::semaphore, Verb::acquire, 20, acceptor, permits, 40, 0, 1);
    if (gives_back) {
      script.add(Kind::semaphore, Verb::release, 22, acceptor, permits, 42, 1, 0);
      script.add(Kind::semaphore, Verb::acquire, 24, acceptor, permits, 40, 0, 1);
    }
    script.add(Kind::queue, Verb::put, 30, acceptor, jobs, 41, 0, 1);
    script.add(Kind::queue, Verb::get, 40, worker, jobs, 31, 0, 0);
    script.add(Kind::semaphore, Verb::acquire, 50, acceptor, permits, 40, 0, 0);
    script.add(Kind::queue, Verb::put, 60, acceptor, jobs, 41, 0, 1);
    script.add(Kind::semaphore, Verb::block, 70, acceptor, permits, 40, 0, 0);
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(false) == 0);
  CHECK(found(true) == 1);
}

// The story: a worker waited for an item for ever, for another one had said task_done of the last item after that: this was
// taken for what lets all go on who wait, as it lets those who join the Queue.
TEST_CASE("the last task_done ends a Queue's joins, and no get") {
  Script script = with_threads();
  for (int i = 0; i < 2; ++i)
    script.add(Kind::queue, Verb::put, 20, main_thread, jobs, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 30, worker, jobs, 31, 0, 1);
  script.add(Kind::queue, Verb::done, 31, worker, jobs, 32, 1, 0);
  script.add(Kind::queue, Verb::get, 32, acceptor, jobs, 33, 0, 0);
  script.add(Kind::queue, Verb::block, 40, worker, jobs, 31, 1, 0);
  script.add(Kind::queue, Verb::done, 50, acceptor, jobs, 34, 0, 0);
  script.end(60, acceptor);
  script.add(Kind::thread, Verb::block, 70, main_thread, worker, 35);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 2);
}

TEST_CASE("who found a Queue empty, and never got anything from it, may make room in it") {
  const auto found = [](bool tried) {
    constexpr trace::ObjectNumber retries = jobs + 1;
    Script script = with_threads();
    script.add(Kind::queue, Verb::put, 20, worker, retries, 30, 0, 1);
    if (tried) script.add(Kind::queue, Verb::busy, 21, acceptor, retries, 31, 1, 0);
    script.add(Kind::queue, Verb::put, 22, acceptor, jobs, 32, 0, 1);
    script.add(Kind::queue, Verb::get, 23, worker, jobs, 33, 0, 0);
    script.add(Kind::queue, Verb::block, 30, worker, retries, 30, 0, 1);
    script.add(Kind::queue, Verb::block, 40, acceptor, jobs, 32, 0, 1);
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(true) == 1);
  CHECK(found(false) == 0);
}

TEST_CASE("a thread that has done nothing leaves no hope for what others have done many times") {
  const auto found = [](int times) {
    constexpr trace::ObjectNumber results = jobs + 1;
    Script script = with_threads();
    script.thread(acceptor, "acceptor");
    script.process.threads[acceptor].creator = main_thread;
    trace::Ticks now = 20;
    for (int i = 0; i < times; ++i) {
      script.add(Kind::queue, Verb::put, ++now, main_thread, jobs, 30, 0, 1);
      script.add(Kind::queue, Verb::get, ++now, worker, jobs, 31, 0, 0);
      script.add(Kind::queue, Verb::put, ++now, worker, results, 32, 0, 1);
      script.add(Kind::queue, Verb::get, ++now, main_thread, results, 33, 0, 0);
    }
    script.add(Kind::queue, Verb::block, ++now, worker, jobs, 31, 1, 0);
    script.add(Kind::queue, Verb::block, ++now, main_thread, results, 33, 1, 0);
    script.process.clocks = {{now + 10'000, 0, 0, 0, script.process.frequency}};
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(2) == 0);
  CHECK(found(20) == 1);
}

TEST_CASE("a lock that a pool's task left held is held for good: its worker is at rest") {
  constexpr trace::ObjectNumber pool = jobs;
  const auto script_of = [](bool at_rest) {
    Script script = with_threads();
    script.add(Kind::pool, Verb::submit, 20, main_thread, pool, 30, 1, 0);
    script.add(Kind::pool, Verb::begin, 21, worker, pool, 31, 1, main_thread);
    script.acquire(22, worker, lock(1), 20);
    script.add(Kind::pool, Verb::end, 23, worker, pool, 31, 1, 1);
    script.block(30, acceptor, lock(1), 21, worker, 20);
    if (at_rest) script.add(Kind::pool, Verb::block, 40, worker, pool, 31, 2, 0);
    return script;
  };
  Script at_rest = script_of(true);
  const Answer answer{at_rest};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].cause == Cause::abandoned);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::likely);
  CHECK(answer.analysis.deadlocks.cycles()[0].since == 40);
  CHECK(printed(run_deadlocks, at_rest).find("which a task left held: its worker is at rest") != std::string::npos);
  const Script runs = script_of(false);
  CHECK(Answer{runs}.analysis.deadlocks.cycles().empty());
}

// The story: an Event that nobody ever set was taken to be set by who sets another one, declared on the same line.
TEST_CASE("what was done to an object of another name tells nothing, unless its line makes objects of many names") {
  const auto candidates = [](std::uint32_t names) {
    Script script = with_threads();
    for (std::uint32_t i = 0; i < names; ++i)
      script.object(jobs + i, Kind::event, std::string(1, static_cast<char>('a' + i)), 60);
    for (std::uint32_t i = 1; i < names; ++i)
      script.add(Kind::event, Verb::set, 20 + i, worker, jobs + i, 30, 0, 0);
    script.add(Kind::event, Verb::block, 50, acceptor, jobs, 31, 0, 0);
    return Answer{script}.analysis.deadlocks.waiting()[0].suspects.size();
  };
  CHECK(candidates(2) == 0);
  CHECK(candidates(12) == 1);
}

TEST_CASE("where the worker that has a lock at rest hangs on others, who waits for the lock is stuck for it") {
  constexpr trace::ObjectNumber pool = jobs;
  Script script = with_threads();
  script.add(Kind::pool, Verb::submit, 20, main_thread, pool, 30, 1, 0);
  script.add(Kind::pool, Verb::begin, 21, worker, pool, 31, 1, main_thread);
  script.acquire(22, worker, lock(1), 20);
  script.add(Kind::pool, Verb::end, 23, worker, pool, 31, 1, 1);
  script.block(30, main_thread, lock(1), 21, worker, 20);
  script.add(Kind::pool, Verb::block, 40, worker, pool, 31, 2, 0);
  script.end(50, acceptor);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].cause == Cause::abandoned);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 1);
}

TEST_CASE("who tried to get an item, and fills the Queue now, waits for others than itself") {
  Script script = with_threads();
  script.add(Kind::queue, Verb::busy, 20, worker, jobs, 31, 1, 0);
  script.add(Kind::queue, Verb::put, 21, worker, jobs, 30, 0, 1);
  script.add(Kind::queue, Verb::block, 30, worker, jobs, 30, 0, 1);
  CHECK(Answer{script}.analysis.deadlocks.cycles().empty());
}

TEST_CASE("a quiet thread leaves no hope where the waiting one keeps from it who did it") {
  const auto found = [](bool under_lock) {
    Script script = with_threads();
    script.thread(acceptor, "acceptor");
    script.process.threads[acceptor].creator = main_thread;
    script.add(Kind::queue, Verb::put, 20, main_thread, jobs, 30, 0, 1);
    script.add(Kind::queue, Verb::get, 21, worker, jobs, 31, 0, 0);
    if (under_lock) script.acquire(30, worker, lock(1), 20);
    script.add(Kind::queue, Verb::block, 31, worker, jobs, 31, 1, 0);
    if (under_lock) script.block(40, main_thread, lock(1), 21, worker, 20);
    if (!under_lock) script.add(Kind::thread, Verb::block, 40, main_thread, worker, 22);
    script.process.clocks = {{10'000, 0, 0, 0, script.process.frequency}};
    return Answer{script}.analysis.deadlocks.cycles().size();
  };
  CHECK(found(true) == 1);
  CHECK(found(false) == 0);
}
