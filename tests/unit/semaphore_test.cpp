// SPDX-License-Identifier: MIT
//
// What Semaphore, BoundedSemaphore and Permit promise, whatever is recorded.
#include <spool/sync/misuse.hpp>
#include <spool/sync/semaphore.hpp>

#include "records/modes.hpp"
#include "support/death.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

static_assert(Semaphore::max() >= 1'000'000'000);
static_assert(std::is_nothrow_move_constructible_v<Permit> && !std::is_copy_constructible_v<Permit>);

TEST_CASE("permits are taken and given") {
  Semaphore semaphore{2};
  semaphore.acquire();
  CHECK(semaphore.value() == 1);
  CHECK(semaphore.try_acquire());
  CHECK_FALSE(semaphore.try_acquire());
  CHECK(semaphore.value() == 0);
  semaphore.release(3);
  CHECK(semaphore.value() == 3);
  CHECK(Semaphore{}.value() == 1);
}

TEST_CASE("a semaphore is constant-initialized") {
  static constinit Semaphore plain{3, "static"};
  static constinit BoundedSemaphore bounded{3, "static"};
  CHECK(plain.try_acquire());
  CHECK(bounded.try_acquire());
}

TEST_CASE("permits that cannot be are refused, by name, and nothing changes") {
  for (const Mode mode : {Mode::off, Mode::all}) {
    tap();
    const ModeFor changed{mode};
    CHECK_THROWS_WITH((Semaphore{-1, "pool"}), Contains("negative initial value of a semaphore \"pool\""));
    CHECK_THROWS_AS(BoundedSemaphore{-1}, MisuseError);
    CHECK_THROWS_AS(Semaphore{Semaphore::max() + 1}, MisuseError);
    CHECK_THROWS_AS(Semaphore{std::numeric_limits<std::ptrdiff_t>::max()}, MisuseError);
    BoundedSemaphore bounded{2, "connections"};
    CHECK_THROWS_WITH(bounded.release(), Contains("over-release of a bounded_semaphore \"connections\"") &&
                                             Contains("semaphore_test.cpp") && Contains("by thread MainThread (1)") &&
                                             !Contains("held by"));
    bounded.acquire();
    CHECK_THROWS_AS(bounded.release(2), MisuseError);
    CHECK_THROWS_AS(bounded.release(0), MisuseError);
    CHECK_THROWS_AS(bounded.release(-1), MisuseError);
    CHECK_THROWS_AS(bounded.release(std::numeric_limits<std::ptrdiff_t>::max()), MisuseError);
    CHECK(bounded.value() == 1);
    bounded.release();
    CHECK(bounded.value() == 2);
    Semaphore full{Semaphore::max()};
    CHECK_THROWS_AS(full.release(), MisuseError);
    CHECK(full.value() == Semaphore::max());
  }
}

TEST_CASE("a release that is too much while others wait wakes nobody") {
  tap();
  BoundedSemaphore semaphore{1};
  semaphore.acquire();
  Thread waiter = start_thread("waiter", [&] { semaphore.acquire(); });
  tap().await(Kind::bounded_semaphore, Verb::block, number_of(semaphore));
  CHECK_THROWS_AS(semaphore.release(2), MisuseError);
  CHECK(waiter.is_alive());
  semaphore.release();
  waiter.join();
  CHECK(semaphore.value() == 0);
}

TEST_CASE("whoever waits first is served first, and nobody overtakes") {
  tap();
  Semaphore semaphore{0};
  (void)semaphore.try_acquire();
  std::vector<int> order;
  Semaphore mutex;
  std::vector<Thread> waiters;
  for (int i = 0; i < 5; ++i) {
    waiters.push_back(start_thread("waiter", [&, i] {
      semaphore.acquire();
      const Permit inside{mutex};
      order.push_back(i);
    }));
    tap().await(Kind::semaphore, Verb::block, number_of(semaphore), static_cast<std::size_t>(i) + 1);
  }
  for (int i = 0; i < 5; ++i) {
    semaphore.release();
    CHECK_FALSE(semaphore.try_acquire());
    waiters[static_cast<std::size_t>(i)].join();
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("spans at the ends of what a duration can say, for a semaphore") {
  Semaphore semaphore{0};
  CHECK_FALSE(semaphore.try_acquire_for(std::chrono::nanoseconds::min()));
  CHECK_FALSE(semaphore.try_acquire_for(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}));
  CHECK_FALSE(semaphore.try_acquire_until(std::chrono::steady_clock::time_point::min()));
  CHECK_FALSE(semaphore.try_acquire_for(1us));
  semaphore.release(3);
  CHECK(semaphore.try_acquire_for(std::chrono::hours::max()));
  CHECK(semaphore.try_acquire_until(std::chrono::system_clock::time_point::max()));
  CHECK(semaphore.try_acquire_for(std::chrono::duration<double>{1e300}));
  CHECK(semaphore.value() == 0);
}

TEST_CASE("a huge span waits until it is released") {
  tap();
  Semaphore semaphore{0};
  (void)semaphore.try_acquire();
  Thread waiter = start_thread("waiter", [&] { CHECK(semaphore.try_acquire_for(std::chrono::hours::max())); });
  tap().await(Kind::semaphore, Verb::block, number_of(semaphore));
  semaphore.release();
  waiter.join();
}

TEST_CASE("a permit is given back at the end of its scope, once, by whoever has it then") {
  BoundedSemaphore semaphore{2};
  {
    const Permit permit{semaphore};
    CHECK(semaphore.value() == 1);
  }
  CHECK(semaphore.value() == 2);
  REQUIRE(semaphore.try_acquire());
  Permit adopted{semaphore, std::adopt_lock};
  Permit moved{std::move(adopted)};
  Permit other{semaphore};
  CHECK(semaphore.value() == 0);
  other = std::move(moved);
  CHECK(semaphore.value() == 1);
  other.release();
  other.release();
  CHECK(semaphore.value() == 2);
}

TEST_CASE("destroying a semaphore that is waited on is told and aborts") {
  const Death death = death_by([] {
    auto semaphore = std::make_unique<Semaphore>(0, Name{"doomed"});
    Thread waiter = start_thread("waiter", [&] { semaphore->acquire(); });
    until_asleep(waiter);
    semaphore.reset();
  });
  CHECK(death.signal == SIGABRT);
  CHECK_THAT(death.err, Contains("destruction of a waited-on semaphore \"doomed\""));
}

TEST_CASE("whoever has acquired may destroy the semaphore, though the release has not returned") {
  for (int i = 0; i < 2000; ++i) {
    auto semaphore = std::make_unique<Semaphore>(0);
    Semaphore* const address = semaphore.get();
    Thread giver = start_thread("giver", [address] { address->release(); });
    semaphore->acquire();
    semaphore.reset();
    giver.join();
  }
}

TEST_CASE("timeouts and stops that race with releases lose no permit, in every mode") {
  constexpr int rounds = 300;
  constexpr int permits = 2;
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    BoundedSemaphore semaphore{permits};
    std::atomic<int> inside{0};
    std::atomic<int> most_inside{0};
    std::vector<Thread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.push_back(start_thread("taker", [&, t] {
        for (int i = 0; i < rounds; ++i) {
          bool taken = true;
          if (t < 2) {
            semaphore.acquire();
          } else if (t < 4) {
            taken = semaphore.try_acquire_for(std::chrono::microseconds{i % 40});
          } else {
            std::stop_source stop;
            Thread stopper;
            if (i % 8 == 0) stopper = start_thread("stopper", [&] { stop.request_stop(); });
            taken = semaphore.try_acquire_for(stop.get_token(), 200us);
            if (i % 8 == 0) stopper.join();
          }
          if (!taken) continue;
          const int now = ++inside;
          for (int most = most_inside.load(); most < now && !most_inside.compare_exchange_weak(most, now);) {}
          --inside;
          semaphore.release();
        }
      }));
    }
    for (Thread& each : threads)
      each.join();
    CHECK(most_inside.load() <= permits);
    CHECK(semaphore.value() == permits);
  }
}

TEST_CASE("a mode that changes while permits go round leaves their sequence whole") {
  tap();
  Semaphore semaphore{1};
  std::atomic<int> at_work{4};
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(start_thread("taker", [&] {
      for (int i = 0; i < 2000; ++i) {
        if (semaphore.try_acquire_for(50us)) semaphore.release();
      }
      --at_work;
    }));
  }
  for (int i = 0; at_work.load() != 0; ++i) {
    log::set_mode(static_cast<Mode>(i % 3));
    std::this_thread::yield();
  }
  log::set_mode(Mode::all);
  for (Thread& each : threads)
    each.join();
  CHECK(semaphore.value() == 1);
}
