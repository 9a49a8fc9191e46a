// SPDX-License-Identifier: MIT
//
// How programs end.
#include <spool/spool.hpp>

#include "program.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/time.h>
#include <unistd.h>

using namespace spool::test;

namespace {

/// A thread that goes on for a while after main has returned.
void start_late_thread() {
  static spool::Lock gate;
  static std::atomic<bool> locked{false};
  // The daemon holds what the late thread needs, and lets go after a time that main's return does not take.
  spool::Thread holder{spool::ThreadOptions{.name = "holder", .daemon = true}, [] {
                         const std::lock_guard guard{gate};
                         locked.store(true);
                         std::this_thread::sleep_for(std::chrono::milliseconds{200});
                       }};
  holder.start();
  while (!locked.load())
    std::this_thread::yield();
  spool::Thread late{spool::ThreadOptions{.name = "late"}, [] {
                       const std::lock_guard guard{gate};
                       say("thread done");
                     }};
  late.start();
}

int waits() {
  start_late_thread();
  say("main done");
  return 0;
}

int exits() {
  start_late_thread();
  say("main exits");
  std::exit(3);
}

int exits_in_thread() {
  spool::Thread thread{[] { std::exit(4); }};
  thread.start();
  thread.join();
  return 0;
}

/// A daemon, or a thread that spool did not start, ends the program and so runs the static destructors.
template <class Start>
int exits_aside(Start start) {
  struct Locks {
    ~Locks() {
      const std::lock_guard guard{lock};
      say("destroyed");
    }
    spool::Lock lock;
  };
  static const Locks locks;
  spool::Thread worker{[] {}};
  worker.start();
  start();
  for (;;)
    pause();
}

int exits_in_daemon() {
  return exits_aside([] {
    spool::Thread daemon{spool::ThreadOptions{.daemon = true}, [] { std::exit(5); }};
    daemon.start();
  });
}

int exits_in_foreign() {
  return exits_aside([] {
    std::thread{[] {
      spool::info("known now");
      (void)spool::current_thread();
      std::exit(6);
    }}.detach();
  });
}

int shuts_down() {
  start_late_thread();
  spool::shutdown();
  say("main done");
  spool::shutdown();
  return 0;
}

int joins_main() {
  spool::Thread thread{[main = spool::current_thread()]() mutable {
    main.join();
    say("main joined");
  }};
  thread.start();
  return 0;
}

int starts_at_exit() {
  static spool::Lock lock;
  spool::Thread first{[] {
    spool::Thread second{[] {
      const std::lock_guard guard{lock};
      say("second done");
    }};
    second.start();
  }};
  first.start();
  return 0;
}

/// Daemons that work, wait and log for ever.
int leaves_daemons() {
  static spool::Lock busy;
  static spool::Lock held;
  static spool::Condition condition;
  held.lock();
  static std::atomic<int> running{0};
  const auto start = [](auto function) {
    spool::Thread thread{spool::ThreadOptions{.daemon = true}, function};
    thread.start();
  };
  for (int i = 0; i < 2; ++i) {
    start([] {
      ++running;
      for (;;) {
        const std::lock_guard guard{busy};
        spool::info("still here");
      }
    });
  }
  start([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS {  // it ends with the lock held, on purpose
    ++running;
    held.lock();
  });
  start([] {
    ++running;
    const std::lock_guard guard{condition};
    condition.wait();
  });
  while (running.load() < 4)
    std::this_thread::yield();
  held.unlock();
  return 0;
}

/// Whether a daemon that gave a lock away goes on while static objects are destroyed.
struct LooksForDaemon {
  ~LooksForDaemon() {
    constexpr int most_looks = 200;
    bool goes_on = true;
    for (int i = 0; i < most_looks && goes_on; ++i) {
      const int before = rounds.load();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      goes_on = rounds.load() != before;
    }
    say(goes_on ? "daemon goes on" : "daemon at rest");
  }
  spool::Lock given;
  spool::Lock busy;
  std::atomic<int> rounds{0};
};

int leaves_giver() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  static LooksForDaemon looks;
  spool::Thread giver{spool::ThreadOptions{.daemon = true}, []() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
                        looks.given.lock();
                        for (;;) {
                          const std::lock_guard guard{looks.busy};
                          ++looks.rounds;
                        }
                      }};
  giver.start();
  while (looks.rounds.load() == 0)
    std::this_thread::yield();
  looks.given.unlock();
  return 0;
}

struct SpeaksLast {
  ~SpeaksLast() {
    const std::lock_guard guard{lock};
    spool::error("in a static destructor");
    spool::Thread thread{[] { spool::error("in a late thread"); }};
    thread.start();
    thread.join();
  }
  spool::Lock lock{"late"};
};

int speaks_last() {
  static const SpeaksLast speaker;
  return 0;
}

int throws() {
  spool::Thread thread{[] { throw std::runtime_error{"boom"}; }};
  thread.start();
  return 0;
}

int destroys_held() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::Lock lock{"held"};
  lock.lock();
  return 0;
}

int destroys_held_rlock() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::RLock lock{"entered"};
  lock.lock();
  lock.lock();
  lock.unlock();
  return 0;
}

/// Some work that the trace must show, whatever comes then.
void do_some_work() {
  static spool::Lock lock{"worked"};
  spool::Thread thread{[] {
    const std::lock_guard guard{lock};
    spool::info("worked");
  }};
  thread.start();
  thread.join();
}

int throws_out_of_main() {
  do_some_work();
  throw std::runtime_error{"nobody catches it"};
}

/// A thread that no end of the program without a join waits for.
void start_waiting_thread() {
  static spool::Event never;
  spool::Thread waiting{[] { never.wait(); }};
  waiting.start();
}

int exits_quickly() {
  do_some_work();
  start_waiting_thread();
  std::quick_exit(7);
}

int exits_at_once() {
  do_some_work();
  start_waiting_thread();
  _exit(8);
}

/// What outlives main while daemons wait at it, or come back to it again and again.
struct Places {
  spool::Lock busy;
  spool::Lock held;
  spool::Condition condition;
  spool::Event never;
  spool::Event flicker;
  std::atomic<int> there{0};
};

/// A daemon at each call that blocks: some sleep in it when the program ends, some are on their way into it.
int leaves_daemons_everywhere() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  static Places places;
  int started = 0;
  const auto start = [&](auto body) {
    spool::Thread thread{spool::ThreadOptions{.daemon = true}, [body]() mutable {
                           ++places.there;
                           body();
                         }};
    thread.start();
    ++started;
    return thread;
  };
  const auto again = [&](auto body) {
    return start([body]() mutable {
      for (;;)
        body();
    });
  };
  const std::chrono::microseconds soon{20};
  places.held.lock();
  spool::Thread sleeper = start([] { places.never.wait(); });
  (void)start([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS { places.held.lock(); });
  (void)start([] {
    const std::lock_guard guard{places.condition};
    places.condition.wait();
  });
  (void)start([sleeper]() mutable { sleeper.join(); });
  (void)again([] { const std::lock_guard guard{places.busy}; });
  (void)again([soon] { (void)places.held.try_lock_for(soon); });
  (void)again([soon] {
    const std::lock_guard guard{places.condition};
    (void)places.condition.wait_for(soon);
  });
  (void)again([soon] { (void)places.never.wait_for(soon); });
  (void)again([] {
    places.flicker.set();
    places.flicker.clear();
  });
  (void)again([sleeper, soon]() mutable { (void)sleeper.join_for(soon); });
  (void)again([] { spool::info("still here"); });
  while (places.there.load() < started)
    std::this_thread::yield();
  places.held.unlock();
  return 0;
}

/// A handler that only sets an atomic, a thousand times a second, while threads wait and lock.
int handles_signals() {
  static std::atomic<int> signals{0};
  std::signal(SIGALRM, [](int) { signals.fetch_add(1, std::memory_order_relaxed); });
  const itimerval often{{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &often, nullptr);
  static spool::Lock lock;
  static spool::Event event;
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      while (signals.load() < 200) {
        const std::lock_guard guard{lock};
        if (event.wait_for(std::chrono::microseconds{100})) std::abort();
      }
    });
    threads.back().start();
  }
  for (spool::Thread& each : threads)
    each.join();
  return 0;
}

}  // namespace

Programs spool::test::end_programs() {
  return {
      {"waits", waits},
      {"exits", exits},
      {"exits_in_thread", exits_in_thread},
      {"exits_in_daemon", exits_in_daemon},
      {"exits_in_foreign", exits_in_foreign},
      {"shuts_down", shuts_down},
      {"joins_main", joins_main},
      {"starts_at_exit", starts_at_exit},
      {"leaves_daemons", leaves_daemons},
      {"leaves_giver", leaves_giver},
      {"speaks_last", speaks_last},
      {"throws", throws},
      {"destroys_held", destroys_held},
      {"destroys_held_rlock", destroys_held_rlock},
      {"exits_at_once", exits_at_once},
      {"exits_quickly", exits_quickly},
      {"handles_signals", handles_signals},
      {"leaves_daemons_everywhere", leaves_daemons_everywhere},
      {"throws_out_of_main", throws_out_of_main},
  };
}
