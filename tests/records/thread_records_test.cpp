// SPDX-License-Identifier: MIT
//
// Which Records a Thread makes in its life, and each way a join can go.
#include <spool/config/config.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/thread.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <latch>
#include <stdexcept>
#include <thread>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("a thread's life is created, started, begun, ended and joined, in one sequence") {
  tap();
  ThreadOptions options{.name = "worker"};  // @create
  Thread worker{options, [] {}};
  worker.start();  // @start
  until([&] { return !worker.is_alive(); }, "the worker has ended");
  worker.join();  // @join
  worker.join();  // @join_again
  CHECK(tap().story(worker.ident()) == Story{"MainThread thread.create @create seq=1",
                                             "MainThread thread.start @start seq=2",
                                             "worker thread.begin seq=3 creator=MainThread", "worker thread.end seq=4",
                                             "MainThread thread.continue @join seq=5 waker=worker",
                                             "MainThread thread.continue @join_again seq=6 waker=worker"});
}

TEST_CASE("a join that waits records block and continue") {
  tap();
  Lock gate;
  gate.lock();
  Thread worker = start_thread("worker", [&] { const std::lock_guard guard{gate}; });
  tap().await(Kind::thread, Verb::begin, worker.ident());
  Thread joiner = start_thread("joiner", [&] { worker.join(); });  // @join
  tap().await(Kind::thread, Verb::block, worker.ident());
  gate.unlock();
  joiner.join();
  Story by_joiner;
  for (const std::string& each : tap().story(worker.ident())) {
    if (each.starts_with("joiner")) by_joiner.push_back(each);
  }
  CHECK(by_joiner ==
        Story{"joiner thread.block @join seq=3 owner=worker", "joiner thread.continue @join seq=5 waker=worker"});
}

TEST_CASE("a join that gives up records block, and timeout or cancel") {
  tap();
  Lock gate;
  gate.lock();
  Thread worker = start_thread("slow", [&] { const std::lock_guard guard{gate}; });
  tap().await_by(worker.ident(), Kind::lock, Verb::block);
  CHECK_FALSE(worker.join_for(1ms));  // @span
  CHECK_FALSE(worker.join_for(0s));   // @zero
  CHECK_FALSE(worker.join_for(-1h));  // @negative
  std::stop_source stop;
  Thread joiner = start_thread("joiner", [&] {
    CHECK_FALSE(worker.join(stop.get_token()));  // @stoppable
    CHECK_FALSE(worker.join(stop.get_token()));  // @late
  });
  tap().await_by(joiner.ident(), Kind::thread, Verb::block);
  stop.request_stop();
  joiner.join();
  const Story story = tap().story(worker.ident());
  gate.unlock();
  worker.join();
  REQUIRE(story.size() == 13);
  CHECK(
      Story{story.begin() + 3, story.end()} ==
      Story{"MainThread thread.block_timed @span seq=3 owner=slow", "MainThread thread.timeout @span seq=3 owner=slow",
            "MainThread thread.block_timed @zero seq=3 owner=slow", "MainThread thread.timeout @zero seq=3 owner=slow",
            "MainThread thread.block_timed @negative seq=3 owner=slow",
            "MainThread thread.timeout @negative seq=3 owner=slow",
            "joiner thread.block_stoppable @stoppable seq=3 owner=slow",
            "joiner thread.cancel @stoppable seq=3 owner=slow", "joiner thread.block_stoppable @late seq=3 owner=slow",
            "joiner thread.cancel @late seq=3 owner=slow"});
}

TEST_CASE("a thread's last Record says how it ended and how many locks it still held") {
  tap();
  const ExceptHook before = set_excepthook([](const ExceptHookArgs&) {});
  Lock kept;
  Thread thrower = start_thread("thrower", [&] {
    kept.lock();
    throw std::runtime_error{"on purpose"};
  });
  thrower.join();
  set_excepthook(before);
  const Story story = tap().story(thrower.ident());
  kept.unlock();
  CHECK(std::ranges::count(story, "thrower thread.end seq=4 outcome=1 held=1") == 1);
}

TEST_CASE("a lock that another thread has released is none that its thread still held at its end") {
  tap();
  for (const Mode mode : {Mode::all, Mode::contended}) {
    set_transitions(mode);
    Lock signal;
    Lock kept;
    std::latch is_held{1};
    std::latch is_released{1};
    Thread owner = start_thread("owner", [&] {
      signal.lock();
      kept.lock();
      is_held.count_down();
      is_released.wait();
    });
    is_held.wait();
    signal.unlock();
    is_released.count_down();
    owner.join();
    kept.unlock();
    set_transitions(Mode::all);
    CHECK(std::ranges::count(tap().story(owner.ident()), "owner thread.end seq=4 held=1") == 1);
  }
}

TEST_CASE("misuse of a thread records nothing") {
  tap();
  Thread thread{ThreadOptions{.name = "unstarted"}, [] {}};
  CHECK_THROWS_AS(thread.join(), MisuseError);
  CHECK(tap().story(thread.ident()).size() == 1);
  thread.start();
  thread.join();
  const auto count = tap().story(thread.ident()).size();
  CHECK_THROWS_AS(thread.start(), MisuseError);
  CHECK(tap().story(thread.ident()).size() == count);
}

TEST_CASE("a daemon is created as one, and a foreign thread begins by itself") {
  tap();
  Thread daemon{ThreadOptions{.name = "daemon", .daemon = true}, [] {}};
  CHECK(tap().story(daemon.ident()).front().ends_with("seq=1 daemon=1"));
  trace::ThreadNumber foreign = 0;
  std::thread{[&] { foreign = current_thread().ident(); }}.join();
  const Story story = tap().story(foreign);
  REQUIRE(story.size() == 2);
  CHECK(story[0].ends_with("thread.begin seq=1"));
  CHECK(story[1].ends_with("thread.end seq=2"));
}
