// SPDX-License-Identifier: MIT
//
// Which Records a ThreadPool makes, by its workers, its submitters, and those who wait for a result.
#include <spool/sync/event.hpp>
#include <spool/thread/thread_pool.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

/// A pool of one worker, which is idle at first.
struct IdlePool {
  explicit IdlePool(std::size_t max_queued = 0, const Site& site = Site::current())
      : pool{1, {.name = "pool", .max_queued = max_queued, .site = site}} {
    tap().await_by(pool.workers().front().ident(), Kind::pool, Verb::block);
  }
  Story story() { return tap().story(number_of(pool)); }
  /// Of those that this thread made, and from `from` on.
  Story story_by(const std::string& thread, std::size_t from = 0) {
    Story found;
    for (const std::string& each : story()) {
      if (each.starts_with(thread + " ")) found.push_back(each);
    }
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(from, found.size())));
    return found;
  }
  ThreadPool pool;
};

}  // namespace

TEST_CASE("a task is submitted, begun and ended, and a worker waits for work in between") {
  tap();
  IdlePool made;                                // @pool
  Future<void> task = made.pool.submit([] {});  // @submit
  tap().await(Kind::pool, Verb::block, number_of(made.pool), 2);
  task.get();                                                                     // @get
  Future<void> second = made.pool.submit([] { throw std::runtime_error{"x"}; });  // @again
  tap().await(Kind::pool, Verb::block, number_of(made.pool), 3);
  CHECK_THROWS_AS(second.get(), std::runtime_error);  // @get_again
  made.pool.shutdown();                               // @shutdown
  CHECK(made.story() == Story{
                            "pool-0 pool.block @pool what=2",
                            "MainThread pool.submit @submit seq=1 task=1",
                            "pool-0 pool.begin @submit seq=2 task=1 submitter=MainThread",
                            "pool-0 pool.end @submit seq=3 task=1",
                            "pool-0 pool.block @pool seq=3 what=2",
                            "MainThread pool.continue @get seq=3 waker=pool-0 task=1",
                            "MainThread pool.submit @again seq=4 task=2",
                            "pool-0 pool.begin @again seq=5 task=2 submitter=MainThread",
                            "pool-0 pool.end @again seq=6 task=2 outcome=1",
                            "pool-0 pool.block @pool seq=6 what=2",
                            "MainThread pool.continue @get_again seq=6 waker=pool-0 task=2",
                            "MainThread pool.shutdown @shutdown seq=7",
                            "pool-0 pool.closed @pool seq=7 what=2 waker=MainThread",
                        });
  CHECK(tap().object_name(number_of(made.pool)) == "pool");
}

TEST_CASE("a task that waits for a task of its pool is visible as such") {
  tap();
  IdlePool made;
  Event inner_is_queued;
  Future<int>* inner = nullptr;
  Future<bool> outer = made.pool.submit([&] {
    inner_is_queued.wait();
    return inner->wait_for(1ms);  // @starves
  });
  Future<int> queued = made.pool.submit([] { return 1; });
  inner = &queued;
  inner_is_queued.set();
  CHECK_FALSE(outer.get());
  CHECK(queued.get() == 1);
  const Story by_worker = made.story_by("pool-0", 2);
  REQUIRE(by_worker.size() >= 2);
  CHECK(by_worker[0] == "pool-0 pool.block_timed @starves seq=3 what=1 task=2");
  CHECK(by_worker[1] == "pool-0 pool.timeout @starves seq=3 what=1 task=2");
}

TEST_CASE("a wait for a result, and for all, names who finished it") {
  tap();
  Event go;  // outlives the pool, whose task waits for it
  IdlePool made;
  Future<void> task = made.pool.submit([&] { go.wait(); });  // @submit
  std::stop_source stop;
  stop.request_stop();
  until([&] { return task.is_running(); }, "it runs");
  tap().await(Kind::pool, Verb::begin, number_of(made.pool));
  CHECK_FALSE(task.wait_for(0s));                                     // @look
  CHECK_FALSE(task.wait_for(1ms));                                    // @span
  CHECK_FALSE(task.wait(stop.get_token()));                           // @stopped
  CHECK_FALSE(made.pool.join_for(0s));                                // @look_all
  CHECK_FALSE(made.pool.join_for(1ms));                               // @span_all
  CHECK_FALSE(made.pool.join(stop.get_token()));                      // @stopped_all
  Thread waiter = start_thread("waiter", [&] { task.wait(); });       // @wait
  Thread joiner = start_thread("joiner", [&] { made.pool.join(); });  // @join
  tap().await_by(waiter.ident(), Kind::pool, Verb::block);
  tap().await_by(joiner.ident(), Kind::pool, Verb::block);
  go.set();
  waiter.join();
  joiner.join();
  made.pool.join();  // @pass
  CHECK(made.story_by("MainThread", 1) == Story{
                                              "MainThread pool.busy @look seq=2 what=1 task=1",
                                              "MainThread pool.block_timed @span seq=2 what=1 task=1",
                                              "MainThread pool.timeout @span seq=2 what=1 task=1",
                                              "MainThread pool.block_stoppable @stopped seq=2 what=1 task=1",
                                              "MainThread pool.cancel @stopped seq=2 what=1 task=1",
                                              "MainThread pool.busy @look_all seq=2 what=3",
                                              "MainThread pool.block_timed @span_all seq=2 what=3",
                                              "MainThread pool.timeout @span_all seq=2 what=3",
                                              "MainThread pool.block_stoppable @stopped_all seq=2 what=3",
                                              "MainThread pool.cancel @stopped_all seq=2 what=3",
                                              "MainThread pool.continue @pass seq=3 waker=pool-0",
                                          });
  CHECK(made.story_by("waiter") ==
        Story{"waiter pool.block @wait seq=2 what=1 task=1", "waiter pool.continue @wait seq=3 waker=pool-0 task=1"});
  CHECK(made.story_by("joiner") ==
        Story{"joiner pool.block @join seq=2 what=3", "joiner pool.continue @join seq=3 waker=pool-0"});
}

TEST_CASE("a submit that waits for room names who made it") {
  tap();
  Event go;  // outlives the pool, whose task waits for it
  IdlePool made{1};
  std::stop_source stop;
  stop.request_stop();
  (void)made.pool.submit([&] { go.wait(); });
  tap().await(Kind::pool, Verb::begin, number_of(made.pool));
  (void)made.pool.submit([] {});                                                         // @fills
  CHECK_FALSE(made.pool.try_submit([] {}).has_value());                                  // @try
  CHECK_FALSE(made.pool.submit_for(1ms, [] {}).has_value());                             // @span
  CHECK_FALSE(made.pool.submit(stop.get_token(), [] {}).has_value());                    // @stopped
  Thread submitter = start_thread("submitter", [&] { (void)made.pool.submit([] {}); });  // @waits
  tap().await_by(submitter.ident(), Kind::pool, Verb::block);
  go.set();
  submitter.join();
  const Story by_main = made.story_by("MainThread", 1);
  CHECK(by_main == Story{
                       "MainThread pool.submit @fills seq=3 task=2",
                       "MainThread pool.busy @try seq=3",
                       "MainThread pool.block_timed @span seq=3",
                       "MainThread pool.timeout @span seq=3",
                       "MainThread pool.block_stoppable @stopped seq=3",
                       "MainThread pool.cancel @stopped seq=3",
                   });
  const Story by_submitter = made.story_by("submitter");
  REQUIRE(by_submitter.size() == 2);
  CHECK(by_submitter[0] == "submitter pool.block @waits seq=3");
  CHECK(by_submitter[1].starts_with("submitter pool.submit @waits seq="));
  CHECK(by_submitter[1].ends_with("task=3 waker=pool-0"));
}

TEST_CASE("a cancelled task, and one that a shutdown drops, leave a drop") {
  tap();
  Event go;  // outlives the pool, whose task waits for it
  IdlePool made;
  (void)made.pool.submit([&] { go.wait(); });
  tap().await(Kind::pool, Verb::begin, number_of(made.pool));
  Future<void> second = made.pool.submit([] {});                  // @second
  Future<void> third = made.pool.submit([] {});                   // @third
  CHECK(second.cancel());                                         // @cancel
  CHECK(second.cancel());                                         // @cancel_again
  Thread waiter = start_thread("waiter", [&] { third.wait(); });  // @wait
  tap().await_by(waiter.ident(), Kind::pool, Verb::block);
  made.pool.shutdown(false, true);  // @shutdown
  waiter.join();
  CHECK_THROWS_AS(made.pool.submit([] {}), ShutDownError);  // @late
  CHECK(made.story_by("MainThread", 1) == Story{
                                              "MainThread pool.submit @second seq=3 task=2",
                                              "MainThread pool.submit @third seq=4 task=3",
                                              "MainThread pool.drop @cancel seq=5 task=2",
                                              "MainThread pool.shutdown @shutdown seq=6 queued=1 dropped=1",
                                              "MainThread pool.drop @shutdown seq=7 task=3",
                                              "MainThread pool.closed @late seq=7 waker=MainThread",
                                          });
  CHECK(made.story_by("waiter") == Story{"waiter pool.block @wait seq=5 what=1 task=3",
                                         "waiter pool.continue @wait seq=7 waker=MainThread task=3"});
  go.set();
}

TEST_CASE("a submitter that a shutdown finds waiting is closed") {
  tap();
  Event go;  // outlives the pool, whose task waits for it
  IdlePool made{1};
  (void)made.pool.submit([&] { go.wait(); });
  tap().await(Kind::pool, Verb::begin, number_of(made.pool));
  (void)made.pool.submit([] {});
  Thread submitter =
      start_thread("submitter", [&] { CHECK_THROWS_AS(made.pool.submit([] {}), ShutDownError); });  // @waits
  tap().await_by(submitter.ident(), Kind::pool, Verb::block);
  made.pool.shutdown(false);  // @shutdown
  submitter.join();
  CHECK(made.story_by("submitter").back() == "submitter pool.closed @waits seq=4 waker=MainThread");
  go.set();
}

TEST_CASE("a destroyed pool leaves a destroy, and its futures no Record after it") {
  tap();
  std::optional<IdlePool> made;
  made.emplace();
  Future<int> task = made->pool.submit([] { return 1; });
  const trace::ObjectNumber number = number_of(made->pool);
  made.reset();
  const Story story = tap().story(number);
  CHECK(story.back().find("MainThread pool.destroy") == 0);
  CHECK(task.get() == 1);
  CHECK(tap().story(number).size() == story.size());
}

TEST_CASE("in mode contended only waits and what ends them are recorded") {
  tap();
  const ModeFor contended{Mode::contended};
  IdlePool made;                                 // @pool
  Future<void> first = made.pool.submit([] {});  // @first
  tap().await(Kind::pool, Verb::block, number_of(made.pool), 2);
  first.get();
  Event go;
  Future<void> second = made.pool.submit([&] { go.wait(); });  // @second
  tap().await(Kind::pool, Verb::begin, number_of(made.pool), 2);
  Thread waiter = start_thread("waiter", [&] { second.wait(); });  // @wait
  tap().await_by(waiter.ident(), Kind::pool, Verb::block);
  Future<void> third = made.pool.submit([] {});
  CHECK(third.cancel());
  go.set();
  waiter.join();
  tap().await(Kind::pool, Verb::block, number_of(made.pool), 4);
  Story story = made.story();
  REQUIRE(story.size() == 10);
  std::sort(story.begin() + 8, story.end());  // the waiter, and the worker that waits for work again
  CHECK(story == Story{
                     "pool-0 pool.block @pool what=2",
                     "MainThread pool.submit @first seq=1 task=1",
                     "pool-0 pool.begin @first seq=2 task=1 submitter=MainThread",
                     "pool-0 pool.block @pool seq=2 what=2",
                     "MainThread pool.submit @second seq=3 task=2",
                     "pool-0 pool.begin @second seq=4 task=2 submitter=MainThread",
                     "waiter pool.block @wait seq=4 what=1 task=2",
                     "pool-0 pool.end @second seq=5 task=2",
                     "pool-0 pool.block @pool seq=5 what=2",
                     "waiter pool.continue @wait seq=5 waker=pool-0 task=2",
                 });
}

TEST_CASE("in mode off a pool makes no Record") {
  tap();
  const ModeFor off{Mode::off};
  ThreadPool pool{2, {.max_queued = 2}};
  int sum = 0;
  for (int i = 0; i < 100; ++i)
    sum += pool.submit([i] { return i; }).get();
  pool.shutdown();
  CHECK(sum == 4950);
  CHECK(number_of(pool) == 0);
}
