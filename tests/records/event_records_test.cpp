// SPDX-License-Identifier: MIT
//
// Which Records an Event makes, on every path: set and clear, passing and blocking waits, given up, misused.
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("set, clear and a wait that passes") {
  tap();
  Event event{"ready"};
  event.set();    // @set
  event.wait();   // @pass
  event.set();    // @again
  event.clear();  // @clear
  event.clear();  // @clear_again
  CHECK(tap().story(number_of(event)) == Story{
                                             "MainThread event.set @set seq=1",
                                             "MainThread event.continue @pass seq=1 waker=MainThread waker_site=@set",
                                             "MainThread event.set @again seq=2 was_set=1",
                                             "MainThread event.clear @clear seq=3 was_set=1",
                                             "MainThread event.clear @clear_again seq=4",
                                         });
  CHECK(tap().object_name(number_of(event)) == "ready");
}

TEST_CASE("a wait that blocks says who set the event, and where") {
  tap();
  Event event;
  event.clear();                                                // @first
  Thread first = start_thread("first", [&] { event.wait(); });  // @wait
  tap().await(Kind::event, Verb::block, number_of(event));
  Thread second = start_thread("second", [&] { CHECK(event.wait_for(1h)); });  // @wait_for
  tap().await(Kind::event, Verb::block, number_of(event), 2);
  event.set();  // @release
  first.join();
  second.join();
  Story story = tap().story(number_of(event));
  REQUIRE(story.size() == 6);
  std::sort(story.begin() + 4, story.end());  // who wakes first is the kernel's choice
  CHECK(story == Story{
                     "MainThread event.clear @first seq=1",
                     "first event.block @wait seq=1 waiters=1",
                     "second event.block_timed @wait_for seq=1 waiters=2",
                     "MainThread event.set @release seq=2 woken=2",
                     "first event.continue @wait seq=2 waker=MainThread waker_site=@release",
                     "second event.continue @wait_for seq=2 waker=MainThread waker_site=@release",
                 });
}

TEST_CASE("a wait that is given up: busy, timeout, cancel") {
  tap();
  Event event;
  std::stop_source stop;
  CHECK_FALSE(event.wait_for(0s));                                       // @zero
  CHECK_FALSE(event.wait_for(-1h));                                      // @negative
  CHECK_FALSE(event.wait_for(1ms));                                      // @span
  CHECK_FALSE(event.wait_until(std::chrono::system_clock::now() - 1h));  // @past
  stop.request_stop();
  CHECK_FALSE(event.wait(stop.get_token()));  // @stopped
  CHECK(tap().story(number_of(event)) == Story{
                                             "MainThread event.busy @zero",
                                             "MainThread event.busy @negative",
                                             "MainThread event.block_timed @span waiters=1",
                                             "MainThread event.timeout @span",
                                             "MainThread event.block_timed @past waiters=1",
                                             "MainThread event.timeout @past",
                                             "MainThread event.block_stoppable @stopped waiters=1",
                                             "MainThread event.cancel @stopped",
                                         });
}

TEST_CASE("a stop ends a wait that has begun") {
  tap();
  Event event;
  std::stop_source stop;
  event.clear();
  Thread waiter = start_thread("waiter", [&] { CHECK_FALSE(event.wait(stop.get_token())); });  // @wait
  tap().await(Kind::event, Verb::block, number_of(event));
  stop.request_stop();
  waiter.join();
  CHECK(tap().story(number_of(event)).back() == "waiter event.cancel @wait seq=1");
}

TEST_CASE("a destroyed event leaves a destroy, one that was never used leaves nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const Event unused; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto event = std::make_unique<Event>(Name{}, Site::current());  // @create
  event->set();
  const trace::ObjectNumber number = number_of(*event);
  event.reset();
  CHECK(tap().story(number).back() == "MainThread event.destroy @create seq=2");
}

TEST_CASE("in mode contended only waits and the sets that end them are recorded") {
  tap();
  Event event;
  event.set();
  event.clear();
  const ModeFor contended{Mode::contended};
  event.set();
  event.wait();
  event.clear();
  Thread waiter = start_thread("waiter", [&] { event.wait(); });  // @wait
  tap().await(Kind::event, Verb::block, number_of(event));
  event.set();  // @set
  waiter.join();
  const Story story = tap().story(number_of(event));
  REQUIRE(story.size() == 5);
  CHECK(story[2] == "waiter event.block @wait seq=2 waiters=1");
  CHECK(story[3] == "MainThread event.set @set seq=3 woken=1");
  CHECK(story[4] == "waiter event.continue @wait seq=3 waker=MainThread waker_site=@set");
}

TEST_CASE("in mode off an event makes no Record") {
  tap();
  Event event;
  const ModeFor off{Mode::off};
  Thread waiter = start_thread("waiter", [&] { event.wait(); });
  event.set();
  waiter.join();
  CHECK(number_of(event) == 0);
}
