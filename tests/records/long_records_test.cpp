// SPDX-License-Identifier: MIT
//
// Mode long: which waits are recorded, when, and with which beginning; and modes of single objects.
#include <spool/config/config.hpp>
#include <spool/log/recorder.hpp>
#include <spool/sync/barrier.hpp>
#include <spool/sync/condition.hpp>
#include <spool/sync/event.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/queue.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/thread/thread_pool.hpp>

#include "records/modes.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

/// From where on a wait is long, for the length of a test.
class LongFrom {
 public:
  explicit LongFrom(std::chrono::nanoseconds span) { set_long_wait(span); }
  ~LongFrom() { set_long_wait(1ms); }
  LongFrom(const LongFrom&) = delete;
  LongFrom& operator=(const LongFrom&) = delete;
};

std::vector<std::string> names_of(trace::ObjectNumber object) {
  std::vector<std::string> names;
  for (const TappedRecord& each : tap().records_of(object))
    names.emplace_back(each.row->name);
  return names;
}

/// Its wait ended while it was short, or it has not been one.
template <class Primitive>
void check_untold(Primitive& primitive) {
  CHECK((number_of(primitive) == 0 || names_of(number_of(primitive)).empty()));
}

using Names = std::vector<std::string>;

/// Starts a thread that waits in `wait`, sees that its wait is recorded while it lasts, and ends it.
template <class Primitive, class Wait, class End>
Names told_of(Primitive& primitive, Kind kind, Verb block, Wait wait, End end) {
  Thread waiter = start_thread("waiter", wait);
  until([&] { return number_of(primitive) != 0; }, "the wait has a Record");
  tap().await(kind, block, number_of(primitive));
  end();
  waiter.join();
  return names_of(number_of(primitive));
}

}  // namespace

TEST_CASE("mode long records a wait once it has lasted, since when it lasts, and the release that ends it") {
  tap();
  const ModeFor mode{Mode::long_waits};
  Lock lock;
  lock.lock();  // @hold
  const Names names = told_of(
      lock, Kind::lock, Verb::block,
      [&] {
        lock.lock();
        lock.unlock();
      },
      [&] { lock.unlock(); });
  CHECK(names == Names{"status.wait", "lock.block", "lock.release", "lock.acquire"});
  const auto records = tap().records_of(number_of(lock));
  const auto frequency = static_cast<double>(log::Recorder::instance().process().frequency);
  // The low half of `since` is the third field of a status.wait.
  const auto lasted = static_cast<std::uint32_t>(records[1].time) - records[0].a;
  const double told_after = static_cast<double>(lasted) / frequency;
  CHECK(told_after >= 0.001);
  CHECK(tap().sequence(number_of(lock)) == std::vector<trace::Sequence>{1, 2});
}

// The story: A had a lock for 35 of a wait's first 50 ms, and B had it when they were over; all 50 were told as B's.
TEST_CASE("mode long tells who had the lock since the wait began, or that it does not know") {
  const auto told = [](const log::Quoted& then, const log::Quoted& now) {
    const log::WaitState wait = log::since_its_begin({now.thread, now.site, 5, 6, {}}, then);
    CHECK(wait.a == 5);
    CHECK(wait.b == 6);
    return std::pair{wait.owner, wait.owner_site};
  };
  const std::pair<trace::ThreadNumber, trace::SiteNumber> nobody{0, 0};
  CHECK(told({1, 10}, {1, 10}) == std::pair{1U, 10U});
  CHECK(told({1, 0}, {1, 10}) == std::pair{1U, 10U});  // it had not come to tell its line
  CHECK(told({1, 10}, {2, 20}) == nobody);
  CHECK(told({1, 10}, {1, 11}) == nobody);
  CHECK(told({0, 0}, {2, 20}) == nobody);
}

TEST_CASE("mode long makes no Record of a wait that was short") {
  tap();
  const LongFrom never_long{1h};
  const ModeFor mode{Mode::long_waits};
  Lock lock;
  Event event;
  Semaphore permits{0};
  SharedLock shared;
  lock.lock();
  shared.lock();
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();
    lock.unlock();
    event.wait();
    permits.acquire();
    shared.lock_shared();
    shared.unlock_shared();
  });
  until_asleep(waiter);
  lock.unlock();
  until_asleep(waiter);
  event.set();
  until_asleep(waiter);
  permits.release();
  until_asleep(waiter);
  shared.unlock();
  waiter.join();
  check_untold(lock);
  check_untold(event);
  check_untold(permits);
  check_untold(shared);
}

TEST_CASE("mode long tells of a wait for every primitive while it lasts") {
  tap();
  const ModeFor mode{Mode::long_waits};
  Event event;
  CHECK(told_of(
            event, Kind::event, Verb::block, [&] { event.wait(); }, [&] { event.set(); }) ==
        Names{"status.wait", "event.block", "event.set", "event.continue"});
  Semaphore permits{0};
  CHECK(told_of(
            permits, Kind::semaphore, Verb::block, [&] { permits.acquire(); }, [&] { permits.release(); }) ==
        Names{"status.wait", "semaphore.block", "semaphore.release", "semaphore.acquire"});
  SharedLock shared;
  shared.lock();
  CHECK(told_of(
            shared, Kind::shared_lock, Verb::block_shared,
            [&] {
              shared.lock_shared();
              shared.unlock_shared();
            },
            [&] { shared.unlock(); }) ==
        Names{"status.wait", "shared_lock.block_shared", "shared_lock.release", "shared_lock.acquire_shared"});
  Barrier barrier{2};
  CHECK(told_of(
            barrier, Kind::barrier, Verb::block, [&] { barrier.wait(); }, [&] { barrier.wait(); }) ==
        Names{"status.wait", "barrier.block", "barrier.trip", "barrier.continue"});
  Queue<int> queue;
  CHECK(told_of(
            queue, Kind::queue, Verb::block, [&] { (void)queue.get(); }, [&] { queue.put(1); }) ==
        Names{"status.wait", "queue.block", "queue.put", "queue.get"});
  Lock lock;
  Condition condition{lock};
  CHECK(told_of(
            condition, Kind::condition, Verb::block,
            [&] {
              const std::lock_guard guard{lock};
              condition.wait();
            },
            [&] {
              const std::lock_guard guard{lock};
              condition.notify_one();
            }) == Names{"status.wait", "condition.block", "condition.notify", "condition.continue"});
}

TEST_CASE("mode long tells of a join while it lasts") {
  tap();
  Event over;
  Thread target = start_thread("target", [&] { over.wait(); });
  const ModeFor mode{Mode::long_waits};
  Thread joiner = start_thread("joiner", [&] { target.join(); });
  tap().await_by(joiner.ident(), Kind::thread, Verb::block);
  over.set();
  joiner.join();
  const Story story = tap().story_by(joiner.ident());
  CHECK(std::ranges::count_if(
            story, [](const std::string& each) { return each.find("thread.block") != std::string::npos; }) == 1);
}

TEST_CASE("in mode long a timeout is recorded where its wait was long") {
  tap();
  const ModeFor mode{Mode::long_waits};
  Event event;
  CHECK_FALSE(event.wait_for(1us));
  check_untold(event);
  CHECK_FALSE(event.wait_for(20ms));
  CHECK(names_of(number_of(event)) == Names{"status.wait", "event.block_timed", "event.timeout"});
  Lock lock;
  lock.lock();
  run_in_thread("trier", [&] {
    CHECK_FALSE(lock.try_lock_for(1us));
    CHECK_FALSE(lock.try_lock_for(20ms));
  });
  lock.unlock();
  CHECK(names_of(number_of(lock)) == Names{"status.wait", "lock.block_timed", "lock.timeout"});
}

TEST_CASE("waits that become long just as they end leave every sequence gapless") {
  tap();
  const LongFrom soon{20us};
  const ModeFor mode{Mode::long_waits};
  Lock lock;
  Semaphore permits{1};
  SharedLock shared;
  Queue<int> queue{1};
  std::vector<Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(start_thread("busy", [&, i] {
      for (int n = 0; n < 2000; ++n) {
        {
          const std::lock_guard guard{lock};
          const std::lock_guard also{shared};
        }
        permits.acquire();
        permits.release();
        if (i % 2 == 0) queue.put(n);
        if (i % 2 == 1) (void)queue.get();
      }
    }));
  }
  for (Thread& each : threads)
    each.join();
  for (const trace::ObjectNumber number : {number_of(lock), number_of(permits), number_of(shared), number_of(queue)}) {
    const auto numbers = tap().sequence(number);
    CHECK((numbers.empty() || numbers.back() == numbers.size()));
  }
}

TEST_CASE("an object with a mode of its own goes by it, and others by the general one") {
  tap();
  Lock quiet;
  Lock loud;
  set_transitions(quiet, Mode::off);
  quiet.lock();
  quiet.unlock();
  loud.lock();
  loud.unlock();
  CHECK(names_of(number_of(loud)) == Names{"lock.acquire", "lock.release"});
  CHECK(tap().sequence(number_of(quiet)).empty());
  set_transitions(quiet, std::nullopt);
  quiet.lock();
  quiet.unlock();
  CHECK(tap().sequence(number_of(quiet)) == std::vector<trace::Sequence>{1, 2});
  const ModeFor off{Mode::off};
  set_transitions(loud, Mode::all);
  loud.lock();
  quiet.lock();
  quiet.unlock();
  set_transitions(loud, Mode::off);
  loud.unlock();  // as its acquire was
  CHECK(tap().sequence(number_of(loud)) == std::vector<trace::Sequence>{1, 2, 3, 4});
  CHECK(tap().sequence(number_of(quiet)).size() == 2);
}
