// SPDX-License-Identifier: MIT
//
// Threads that use every primitive without end while the mode of recording changes, in general and of single objects:
// in the middle of holds, of waits, and of both.
#include <spool/spool.hpp>

#include "program.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <shared_mutex>
#include <vector>

using namespace spool::test;
using namespace std::chrono_literals;

namespace {

constexpr int workers = 4;
constexpr int changes = 3000;

/// What the threads use: few of each, so that they meet.
struct Things {
  std::array<spool::Lock, 2> locks;
  spool::RLock rlock;
  spool::SharedLock shared;
  spool::Semaphore semaphore{2};
  spool::Event event;
  spool::Lock condition_lock;
  spool::Condition condition{condition_lock};
  spool::Queue<int> queue{4};
  spool::Barrier barrier{workers};
};

using Deed = std::function<void(Things&, std::mt19937&)>;

void hold_for(std::mt19937& random) {
  if (random() % 64 == 0)
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 1500});  // now and then a long wait
}

const std::vector<Deed>& deeds() {
  static const std::vector<Deed> all{
      [](Things& things, std::mt19937& random) {
        const std::lock_guard guard{things.locks.at(random() % 2)};
        hold_for(random);
      },
      [](Things& things, std::mt19937& random) {
        const std::scoped_lock guard{things.locks[0], things.locks[1]};
        hold_for(random);
      },
      [](Things& things, std::mt19937& random) {
        if (!things.locks[0].try_lock_for(100us)) return;
        hold_for(random);
        things.locks[0].unlock();
      },
      [](Things& things, std::mt19937& random) {
        const std::lock_guard outer{things.rlock};
        const std::lock_guard inner{things.rlock};
        hold_for(random);
      },
      [](Things& things, std::mt19937& random) {
        const std::shared_lock guard{things.shared};
        hold_for(random);
      },
      [](Things& things, std::mt19937& random) {
        const std::lock_guard guard{things.shared};
        hold_for(random);
      },
      [](Things& things, std::mt19937& random) {
        things.semaphore.acquire();
        hold_for(random);
        things.semaphore.release();
      },
      [](Things& things, std::mt19937& /*random*/) {
        things.event.set();
        (void)things.event.wait_for(200us);
        things.event.clear();
      },
      [](Things& things, std::mt19937& /*random*/) {
        const std::lock_guard guard{things.condition_lock};
        things.condition.notify_one();
        (void)things.condition.wait_for(200us);
      },
      [](Things& things, std::mt19937& /*random*/) {
        if (!things.queue.put_for(1, 200us)) return;
        (void)things.queue.get_for(200us);
      },
  };
  return all;
}

/// All threads come to the barrier as often, so that none waits for ever.
void work(Things& things, unsigned seed, const std::atomic<bool>& over) {
  std::mt19937 random{seed};
  while (!over.load()) {
    for (int i = 0; i < 50; ++i)
      deeds().at(random() % deeds().size())(things, random);
    try {
      things.barrier.wait();
    } catch (const spool::BrokenBarrierError&) {
      return;
    }
  }
  things.barrier.abort();
}

std::optional<spool::Mode> any_mode(std::mt19937& random) {
  const auto choice = random() % (spool::trace::mode_count + 1);
  if (choice == spool::trace::mode_count) return std::nullopt;
  return static_cast<spool::Mode>(choice);
}

void change_own_mode(Things& things, std::mt19937& random) {
  const std::optional<spool::Mode> mode = any_mode(random);
  switch (random() % 8) {
    case 0:
      return spool::set_transitions(things.locks[0], mode);
    case 1:
      return spool::set_transitions(things.rlock, mode);
    case 2:
      return spool::set_transitions(things.shared, mode);
    case 3:
      return spool::set_transitions(things.semaphore, mode);
    case 4:
      return spool::set_transitions(things.event, mode);
    case 5:
      return spool::set_transitions(things.condition, mode);
    case 6:
      return spool::set_transitions(things.queue, mode);
    default:
      return spool::set_transitions(things.condition_lock, mode);
  }
}

int changes_modes(bool own) {
  spool::set_long_wait(200us);
  std::atomic<bool> over{false};
  Things things;
  std::vector<spool::Thread> threads;
  for (unsigned i = 0; i < workers; ++i) {
    threads.emplace_back([&, i] { work(things, i, over); });
    threads.back().start();
  }
  std::mt19937 random{42};
  constexpr std::array round{spool::Mode::all, spool::Mode::contended, spool::Mode::long_waits, spool::Mode::off};
  for (std::size_t i = 0; i < changes; ++i) {
    if (own && i % 4 != 0) {
      change_own_mode(things, random);
    } else {
      spool::set_transitions(round.at(i / (own ? 4 : 1) % round.size()));
    }
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 300});
  }
  spool::set_transitions(spool::Mode::all);
  over.store(true);
  for (spool::Thread& each : threads)
    each.join();
  return 0;
}

}  // namespace

Programs spool::test::mode_programs() {
  return {
      {"changes_general_mode", [] { return changes_modes(false); }},
      {"changes_own_modes", [] { return changes_modes(true); }},
  };
}
