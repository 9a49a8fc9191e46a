// SPDX-License-Identifier: MIT
//
// What a SharedLock promises beside its Records: readers together, writers alone, nobody overtakes, the standard's
// requirements, misuse.
#include <spool/log/status.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/shared_guard.hpp>
#include <spool/sync/shared_lock.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

template <class L>
concept Lockable = requires(L& lock) {
  lock.lock();
  lock.unlock();
  { lock.try_lock() } -> std::same_as<bool>;
};
template <class L>
concept TimedLockable = Lockable<L> && requires(L& lock) {
  { lock.try_lock_for(1ms) } -> std::same_as<bool>;
  { lock.try_lock_until(std::chrono::system_clock::now()) } -> std::same_as<bool>;
};
template <class L>
concept SharedLockable = requires(L& lock) {
  lock.lock_shared();
  lock.unlock_shared();
  { lock.try_lock_shared() } -> std::same_as<bool>;
};
template <class L>
concept SharedTimedLockable = SharedLockable<L> && requires(L& lock) {
  { lock.try_lock_shared_for(1ms) } -> std::same_as<bool>;
  { lock.try_lock_shared_until(std::chrono::system_clock::now()) } -> std::same_as<bool>;
};
static_assert(TimedLockable<SharedLock> && SharedTimedLockable<SharedLock>);
static_assert(SitedLock<SharedLock> && SitedSharedLock<SharedLock>);
static_assert(TimedLockable<std::unique_lock<SharedLock>> && TimedLockable<std::shared_lock<SharedLock>>);
static_assert(!std::is_copy_constructible_v<SharedLock> && !std::is_move_constructible_v<SharedLock>);
static_assert(std::is_nothrow_move_constructible_v<std::shared_lock<SharedLock>>);
static_assert(!std::is_copy_constructible_v<std::shared_lock<SharedLock>>);

log::StatusSnapshot own_status() {
  log::StatusSnapshot status{};
  REQUIRE(log::snapshot(log::self(), status));
  return status;
}

}  // namespace

TEST_CASE("readers are inside together, a writer is alone") {
  SharedLock lock;
  lock.lock_shared();
  CHECK(lock.readers() == 1);
  run_in_thread("other", [&] {
    CHECK(lock.try_lock_shared());
    CHECK(lock.readers() == 2);
    CHECK_FALSE(lock.try_lock());
    lock.unlock_shared();
  });
  lock.unlock_shared();
  CHECK_FALSE(lock.locked());
  lock.lock();
  CHECK(lock.is_owned());
  CHECK(lock.locked());
  CHECK(lock.readers() == 0);
  run_in_thread("other", [&] {
    CHECK_FALSE(lock.is_owned());
    CHECK_FALSE(lock.try_lock_shared());
    CHECK_FALSE(lock.try_lock());
  });
  lock.unlock();
  CHECK_FALSE(lock.locked());
}

TEST_CASE("a shared lock is constant-initialized") {
  static constinit SharedLock lock{"static"};
  CHECK(lock.try_lock());
  lock.unlock();
}

TEST_CASE("writers exclude readers and each other, with more threads than processors, in every mode") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    SharedLock lock;
    long first = 0;
    long second = 0;
    std::atomic<long> torn{0};
    std::vector<Thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.push_back(start_thread("user", [&, t] {
        for (int i = 0; i < 800; ++i) {
          if ((t + i) % 4 == 0) {
            const std::lock_guard writing{lock};
            ++first;
            ++second;
          } else {
            const std::shared_lock reading{lock};
            if (first != second) ++torn;
          }
        }
      }));
    }
    for (Thread& each : threads)
      each.join();
    CHECK(torn.load() == 0);
    CHECK(first == 8 * 200);
    CHECK_FALSE(lock.locked());
  }
}

TEST_CASE("timeouts and stops that race with releases lose no wake-up, in every mode") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    SharedLock lock;
    long sum = 0;
    std::atomic<long> written{0};
    std::vector<Thread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.push_back(start_thread("user", [&, t] {
        for (int i = 0; i < 300; ++i) {
          std::stop_source stop;
          Thread stopper;
          if (t == 5 && i % 8 == 0) stopper = start_thread("stopper", [&] { stop.request_stop(); });
          const auto span = std::chrono::microseconds{i % 50};
          if ((t + i) % 3 == 0) {
            const bool mine = t < 2   ? (lock.lock(), true)
                              : t < 4 ? lock.try_lock_for(span)
                                      : lock.try_lock_for(stop.get_token(), 300us);
            if (mine) {
              ++sum;
              ++written;
              lock.unlock();
            }
          } else {
            const bool mine = t < 2   ? (lock.lock_shared(), true)
                              : t < 4 ? lock.try_lock_shared_for(span)
                                      : lock.try_lock_shared_for(stop.get_token(), 300us);
            if (mine) lock.unlock_shared();
          }
          if (t == 5 && i % 8 == 0) stopper.join();
        }
      }));
    }
    for (Thread& each : threads)
      each.join();
    CHECK(sum == written.load());
    CHECK_FALSE(lock.locked());
    CHECK(lock.try_lock());
    lock.unlock();
  }
}

TEST_CASE("a mode that changes while holds go round leaves every Record legal") {
  tap();
  SharedLock lock;
  std::atomic<int> at_work{4};
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(start_thread("user", [&, t] {
      for (int i = t; i < 2000 + t; ++i) {
        if (i % 3 == 0) {
          if (lock.try_lock_for(50us)) lock.unlock();
        } else {
          const std::shared_lock reading{lock};
        }
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
  CHECK_FALSE(lock.locked());
  CHECK(own_status().entry.depth == 0);
}

TEST_CASE("a reader that comes while a writer waits waits behind it; a writer's release lets in readers together") {
  tap();
  SharedLock lock;
  std::vector<std::string> order;
  std::mutex order_mutex;
  const auto note = [&](const char* what) {
    const std::lock_guard guard{order_mutex};
    order.emplace_back(what);
  };
  lock.lock_shared();
  Thread writer = start_thread("writer", [&] {
    const std::lock_guard writing{lock};
    note("writer");
  });
  tap().await(Kind::shared_lock, Verb::block, number_of(lock));
  run_in_thread("hasty", [&] { CHECK_FALSE(lock.try_lock_shared()); });
  std::atomic<int> together{0};
  std::vector<Thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(start_thread("reader", [&] {
      const std::shared_lock reading{lock};
      note("reader");
      ++together;
      until([&] { return together.load() == 3; }, "all readers are inside together");
    }));
  }
  tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock), 3);
  Thread last = start_thread("last", [&] {
    const std::lock_guard writing{lock};
    note("last");
  });
  tap().await(Kind::shared_lock, Verb::block, number_of(lock), 2);
  lock.unlock_shared();
  writer.join();
  for (Thread& each : readers)
    each.join();
  last.join();
  CHECK(order == std::vector<std::string>{"writer", "reader", "reader", "reader", "last"});
}

TEST_CASE("a writer that gives up lets in the readers behind it") {
  tap();
  SharedLock lock;
  std::stop_source stop;
  lock.lock_shared();
  Thread writer = start_thread("writer", [&] { CHECK_FALSE(lock.lock(stop.get_token())); });
  tap().await(Kind::shared_lock, Verb::block, number_of(lock));
  Thread reader = start_thread("reader", [&] { const std::shared_lock reading{lock}; });
  tap().await(Kind::shared_lock, Verb::block_shared, number_of(lock));
  stop.request_stop();
  writer.join();
  reader.join();
  CHECK(lock.readers() == 1);
  lock.unlock_shared();
}

TEST_CASE("spans at the ends of what a duration can say, for a shared lock") {
  SharedLock lock;
  lock.lock();
  run_in_thread("other", [&] {
    CHECK_FALSE(lock.try_lock_for(std::chrono::nanoseconds::min()));
    CHECK_FALSE(lock.try_lock_shared_for(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}));
    CHECK_FALSE(lock.try_lock_until(std::chrono::steady_clock::time_point::min()));
    CHECK_FALSE(lock.try_lock_shared_until(std::chrono::system_clock::now() - 1h));
  });
  lock.unlock();
  CHECK(lock.try_lock_for(std::chrono::hours::max()));
  lock.unlock();
  CHECK(lock.try_lock_shared_until(std::chrono::system_clock::time_point::max()));
  CHECK(lock.try_lock_shared_for(std::chrono::duration<double>{1e300}));
  CHECK(lock.readers() == 2);
  lock.unlock_shared();
  lock.unlock_shared();
}

TEST_CASE("a thread's status names its shared and its exclusive holds") {
  tap();
  SharedLock lock;
  SharedLock other;
  lock.lock_shared();
  other.lock();
  CHECK(log::self().holds == 2);
  const log::StatusSnapshot status = own_status();
  CHECK(status.entry.depth == 2);
  CHECK(status.entry.holds[0].object == number_of(lock));
  CHECK(status.entry.holds[0].mode == 1);
  CHECK(status.entry.holds[1].object == number_of(other));
  CHECK(status.entry.holds[1].mode == 0);
  lock.unlock_shared();
  CHECK(own_status().entry.depth == 1);
  other.unlock();
  CHECK(own_status().entry.depth == 0);
  CHECK(log::self().holds == 0);
}

TEST_CASE("more shared holds than a status has room for are all released") {
  tap();
  constexpr std::size_t count = trace::status_holds + 5;
  std::vector<std::unique_ptr<SharedLock>> locks;
  for (std::size_t i = 0; i < count; ++i) {
    locks.push_back(std::make_unique<SharedLock>());
    locks.back()->lock_shared();
  }
  for (auto& each : locks)
    each->unlock_shared();
  CHECK(own_status().entry.depth == 0);
  CHECK(log::self().holds == 0);
  for (auto& each : locks)
    CHECK(tap().sequence(number_of(*each)).size() == 2);
}

TEST_CASE("std::shared_lock moves, swaps, releases and refuses as the standard says") {
  SharedLock lock;
  std::shared_lock<SharedLock> empty;
  CHECK_THROWS_AS(empty.lock(), std::system_error);
  std::shared_lock guard{lock};
  CHECK(guard.owns_lock());
  CHECK_THROWS_AS(guard.lock(), std::system_error);
  std::shared_lock moved{std::move(guard)};
  CHECK(moved.mutex() == &lock);
  CHECK_FALSE(guard);
  std::swap(guard, moved);
  CHECK(guard);
  guard.unlock();
  CHECK_THROWS_AS(guard.unlock(), std::system_error);
  CHECK(guard.try_lock());
  guard.unlock();
  CHECK(guard.try_lock_for(1s));
  guard.unlock();
  CHECK(guard.try_lock_until(std::chrono::steady_clock::now()));
  CHECK(guard.release() == &lock);
  const std::shared_lock adopted{lock, std::adopt_lock};
  CHECK(lock.readers() == 1);
}

TEST_CASE("std::scoped_lock over shared locks and plain ones does not deadlock") {
  SharedLock first;
  Lock second;
  long sum = 0;
  std::vector<Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(start_thread("adder", [&, t] {
      for (int i = 0; i < 300; ++i) {
        if (t % 2 == 0) {
          const std::scoped_lock both{first, second};
          ++sum;
        } else {
          const std::scoped_lock both{second, first};
          ++sum;
        }
      }
    }));
  }
  for (Thread& each : threads)
    each.join();
  CHECK(sum == 4 * 300);
}

TEST_CASE("std::condition_variable_any works on a shared lock, held either way") {
  SharedLock lock;
  std::condition_variable_any changed;
  bool ready = false;
  Thread reader = start_thread("reader", [&] {
    std::shared_lock reading{lock};
    changed.wait(reading, [&] { return ready; });
  });
  Thread writer = start_thread("writer", [&] {
    std::unique_lock writing{lock};
    changed.wait(writing, [&] { return ready; });
  });
  {
    const std::lock_guard writing{lock};
    ready = true;
  }
  changed.notify_all();
  reader.join();
  writer.join();
  CHECK_FALSE(lock.locked());
}

TEST_CASE(
    "a reader is known as one through changes of mode, other holds, and more holds than a thread's entry has room "
    "for") {
  tap();
  SharedLock lock;
  std::vector<std::unique_ptr<SharedLock>> many;
  for (std::size_t i = 0; i < 2 * trace::status_holds; ++i)
    many.push_back(std::make_unique<SharedLock>());
  for (const Mode first : {Mode::off, Mode::contended, Mode::all}) {
    for (const Mode second : {Mode::off, Mode::contended, Mode::all}) {
      {
        const ModeFor begun{first};
        lock.lock_shared();
        many.front()->lock();
      }
      const ModeFor changed{second};
      many.front()->unlock();
      lock.unlock_shared();
      CHECK_FALSE(lock.locked());
    }
  }
  for (auto& each : many)
    each->lock_shared();
  for (auto& each : many)
    each->unlock_shared();
  CHECK(log::self().holds == 0);
}

TEST_CASE("a shared lock may be destroyed by whoever acquires it last") {
  for (int i = 0; i < 300; ++i) {
    const bool shares = i % 2 == 0;
    auto lock = std::make_unique<SharedLock>();
    SharedLock* const address = lock.get();
    std::atomic<bool> held{false};
    Thread holder = start_thread("holder", [&held, address, shares] {
      if (shares) {
        address->lock_shared();
        held.store(true);
        address->unlock_shared();
      } else {
        address->lock();
        held.store(true);
        address->unlock();
      }
    });
    until([&] { return held.load(); }, "the other holds it");
    lock->lock();
    lock->unlock();
    lock.reset();
    holder.join();
  }
}
