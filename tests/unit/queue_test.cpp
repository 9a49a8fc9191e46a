// SPDX-License-Identifier: MIT
//
// What the queues promise, whatever is recorded.
#include <spool/sync/misuse.hpp>
#include <spool/sync/queue.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
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

namespace {

template <class Q>
auto drain(Q& queue) {
  std::vector<std::decay_t<decltype(queue.get())>> items;
  while (auto item = queue.try_get())
    items.push_back(std::move(*item));
  return items;
}

}  // namespace

TEST_CASE("a Queue gives the oldest first, a LifoQueue the newest, a PriorityQueue the smallest") {
  Queue<int> fifo;
  LifoQueue<int> lifo;
  PriorityQueue<int> best;
  for (const int each : {3, 1, 4, 1, 5, 9, 2, 6}) {
    fifo.put(each);
    lifo.put(each);
    best.put(each);
  }
  CHECK(fifo.get() == 3);
  CHECK(lifo.get() == 6);
  CHECK(best.get() == 1);
  CHECK(drain(fifo) == std::vector{1, 4, 1, 5, 9, 2, 6});
  CHECK(drain(lifo) == std::vector{2, 9, 5, 1, 4, 1, 3});
  CHECK(drain(best) == std::vector{1, 2, 3, 4, 5, 6, 9});
}

TEST_CASE("a PriorityQueue takes an order, and gives equal items in the order in which they were put") {
  PriorityQueue<int, std::greater<>> greatest{0, "greatest"};
  for (const int each : {1, 3, 2})
    greatest.put(each);
  CHECK(drain(greatest) == std::vector{3, 2, 1});
  const auto by_length = [](const std::string& left, const std::string& right) { return left.size() < right.size(); };
  PriorityQueue<std::string, decltype(by_length)> shortest{0, by_length};
  for (const char* each : {"bb", "c", "aa", "a", "b", "cc", "ddd", "ab"})
    shortest.put(each);
  CHECK(drain(shortest) == std::vector<std::string>{"c", "a", "b", "bb", "aa", "cc", "ab", "ddd"});
}

TEST_CASE("a PriorityQueue of every size gives a sorted sequence") {
  for (int size = 0; size < 70; ++size) {
    PriorityQueue<int> queue;
    std::vector<int> expected;
    for (int i = 0; i < size; ++i) {
      queue.put(i * 37 % 23);
      expected.push_back(i * 37 % 23);
    }
    std::ranges::sort(expected);
    REQUIRE(drain(queue) == expected);
  }
}

TEST_CASE("size, empty and full tell what is in it") {
  Queue<int> queue{2};
  CHECK(queue.maxsize() == 2);
  CHECK(queue.empty());
  CHECK(queue.try_put(1));
  CHECK_FALSE(queue.empty());
  CHECK_FALSE(queue.full());
  CHECK(queue.put_for(2, 1h));
  CHECK(queue.full());
  CHECK(queue.size() == 2);
  CHECK_FALSE(queue.try_put(3));
  CHECK_FALSE(queue.put_for(3, 0s));
  CHECK_THROWS_AS(queue.put_nowait(3), FullError);
  CHECK(drain(queue) == std::vector{1, 2});
  Queue<int> endless;
  for (int i = 0; i < 10'000; ++i)
    endless.put(i);
  CHECK_FALSE(endless.full());
}

TEST_CASE("a call that does not wait says which queue was empty or full") {
  Queue<int> queue{1, "jobs"};
  CHECK_THROWS_WITH(queue.get_nowait(), "the queue \"jobs\" is empty");
  queue.put_nowait(7);
  CHECK_THROWS_WITH(queue.put_nowait(8), "the queue \"jobs\" is full");
  CHECK(queue.get_nowait() == 7);
  CHECK_FALSE(queue.try_get().has_value());
}

TEST_CASE("spans at the ends of what a duration can say") {
  Queue<int> queue{1};
  CHECK_FALSE(queue.get_for(std::chrono::nanoseconds::min()).has_value());
  CHECK_FALSE(queue.get_until(std::chrono::steady_clock::time_point::min()).has_value());
  CHECK_FALSE(queue.get_for(std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()}).has_value());
  CHECK(queue.put_until(1, std::chrono::system_clock::time_point::max()));
  CHECK_FALSE(queue.put_until(2, std::chrono::system_clock::now() - 1h));
  CHECK(queue.get_for(std::chrono::hours::max()) == 1);
  CHECK(queue.put_for(3, std::chrono::duration<double>{1e300}));
  CHECK(queue.get_until(std::chrono::steady_clock::time_point::max()) == 3);
}

TEST_CASE("an item that could not be put is still the caller's") {
  Queue<std::unique_ptr<int>> queue{1};
  queue.put(std::make_unique<int>(1));
  auto mine = std::make_unique<int>(2);
  CHECK_FALSE(queue.try_put(std::move(mine)));
  CHECK_FALSE(queue.put_for(std::move(mine), 1ms));
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(queue.put(std::move(mine), stop.get_token()));
  queue.shutdown();
  CHECK_THROWS_AS(queue.put(std::move(mine)), ShutDownError);
  REQUIRE(mine != nullptr);
  CHECK(*mine == 2);
  CHECK(*queue.get() == 1);
}

TEST_CASE("getters are served in the order in which they came, and nobody overtakes them") {
  tap();
  Queue<int> queue;
  std::vector<Thread> getters;
  std::array<int, 3> got{};
  queue.put(0);
  queue.get();
  for (std::size_t i = 0; i < got.size(); ++i) {
    getters.push_back(start_thread("getter", [&, i] { got.at(i) = queue.get(); }));
    tap().await(Kind::queue, Verb::block, number_of(queue), i + 1);
  }
  for (int i = 1; i <= 3; ++i) {
    queue.put(i);
    CHECK_FALSE(queue.try_get().has_value());  // it is promised
    getters.at(static_cast<std::size_t>(i - 1)).join();
    CHECK(got.at(static_cast<std::size_t>(i - 1)) == i);
  }
}

TEST_CASE("putters are served in the order in which they came, and nobody overtakes them") {
  tap();
  Queue<int> queue{1};
  queue.put(0);
  std::vector<Thread> putters;
  for (int i = 1; i <= 3; ++i) {
    putters.push_back(start_thread("putter", [&, i] { queue.put(i); }));
    tap().await(Kind::queue, Verb::block, number_of(queue), static_cast<std::size_t>(i));
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(queue.get() == i);
    CHECK_FALSE(queue.try_put(99));
    putters.at(static_cast<std::size_t>(i)).join();
  }
  CHECK(queue.get() == 3);
  CHECK(queue.empty());
}

TEST_CASE("a shut down queue takes nothing, gives what it has, then throws") {
  Queue<int> queue{0, "jobs"};
  queue.put(1);
  queue.put(2);
  queue.shutdown();
  CHECK(queue.is_shut_down());
  CHECK_THROWS_WITH(queue.put(3), "the queue \"jobs\" is shut down");
  CHECK_THROWS_AS(queue.try_put(3), ShutDownError);
  CHECK(queue.get() == 1);
  CHECK(queue.try_get() == 2);
  CHECK_THROWS_AS(queue.get(), ShutDownError);
  CHECK_THROWS_AS(queue.try_get(), ShutDownError);
  CHECK_THROWS_AS(queue.get_nowait(), ShutDownError);
  CHECK_THROWS_AS(queue.get_for(0s), ShutDownError);
}

TEST_CASE("shutdown ends the waits of getters and of putters") {
  tap();
  for (const bool immediate : {false, true}) {
    Queue<int> empty;
    Queue<int> full{1};
    full.put(1);
    std::atomic<int> refused{0};  // assertions are the main thread's only
    Thread getter = start_thread("getter", [&] {
      try {
        (void)empty.get();
      } catch (const ShutDownError&) {
        ++refused;
      }
    });
    Thread putter = start_thread("putter", [&] {
      try {
        (void)full.put_for(2, 1h);
      } catch (const ShutDownError&) {
        ++refused;
      }
    });
    tap().await_by(getter.ident(), Kind::queue, Verb::block);
    tap().await_by(putter.ident(), Kind::queue, Verb::block);
    empty.shutdown(immediate);
    full.shutdown(immediate);
    getter.join();
    putter.join();
    CHECK(refused.load() == 2);
    CHECK(full.size() == (immediate ? 0 : 1));
  }
}

TEST_CASE("an immediate shutdown drops the items, and joins go on when nobody works on one") {
  tap();
  const auto item = std::make_shared<int>(1);
  Queue<std::shared_ptr<int>> queue;
  for (int i = 0; i < 3; ++i)
    queue.put(item);
  const std::shared_ptr<int> mine = queue.get();
  Thread joiner = start_thread("joiner", [&] { queue.join(); });
  tap().await_by(joiner.ident(), Kind::queue, Verb::block);
  queue.shutdown(true);
  CHECK(item.use_count() == 2);
  CHECK(joiner.is_alive());
  queue.task_done();
  joiner.join();
  CHECK_THROWS_AS(queue.task_done(), MisuseError);
  CHECK_THROWS_AS(queue.get(), ShutDownError);
}

TEST_CASE("join waits until each item is done") {
  tap();
  Queue<int> queue;
  queue.join();
  CHECK(queue.join_for(0s));
  queue.put(1);
  queue.put(2);
  CHECK(drain(queue).size() == 2);
  queue.task_done();
  CHECK_FALSE(queue.join_for(0s));
  CHECK_FALSE(queue.join_for(1ms));
  CHECK_FALSE(queue.join_until(std::chrono::steady_clock::now()));
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(queue.join(stop.get_token()));
  CHECK_FALSE(queue.join_for(stop.get_token(), 1h));
  Thread joiner = start_thread("joiner", [&] { CHECK(queue.join_for(std::chrono::hours::max())); });
  tap().await_by(joiner.ident(), Kind::queue, Verb::block);
  queue.task_done();
  joiner.join();
  CHECK_THROWS_WITH(queue.task_done(), Contains("task_done without an unfinished item of queue"));
}

namespace {

/// Throws when it is moved, or compared, as often as told.
struct Brittle {
  explicit Brittle(int number) : value{number} {}
  Brittle(Brittle&& other) : value{other.value} { spend(moves_left); }
  Brittle& operator=(Brittle&&) = delete;
  Brittle(const Brittle&) = delete;
  Brittle& operator=(const Brittle&) = delete;
  ~Brittle() = default;
  friend bool operator<(const Brittle& left, const Brittle& right) {
    spend(compares_left);
    return left.value < right.value;
  }
  static void spend(int& left) {
    if (left > 0 && --left == 0) throw std::runtime_error{"brittle"};
  }

  int value;
  static inline int moves_left = 0;     ///< 0: never throws
  static inline int compares_left = 0;  ///< the same
};

template <class Q>
std::vector<int> values_of(Q& queue) {
  std::vector<int> values;
  while (auto item = queue.try_get())
    values.push_back(item->value);
  return values;
}

}  // namespace

TEMPLATE_TEST_CASE("an item whose move throws leaves the queue whole", "", Queue<Brittle>, LifoQueue<Brittle>,
                   PriorityQueue<Brittle>) {
  TestType queue{3};
  queue.put(Brittle{1});
  queue.put(Brittle{2});
  Brittle::moves_left = 1;
  CHECK_THROWS_WITH(queue.put(Brittle{3}), "brittle");
  CHECK(queue.size() == 2);
  Brittle::moves_left = 1;
  CHECK_THROWS_WITH(queue.get(), "brittle");
  Brittle::moves_left = 1;
  CHECK_THROWS_WITH(queue.try_get(), "brittle");
  CHECK(queue.size() == 2);
  CHECK(queue.try_put(Brittle{4}));
  CHECK_FALSE(queue.try_put(Brittle{5}));
  std::vector<int> values = values_of(queue);
  std::ranges::sort(values);
  CHECK(values == std::vector{1, 2, 4});
}

TEST_CASE("a compare that throws at any point leaves a priority queue whole and in order") {
  int thrown = 0;
  for (int at = 1; at < 12; ++at) {
    PriorityQueue<Brittle> queue;
    std::vector<int> expected;
    for (const int each : {5, 3, 8, 1, 9, 2, 7}) {
      queue.put(Brittle{each});
      expected.push_back(each);
    }
    const auto try_it = [&](auto call) {
      Brittle::compares_left = at;
      try {
        call();
      } catch (const std::runtime_error&) {
        ++thrown;
      }
      Brittle::compares_left = 0;
    };
    try_it([&] {
      queue.put(Brittle{0});
      expected.push_back(0);
    });
    try_it([&] { std::erase(expected, queue.get().value); });
    std::ranges::sort(expected);
    CHECK(values_of(queue) == expected);
  }
  CHECK(thrown >= 6);
}

TEST_CASE("what a getter could not take because the move threw goes to the next") {
  tap();
  Queue<Brittle> queue;
  queue.put(Brittle{0});
  CHECK(queue.get().value == 0);
  Thread unlucky = start_thread("unlucky", [&] { CHECK_THROWS_WITH(queue.get(), "brittle"); });
  tap().await_by(unlucky.ident(), Kind::queue, Verb::block);
  Thread lucky = start_thread("lucky", [&] { CHECK(queue.get().value == 1); });
  tap().await_by(lucky.ident(), Kind::queue, Verb::block);
  Brittle::moves_left = 2;  // into the queue, and out of it
  queue.put(Brittle{1});
  unlucky.join();
  lucky.join();
  CHECK(queue.empty());
}

TEST_CASE("whoever's get has returned may destroy the queue, though the put has not returned") {
  for (int i = 0; i < 2000; ++i) {
    auto queue = std::make_unique<Queue<int>>();
    Queue<int>* const address = queue.get();
    Thread putter = start_thread("putter", [address, i] { address->put(i); });
    REQUIRE(queue->get() == i);
    queue.reset();
    putter.join();
  }
}

TEST_CASE("whoever's join has returned may destroy the queue, though the task_done has not returned") {
  for (int i = 0; i < 1000; ++i) {
    auto queue = std::make_unique<Queue<int>>();
    Queue<int>* const address = queue.get();
    queue->put(i);
    Thread worker = start_thread("worker", [address] {
      address->get();
      address->task_done();
    });
    queue->join();
    queue.reset();
    worker.join();
  }
}

TEST_CASE("timeouts and stops that race with puts and gets lose no item") {
  constexpr int items_each = 800;
  constexpr int putters = 3;
  Queue<int> queue{2};
  std::atomic<long> taken{0};
  std::atomic<long> sum{0};
  std::vector<Thread> threads;
  for (int p = 0; p < putters; ++p) {
    threads.push_back(start_thread("putter", [&, p] {
      for (int i = 0; i < items_each; ++i) {
        std::stop_source stop;
        if (i % 16 == p) {
          Thread stopper = start_thread("stopper", [&] { stop.request_stop(); });
          if (!queue.put(i, stop.get_token())) queue.put(i);
          stopper.join();
        } else {
          while (!queue.put_for(i, 20us)) {}
        }
      }
    }));
  }
  const auto take = [&](const std::optional<int>& item) {
    if (!item) return;
    ++taken;
    sum += *item;
    queue.task_done();
  };
  for (int g = 0; g < 3; ++g) {
    threads.push_back(start_thread("getter", [&, g] {
      try {
        for (;;)
          take(g == 0 ? queue.get_for(30us) : g == 1 ? queue.try_get() : std::optional{queue.get()});
      } catch (const ShutDownError&) {}
    }));
  }
  for (int p = 0; p < putters; ++p)
    threads.at(static_cast<std::size_t>(p)).join();
  queue.shutdown();
  for (Thread& each : threads)
    each.join();
  queue.join();
  CHECK(taken.load() == putters * items_each);
  CHECK(sum.load() == long{putters} * items_each * (items_each - 1) / 2);
}

TEST_CASE("an immediate shutdown that races with all else leaves nobody waiting") {
  for (int round = 0; round < 150; ++round) {
    Queue<int> queue{1};
    std::vector<Thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.push_back(start_thread("putter", [&] {
        try {
          for (;;)
            queue.put(1);
        } catch (const ShutDownError&) {}
      }));
      threads.push_back(start_thread("getter", [&] {
        try {
          for (;;) {
            queue.get();
            queue.task_done();
          }
        } catch (const ShutDownError&) {}
      }));
    }
    queue.shutdown(round % 2 == 0);
    queue.join();
    for (Thread& each : threads)
      each.join();
    REQUIRE(queue.empty());
  }
}
