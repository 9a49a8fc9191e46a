// SPDX-License-Identifier: MIT
//
// Which Records a semaphore makes, on every path: free and awaited permits, given up, misused, mode by mode.
#include <spool/sync/misuse.hpp>
#include <spool/sync/semaphore.hpp>

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

TEST_CASE("free permits are taken and given") {
  tap();
  Semaphore semaphore{1, "pool"};
  semaphore.acquire();              // @acquire
  CHECK(!semaphore.try_acquire());  // @busy
  semaphore.release(2);             // @release
  CHECK(semaphore.try_acquire());   // @try
  CHECK(tap().story(number_of(semaphore)) == Story{
                                                 "MainThread semaphore.acquire @acquire seq=1",
                                                 "MainThread semaphore.busy @busy seq=1",
                                                 "MainThread semaphore.release @release seq=2 count=2",
                                                 "MainThread semaphore.acquire @try seq=3 value=1",
                                             });
  CHECK(tap().object_name(number_of(semaphore)) == "pool");
}

TEST_CASE("a bounded semaphore's Records bear its own kind; an over-release leaves none") {
  tap();
  BoundedSemaphore semaphore{2};
  semaphore.acquire();  // @acquire
  semaphore.release();  // @release
  CHECK_THROWS_AS(semaphore.release(), MisuseError);
  CHECK_THROWS_AS(semaphore.release(0), MisuseError);
  semaphore.acquire();  // @again
  CHECK(tap().story(number_of(semaphore)) == Story{
                                                 "MainThread bounded_semaphore.acquire @acquire seq=1 value=1",
                                                 "MainThread bounded_semaphore.release @release seq=2 count=1",
                                                 "MainThread bounded_semaphore.acquire @again seq=3 value=1",
                                             });
}

TEST_CASE("one release hands permits to those who wait, in their order, and says so") {
  tap();
  Semaphore semaphore{0};
  CHECK(!semaphore.try_acquire());                                     // @busy
  Thread first = start_thread("first", [&] { semaphore.acquire(); });  // @first
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore));
  Thread second = start_thread("second", [&] { CHECK(semaphore.try_acquire_for(1h)); });  // @second
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore), 2);
  CHECK(!semaphore.try_acquire());  // @crowded
  semaphore.release(3);             // @release
  first.join();
  second.join();
  semaphore.acquire();  // @last
  Story story = tap().story(number_of(semaphore));
  REQUIRE(story.size() == 8);
  std::sort(story.begin() + 5, story.begin() + 7);  // who wakes first is the kernel's choice
  CHECK(story == Story{
                     "MainThread semaphore.busy @busy",
                     "first semaphore.block @first waiters=1",
                     "second semaphore.block_timed @second waiters=2",
                     "MainThread semaphore.busy @crowded waiters=2",
                     "MainThread semaphore.release @release seq=1 count=3 woken=2",
                     "first semaphore.acquire @first seq=2 waker=MainThread value=2",
                     "second semaphore.acquire @second seq=3 waker=MainThread value=1",
                     "MainThread semaphore.acquire @last seq=4",
                 });
}

TEST_CASE("an acquire that is given up: busy, timeout, cancel") {
  tap();
  Semaphore semaphore{0};
  std::stop_source stop;
  CHECK_FALSE(semaphore.try_acquire_for(0s));                                       // @zero
  CHECK_FALSE(semaphore.try_acquire_for(-1h));                                      // @negative
  CHECK_FALSE(semaphore.try_acquire_for(1ms));                                      // @span
  CHECK_FALSE(semaphore.try_acquire_until(std::chrono::system_clock::now() - 1h));  // @past
  stop.request_stop();
  CHECK_FALSE(semaphore.acquire(stop.get_token()));              // @stopped
  CHECK_FALSE(semaphore.try_acquire_for(stop.get_token(), 1h));  // @stopped_for
  CHECK(tap().story(number_of(semaphore)) == Story{
                                                 "MainThread semaphore.busy @zero",
                                                 "MainThread semaphore.busy @negative",
                                                 "MainThread semaphore.block_timed @span waiters=1",
                                                 "MainThread semaphore.timeout @span",
                                                 "MainThread semaphore.block_timed @past waiters=1",
                                                 "MainThread semaphore.timeout @past",
                                                 "MainThread semaphore.block_stoppable @stopped waiters=1",
                                                 "MainThread semaphore.cancel @stopped",
                                                 "MainThread semaphore.block_timed @stopped_for waiters=1",
                                                 "MainThread semaphore.cancel @stopped_for",
                                             });
}

TEST_CASE("a stop ends an acquire that waits, and the permit goes to the next") {
  tap();
  Semaphore semaphore{0};
  std::stop_source stop;
  (void)semaphore.try_acquire();
  Thread stopped = start_thread("stopped", [&] { CHECK_FALSE(semaphore.acquire(stop.get_token())); });  // @stopped
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore));
  Thread next = start_thread("next", [&] { semaphore.acquire(); });  // @next
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore), 2);
  stop.request_stop();
  stopped.join();
  semaphore.release();  // @release
  next.join();
  const Story story = tap().story(number_of(semaphore));
  REQUIRE(story.size() == 6);
  CHECK(story[3] == "stopped semaphore.cancel @stopped waiters=1");
  CHECK(story[4] == "MainThread semaphore.release @release seq=1 count=1 woken=1");
  CHECK(story[5] == "next semaphore.acquire @next seq=2 waker=MainThread");
}

TEST_CASE("a Permit records its own line, twice") {
  tap();
  Semaphore semaphore;
  { const Permit permit{semaphore}; }  // @permit
  {
    Permit permit{semaphore};  // @taken
    permit.release();          // @given
  }
  CHECK(tap().story(number_of(semaphore)) ==
        Story{"MainThread semaphore.acquire @permit seq=1", "MainThread semaphore.release @permit seq=2 count=1",
              "MainThread semaphore.acquire @taken seq=3", "MainThread semaphore.release @given seq=4 count=1"});
}

TEST_CASE("a destroyed semaphore leaves a destroy, one that was never used leaves nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const Semaphore unused; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto semaphore = std::make_unique<Semaphore>(4, Name{}, Site::current());  // @create
  semaphore->acquire();
  const trace::ObjectNumber number = number_of(*semaphore);
  semaphore.reset();
  CHECK(tap().story(number).back() == "MainThread semaphore.destroy @create seq=2 value=3");
}

TEST_CASE("in mode contended only waits and the releases that end them are recorded, of a semaphore") {
  tap();
  Semaphore semaphore{1};
  const ModeFor contended{Mode::contended};
  semaphore.acquire();
  CHECK_FALSE(semaphore.try_acquire());
  semaphore.release();
  semaphore.acquire();
  CHECK(number_of(semaphore) == 0);
  Thread waiter = start_thread("waiter", [&] { semaphore.acquire(); });  // @wait
  tap().await_by(waiter.ident(), Kind::semaphore, Verb::block);
  semaphore.release(2);  // @release
  waiter.join();
  semaphore.release();
  Semaphore never{0};
  CHECK_FALSE(never.try_acquire_for(1ms));  // @timeout
  CHECK(tap().story(number_of(semaphore)) == Story{
                                                 "waiter semaphore.block @wait waiters=1",
                                                 "MainThread semaphore.release @release seq=1 count=2 woken=1",
                                                 "waiter semaphore.acquire @wait seq=2 waker=MainThread value=1",
                                             });
  CHECK(tap().story(number_of(never)) ==
        Story{"MainThread semaphore.block_timed @timeout waiters=1", "MainThread semaphore.timeout @timeout"});
}

TEST_CASE("in mode off a semaphore makes no Record") {
  tap();
  Semaphore semaphore{0};
  const ModeFor off{Mode::off};
  Thread waiter = start_thread("waiter", [&] { semaphore.acquire(); });
  semaphore.release();
  waiter.join();
  CHECK_FALSE(semaphore.try_acquire_for(1ms));
  CHECK(number_of(semaphore) == 0);
}

TEST_CASE("a wait that was recorded ends recorded, though the mode is off by then") {
  tap();
  Semaphore semaphore{0};
  std::stop_source stop;
  (void)semaphore.try_acquire();
  Thread served = start_thread("served", [&] { semaphore.acquire(); });  // @served
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore));
  Thread stopped = start_thread("stopped", [&] { CHECK_FALSE(semaphore.acquire(stop.get_token())); });  // @stopped
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore), 2);
  log::set_mode(Mode::off);
  semaphore.release();
  served.join();
  stop.request_stop();
  stopped.join();
  log::set_mode(Mode::all);
  semaphore.release();  // @release
  const Story story = tap().story(number_of(semaphore));
  REQUIRE(story.size() == 6);
  CHECK(story[3] == "served semaphore.acquire @served seq=1 waker=MainThread");
  CHECK(story[4] == "stopped semaphore.cancel @stopped seq=1");
  CHECK(story[5] == "MainThread semaphore.release @release seq=2 count=1");
}
