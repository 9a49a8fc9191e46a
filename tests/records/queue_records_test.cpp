// SPDX-License-Identifier: MIT
//
// Which Records a queue makes, on every path of put, get, task_done, join and shutdown.
#include <spool/sync/misuse.hpp>
#include <spool/sync/queue.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("puts, gets, task_dones and a join that passes") {
  tap();
  Queue<int> queue{0, "jobs"};
  queue.put(1);                 // @put
  CHECK(queue.try_put(2));      // @try_put
  CHECK(queue.get() == 1);      // @get
  CHECK(queue.try_get() == 2);  // @try_get
  queue.task_done();            // @first
  queue.task_done();            // @last
  queue.join();                 // @join
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @put seq=1 size=1",
                                             "MainThread queue.put @try_put seq=2 size=2",
                                             "MainThread queue.get @get seq=3 size=1",
                                             "MainThread queue.get @try_get seq=4",
                                             "MainThread queue.done @first seq=5 unfinished=1",
                                             "MainThread queue.done @last seq=6",
                                             "MainThread queue.continue @join seq=6 waker=MainThread waker_site=@last",
                                         });
  CHECK(tap().object_name(number_of(queue)) == "jobs");
}

TEST_CASE("a get that waits names who put, a put that waits names who made room") {
  tap();
  Queue<int> queue{1};
  queue.put(0);                                                   // @fill
  Thread putter = start_thread("putter", [&] { queue.put(1); });  // @put
  tap().await(Kind::queue, Verb::block, number_of(queue));
  CHECK(queue.get() == 0);  // @get
  putter.join();
  CHECK(queue.get_for(1h) == 1);                                                          // @empty
  Thread getter = start_thread("getter", [&] { CHECK(queue.get_for(1h).has_value()); });  // @wait
  tap().await(Kind::queue, Verb::block, number_of(queue), 2);
  queue.put(2);  // @last
  getter.join();
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @fill seq=1 size=1",
                                             "putter queue.block @put seq=1 size=1",
                                             "MainThread queue.get @get seq=2",
                                             "putter queue.put @put seq=3 waker=MainThread size=1",
                                             "MainThread queue.get @empty seq=4",
                                             "getter queue.block_timed @wait seq=4 what=1",
                                             "MainThread queue.put @last seq=5 size=1",
                                             "getter queue.get @wait seq=6 waker=MainThread",
                                         });
}

TEST_CASE("calls that are given up: busy, timeout, cancel") {
  tap();
  Queue<int> queue{1};
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(queue.try_get().has_value());                // @try_get
  CHECK_THROWS_AS(queue.get_nowait(), EmptyError);         // @get_nowait
  CHECK_FALSE(queue.get_for(-1h).has_value());             // @negative
  CHECK_FALSE(queue.get_for(1ms).has_value());             // @get_for
  CHECK_FALSE(queue.get(stop.get_token()).has_value());    // @get_stopped
  queue.put(1);                                            // @fill
  CHECK_FALSE(queue.try_put(2));                           // @try_put
  CHECK_THROWS_AS(queue.put_nowait(2), FullError);         // @put_nowait
  CHECK_FALSE(queue.put_for(2, 1ms));                      // @put_for
  CHECK_FALSE(queue.put(2, stop.get_token()));             // @put_stopped
  CHECK_FALSE(queue.join_for(0s));                         // @look
  CHECK_FALSE(queue.join_for(1ms));                        // @join_for
  CHECK_FALSE(queue.join(stop.get_token()));               // @join_stopped
  CHECK(queue.put_for(3, stop.get_token(), 0s) == false);  // @stopped_look
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.busy @try_get what=1",
                                             "MainThread queue.busy @get_nowait what=1",
                                             "MainThread queue.busy @negative what=1",
                                             "MainThread queue.block_timed @get_for what=1",
                                             "MainThread queue.timeout @get_for what=1",
                                             "MainThread queue.block_stoppable @get_stopped what=1",
                                             "MainThread queue.cancel @get_stopped what=1",
                                             "MainThread queue.put @fill seq=1 size=1",
                                             "MainThread queue.busy @try_put seq=1 size=1",
                                             "MainThread queue.busy @put_nowait seq=1 size=1",
                                             "MainThread queue.block_timed @put_for seq=1 size=1",
                                             "MainThread queue.timeout @put_for seq=1 size=1",
                                             "MainThread queue.block_stoppable @put_stopped seq=1 size=1",
                                             "MainThread queue.cancel @put_stopped seq=1 size=1",
                                             "MainThread queue.busy @look seq=1 what=2 size=1",
                                             "MainThread queue.block_timed @join_for seq=1 what=2 size=1",
                                             "MainThread queue.timeout @join_for seq=1 what=2 size=1",
                                             "MainThread queue.block_stoppable @join_stopped seq=1 what=2 size=1",
                                             "MainThread queue.cancel @join_stopped seq=1 what=2 size=1",
                                             "MainThread queue.busy @stopped_look seq=1 size=1",
                                         });
}

TEST_CASE("a stop ends a wait that has begun") {
  tap();
  Queue<int> queue;
  std::stop_source stop;
  queue.put(0);
  CHECK(queue.get() == 0);
  Thread getter = start_thread("getter", [&] { CHECK_FALSE(queue.get(stop.get_token()).has_value()); });  // @wait
  tap().await(Kind::queue, Verb::block, number_of(queue));
  stop.request_stop();
  getter.join();
  CHECK(tap().story(number_of(queue)).back() == "getter queue.cancel @wait seq=2 what=1");
}

TEST_CASE("a join that waits says who finished the last item") {
  tap();
  Queue<int> queue;
  queue.put(1);                                                   // @put
  CHECK(queue.get() == 1);                                        // @get
  Thread joiner = start_thread("joiner", [&] { queue.join(); });  // @join
  tap().await(Kind::queue, Verb::block, number_of(queue));
  queue.task_done();  // @done
  joiner.join();
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @put seq=1 size=1",
                                             "MainThread queue.get @get seq=2",
                                             "joiner queue.block @join seq=2 what=2",
                                             "MainThread queue.done @done seq=3 woken=1",
                                             "joiner queue.continue @join seq=3 waker=MainThread waker_site=@done",
                                         });
}

TEST_CASE("a shutdown ends waits, and later calls are closed by whoever did it") {
  tap();
  Queue<int> queue{1};
  queue.put(1);                                                                                   // @fill
  Thread putter = start_thread("putter", [&] { CHECK_THROWS_AS(queue.put(2), ShutDownError); });  // @put
  tap().await(Kind::queue, Verb::block, number_of(queue));
  queue.shutdown();  // @shutdown
  putter.join();
  CHECK_THROWS_AS(queue.try_put(3), ShutDownError);  // @late
  CHECK(queue.get() == 1);                           // @drain
  CHECK_THROWS_AS(queue.get(), ShutDownError);       // @empty
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @fill seq=1 size=1",
                                             "putter queue.block @put seq=1 size=1",
                                             "MainThread queue.shutdown @shutdown seq=2 woken=1",
                                             "putter queue.closed @put seq=2 waker=MainThread",
                                             "MainThread queue.closed @late seq=2 waker=MainThread",
                                             "MainThread queue.get @drain seq=3",
                                             "MainThread queue.closed @empty seq=3 what=1 waker=MainThread",
                                         });
}

TEST_CASE("an immediate shutdown lets joins go on") {
  tap();
  Queue<int> queue;
  queue.put(1);                                                   // @put
  Thread joiner = start_thread("joiner", [&] { queue.join(); });  // @join
  tap().await(Kind::queue, Verb::block, number_of(queue));
  queue.shutdown(true);  // @shutdown
  joiner.join();
  queue.shutdown();  // @again
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @put seq=1 size=1",
                                             "joiner queue.block @join seq=1 what=2 size=1",
                                             "MainThread queue.shutdown @shutdown seq=2 immediate=1 woken=1",
                                             "joiner queue.continue @join seq=2 waker=MainThread waker_site=@shutdown",
                                             "MainThread queue.shutdown @again seq=3",
                                         });
}

namespace {

/// Throws when its item is moved out.
struct Stuck {
  Stuck() = default;
  Stuck(Stuck&& other) : moves{other.moves + 1} {
    if (moves == 2) throw std::runtime_error{"stuck"};
  }
  Stuck& operator=(Stuck&&) = delete;
  Stuck(const Stuck&) = delete;
  Stuck& operator=(const Stuck&) = delete;
  ~Stuck() = default;
  int moves = 0;
};

}  // namespace

TEST_CASE("an item whose move throws: nothing, or the end of the wait") {
  tap();
  Queue<Stuck> queue;
  queue.put(Stuck{});                                // @put
  CHECK_THROWS_AS(queue.get(), std::runtime_error);  // @get
  queue.shutdown(true);                              // @shutdown
  CHECK(tap().story(number_of(queue)) == Story{
                                             "MainThread queue.put @put seq=1 size=1",
                                             "MainThread queue.shutdown @shutdown seq=2 immediate=1",
                                         });
  Queue<Stuck> awaited;
  CHECK_FALSE(awaited.try_get().has_value());                                                           // @try
  Thread getter = start_thread("getter", [&] { CHECK_THROWS_AS(awaited.get(), std::runtime_error); });  // @wait
  tap().await(Kind::queue, Verb::block, number_of(awaited));
  awaited.put(Stuck{});  // @late
  getter.join();
  CHECK(tap().story(number_of(awaited)) == Story{
                                               "MainThread queue.busy @try what=1",
                                               "getter queue.block @wait what=1",
                                               "MainThread queue.put @late seq=1 size=1",
                                               "getter queue.continue @wait seq=1 waker=MainThread waker_site=@late",
                                           });
}

TEST_CASE("one task_done too many records nothing") {
  tap();
  Queue<int> queue;
  queue.put(1);
  CHECK(queue.get() == 1);
  queue.task_done();
  CHECK_THROWS_AS(queue.task_done(), MisuseError);
  CHECK(tap().story(number_of(queue)).size() == 3);
}

TEST_CASE("a destroyed queue leaves a destroy, one that was never used leaves nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const Queue<int> unused; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto queue = std::make_unique<Queue<int>>(0, Name{}, Site::current());  // @create
  queue->put(1);
  const trace::ObjectNumber number = number_of(*queue);
  queue.reset();
  CHECK(tap().story(number).back() == "MainThread queue.destroy @create seq=2 size=1");
}

TEST_CASE("in mode contended only waits and what ends them are recorded") {
  tap();
  Queue<int> queue{1};
  const ModeFor contended{Mode::contended};
  queue.put(1);
  CHECK(queue.get() == 1);
  CHECK_FALSE(queue.try_get().has_value());
  queue.task_done();
  queue.join();
  Thread getter{ThreadOptions{.name = "getter"}, [&] {
                  CHECK(queue.get() == 2);  // @get
                  CHECK(queue.get() == 3);  // @get_again
                }};
  getter.start();
  tap().await_by(getter.ident(), Kind::queue, Verb::block);
  queue.put(2);  // @put
  tap().await_by(getter.ident(), Kind::queue, Verb::block, 2);
  Thread joiner = start_thread("joiner", [&] { queue.join(); });  // @join
  tap().await_by(joiner.ident(), Kind::queue, Verb::block);
  queue.put(3);  // @put_again
  getter.join();
  queue.task_done();
  queue.task_done();  // @done
  joiner.join();
  queue.shutdown();
  CHECK_THROWS_AS(queue.get(), ShutDownError);
  CHECK(tap().story(number_of(queue)) == Story{
                                             "getter queue.block @get what=1",
                                             "MainThread queue.put @put seq=1 size=1",
                                             "getter queue.get @get seq=2 waker=MainThread",
                                             "getter queue.block @get_again seq=2 what=1",
                                             "joiner queue.block @join seq=2 what=2",
                                             "MainThread queue.put @put_again seq=3 size=1",
                                             "getter queue.get @get_again seq=4 waker=MainThread",
                                             "MainThread queue.done @done seq=5 woken=1",
                                             "joiner queue.continue @join seq=5 waker=MainThread waker_site=@done",
                                         });
}

TEST_CASE("in mode off a queue makes no Record") {
  tap();
  Queue<int> queue{1};
  const ModeFor off{Mode::off};
  Thread getter = start_thread("getter", [&] {
    for (int i = 0; i < 100; ++i) {
      CHECK(queue.get() == i);
      queue.task_done();
    }
  });
  for (int i = 0; i < 100; ++i)
    queue.put(i);
  getter.join();
  queue.join();
  queue.shutdown();
  CHECK(number_of(queue) == 0);
}
