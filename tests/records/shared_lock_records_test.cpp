// SPDX-License-Identifier: MIT
//
// Which Records a SharedLock makes, on every path: free and awaited, shared and exclusive, given up, mode by mode; and
// that std::shared_lock leaves the user's line.
#include <spool/sync/event.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/shared_guard.hpp>
#include <spool/sync/shared_lock.hpp>

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

TEST_CASE("a free shared lock is taken and released, either way") {
  tap();
  SharedLock lock{"cache"};
  lock.lock();                    // @lock
  lock.unlock();                  // @unlock
  lock.lock_shared();             // @share
  CHECK(lock.try_lock_shared());  // @again
  lock.unlock_shared();           // @unshare
  lock.unlock_shared();           // @last
  CHECK(lock.try_lock_for(1s));   // @timed
  lock.unlock();                  // @done
  CHECK(tap().story(number_of(lock)) ==
        Story{
            "MainThread shared_lock.acquire @lock seq=1",
            "MainThread shared_lock.release @unlock seq=2 owner=MainThread",
            "MainThread shared_lock.acquire_shared @share seq=3 readers=1",
            "MainThread shared_lock.acquire_shared @again seq=4 waker=MainThread readers=2",
            "MainThread shared_lock.release_shared @unshare seq=5 readers=1",
            "MainThread shared_lock.release_shared @last seq=6",
            "MainThread shared_lock.acquire @timed seq=7 waker=MainThread",
            "MainThread shared_lock.release @done seq=8 owner=MainThread",
        });
  CHECK(tap().object_name(number_of(lock)) == "cache");
}

TEST_CASE("who waits for a writer names it and its line; who let one in is named") {
  tap();
  SharedLock lock;
  lock.lock();  // @hold
  Thread first = start_thread("first", [&] {
    lock.lock_shared();    // @first
    lock.unlock_shared();  // @first_out
  });
  tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock));
  Thread second = start_thread("second", [&] {
    lock.lock();    // @second
    lock.unlock();  // @second_out
  });
  tap().await(Kind::shared_lock, Verb::block, number_of(lock));
  lock.unlock();  // @release
  first.join();
  second.join();
  CHECK(tap().story(number_of(lock)) ==
        Story{
            "MainThread shared_lock.acquire @hold seq=1",
            "first shared_lock.block_shared @first seq=1 owner=MainThread owner_site=@hold",
            "second shared_lock.block @second seq=1 owner=MainThread owner_site=@hold",
            "MainThread shared_lock.release @release seq=2 waiters=2 owner=MainThread",
            "first shared_lock.acquire_shared @first seq=3 waker=MainThread readers=1",
            "first shared_lock.release_shared @first_out seq=4 waiters=1",
            "second shared_lock.acquire @second seq=5 waker=first",
            "second shared_lock.release @second_out seq=6 owner=second",
        });
}

TEST_CASE("the last of several readers lets the writer in, and one release lets in readers together") {
  tap();
  SharedLock lock;
  lock.lock_shared();  // @share
  lock.lock_shared();  // @share_too
  Thread writer = start_thread("writer", [&] {
    lock.lock();  // @write
    tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock), 2);
    lock.unlock();  // @written
  });
  tap().await(Kind::shared_lock, Verb::block, number_of(lock));
  lock.unlock_shared();  // @one
  lock.unlock_shared();  // @two
  tap().await(Kind::shared_lock, Verb::acquire, number_of(lock));
  std::atomic<int> inside{0};
  const auto read = [&] {
    lock.lock_shared();  // @read
    ++inside;
    until([&] { return inside.load() == 2; }, "both read");
    lock.unlock_shared();  // @readers_out
  };
  Thread first = start_thread("first", read);
  tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock));
  Thread second = start_thread("second", read);
  writer.join();
  first.join();
  second.join();
  Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 13);
  std::sort(story.begin() + 9, story.begin() + 11);  // who wakes first is the kernel's choice
  story.resize(11);
  CHECK(story == Story{
                     "MainThread shared_lock.acquire_shared @share seq=1 readers=1",
                     "MainThread shared_lock.acquire_shared @share_too seq=2 readers=2",
                     "writer shared_lock.block @write seq=2",
                     "MainThread shared_lock.release_shared @one seq=3 waiters=1 readers=1",
                     "MainThread shared_lock.release_shared @two seq=4 waiters=1",
                     "writer shared_lock.acquire @write seq=5 waker=MainThread",
                     "first shared_lock.block_shared @read seq=5 owner=writer owner_site=@write",
                     "second shared_lock.block_shared @read seq=5 owner=writer owner_site=@write",
                     "writer shared_lock.release @written seq=6 waiters=2 owner=writer",
                     "first shared_lock.acquire_shared @read seq=7 waker=writer readers=1",
                     "second shared_lock.acquire_shared @read seq=8 waker=writer readers=2",
                 });
}

TEST_CASE("an acquire of a shared lock that is given up: busy, timeout, cancel") {
  tap();
  SharedLock lock;
  std::stop_source stop;
  stop.request_stop();
  lock.lock();  // @hold
  Thread other = start_thread("other", [&] {
    CHECK_FALSE(lock.try_lock());                                 // @busy
    CHECK_FALSE(lock.try_lock_shared());                          // @busy_shared
    CHECK_FALSE(lock.try_lock_for(-1h));                          // @negative
    CHECK_FALSE(lock.try_lock_shared_for(0s));                    // @zero
    CHECK_FALSE(lock.try_lock_for(1ms));                          // @span
    CHECK_FALSE(lock.try_lock_shared_for(1ms));                   // @span_shared
    CHECK_FALSE(lock.lock(stop.get_token()));                     // @stop
    CHECK_FALSE(lock.try_lock_shared_for(stop.get_token(), 1h));  // @stop_shared
  });
  other.join();
  lock.unlock();
  Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 14);
  const std::string held = " seq=1 owner=MainThread owner_site=@hold";
  CHECK(Story{story.begin() + 1, story.end() - 1} == Story{
                                                         "other shared_lock.busy @busy" + held,
                                                         "other shared_lock.busy_shared @busy_shared" + held,
                                                         "other shared_lock.busy @negative" + held,
                                                         "other shared_lock.busy_shared @zero" + held,
                                                         "other shared_lock.block_timed @span" + held,
                                                         "other shared_lock.timeout @span" + held,
                                                         "other shared_lock.block_shared_timed @span_shared" + held,
                                                         "other shared_lock.timeout @span_shared" + held,
                                                         "other shared_lock.block_stoppable @stop" + held,
                                                         "other shared_lock.cancel @stop" + held,
                                                         "other shared_lock.block_shared_timed @stop_shared" + held,
                                                         "other shared_lock.cancel @stop_shared" + held,
                                                     });
}

TEST_CASE("a writer that gives up is the waker of the readers behind it") {
  tap();
  SharedLock lock;
  std::stop_source stop;
  lock.lock_shared();                                                                         // @share
  Thread writer = start_thread("writer", [&] { CHECK_FALSE(lock.lock(stop.get_token())); });  // @write
  tap().await(Kind::shared_lock, Verb::block, number_of(lock));
  Event told;
  Thread reader = start_thread("reader", [&] {
    lock.lock_shared();  // @read
    told.wait();
    lock.unlock_shared();
  });
  tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock));
  stop.request_stop();
  writer.join();
  tap().await(Kind::shared_lock, Verb::acquire_shared, number_of(lock), 2);
  Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 5);
  std::sort(story.begin() + 3, story.end());  // its cancel and the reader's acquire are in no order
  CHECK(story == Story{
                     "MainThread shared_lock.acquire_shared @share seq=1 readers=1",
                     "writer shared_lock.block_stoppable @write seq=1",
                     "reader shared_lock.block_shared @read seq=1",
                     "reader shared_lock.acquire_shared @read seq=2 waker=writer readers=2",
                     "writer shared_lock.cancel @write seq=1",
                 });
  told.set();
  reader.join();
  lock.unlock_shared();
}

TEST_CASE("a misused shared lock leaves no Record") {
  tap();
  SharedLock lock;
  lock.lock();  // @lock
  CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
  run_in_thread("thief", [&] { CHECK_THROWS_AS(lock.unlock(), MisuseError); });
  lock.unlock();  // @unlock
  CHECK_THROWS_AS(lock.unlock(), MisuseError);
  CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread shared_lock.acquire @lock seq=1",
                                            "MainThread shared_lock.release @unlock seq=2 owner=MainThread",
                                        });
}

TEST_CASE("the standard's guards record their own lines on a shared lock") {
  tap();
  SharedLock lock;
  { const std::shared_lock guard{lock}; }  // @shared_lock
  {
    std::shared_lock guard{lock, std::defer_lock};
    CHECK(guard.try_lock());  // @try
    guard.unlock();           // @early
    guard.lock();             // @later
  }
  { const std::lock_guard guard{lock}; }                     // @lock_guard
  { const std::scoped_lock guard{lock}; }                    // @scoped_lock
  { const std::unique_lock guard{lock, 1s}; }                // @unique_lock
  { const std::shared_lock guard{lock, std::try_to_lock}; }  // @try_to_lock
  { const std::shared_lock guard{lock, 1s}; }                // @timed
  CHECK(tap().story(number_of(lock)) ==
        Story{
            "MainThread shared_lock.acquire_shared @shared_lock seq=1 readers=1",
            "MainThread shared_lock.release_shared @shared_lock seq=2",
            "MainThread shared_lock.acquire_shared @try seq=3 waker=MainThread readers=1",
            "MainThread shared_lock.release_shared @early seq=4",
            "MainThread shared_lock.acquire_shared @later seq=5 readers=1",
            "MainThread shared_lock.release_shared @later seq=6",
            "MainThread shared_lock.acquire @lock_guard seq=7",
            "MainThread shared_lock.release @lock_guard seq=8 owner=MainThread",
            "MainThread shared_lock.acquire @scoped_lock seq=9",
            "MainThread shared_lock.release @scoped_lock seq=10 owner=MainThread",
            "MainThread shared_lock.acquire @unique_lock seq=11 waker=MainThread",
            "MainThread shared_lock.release @unique_lock seq=12 owner=MainThread",
            "MainThread shared_lock.acquire_shared @try_to_lock seq=13 waker=MainThread readers=1",
            "MainThread shared_lock.release_shared @try_to_lock seq=14",
            "MainThread shared_lock.acquire_shared @timed seq=15 waker=MainThread readers=1",
            "MainThread shared_lock.release_shared @timed seq=16",
        });
}

TEST_CASE("a destroyed shared lock leaves a destroy, one that was never used leaves nothing") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  { const SharedLock unused; }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
  auto lock = std::make_unique<SharedLock>(Name{}, Site::current());  // @create
  lock->lock_shared();
  lock->unlock_shared();
  const trace::ObjectNumber number = number_of(*lock);
  lock.reset();
  CHECK(tap().story(number).back() == "MainThread shared_lock.destroy @create seq=3");
}

TEST_CASE("in mode contended only waits and the releases that somebody waited for are recorded, of a shared lock") {
  tap();
  SharedLock lock;
  const ModeFor contended{Mode::contended};
  lock.lock();
  lock.unlock();
  lock.lock_shared();
  lock.unlock_shared();
  CHECK(number_of(lock) == 0);  // no Record needs it
  lock.lock();                  // @hold
  Thread reader = start_thread("reader", [&] {
    lock.lock_shared();  // @read
    lock.unlock_shared();
  });
  tap().await_by(reader.ident(), Kind::shared_lock, Verb::block_shared);
  lock.unlock();  // @release
  reader.join();
  lock.lock_shared();
  Thread writer = start_thread("writer", [&] {
    lock.lock();  // @write
    lock.unlock();
  });
  tap().await_by(writer.ident(), Kind::shared_lock, Verb::block);
  lock.unlock_shared();  // @unshare
  writer.join();
  CHECK(tap().story(number_of(lock)) == Story{
                                            "reader shared_lock.block_shared @read owner=MainThread owner_site=@hold",
                                            "MainThread shared_lock.release @release seq=1 waiters=1 owner=MainThread",
                                            "reader shared_lock.acquire_shared @read seq=2 waker=MainThread readers=1",
                                            "writer shared_lock.block @write seq=2",
                                            "MainThread shared_lock.release_shared @unshare seq=3 waiters=1",
                                            "writer shared_lock.acquire @write seq=4 waker=MainThread",
                                        });
}

TEST_CASE("in mode off a shared lock makes no Record") {
  tap();
  SharedLock lock;
  const ModeFor off{Mode::off};
  lock.lock();
  Thread reader = start_thread("reader", [&] { const std::shared_lock reading{lock}; });
  lock.unlock();
  reader.join();
  CHECK_FALSE(lock.locked());
  CHECK(number_of(lock) == 0);
}

TEST_CASE("a release matches its acquire, though the mode changes in between") {
  tap();
  SharedLock lock;
  lock.lock_shared();  // @recorded
  log::set_mode(Mode::off);
  lock.lock_shared();
  run_in_thread("reader", [&] {
    lock.lock_shared();
    log::set_mode(Mode::all);
    lock.unlock_shared();
  });
  lock.unlock_shared();  // @one
  lock.unlock_shared();
  lock.lock();  // @lock
  log::set_mode(Mode::off);
  lock.unlock();  // @unlock
  lock.lock();
  log::set_mode(Mode::all);
  lock.unlock();
  CHECK(tap().story(number_of(lock)) == Story{
                                            "MainThread shared_lock.acquire_shared @recorded seq=1 readers=1",
                                            "MainThread shared_lock.release_shared @one seq=2 readers=1",
                                            "MainThread shared_lock.acquire @lock seq=3",
                                            "MainThread shared_lock.release @unlock seq=4 owner=MainThread",
                                        });
}
