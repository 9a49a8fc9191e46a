// SPDX-License-Identifier: MIT
//
// What an Event promises, whatever is recorded.
#include <spool/sync/event.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("an event is clear at first, and stays set until it is cleared") {
  Event event;
  CHECK_FALSE(event.is_set());
  event.set();
  event.set();
  CHECK(event.is_set());
  event.wait();
  CHECK(event.wait_for(0s));
  event.clear();
  CHECK_FALSE(event.is_set());
  CHECK_FALSE(event.wait_for(0s));
}

TEST_CASE("an event is constant-initialized") {
  static constinit Event event{"static"};
  event.set();
  CHECK(event.is_set());
}

TEST_CASE("a set that is cleared at once still lets all go who waited") {
  tap();
  Event event;
  event.clear();
  std::vector<Thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.push_back(start_thread("waiter", [&] { event.wait(); }));
  tap().await(Kind::event, Verb::block, number_of(event), 4);
  event.set();
  event.clear();
  for (Thread& each : threads)
    each.join();
  CHECK_FALSE(event.is_set());
}

TEST_CASE("spans at the ends of what a duration can say") {
  Event event;
  CHECK_FALSE(event.wait_for(std::chrono::nanoseconds::min()));
  CHECK_FALSE(event.wait_for(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}));
  CHECK_FALSE(event.wait_until(std::chrono::steady_clock::time_point::min()));
  event.set();
  CHECK(event.wait_for(std::chrono::hours::max()));
  CHECK(event.wait_until(std::chrono::system_clock::time_point::max()));
  CHECK(event.wait_for(std::chrono::duration<double>{1e300}));
}

TEST_CASE("whoever's wait has returned may destroy the event, though the set has not returned") {
  for (int i = 0; i < 2000; ++i) {
    auto event = std::make_unique<Event>();
    Event* const address = event.get();
    Thread setter = start_thread("setter", [address] { address->set(); });
    event->wait();
    event.reset();
    setter.join();
  }
}

TEST_CASE("timeouts and stops that race with sets lose no wake-up") {
  constexpr int rounds = 300;
  Event ping;
  Event pong;
  std::atomic<bool> over{false};
  std::vector<Thread> threads;
  threads.push_back(start_thread("player", [&] {
    for (int i = 0; i < rounds; ++i) {
      while (!ping.wait_for(50us)) {}
      ping.clear();
      pong.set();
    }
  }));
  threads.push_back(start_thread("bystander", [&] {
    while (!over.load())
      (void)ping.wait_for(20us);
  }));
  threads.push_back(start_thread("stopped", [&] {
    while (!over.load()) {
      std::stop_source stop;
      Thread stopper = start_thread("stopper", [&] { stop.request_stop(); });
      (void)pong.wait(stop.get_token());
      stopper.join();
    }
  }));
  for (int i = 0; i < rounds; ++i) {
    ping.set();
    pong.wait();
    pong.clear();
  }
  over.store(true);
  for (Thread& each : threads)
    each.join();
}
