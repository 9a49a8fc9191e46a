// SPDX-License-Identifier: MIT
//
// Which Records a Timer makes beside those of its thread.
#include <spool/thread/timer.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("a timer that fires blocks and continues, and belongs to its thread") {
  tap();
  Timer timer{ThreadOptions{.name = "timer"}, 3ms, [] {}};
  timer.start();  // @start
  timer.join();
  CHECK_FALSE(timer.cancel());
  CHECK(tap().story(number_of(timer)) ==
        Story{"timer timer.block @start delay_ms=3", "timer timer.continue @start seq=1"});
  CHECK(tap().parent_of(number_of(timer)) == timer.ident());
}

TEST_CASE("a timer of no interval, and one of a huge one") {
  tap();
  Timer now{ThreadOptions{.name = "now"}, 0s, [] {}};
  now.start();  // @now
  now.join();
  CHECK(tap().story(number_of(now)) == Story{"now timer.block @now", "now timer.continue @now seq=1"});
  Timer never{ThreadOptions{.name = "never"}, std::chrono::hours::max(), [] {}};
  never.start();  // @never
  tap().await_by(never.ident(), Kind::timer, Verb::block);
  never.cancel();  // @cancel
  never.join();
  CHECK(tap().story(number_of(never)).front() == "never timer.block @never delay_ms=4294967295");
}

TEST_CASE("a timer that is cancelled says by whom and where, the canceller that it woke it") {
  tap();
  Timer timer{ThreadOptions{.name = "timer"}, 1h, [] {}};
  timer.start();  // @start
  tap().await_by(timer.ident(), Kind::timer, Verb::block);
  timer.cancel();  // @cancel
  timer.cancel();
  timer.join();
  CHECK(tap().story(number_of(timer)) == Story{"timer timer.block @start delay_ms=3600000",
                                               "MainThread timer.abort @cancel seq=1 woken=1",
                                               "timer timer.cancel @start seq=1 waker=MainThread waker_site=@cancel"});
}

TEST_CASE("a timer that was cancelled before it started blocks for a moment") {
  tap();
  Timer timer{ThreadOptions{.name = "timer"}, 1h, [] {}};
  timer.cancel();  // @cancel
  timer.start();   // @start
  timer.join();
  CHECK(tap().story(number_of(timer)) == Story{"MainThread timer.abort @cancel seq=1",
                                               "timer timer.block @start seq=1 delay_ms=3600000",
                                               "timer timer.cancel @start seq=1 waker=MainThread waker_site=@cancel"});
}

TEST_CASE("a timer that is stopped through its thread is cancelled by nobody known") {
  tap();
  Timer timer{ThreadOptions{.name = "timer"}, 1h, [] {}};
  timer.start();  // @start
  tap().await_by(timer.ident(), Kind::timer, Verb::block);
  timer.request_stop();
  timer.join();
  CHECK(tap().story(number_of(timer)) ==
        Story{"timer timer.block @start delay_ms=3600000", "timer timer.cancel @start"});
}

TEST_CASE("a timer that was recorded leaves a destroy") {
  tap();
  trace::ObjectNumber number = 0;
  {
    Timer timer{ThreadOptions{.name = "timer"}, 0s, [] {}};  // @create
    timer.start();
    timer.join();
    number = number_of(timer);
  }
  CHECK(tap().story(number).back() == "MainThread timer.destroy @create seq=2");
  const auto before = tap().records_by(current_thread().ident()).size();
  {
    const Timer unused{1h, [] {}};
  }
  CHECK(tap().records_by(current_thread().ident()).size() == before + 1);  // its thread's create
}

TEST_CASE("in mode contended a timer is recorded as in mode all") {
  tap();
  const ModeFor contended{Mode::contended};
  Timer timer{ThreadOptions{.name = "timer"}, 1ms, [] {}};
  timer.start();  // @start
  timer.join();
  CHECK(tap().story(number_of(timer)) ==
        Story{"timer timer.block @start delay_ms=1", "timer timer.continue @start seq=1"});
}

TEST_CASE("in mode off a timer makes no Record") {
  tap();
  const ModeFor off{Mode::off};
  Timer timer{1ms, [] {}};
  timer.start();
  timer.join();
  Timer cancelled{1h, [] {}};
  cancelled.start();
  cancelled.cancel();
  cancelled.join();
  CHECK(number_of(timer) == 0);
  CHECK(number_of(cancelled) == 0);
}
