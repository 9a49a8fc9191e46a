// SPDX-License-Identifier: MIT
//
// Primitives that one thread waits at and another lets go: a turn is a wait and a wake-up. With more than one thread
// this measures mostly the kernel's wake-up, so look at the spread.
#include <spool/sync/barrier.hpp>
#include <spool/sync/event.hpp>
#include <spool/sync/queue.hpp>
#include <spool/thread/thread_pool.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <fmt/format.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>

namespace bench {
namespace {

using spool::Mode;

constexpr int turns = 300;
constexpr int rounds = 21;

/// What std has for an event: a flag that can be waited for.
class StandardEvent {
 public:
  void set() {
    flag_.store(true);
    flag_.notify_all();
  }
  void clear() { flag_.store(false); }
  void wait() { flag_.wait(false); }

 private:
  std::atomic<bool> flag_{false};
};

/// What everybody writes with a mutex and two conditions.
class StandardQueue {
 public:
  explicit StandardQueue(std::size_t most) : most_{most} {}
  void put(int item) {
    std::unique_lock guard{mutex_};
    room_.wait(guard, [&] { return items_.size() < most_; });
    items_.push_back(item);
    filled_.notify_one();
  }
  int get() {
    std::unique_lock guard{mutex_};
    filled_.wait(guard, [&] { return !items_.empty(); });
    const int item = items_.front();
    items_.pop_front();
    room_.notify_one();
    return item;
  }

 private:
  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable room_;
  std::deque<int> items_;
};

constexpr std::size_t most_queued = 64;

template <class Event>
struct PingPong {
  Event ping;
  Event pong;

  void operator()(int index) {
    Event& mine = index == 0 ? ping : pong;
    Event& other = index == 0 ? pong : ping;
    if (index == 0) mine.set();
    for (int i = 0; i < turns; ++i) {
      mine.wait();
      mine.clear();
      other.set();
    }
    if (index == 0) mine.wait();
    if (index == 0) mine.clear();
  }
};

/// Half of the threads put, half get.
template <class Queue>
struct Stream {
  Queue queue{most_queued};

  void operator()(int index) {
    for (int i = 0; i < turns; ++i) {
      if (index % 2 == 0) {
        queue.put(i);
      } else {
        keep(queue.get());
      }
    }
  }
};

struct OurBarrier {
  explicit OurBarrier(int threads) : barrier{threads} {}
  void operator()(int) {
    for (int i = 0; i < turns; ++i)
      (void)barrier.wait();
  }
  spool::Barrier barrier;
};

struct StandardBarrier {
  explicit StandardBarrier(int threads) : barrier{threads} {}
  void operator()(int) {
    for (int i = 0; i < turns; ++i)
      barrier.arrive_and_wait();
  }
  std::barrier<> barrier;
};

template <class Game>
Timed a_turn(Team& team, Game& game, double turns_played) {
  Timed timed = team.run([&](int index) { game(index); });
  timed.ns /= turns_played;
  return timed;
}

template <class Ours, class Theirs, class... Args>
Rounds games(Mode mode, int threads, double turns_played, Args... arguments) {
  auto team = std::make_shared<Team>(threads);
  auto ours = std::make_shared<Ours>(arguments...);
  auto theirs = std::make_shared<Theirs>(arguments...);
  return {.ours =
              [=] {
                spool::set_transitions(mode);
                return a_turn(*team, *ours, turns_played);
              },
          .theirs = [=] { return a_turn(*team, *theirs, turns_played); }};
}

Rounds one_thread_event(Mode mode) {
  struct Both {
    spool::Event ours;
    StandardEvent theirs;
  };
  constexpr std::uint64_t count = 10'000;
  const auto pass = [](auto& event) {
    event.set();
    event.wait();
    event.clear();
  };
  auto both = std::make_shared<Both>();
  return {.ours = [=] { return in_mode(mode, count, [&] { pass(both->ours); }); },
          .theirs = [=] { return Timed{ns_per(count, [&] { pass(both->theirs); })}; }};
}

Rounds one_thread_queue(Mode mode) {
  struct Both {
    spool::Queue<int> ours{most_queued};
    StandardQueue theirs{most_queued};
  };
  constexpr std::uint64_t count = 10'000;
  const auto pass = [](auto& queue) {
    queue.put(1);
    keep(queue.get());
  };
  auto both = std::make_shared<Both>();
  return {.ours = [=] { return in_mode(mode, count, [&] { pass(both->ours); }); },
          .theirs = [=] { return Timed{ns_per(count, [&] { pass(both->theirs); })}; }};
}

Rounds pool_task(Mode mode, int workers) {
  auto pool = std::make_shared<spool::ThreadPool>(static_cast<std::size_t>(workers));
  constexpr std::uint64_t count = 200;
  return {
      .ours = [=] { return in_mode(mode, count, [&] { keep(pool->submit([] { return 1; }).get()); }); },
      .theirs =
          [=] { return Timed{ns_per(count, [&] { keep(std::async(std::launch::async, [] { return 1; }).get()); })}; }};
}

}  // namespace

std::vector<Benchmark> handover_rows() {
  std::vector<Benchmark> rows;
  const auto add = [&](const std::string& name, const char* peer, auto prepare) {
    for (const Mode mode : {Mode::off, Mode::all}) {
      rows.push_back({.name = fmt::format("{}, {}", name, spool::trace::name_of(mode)),
                      .peer = peer,
                      .rounds = rounds,
                      .prepare = [=] { return prepare(mode); }});
    }
  };
  add("event: set, wait, clear", "std::atomic wait", one_thread_event);
  add("queue: put, get", "mutex and 2 conditions", one_thread_queue);
  add("event, a turn of 2 threads", "std::atomic wait",
      [](Mode mode) { return games<PingPong<spool::Event>, PingPong<StandardEvent>>(mode, 2, 2 * turns); });
  for (const int threads : {2, 4}) {
    add(fmt::format("queue, an item, {} threads", threads), "mutex and 2 conditions", [=](Mode mode) {
      return games<Stream<spool::Queue<int>>, Stream<StandardQueue>>(mode, threads, turns * threads / 2.0);
    });
    add(fmt::format("barrier, a turn, {} threads", threads), "std::barrier",
        [=](Mode mode) { return games<OurBarrier, StandardBarrier>(mode, threads, turns, threads); });
    add(fmt::format("pool, a task, {} workers", threads), "std::async",
        [=](Mode mode) { return pool_task(mode, threads); });
  }
  return rows;
}

}  // namespace bench
