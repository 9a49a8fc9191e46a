// SPDX-License-Identifier: MIT
//
// Which Records an RLock makes beside those of a Lock: entered again, left, contended in between, misused.
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/rlock.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

TEST_CASE("an RLock records its first acquire and last release as a Lock does, and enter and leave in between") {
  tap();
  RLock lock{"tree"};
  lock.lock();    // @first
  lock.lock();    // @second
  lock.lock();    // @third
  lock.unlock();  // @to_two
  lock.unlock();  // @to_one
  lock.unlock();  // @to_none
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread rlock.acquire @first seq=1",
                                            "MainThread rlock.enter @second seq=2 depth=2",
                                            "MainThread rlock.enter @third seq=3 depth=3",
                                            "MainThread rlock.leave @to_two seq=4 depth=2",
                                            "MainThread rlock.leave @to_one seq=5 depth=1",
                                            "MainThread rlock.release @to_none seq=6 owner=MainThread",
                                        });
  CHECK(tap().object_name(number_of(lock)) == "tree");
}

TEST_CASE("every way to acquire an RLock enters it when it is held, also stopped or with no time left") {
  tap();
  RLock lock;
  std::stop_source stopped;
  stopped.request_stop();
  lock.lock();
  CHECK(lock.try_lock());                                                    // @try
  CHECK(lock.try_lock_for(1h));                                              // @for
  CHECK(lock.try_lock_for(-1h));                                             // @negative
  CHECK(lock.try_lock_until(std::chrono::system_clock::time_point::min()));  // @until
  CHECK(lock.lock(stopped.get_token()));                                     // @stopped
  CHECK(lock.try_lock_for(stopped.get_token(), 0s));                         // @both
  CHECK(lock.depth() == 7);
  std::vector<std::string> sites;
  for (const TappedRecord& each : tap().records_of(number_of(lock))) {
    if (each.verb == Verb::enter) sites.push_back(tap().site(each.site).label);
  }
  CHECK(sites == std::vector<std::string>{"@try", "@for", "@negative", "@until", "@stopped", "@both"});
  for (int i = 0; i < 7; ++i)
    lock.unlock();
  CHECK(tap().sequence(number_of(lock)).size() == 14);
}

TEST_CASE("who waits for a re-entered RLock is told its holder, and where the hold began") {
  tap();
  RLock lock;
  lock.lock();  // @hold
  lock.lock();  // @again
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();    // @wait
    lock.unlock();  // @done
  });
  tap().await(Kind::rlock, Verb::block, number_of(lock));
  lock.unlock();  // @left
  lock.unlock();  // @let_go
  waiter.join();
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread rlock.acquire @hold seq=1",
                                            "MainThread rlock.enter @again seq=2 depth=2",
                                            "waiter rlock.block @wait seq=2 owner=MainThread owner_site=@hold",
                                            "MainThread rlock.leave @left seq=3 depth=1",
                                            "MainThread rlock.release @let_go seq=4 waiters=1 owner=MainThread",
                                            "waiter rlock.acquire @wait seq=5 waker=MainThread",
                                            "waiter rlock.release @done seq=6 waiters=1 owner=waiter",
                                        });
}

TEST_CASE("a try, a timeout and a stop at another thread's RLock are recorded as a Lock's are") {
  tap();
  RLock lock;
  lock.lock();  // @kept
  std::stop_source stop;
  Thread other = start_thread("other", [&] {
    CHECK_FALSE(lock.try_lock());                          // @busy
    CHECK_FALSE(lock.try_lock_for(stop.get_token(), 0s));  // @busy_zero
    CHECK_FALSE(lock.try_lock_for(1ms));                   // @timed
    CHECK_FALSE(lock.lock(stop.get_token()));              // @stoppable
  });
  tap().await(Kind::rlock, Verb::block, number_of(lock), 2);
  stop.request_stop();
  other.join();
  const Story story = tap().story(number_of(lock));
  lock.unlock();
  CHECK(story == Story{
                     "MainThread rlock.acquire @kept seq=1",
                     "other rlock.busy @busy seq=1 owner=MainThread owner_site=@kept",
                     "other rlock.busy @busy_zero seq=1 owner=MainThread owner_site=@kept",
                     "other rlock.block_timed @timed seq=1 owner=MainThread owner_site=@kept",
                     "other rlock.timeout @timed seq=1 owner=MainThread owner_site=@kept",
                     "other rlock.block_stoppable @stoppable seq=1 owner=MainThread owner_site=@kept",
                     "other rlock.cancel @stoppable seq=1 owner=MainThread owner_site=@kept",
                 });
}

TEST_CASE("a release by another thread, and of a free RLock, records nothing and changes nothing") {
  tap();
  RLock lock;
  lock.lock();
  lock.lock();
  run_in_thread("helper", [&] { CHECK_THROWS_AS(lock.unlock(), MisuseError); });
  CHECK(lock.depth() == 2);
  lock.unlock();
  lock.unlock();
  const Story story = tap().story(number_of(lock));
  CHECK(story.size() == 4);
  CHECK_THROWS_AS(lock.unlock(), MisuseError);
  CHECK(tap().story(number_of(lock)) == story);
}

TEST_CASE("a destroyed RLock leaves a destroy with its creation line") {
  tap();
  auto lock = std::make_unique<RLock>(Name{}, Site::current());  // @create
  { const std::lock_guard guard{*lock}; }
  const trace::ObjectNumber number = number_of(*lock);
  lock.reset();
  CHECK(tap().story(number).back() == "MainThread rlock.destroy @create seq=3");
}

TEST_CASE("in mode contended an RLock records what was waited for, and no enter or leave") {
  tap();
  RLock lock;
  lock.lock();
  lock.unlock();
  const trace::ObjectNumber number = number_of(lock);
  {
    const ModeFor changed{Mode::contended};
    lock.lock();  // @quiet
    lock.lock();
    Thread waiter = start_thread("waiter", [&] {
      lock.lock();  // @loud
      lock.lock();
      lock.unlock();
      lock.unlock();  // @loud_end
    });
    tap().await(Kind::rlock, Verb::block, number);
    lock.unlock();
    lock.unlock();  // @quiet_end
    waiter.join();
  }
  Story story = tap().story(number);
  story.erase(story.begin(), story.begin() + 2);
  CHECK(story == Story{
                     "waiter rlock.block @loud seq=2 owner=MainThread owner_site=@quiet",
                     "MainThread rlock.release @quiet_end seq=3 waiters=1 owner=MainThread",
                     "waiter rlock.acquire @loud seq=4 waker=MainThread",
                     "waiter rlock.release @loud_end seq=5 waiters=1 owner=waiter",
                 });
}

TEST_CASE("how a hold of an RLock began decides what is recorded of it, whatever the mode is meanwhile") {
  tap();
  RLock lock;
  lock.lock();  // @recorded
  {
    const ModeFor changed{Mode::off};
    lock.lock();  // @recorded_too
  }
  lock.unlock();
  lock.unlock();
  CHECK(tap().sequence(number_of(lock)).size() == 4);
  {
    const ModeFor changed{Mode::off};
    lock.lock();
  }
  lock.lock();
  CHECK(lock.depth() == 2);
  lock.unlock();
  lock.unlock();
  CHECK(tap().sequence(number_of(lock)).size() == 4);
}

TEST_CASE("the sequence of an RLock is gapless over many threads, and depths rise and fall by one") {
  tap();
  constexpr int threads = 4;
  constexpr int rounds = 500;
  RLock lock;
  std::vector<Thread> running;
  for (int i = 0; i < threads; ++i) {
    running.push_back(start_thread("nester", [&] {
      for (int n = 0; n < rounds; ++n) {
        const std::lock_guard outer{lock};
        const std::lock_guard inner{lock};
      }
    }));
  }
  for (Thread& each : running)
    each.join();
  auto records = tap().records_of(number_of(lock));
  std::erase_if(records, [](const TappedRecord& each) { return !each.row->advances; });
  std::ranges::sort(records, {}, &TappedRecord::sequence);
  REQUIRE(records.size() == std::size_t{4} * threads * rounds);
  bool in_order = true;
  for (std::size_t i = 0; i < records.size(); ++i) {
    constexpr std::array due{Verb::acquire, Verb::enter, Verb::leave, Verb::release};
    in_order = in_order && records[i].sequence == i + 1 && records[i].verb == due[i % 4];
    if (i % 4 != 0) in_order = in_order && records[i].thread == records[i - 1].thread;
  }
  CHECK(in_order);
}
