// SPDX-License-Identifier: MIT
//
// What a Barrier promises in each of its states, whatever is recorded.
#include <spool/sync/barrier.hpp>
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>

#include "records/modes.hpp"
#include "support/death.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

void until_waiting(const Barrier& barrier, std::ptrdiff_t count) {
  until([&] { return barrier.n_waiting() == count; }, "so many wait at the barrier");
}

/// What came of a wait: its index, or the words of the error. (Assertions are the main thread's only.)
template <class Wait>
std::string outcome_of(Wait wait) {
  try {
    return std::to_string(wait());
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// A thread that waits, and notes what came of it.
template <class Wait>
Thread start_waiter(const char* name, std::string& outcome, Wait wait) {
  return start_thread(name, [&outcome, wait] { outcome = outcome_of(wait); });
}

}  // namespace

TEST_CASE("all go when the last has come, each with its place in the order of arrival") {
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    tap();
    const ModeFor changed{mode};
    Barrier barrier{3};
    CHECK(barrier.parties() == 3);
    for (int round = 0; round < 3; ++round) {
      std::vector<std::ptrdiff_t> indexes(2, -1);
      std::vector<Thread> threads;
      for (std::size_t i = 0; i < 2; ++i) {
        threads.push_back(start_thread("party", [&, i] { indexes[i] = barrier.wait(); }));
        until_waiting(barrier, static_cast<std::ptrdiff_t>(i) + 1);
      }
      CHECK(barrier.wait() == 2);
      CHECK(barrier.n_waiting() == 0);
      for (Thread& each : threads)
        each.join();
      CHECK(indexes == std::vector<std::ptrdiff_t>{0, 1});
    }
    CHECK_FALSE(barrier.is_broken());
  }
}

TEST_CASE("a barrier for one lets everybody pass, and runs its action each time") {
  int runs = 0;
  Barrier barrier{1, [&] { ++runs; }};
  CHECK(barrier.wait() == 0);
  CHECK(barrier.wait_for(0s) == 0);
  CHECK(runs == 2);
}

TEST_CASE("a barrier is constant-initialized") {
  static constinit Barrier plain{1, "static"};
  static constinit Barrier timed{1, 2s, "static"};
  CHECK(plain.wait() == 0);
  CHECK(timed.wait() == 0);
}

TEST_CASE("a barrier for nobody, or for too many, is refused by name") {
  CHECK_THROWS_WITH((Barrier{0, "lap"}), Contains("less than one party to a barrier \"lap\""));
  CHECK_THROWS_AS(Barrier{-1}, MisuseError);
  CHECK_THROWS_AS((Barrier{std::numeric_limits<std::ptrdiff_t>::min(), [] {}}), MisuseError);
  CHECK_THROWS_AS(Barrier{Barrier::max() + 1}, MisuseError);
}

TEST_CASE("the last party runs the action before the others go") {
  std::atomic<int> runs{0};
  std::atomic<int> seen{0};
  std::string runner;
  Barrier barrier{3, [&] {
                    runner = current_thread().name();
                    ++runs;
                  }};
  std::vector<Thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.push_back(start_thread("early", [&] {
      barrier.wait();
      seen += runs.load();
    }));
  }
  until_waiting(barrier, 2);
  run_in_thread("last", [&] { CHECK(barrier.wait() == 2); });
  for (Thread& each : threads)
    each.join();
  CHECK(runs.load() == 1);
  CHECK(seen.load() == 2);
  CHECK(runner == "last");
}

TEST_CASE("an action that throws breaks the barrier, and its exception reaches who ran it") {
  Barrier barrier{2, [] { throw std::runtime_error{"no paper"}; }, "printer"};
  std::string said;
  Thread other = start_waiter("other", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  CHECK_THROWS_WITH(barrier.wait(), "no paper");
  other.join();
  CHECK_THAT(said, Contains("broken barrier \"printer\" (created at ") && Contains("barrier_test.cpp") &&
                       Contains("its action threw in thread MainThread (1) at "));
  CHECK(barrier.is_broken());
  CHECK_THROWS_AS(barrier.wait(), BrokenBarrierError);
}

TEST_CASE("a wait that times out breaks the barrier for all") {
  Barrier barrier{3, "lap"};
  std::string said;
  Thread other = start_waiter("patient", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  CHECK_THROWS_WITH(barrier.wait_for(1ms), Contains("a wait timed out in thread MainThread (1) at "));
  other.join();
  CHECK_THAT(said, Contains("a wait timed out in thread MainThread (1) at "));
  CHECK(barrier.is_broken());
  CHECK(barrier.n_waiting() == 0);
}

TEST_CASE("spans at the ends of what a duration can say, at a barrier") {
  Barrier alone{2};
  const auto broken_at_once = [&](auto wait) {
    CHECK_THROWS_AS(wait(), BrokenBarrierError);
    CHECK(alone.is_broken());
    alone.reset();
  };
  broken_at_once([&] { alone.wait_for(0s); });
  broken_at_once([&] { alone.wait_for(std::chrono::nanoseconds::min()); });
  broken_at_once([&] { alone.wait_for(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}); });
  broken_at_once([&] { alone.wait_until(std::chrono::system_clock::now() - 1h); });
  broken_at_once([&] { alone.wait_until(std::chrono::steady_clock::time_point::min()); });
  std::vector<Thread> threads;
  Barrier pair{2};
  threads.push_back(start_thread("max", [&] { pair.wait_for(std::chrono::hours::max()); }));
  until_waiting(pair, 1);
  pair.wait_until(std::chrono::system_clock::time_point::max());
  threads.push_back(start_thread("huge", [&] { pair.wait_for(std::chrono::duration<double>{1e300}); }));
  until_waiting(pair, 1);
  pair.wait();
  for (Thread& each : threads)
    each.join();
}

TEST_CASE("the constructor's timeout is for waits that name none") {
  Barrier barrier{2, 1ms};
  CHECK_THROWS_WITH(barrier.wait(), Contains("a wait timed out in"));
  barrier.reset();
  std::string said;
  Thread other = start_waiter("patient", said, [&] { return barrier.wait_for(1h); });
  until_waiting(barrier, 1);
  CHECK(barrier.wait() == 1);
  other.join();
  CHECK(said == "0");
  const std::stop_source never;
  CHECK_THROWS_WITH(barrier.wait(never.get_token()), Contains("a wait timed out in"));
}

TEST_CASE("a stop breaks the barrier") {
  Barrier barrier{3};
  std::stop_source stop;
  std::string own;
  std::string others;
  Thread stopped = start_waiter("stopped", own, [&] { return barrier.wait(stop.get_token()); });
  until_waiting(barrier, 1);
  Thread other = start_waiter("other", others, [&] { return barrier.wait_for(1h); });
  until_waiting(barrier, 2);
  stop.request_stop();
  stopped.join();
  other.join();
  CHECK_THAT(own, Contains("a wait was cancelled in thread stopped ("));
  CHECK_THAT(others, Contains("a wait was cancelled in thread "));
  CHECK(barrier.is_broken());
  barrier.reset();
  CHECK_THROWS_AS(barrier.wait_for(stop.get_token(), 1h), BrokenBarrierError);
}

TEST_CASE("abort breaks the barrier until it is reset, and the first to break it is named") {
  Barrier barrier{2};
  std::string said;
  Thread waiter = start_waiter("waiter", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  run_in_thread("aborter", [&] { barrier.abort(); });
  waiter.join();
  CHECK_THAT(said, Contains("aborted by thread "));
  CHECK(barrier.is_broken());
  barrier.abort();
  CHECK_THROWS_WITH(barrier.wait(), Contains("aborted by thread that has ended"));
  CHECK_THROWS_AS(barrier.wait_for(0s), BrokenBarrierError);
  barrier.reset();
  CHECK_FALSE(barrier.is_broken());
  Thread other = start_waiter("other", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  CHECK(barrier.wait() == 1);
  other.join();
  CHECK(said == "0");
}

TEST_CASE("reset sends away who waits, and leaves a fresh barrier") {
  Barrier barrier{2};
  std::string said;
  Thread waiter = start_waiter("waiter", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  barrier.reset();
  CHECK_FALSE(barrier.is_broken());
  CHECK(barrier.n_waiting() == 0);
  waiter.join();
  CHECK_THAT(said, Contains("reset by thread MainThread (1)"));
  Thread other = start_waiter("other", said, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);
  CHECK(barrier.wait() == 1);
  other.join();
  CHECK(said == "0");
}

TEST_CASE("abort, reset and a deadline do not wait for the action") {
  enum class By { abort, reset, deadline };
  for (const By by : {By::abort, By::reset, By::deadline}) {
    Event acting;
    Event go_on;
    Barrier barrier{2, [&] {
                      acting.set();
                      go_on.wait();
                    }};
    std::string waited;
    std::string acted;
    Thread waiter =
        start_waiter("waiter", waited, [&] { return by == By::deadline ? barrier.wait_for(50ms) : barrier.wait(); });
    until([&] { return barrier.n_waiting() == 1 || barrier.is_broken(); }, "the waiter has come");
    Thread last = start_waiter("last", acted, [&] { return barrier.wait(); });
    // On a slow machine the deadline may have passed before: then there is no action.
    until([&] { return acting.is_set() || barrier.is_broken(); }, "the action runs");
    if (by == By::abort) barrier.abort();
    if (by == By::reset) barrier.reset();
    waiter.join();
    CHECK_THAT(waited, Contains("broken barrier"));
    CHECK(barrier.is_broken() == (by != By::reset));
    go_on.set();
    last.join();
    CHECK_THAT(acted, Contains("broken barrier"));
    CHECK(barrier.is_broken() == (by != By::reset));
  }
}

TEST_CASE("an action that throws after a reset leaves the fresh barrier whole") {
  Event acting;
  Event go_on;
  Barrier barrier{1, [&] {
                    if (acting.is_set()) return;
                    acting.set();
                    go_on.wait();
                    throw std::runtime_error{"too late"};
                  }};
  std::string acted;
  std::string waited;
  Thread last = start_waiter("last", acted, [&] { return barrier.wait(); });
  acting.wait();
  barrier.reset();
  Thread next = start_waiter("next", waited, [&] { return barrier.wait(); });
  until_waiting(barrier, 1);  // for the old action: no two run at the same time
  go_on.set();
  last.join();
  next.join();
  CHECK(acted == "too late");
  CHECK(waited == "0");
  CHECK_FALSE(barrier.is_broken());
}

TEST_CASE("who comes while the action runs belongs to the generations after it, in order") {
  Event acting;
  Event go_on;
  std::atomic<int> running{0};
  bool overlapped = false;
  std::vector<std::string> runners;
  Barrier barrier{2, [&] {
                    overlapped |= ++running != 1;
                    runners.push_back(current_thread().name());
                    acting.set();
                    go_on.wait();
                    --running;
                  }};
  std::vector<std::ptrdiff_t> indexes(6, -1);
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < 6; ++i) {
    threads.push_back(start_thread("party-" + std::to_string(i), [&, i] { indexes[i] = barrier.wait(); }));
    // The second is the first generation's last: it is in the action.
    until_waiting(barrier, static_cast<std::ptrdiff_t>(i == 0 ? 1 : i));
    if (i == 1) acting.wait();
  }
  go_on.set();
  for (Thread& each : threads)
    each.join();
  CHECK(indexes == std::vector<std::ptrdiff_t>{0, 1, 0, 1, 0, 1});
  CHECK_FALSE(overlapped);
  CHECK(runners == std::vector<std::string>{"party-1", "party-3", "party-5"});
}

TEST_CASE("destroying a barrier that is waited on is told and aborts") {
  const Death death = death_by([] {
    auto barrier = std::make_unique<Barrier>(2, Name{"doomed"});
    Thread waiter = start_thread("waiter", [&] { barrier->wait(); });
    until_waiting(*barrier, 1);
    barrier.reset();
  });
  CHECK(death.signal == SIGABRT);
  CHECK_THAT(death.err, Contains("destruction of a waited-on barrier \"doomed\""));
}

TEST_CASE("whoever was let go last may destroy the barrier, though the last party's wait has not returned") {
  for (int i = 0; i < 2000; ++i) {
    const bool acts = i % 2 == 0;
    auto barrier = acts ? std::make_unique<Barrier>(2, [] {}) : std::make_unique<Barrier>(2);
    Barrier* const address = barrier.get();
    Thread last = start_thread("last", [address] {
      until_waiting(*address, 1);
      address->wait();
    });
    barrier->wait();
    barrier.reset();
    last.join();
  }
}

TEST_CASE("many threads go round in step, in every mode") {
  constexpr int threads_count = 6;
  constexpr int rounds = 200;
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    std::vector<int> steps(threads_count, 0);
    int generations = 0;
    bool in_step = true;
    Barrier barrier{threads_count, [&] {
                      ++generations;
                      in_step &= std::ranges::all_of(steps, [&](int step) { return step == generations; });
                    }};
    std::atomic<std::ptrdiff_t> sum{0};
    std::vector<Thread> threads;
    for (std::size_t t = 0; t < threads_count; ++t) {
      threads.push_back(start_thread("party", [&, t] {
        for (int i = 0; i < rounds; ++i) {
          ++steps[t];
          sum += barrier.wait();
        }
      }));
    }
    for (Thread& each : threads)
      each.join();
    CHECK(in_step);
    CHECK(generations == rounds);
    CHECK(sum.load() == rounds * (0 + 1 + 2 + 3 + 4 + 5));
  }
}

TEST_CASE("resets, aborts, timeouts and stops that race with waits leave nobody behind") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    Barrier barrier{3, [&] {
                      if (++inside != 1) overlapped = true;
                      --inside;
                    }};
    std::vector<Thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.push_back(start_thread("party", [&, t] {
        for (int i = 0; i < 400; ++i) {
          try {
            if (t == 0) {
              barrier.wait_for(std::chrono::microseconds{i % 100});
            } else if (t == 1) {
              const std::stop_source stop;
              barrier.wait_for(stop.get_token(), 1ms);
            } else {
              barrier.wait();
            }
          } catch (const BrokenBarrierError&) {
            if (t % 2 == 0) barrier.reset();
          }
        }
      }));
    }
    for (int i = 0; i < 300; ++i) {
      if (i % 3 == 0) {
        barrier.abort();
      } else {
        barrier.reset();
      }
      os::Word nobody{0};
      (void)os::park(nobody, 0, os::deadline_after(100us));
    }
    // Who is left has too few beside it, and may have reset what was broken: until all have seen the end.
    for (Thread& each : threads) {
      while (!each.join_for(1ms))
        barrier.abort();
    }
    CHECK_FALSE(overlapped.load());
    barrier.reset();
    CHECK(barrier.n_waiting() == 0);
  }
}
