// SPDX-License-Identifier: MIT
//
// Which Records a Lock makes, on every path: alone, contended, given up, misused.
#include <spool/log/message.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/misuse.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

// As a template makes them: functions of their own at one line.
#define LOCKS_IN(function)                                  \
  void function(Lock& lock) {                               \
    lock.lock();                                            \
    info("in a function at a line that is another's, too"); \
    lock.unlock();                                          \
  }
#define LOCKS_IN_BOTH(one, other) LOCKS_IN(one) LOCKS_IN(other)
LOCKS_IN_BOTH(first, second)

}  // namespace

// The story: the sites of a template's instances were one, with the function of whichever came first.
TEST_CASE("functions that share a line are sites of their own, whoever comes first") {
  tap();
  Lock lock;
  const trace::ThreadNumber me = log::self().number;
  std::vector<void (*)(Lock&)> calls{second, first, second, first};
  for (const auto call : calls)
    call(lock);
  std::vector<std::string> functions;
  for (const TappedRecord& each : tap().records_of(number_of(lock)))
    functions.push_back(tap().site(each.site).function);
  CHECK(functions ==
        std::vector<std::string>{"second", "second", "first", "first", "second", "second", "first", "first"});
  const auto told = tap().messages_by(me);
  REQUIRE(told.size() >= 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(tap().site(told[told.size() - 4 + i].site).function == (i % 2 == 0 ? "second" : "first"));
}

TEST_CASE("a lock that is free is acquired and released, each with the caller's line") {
  tap();
  Lock lock{"accounts"};
  lock.lock();    // @lock
  lock.unlock();  // @unlock
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread lock.acquire @lock seq=1",
                                            "MainThread lock.release @unlock seq=2 owner=MainThread",
                                        });
  CHECK(tap().object_name(number_of(lock)) == "accounts");
}

TEST_CASE("every way to try a free lock records an acquire that names the caller as its waker") {
  tap();
  Lock lock;
  std::stop_source stop;
  CHECK(lock.try_lock());  // @try
  lock.unlock();
  CHECK(lock.try_lock_for(1h));  // @for
  lock.unlock();
  CHECK(lock.try_lock_until(std::chrono::system_clock::now() + 1h));  // @until
  lock.unlock();
  CHECK(lock.lock(stop.get_token()));  // @stoppable
  lock.unlock();
  CHECK(lock.try_lock_for(stop.get_token(), 1h));  // @both
  lock.unlock();
  std::vector<std::string> sites;
  for (const TappedRecord& each : tap().records_of(number_of(lock))) {
    if (each.verb != Verb::acquire) continue;
    sites.push_back(tap().site(each.site).label);
    CHECK(each.a == each.thread);
  }
  CHECK(sites == std::vector<std::string>{"@try", "@for", "@until", "@stoppable", "@both"});
  CHECK(tap().sequence(number_of(lock)).size() == 10);
}

TEST_CASE(
    "a destroyed lock leaves a destroy with its creation line, one that was never used leaves "
    "nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const Lock unused; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto lock = std::make_unique<Lock>(Name{}, Site::current());  // @create
  lock->lock();
  lock->unlock();
  const trace::ObjectNumber number = number_of(*lock);
  lock.reset();
  CHECK(tap().story(number).back() == "MainThread lock.destroy @create seq=3");
}

TEST_CASE("a contended lock records who held it and where, and who gave it") {
  tap();
  Lock lock;
  lock.lock();  // @hold
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();    // @wait
    lock.unlock();  // @done
  });
  tap().await(Kind::lock, Verb::block, number_of(lock));
  lock.unlock();  // @let_go
  waiter.join();
  // Whoever has slept takes the lock as one that others may sleep for: its release says waiters.
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread lock.acquire @hold seq=1",
                                            "waiter lock.block @wait seq=1 owner=MainThread owner_site=@hold",
                                            "MainThread lock.release @let_go seq=2 waiters=1 owner=MainThread",
                                            "waiter lock.acquire @wait seq=3 waker=MainThread",
                                            "waiter lock.release @done seq=4 waiters=1 owner=waiter",
                                        });
}

TEST_CASE("the waker is who released even if that is not the holder") {
  tap();
  Lock lock;
  lock.lock();  // @taken
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();    // @awaits
    lock.unlock();  // @gives
  });
  tap().await(Kind::lock, Verb::block, number_of(lock));
  run_in_thread("stranger", [&] { lock.unlock(); });  // @foreign
  waiter.join();
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread lock.acquire @taken seq=1",
                                            "waiter lock.block @awaits seq=1 owner=MainThread owner_site=@taken",
                                            "stranger lock.release @foreign seq=2 waiters=1 owner=MainThread",
                                            "waiter lock.acquire @awaits seq=3 waker=stranger",
                                            "waiter lock.release @gives seq=4 waiters=1 owner=waiter",
                                        });
}

TEST_CASE("a try that fails at once records busy, with the holder") {
  tap();
  Lock lock;
  lock.lock();  // @held_here
  run_in_thread("trier", [&] {
    CHECK_FALSE(lock.try_lock());         // @try_busy
    CHECK_FALSE(lock.try_lock_for(0s));   // @zero
    CHECK_FALSE(lock.try_lock_for(-1h));  // @negative
  });
  lock.unlock();
  const Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 5);
  CHECK(story[1] == "trier lock.busy @try_busy seq=1 owner=MainThread owner_site=@held_here");
  CHECK(story[2] == "trier lock.busy @zero seq=1 owner=MainThread owner_site=@held_here");
  CHECK(story[3] == "trier lock.busy @negative seq=1 owner=MainThread owner_site=@held_here");
}

TEST_CASE("a timed-out acquire records block and timeout, and leaves the lock free") {
  tap();
  Lock lock;
  lock.lock();  // @holder
  run_in_thread("timed", [&] {
    CHECK_FALSE(lock.try_lock_for(1ms));                                        // @span
    CHECK_FALSE(lock.try_lock_until(std::chrono::steady_clock::time_point{}));  // @past
  });
  lock.unlock();  // @end_of_hold
  CHECK_FALSE(lock.locked());
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread lock.acquire @holder seq=1",
                                            "timed lock.block_timed @span seq=1 owner=MainThread owner_site=@holder",
                                            "timed lock.timeout @span seq=1 owner=MainThread owner_site=@holder",
                                            "timed lock.block_timed @past seq=1 owner=MainThread owner_site=@holder",
                                            "timed lock.timeout @past seq=1 owner=MainThread owner_site=@holder",
                                            "MainThread lock.release @end_of_hold seq=2 waiters=1 owner=MainThread",
                                        });
}

TEST_CASE("a stopped acquire records block and cancel, also when the stop came before the call") {
  tap();
  Lock lock;
  lock.lock();  // @kept
  std::stop_source stop;
  Thread stopped = start_thread("stopped", [&] {
    CHECK_FALSE(lock.lock(stop.get_token()));              // @stoppable_wait
    CHECK_FALSE(lock.try_lock_for(stop.get_token(), 1h));  // @too_late
  });
  tap().await(Kind::lock, Verb::block, number_of(lock));
  stop.request_stop();
  stopped.join();
  const Story story = tap().story(number_of(lock));
  lock.unlock();
  CHECK(story == Story{
                     "MainThread lock.acquire @kept seq=1",
                     "stopped lock.block_stoppable @stoppable_wait seq=1 owner=MainThread owner_site=@kept",
                     "stopped lock.cancel @stoppable_wait seq=1 owner=MainThread owner_site=@kept",
                     "stopped lock.block_timed @too_late seq=1 owner=MainThread owner_site=@kept",
                     "stopped lock.cancel @too_late seq=1 owner=MainThread owner_site=@kept",
                 });
}

TEST_CASE("misuse records nothing, and a release by another thread names the owner") {
  tap();
  Lock lock;
  lock.lock();
  run_in_thread("helper", [&] { lock.unlock(); });  // @foreign_release
  const Story story = tap().story(number_of(lock));
  CHECK(story.back() == "helper lock.release @foreign_release seq=2 owner=MainThread");
  CHECK_THROWS_AS(lock.unlock(), MisuseError);
  CHECK(tap().story(number_of(lock)) == story);
}

TEST_CASE("a woken waiter that was overtaken blocks again, with the new owner") {
  tap();
  for (int round = 0;; ++round) {
    REQUIRE(round < 2000);
    Lock lock;
    lock.lock();
    Thread waiter = start_thread("overtaken", [&] {
      lock.lock();  // @twice
      lock.unlock();
    });
    tap().await(Kind::lock, Verb::block, number_of(lock));
    lock.unlock();
    // A woken thread takes longer to its lock than we do to ours, nearly always.
    const bool taken = lock.try_lock();  // @overtake
    // Taken after the waiter has come and gone: then there is a third acquire.
    const bool overtook =
        taken && std::ranges::count(tap().records_of(number_of(lock)), Verb::acquire, &TappedRecord::verb) == 2;
    if (overtook) tap().await(Kind::lock, Verb::block, number_of(lock), 2);
    if (taken) lock.unlock();
    waiter.join();
    if (!overtook) continue;
    // It may come between our taking the lock and our writing down where: then it quotes the release, and no line.
    const Story story = tap().story(number_of(lock));
    const auto after = "overtaken lock.block @twice seq=3 owner=MainThread owner_site=@overtake";
    const auto between = [](const std::string& line) {
      return line.starts_with("overtaken lock.block @twice seq=") && line.find(" owner=MainThread") != line.npos;
    };
    CHECK(std::ranges::count_if(story, between) >= 2);
    CHECK(std::ranges::count(story, after) <= 1);
    CHECK(std::ranges::count(story, "overtaken lock.acquire @twice seq=5 waker=MainThread") == 1);
    return;
  }
}

TEST_CASE("the sequence of a lock is gapless over many threads, and holds alternate") {
  tap();
  constexpr int threads = 4;
  constexpr int rounds = 2000;
  Lock lock;
  std::vector<Thread> running;
  for (int i = 0; i < threads; ++i) {
    running.push_back(start_thread("counter", [&] {
      for (int n = 0; n < rounds; ++n) {
        const std::lock_guard guard{lock};
      }
    }));
  }
  for (Thread& each : running)
    each.join();
  auto records = tap().records_of(number_of(lock));
  std::erase_if(records, [](const TappedRecord& each) { return !each.row->advances; });
  std::ranges::sort(records, {}, &TappedRecord::sequence);
  REQUIRE(records.size() == std::size_t{2} * threads * rounds);
  bool alternate = true;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Verb due = i % 2 == 0 ? Verb::acquire : Verb::release;
    alternate = alternate && records[i].sequence == i + 1 && records[i].verb == due;
    // A hold begins and ends in one thread, and in time.
    if (i % 2 == 1) {
      alternate = alternate && records[i].thread == records[i - 1].thread && records[i].time >= records[i - 1].time;
    }
  }
  CHECK(alternate);
}
