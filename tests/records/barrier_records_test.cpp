// SPDX-License-Identifier: MIT
//
// Which Records a Barrier makes, on every path: trips, and all the ways in which it breaks.
#include <spool/sync/barrier.hpp>
#include <spool/sync/event.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

/// A thread that waits, once it does: its block is in the trace.
Thread start_waiter(const char* name, Barrier& barrier, const Site& site = Site::current()) {
  Thread thread = start_thread(name, [&barrier, site] {
    try {
      barrier.wait(site);
    } catch (const BrokenBarrierError&) {}
  });
  tap().await_by(thread.ident(), Kind::barrier, Verb::block);
  return thread;
}

/// With the Records from `first` on sorted: who wakes first is the kernel's choice.
Story sorted_from(Story story, std::size_t first) {
  if (first < story.size()) std::sort(story.begin() + static_cast<std::ptrdiff_t>(first), story.end());
  return story;
}

}  // namespace

TEST_CASE("the last party trips the barrier, and who waited says so") {
  tap();
  Barrier barrier{3, "lap"};
  Thread first = start_waiter("first", barrier);    // @first
  Thread second = start_waiter("second", barrier);  // @second
  barrier.wait();                                   // @last
  first.join();
  second.join();
  Thread third = start_waiter("third", barrier);  // @third
  CHECK(sorted_from(tap().story(number_of(barrier)), 3) ==
        Story{
            "first barrier.block @first",
            "second barrier.block @second index=1",
            "MainThread barrier.trip @last seq=1 woken=2",
            "first barrier.continue @first seq=1 waker=MainThread waker_site=@last",
            "second barrier.continue @second seq=1 waker=MainThread waker_site=@last",
            "third barrier.block @third seq=1 generation=1",
        });
  CHECK(tap().object_name(number_of(barrier)) == "lap");
  barrier.abort();
  third.join();
}

TEST_CASE("a barrier with an action is tripped after it") {
  tap();
  Barrier* itself = nullptr;
  Barrier barrier{2, [&] { CHECK(tap().story(number_of(*itself)).size() == 2); }};
  itself = &barrier;
  Thread first = start_waiter("first", barrier);  // @first
  barrier.wait();                                 // @last
  first.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "first barrier.block @first",
                                               "MainThread barrier.begin @last others=1",
                                               "MainThread barrier.trip @last seq=1 woken=1",
                                               "first barrier.continue @first seq=1 waker=MainThread waker_site=@last",
                                           });
}

TEST_CASE("in mode contended an action is recorded where it keeps others waiting") {
  tap();
  const ModeFor contended{Mode::contended};
  Barrier alone{1, [] {}};
  alone.wait();
  CHECK(tap().story(number_of(alone)) == Story{});
  Barrier barrier{2, [] {}};
  Thread first = start_waiter("first", barrier);
  barrier.wait();  // @last
  first.join();
  CHECK(tap().story(number_of(barrier)).at(1) == "MainThread barrier.begin @last others=1");
}

TEST_CASE("an action that throws is an abort with cause 1") {
  tap();
  Barrier barrier{2, [] { throw 1; }};
  Thread first = start_waiter("first", barrier);  // @first
  CHECK_THROWS_AS(barrier.wait(), int);           // @last
  first.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "first barrier.block @first",
                                               "MainThread barrier.begin @last others=1",
                                               "MainThread barrier.abort @last seq=1 woken=1 cause=1",
                                               "first barrier.broken @first seq=1 waker=MainThread waker_site=@last",
                                           });
}

TEST_CASE("a timeout breaks the barrier, and names itself to who waits and who comes") {
  tap();
  Barrier barrier{3};
  Thread first = start_waiter("first", barrier);               // @first
  CHECK_THROWS_AS(barrier.wait_for(1ms), BrokenBarrierError);  // @timeout
  first.join();
  CHECK_THROWS_AS(barrier.wait(), BrokenBarrierError);        // @late
  barrier.reset();                                            // @reset
  CHECK_THROWS_AS(barrier.wait_for(0s), BrokenBarrierError);  // @zero
  CHECK(tap().story(number_of(barrier)) ==
        Story{
            "first barrier.block @first",
            "MainThread barrier.block_timed @timeout index=1",
            "MainThread barrier.timeout @timeout seq=1 woken=1",
            "first barrier.broken @first seq=1 waker=MainThread waker_site=@timeout",
            "MainThread barrier.broken @late seq=1 waker=MainThread waker_site=@timeout",
            "MainThread barrier.reset @reset seq=2",
            "MainThread barrier.block_timed @zero seq=2 generation=1",
            "MainThread barrier.timeout @zero seq=3 generation=1",
        });
}

TEST_CASE("a stop breaks the barrier as a cancel") {
  tap();
  Barrier barrier{3};
  std::stop_source stop;
  Thread first = start_waiter("first", barrier);  // @first
  Thread stopped = start_thread("stopped", [&] {
    CHECK_THROWS_AS(barrier.wait(stop.get_token()), BrokenBarrierError);  // @stopped
  });
  tap().await(Kind::barrier, Verb::block, number_of(barrier), 2);
  stop.request_stop();
  stopped.join();
  first.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "first barrier.block @first",
                                               "stopped barrier.block_stoppable @stopped index=1",
                                               "stopped barrier.cancel @stopped seq=1 woken=1",
                                               "first barrier.broken @first seq=1 waker=stopped waker_site=@stopped",
                                           });
}

TEST_CASE("abort and reset say how many waits they ended") {
  tap();
  Barrier barrier{3};
  Thread first = start_waiter("first", barrier);    // @first
  Thread second = start_waiter("second", barrier);  // @second
  barrier.abort();                                  // @abort
  first.join();
  second.join();
  barrier.abort();                                // @again
  barrier.reset();                                // @reset
  Thread third = start_waiter("third", barrier);  // @third
  barrier.reset();                                // @second_reset
  third.join();
  Story story = tap().story(number_of(barrier));
  REQUIRE(story.size() == 10);
  std::sort(story.begin() + 3, story.begin() + 5);
  CHECK(story == Story{
                     "first barrier.block @first",
                     "second barrier.block @second index=1",
                     "MainThread barrier.abort @abort seq=1 woken=2",
                     "first barrier.broken @first seq=1 waker=MainThread waker_site=@abort",
                     "second barrier.broken @second seq=1 waker=MainThread waker_site=@abort",
                     "MainThread barrier.abort @again seq=2",
                     "MainThread barrier.reset @reset seq=3",
                     "third barrier.block @third seq=3 generation=1",
                     "MainThread barrier.reset @second_reset seq=4 woken=1 generation=1",
                     "third barrier.broken @third seq=4 waker=MainThread waker_site=@second_reset",
                 });
}

TEST_CASE("who runs the action of a barrier that is aborted meanwhile finds it broken") {
  tap();
  Event acting;
  Event go_on;
  Barrier barrier{1, [&] {
                    acting.set();
                    go_on.wait();
                  }};
  Thread last = start_thread("last", [&] { CHECK_THROWS_AS(barrier.wait(), BrokenBarrierError); });  // @last
  acting.wait();
  barrier.abort();  // @abort
  go_on.set();
  last.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "last barrier.begin @last",
                                               "MainThread barrier.abort @abort seq=1",
                                               "last barrier.broken @last seq=1 waker=MainThread waker_site=@abort",
                                           });
}

TEST_CASE("the last of a generation that came during an action continues, and then trips") {
  tap();
  Event acting;
  Event go_on;
  Barrier barrier{1, [&] {
                    acting.set();
                    go_on.wait();
                  }};
  Thread first = start_thread("first", [&] { barrier.wait(); });  // @first
  acting.wait();
  Thread next = start_waiter("next", barrier);  // @next
  go_on.set();
  first.join();
  next.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "first barrier.begin @first",
                                               "next barrier.block @next generation=1",
                                               "first barrier.trip @first seq=1",
                                               "next barrier.continue @next seq=1 waker=first waker_site=@first",
                                               "next barrier.begin @next seq=1 generation=1",
                                               "next barrier.trip @next seq=2 generation=1",
                                           });
}

TEST_CASE("a destroyed barrier leaves a destroy, one that was never used leaves nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const Barrier unused{2}; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto barrier = std::make_unique<Barrier>(1, Name{}, Site::current());  // @create
  barrier->wait();
  const trace::ObjectNumber number = number_of(*barrier);
  barrier.reset();
  CHECK(tap().story(number).back() == "MainThread barrier.destroy @create seq=2");
}

TEST_CASE("in mode contended only waits and what ends them are recorded, of a barrier") {
  tap();
  const ModeFor contended{Mode::contended};
  Barrier alone{1};
  alone.wait();
  alone.abort();
  CHECK_THROWS_AS(alone.wait(), BrokenBarrierError);
  alone.reset();
  CHECK(tap().story(number_of(alone)) == Story{});
  Barrier barrier{2};
  Thread first = start_waiter("first", barrier);  // @first
  barrier.wait();                                 // @last
  first.join();
  Thread second = start_waiter("second", barrier);  // @second
  barrier.abort();                                  // @abort
  second.join();
  CHECK(tap().story(number_of(barrier)) == Story{
                                               "first barrier.block @first",
                                               "MainThread barrier.trip @last seq=1 woken=1",
                                               "first barrier.continue @first seq=1 waker=MainThread waker_site=@last",
                                               "second barrier.block @second seq=1 generation=1",
                                               "MainThread barrier.abort @abort seq=2 woken=1",
                                               "second barrier.broken @second seq=2 waker=MainThread waker_site=@abort",
                                           });
}

TEST_CASE("in mode off a barrier makes no Record") {
  tap();
  const ModeFor off{Mode::off};
  Barrier barrier{2};
  Thread other = start_thread("other", [&] { barrier.wait(); });
  barrier.wait();
  other.join();
  CHECK_THROWS_AS(barrier.wait_for(1ms), BrokenBarrierError);
  barrier.abort();
  barrier.reset();
  CHECK(number_of(barrier) == 0);
}
