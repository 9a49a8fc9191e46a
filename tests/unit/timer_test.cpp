// SPDX-License-Identifier: MIT
//
// What a Timer promises, whatever is recorded.
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/timer.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

TEST_CASE("a timer calls its function once, with its arguments, in a thread of its own, after the interval") {
  std::string told;
  trace::ThreadNumber where = 0;
  const auto begin = std::chrono::steady_clock::now();
  Timer timer{ThreadOptions{.name = "egg"}, 20ms,
              [&](std::unique_ptr<std::string> word, int count) {
                where = current_thread().ident();
                told = *word + std::to_string(count);
              },
              std::make_unique<std::string>("n"), 3};
  CHECK(timer.name() == "egg");
  CHECK_FALSE(timer.is_alive());
  timer.start();
  timer.join();
  CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
  CHECK(told == "n3");
  CHECK(where == timer.ident());
  CHECK_THROWS_AS(timer.start(), MisuseError);
}

TEST_CASE("a timer has a thread's name and daemon status") {
  Timer timer{1h, [] {}};
  CHECK(timer.name().starts_with("Thread-"));
  CHECK_FALSE(timer.daemon());
  timer.set_daemon(true);
  CHECK(timer.daemon());
}

TEST_CASE("a cancelled timer does not call its function, and ends at once") {
  tap();
  std::atomic<bool> called{false};
  Timer timer{1h, [&] { called.store(true); }};
  timer.start();
  tap().await_by(timer.ident(), Kind::timer, Verb::block);
  CHECK(timer.is_alive());
  CHECK(timer.cancel());
  CHECK_FALSE(timer.cancel());
  timer.join();
  CHECK_FALSE(called.load());
}

TEST_CASE("a timer that is cancelled before its start ends as soon as it is started") {
  std::atomic<bool> called{false};
  Timer timer{0s, [&] { called.store(true); }};
  CHECK(timer.cancel());
  timer.start();
  timer.join();
  CHECK_FALSE(called.load());
}

TEST_CASE("after a timer has fired a cancel changes nothing, also from its own function") {
  Timer* self = nullptr;
  bool cancelled = true;
  Timer timer{1ms, [&] { cancelled = self->cancel(); }};
  self = &timer;
  timer.start();
  timer.join();
  CHECK_FALSE(cancelled);
  CHECK_FALSE(timer.cancel());
}

TEST_CASE("intervals at the ends of what a duration can say") {
  tap();
  for (const auto span : {std::chrono::nanoseconds::min(), std::chrono::nanoseconds{0}, std::chrono::nanoseconds{-1}}) {
    bool called = false;
    Timer timer{span, [&] { called = true; }};
    timer.start();
    timer.join();
    CHECK(called);
  }
  bool called = false;
  Timer never_a_number{std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}, [&] { called = true; }};
  never_a_number.start();
  never_a_number.join();
  CHECK(called);
  called = false;
  for (Timer timer : {Timer{std::chrono::hours::max(), [&] { called = true; }},
                      Timer{std::chrono::duration<double>{1e300}, [&] { called = true; }}}) {
    timer.start();
    tap().await_by(timer.ident(), Kind::timer, Verb::block);
    timer.cancel();
    timer.join();
    CHECK_FALSE(called);
  }
}

TEST_CASE("what the function throws reaches the excepthook and stays with the timer") {
  std::string told;
  const ExceptHook before = set_excepthook([&](const ExceptHookArgs& args) { told = args.thread.name(); });
  Timer timer{ThreadOptions{.name = "thrower"}, 1ms, [] { throw std::runtime_error{"boom"}; }};
  timer.start();
  timer.join();
  set_excepthook(before);
  CHECK(told == "thrower");
  CHECK_THROWS_WITH(std::rethrow_exception(timer.exception()), "boom");
}

TEST_CASE("a timer that is destroyed while it waits fires all the same") {
  Event fired;
  {
    Timer{5ms, [&] { fired.set(); }}.start();
  }
  CHECK(fired.wait_for(20s));
  const auto shared = std::make_shared<Timer>(5ms, [&] { fired.set(); });
  fired.clear();
  shared->start();
  CHECK(fired.wait_for(20s));
  Thread handle{*shared};
  handle.join();
}

TEST_CASE("copies name the same timer") {
  std::atomic<bool> called{false};
  Timer timer{1h, [&] { called.store(true); }};
  Timer copy{timer};
  copy.start();
  CHECK(timer.is_alive());
  CHECK(timer.cancel());
  copy.join();
  CHECK_FALSE(called.load());
}

TEST_CASE("a stop request ends the waiting, and a function that takes the token gets it") {
  tap();
  std::atomic<int> called{0};
  Timer stopped{1h, [&](const std::stop_token&) { ++called; }};
  stopped.start();
  tap().await_by(stopped.ident(), Kind::timer, Verb::block);
  CHECK(stopped.request_stop());
  stopped.join();
  CHECK(called.load() == 0);
  Timer fires{0s, [&](const std::stop_token& stop, int) { called += stop.stop_requested() ? 0 : 2; }, 1};
  fires.start();
  fires.join();
  CHECK(called.load() == 2);
}

namespace {

/// Python's idiom of a timer that comes again and again.
class Ticker : public Timer {
 public:
  explicit Ticker(std::atomic<int>& ticks) : Timer{1h, [] {}}, ticks_{ticks} {}

 protected:
  void run() override { ++ticks_; }

 private:
  std::atomic<int>& ticks_;
};

}  // namespace

TEST_CASE("a subclass of Timer with a run() of its own is owned as every such thread") {
  std::atomic<int> ticks{0};
  Ticker on_stack{ticks};
  CHECK_THROWS_WITH(on_stack.start(), Contains("make_thread"));
  const auto owned = make_thread<Ticker>(ticks);
  owned->start();
  owned->join();
  CHECK(ticks.load() == 1);
}

TEST_CASE("a function is destroyed with its arguments when the timer is over, and never without a start") {
  const auto kept = std::make_shared<int>(1);
  {
    Timer unstarted{1h, [kept] {}};
    CHECK(kept.use_count() == 2);
  }
  CHECK(kept.use_count() == 1);
  Timer timer{1h, [kept] {}};
  timer.start();
  timer.cancel();
  timer.join();
  CHECK(kept.use_count() == 1);
}

TEST_CASE("of cancels and a timer that fires at the same time one wins") {
  // The cancels come ever nearer to the moment at which it fires: later after one that won, else earlier.
  std::chrono::nanoseconds delay = 100us;
  for (int i = 0; i < 1500; ++i) {
    std::atomic<int> called{0};
    std::atomic<int> cancelled{0};
    Timer timer{100us, [&] { ++called; }};
    timer.start();
    const auto at = std::chrono::steady_clock::now() + delay;
    while (std::chrono::steady_clock::now() < at) {}
    cancelled += static_cast<int>(timer.cancel());
    cancelled += static_cast<int>(timer.cancel());
    timer.join();
    REQUIRE(called.load() + cancelled.load() == 1);
    delay += cancelled.load() != 0 ? 2us : -2us;
  }
}
