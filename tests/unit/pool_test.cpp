// SPDX-License-Identifier: MIT
//
// What a ThreadPool and its Futures promise, whatever is recorded.
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/thread_pool.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

namespace {

int add(int left, int right) {
  return left + right;
}

/// A pool whose only worker is held until it is let go.
struct HeldPool {
  explicit HeldPool(std::size_t max_queued = 0)
      : pool{1, {.name = "held", .max_queued = max_queued}}, holder{pool.submit([this] { go.wait(); })} {
    until([this] { return holder.is_running(); }, "the worker is held");
  }
  HeldPool(const HeldPool&) = delete;
  HeldPool& operator=(const HeldPool&) = delete;
  ~HeldPool() { go.set(); }
  Event go;
  ThreadPool pool;
  Future<void> holder;
};

}  // namespace

TEST_CASE("a task gives its value, by copy, by move or by reference") {
  ThreadPool pool{2};
  CHECK(pool.submit([] { return 7; }).get() == 7);
  CHECK(pool.submit(add, 1, 2).get() == 3);
  CHECK(pool.submit([](int a, int b, int c, int d) { return a + b + c + d; }, 1, 2, 3, 4).get() == 10);
  CHECK(*pool.submit([](std::unique_ptr<int> owned) { return owned; }, std::make_unique<int>(8)).get() == 8);
  int changed = 0;
  pool.submit([](int& to) { to = 9; }, std::ref(changed)).get();
  CHECK(changed == 9);
  int& same = pool.submit([&]() -> int& { return changed; }).get();
  CHECK(&same == &changed);
  CHECK(pool.submit(&std::string::size, std::string{"abc"}).get() == 3);
}

TEST_CASE("a future is fetched once") {
  ThreadPool pool{1};
  Future<int> future = pool.submit([] { return 1; });
  CHECK(future.valid());
  CHECK(future.number() == 1);
  future.wait();
  future.wait();
  CHECK(future.wait_for(0s));
  CHECK(future.is_done());
  CHECK(future.exception() == nullptr);
  CHECK(future.get() == 1);
  CHECK_FALSE(future.valid());
  CHECK_THROWS_AS(future.get(), std::future_error);
  CHECK_THROWS_AS(Future<int>{}.wait(), std::future_error);
}

TEST_CASE("what a task throws goes to its future, and the worker goes on") {
  std::atomic<int> told{0};
  const ExceptHook before = set_excepthook([&](const ExceptHookArgs&) { ++told; });
  ThreadPool pool{1};
  Future<int> future = pool.submit([]() -> int { throw std::runtime_error{"boom"}; });
  CHECK(future.exception() != nullptr);
  CHECK_THROWS_WITH(future.get(), "boom");
  CHECK(pool.submit([] { return 1; }).get() == 1);
  (void)pool.submit([] { throw std::logic_error{"nobody looks"}; });
  pool.join();
  set_excepthook(before);
  CHECK(told.load() == 0);
}

TEST_CASE("workers are named as the pool, or as Python's") {
  ThreadPool named{2, {.name = "io"}};
  CHECK(named.workers().at(0).name() == "io-0");
  CHECK(named.workers().at(1).name() == "io-1");
  CHECK(named.submit([] { return current_thread().name(); }).get().starts_with("io-"));
  CHECK_FALSE(named.workers().at(0).daemon());
  ThreadPool first{1};
  ThreadPool second{1, PoolOptions{.daemon = true}};
  const std::string name = first.workers().at(0).name();
  REQUIRE(name.starts_with("ThreadPoolExecutor-"));
  CHECK(name.ends_with("_0"));
  const int number = std::stoi(name.substr(std::string{"ThreadPoolExecutor-"}.size()));
  CHECK(second.workers().at(0).name() == "ThreadPoolExecutor-" + std::to_string(number + 1) + "_0");
  CHECK(second.workers().at(0).daemon());
  CHECK(ThreadPool::default_workers() >= 5);
  CHECK_THROWS_AS(ThreadPool{0}, std::invalid_argument);
}

TEST_CASE("tasks begin in the order in which they were submitted") {
  ThreadPool pool{1};
  std::vector<int> order;
  for (int i = 0; i < 100; ++i)
    (void)pool.submit([&order, i] { order.push_back(i); });
  pool.join();
  CHECK(order.size() == 100);
  CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("a task is cancelled while it is queued, and not later") {
  HeldPool held;
  const auto owned = std::make_shared<int>(1);
  bool called = false;
  Future<void> queued = held.pool.submit([&called, owned] { called = true; });
  CHECK(held.pool.queued() == 1);
  CHECK_FALSE(held.holder.cancel());
  CHECK(queued.cancel());
  CHECK(queued.cancel());
  CHECK(owned.use_count() == 1);
  CHECK(held.pool.queued() == 0);
  CHECK(queued.is_done());
  CHECK(queued.is_cancelled());
  CHECK_THROWS_AS(queued.exception(), CancelledError);
  CHECK_THROWS_AS(queued.get(), CancelledError);
  held.go.set();
  held.pool.join();
  CHECK_FALSE(held.holder.cancel());
  CHECK_FALSE(called);
}

TEST_CASE("tasks in the middle of the queue can be cancelled in any order") {
  HeldPool held;
  std::vector<Future<int>> futures;
  for (int i = 0; i < 6; ++i)
    futures.push_back(held.pool.submit([i] { return i; }));
  for (const std::size_t each : {2U, 0U, 5U})
    CHECK(futures.at(each).cancel());
  held.go.set();
  for (const std::size_t each : {1U, 3U, 4U})
    CHECK(futures.at(each).get() == static_cast<int>(each));
}

TEST_CASE("a wait for a result can be given up") {
  HeldPool held;
  CHECK_FALSE(held.holder.wait_for(0s));
  CHECK_FALSE(held.holder.wait_for(-1h));
  CHECK_FALSE(held.holder.wait_for(1ms));
  CHECK_FALSE(held.holder.wait_until(std::chrono::system_clock::now() - 1h));
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(held.holder.wait(stop.get_token()));
  CHECK_FALSE(held.holder.wait_for(stop.get_token(), 1h));
  CHECK_FALSE(held.pool.join_for(0s));
  CHECK_FALSE(held.pool.join_for(1ms));
  CHECK_FALSE(held.pool.join(stop.get_token()));
  held.go.set();
  CHECK(held.holder.wait_for(std::chrono::hours::max()));
  CHECK(held.pool.join_until(std::chrono::steady_clock::time_point::max()));
}

TEST_CASE("a full queue makes submit wait, and refuses a try") {
  tap();
  HeldPool held{1};
  CHECK(held.pool.try_submit([] {}).has_value());
  CHECK_FALSE(held.pool.try_submit([] {}).has_value());
  CHECK_FALSE(held.pool.submit_for(1ms, [] {}).has_value());
  CHECK_FALSE(held.pool.submit_until(std::chrono::steady_clock::now(), [] {}).has_value());
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(held.pool.submit(stop.get_token(), [] {}).has_value());
  CHECK_FALSE(held.pool.submit_for(stop.get_token(), 1h, [] {}).has_value());
  Thread submitter = start_thread("submitter", [&] { CHECK(held.pool.submit(add, 1, 2).get() == 3); });
  tap().await_by(submitter.ident(), Kind::pool, Verb::block);
  CHECK(submitter.is_alive());
  held.go.set();
  submitter.join();
}

TEST_CASE("a task that is cancelled makes room") {
  tap();
  HeldPool held{1};
  Future<void> queued = held.pool.submit([] {});
  Thread submitter = start_thread("submitter", [&] { (void)held.pool.submit([] {}); });
  tap().await_by(submitter.ident(), Kind::pool, Verb::block);
  CHECK(queued.cancel());
  submitter.join();
  CHECK(held.pool.queued() == 1);
}

TEST_CASE("a shutdown lets the queued tasks run, and takes no more") {
  std::atomic<int> done{0};
  ThreadPool pool{2, {.name = "closing"}};
  for (int i = 0; i < 50; ++i)
    (void)pool.submit([&] { ++done; });
  pool.shutdown();
  CHECK(done.load() == 50);
  CHECK(pool.is_shut_down());
  CHECK_THROWS_WITH(pool.submit([] {}), "the pool \"closing\" is shut down");
  CHECK_THROWS_AS(pool.try_submit([] {}), ShutDownError);
  CHECK(std::ranges::none_of(pool.workers(), [](const Thread& each) { return each.is_alive(); }));
  pool.shutdown();
}

TEST_CASE("a shutdown can cancel what is queued, and ends the waits of submitters") {
  tap();
  HeldPool held{2};
  Future<void> first = held.pool.submit([] {});
  Future<void> second = held.pool.submit([] {});
  bool is_cancelled = false;
  bool is_shut_down = false;
  Thread waiter = start_thread("waiter", [&] {
    try {
      first.get();
    } catch (const CancelledError&) {
      is_cancelled = true;
    }
  });
  Thread submitter = start_thread("submitter", [&] {
    try {
      (void)held.pool.submit([] {});
    } catch (const ShutDownError&) {
      is_shut_down = true;
    }
  });
  tap().await_by(waiter.ident(), Kind::pool, Verb::block);
  tap().await_by(submitter.ident(), Kind::pool, Verb::block);
  held.pool.shutdown(false, true);
  waiter.join();
  submitter.join();
  CHECK(is_cancelled);
  CHECK(is_shut_down);
  CHECK(second.is_cancelled());
  CHECK_FALSE(held.holder.is_done());
  held.go.set();
  held.pool.shutdown();
  CHECK(held.holder.is_done());
}

TEST_CASE("the destructor runs what is queued, and results outlive the pool") {
  Future<int> last;
  {
    ThreadPool pool{1};
    for (int i = 0; i < 20; ++i)
      last = pool.submit([i] { return i; });
  }
  CHECK(last.is_done());
  CHECK_FALSE(last.cancel());
  CHECK(last.get() == 19);
}

TEST_CASE("a pool cannot wait for its own worker") {
  ThreadPool pool{1};
  Future<void> selfish = pool.submit([&] { pool.shutdown(); });
  try {
    selfish.get();
    FAIL("it waited for itself");
  } catch (const MisuseError& problem) {
    CHECK_THAT(problem.what(), Contains("waiting shutdown by a worker of its own of pool"));
  }
  CHECK_FALSE(pool.is_shut_down());
  pool.submit([&] { pool.shutdown(false); }).get();
  CHECK(pool.is_shut_down());
}

TEST_CASE("a task may submit to its own pool and wait for it while a worker is left") {
  ThreadPool pool{2};
  CHECK(pool.submit([&] { return pool.submit(add, 1, 2).get(); }).get() == 3);
}

TEST_CASE("when the system makes no thread no worker is left behind") {
  const std::size_t before = active_count();
  CHECK_THROWS_AS((ThreadPool{2, {.stack_size = std::size_t{1} << 60U}}), std::system_error);
  CHECK(active_count() == before);
}

TEST_CASE("what a task owned is gone when its future is done") {
  ThreadPool pool{2};
  for (int i = 0; i < 500; ++i) {
    auto owned = std::make_shared<int>(i);
    Future<int> future = pool.submit([owned] { return *owned; });
    REQUIRE(future.get() == i);
    REQUIRE(owned.use_count() == 1);
  }
}

TEST_CASE("a future that is fetched may be the last of its pool") {
  for (int i = 0; i < 300; ++i) {
    auto pool = std::make_unique<ThreadPool>(1);
    Future<int> future = pool->submit([i] { return i; });
    REQUIRE(future.get() == i);
    pool.reset();
  }
}

TEST_CASE("submitters, waits that are given up and cancels lose no task") {
  constexpr int each_submits = 300;
  ThreadPool pool{3, {.max_queued = 4}};
  std::atomic<int> ran{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> refused{0};
  std::vector<Thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.push_back(start_thread("submitter", [&, t] {
      for (int i = 0; i < each_submits; ++i) {
        auto future = i % 3 == t ? pool.submit_for(20us, [&] { ++ran; }) : std::optional{pool.submit([&] { ++ran; })};
        if (!future) {
          ++refused;
        } else if (i % 5 == 0) {
          if (future->cancel()) ++cancelled;
        } else if (i % 7 == 0) {
          while (!future->wait_for(10us)) {}
        } else if (i % 11 == 0) {
          std::stop_source stop;
          Thread stopper = start_thread("stopper", [&] { stop.request_stop(); });
          (void)future->wait(stop.get_token());
          stopper.join();
        }
      }
    }));
  }
  for (Thread& each : threads)
    each.join();
  pool.join();
  CHECK(ran.load() + cancelled.load() + refused.load() == 3 * each_submits);
}

TEST_CASE("shutdowns that race with submitters and with each other leave no task undecided") {
  for (int round = 0; round < 60; ++round) {
    ThreadPool pool{2, {.max_queued = 2}};
    std::atomic<int> ran{0};
    std::atomic<int> kept{0};
    std::atomic<int> dropped{0};
    std::vector<Thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.push_back(start_thread("submitter", [&] {
        std::vector<Future<void>> futures;
        try {
          for (int i = 0; i < 50; ++i)
            futures.push_back(pool.submit([&] { ++ran; }));
        } catch (const ShutDownError&) {}
        for (Future<void>& each : futures) {
          each.wait();
          ++(each.is_cancelled() ? dropped : kept);
        }
      }));
    }
    threads.push_back(start_thread("closer", [&] { pool.shutdown(true, round % 2 == 0); }));
    pool.shutdown(true, round % 3 == 0);
    for (Thread& each : threads)
      each.join();
    REQUIRE(ran.load() == kept.load());
  }
}
