// SPDX-License-Identifier: MIT
//
// How programs end.
#include <spool/spool.hpp>

#include "program.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

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
      {"speaks_last", speaks_last},
      {"throws", throws},
      {"destroys_held", destroys_held},
      {"destroys_held_rlock", destroys_held_rlock},
  };
}
