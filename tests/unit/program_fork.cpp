// SPDX-License-Identifier: MIT
//
// How programs fork.
#include <spool/sinks/text.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <spdlog/sinks/basic_file_sink.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spool::test;

namespace {

/// What a forked child may do: lock, start and join threads, and end.
int live_in_child() {
  is_forked = true;
  spool::Lock lock;
  int sum = 0;
  spool::Thread thread{[&] {
    const std::lock_guard guard{lock};
    ++sum;
  }};
  thread.start();
  thread.join();
  const std::lock_guard guard{lock};
  return sum == 1 ? 0 : 9;
}

int reap(pid_t child) {
  int status = 0;
  (void)waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

/// Forks, and gives what the child came to.
template <class Child>
int in_child(Child child) {
  const pid_t made = fork();
  if (made != 0) return reap(made);
  is_forked = true;
  std::exit(child());
}

/// Where fork may happen at any instant this does nothing. g++ 12's AddressSanitizer does not hold its allocator's
/// locks still over a fork: a child that was forked in the middle of another thread's malloc hangs in the sanitizer
/// itself. So there the threads live, and wait for what they wait for, but are outside of malloc.
class Pause {
 public:
  explicit Pause([[maybe_unused]] std::uint32_t threads) {
#if defined(__SANITIZE_ADDRESS__)
    threads_ = threads;
#endif
  }
  void begin() {
    asked_.store(threads_ != 0);
    while (waiting_.load() < threads_)
      std::this_thread::yield();
  }
  void end() {
    asked_.store(false);
  }
  void here() {
    if (!asked_.load()) return;
    ++waiting_;
    while (asked_.load())
      std::this_thread::yield();
    --waiting_;
  }

 private:
  std::uint32_t threads_ = 0;
  std::atomic<bool> asked_{false};
  std::atomic<std::uint32_t> waiting_{0};
};

constexpr int busy_threads = 10;
Pause pause_for_fork{busy_threads};

/// Runs `action` while ten threads come and go, lock, wait and log.
template <class Action>
int among_busy_threads(Action action) {
  static std::atomic<bool> over{false};
  static spool::Lock shared{"shared"};
  static spool::Event event{"event"};
  std::vector<spool::Thread> threads;
  for (int i = 0; i < busy_threads; ++i) {
    threads.emplace_back([i] {
      for (; !over.load(); std::this_thread::sleep_for(std::chrono::microseconds{50})) {
        pause_for_fork.here();
        const std::lock_guard guard{shared};
        spool::info("busy {}", i);
        if (i == 0) event.set();
        if (i == 1) event.clear();
        if (i > 1) continue;
        spool::Thread short_lived{[] { (void)event.wait_for(std::chrono::microseconds{10}); }};
        short_lived.start();
        short_lived.join();
      }
    });
    threads.back().start();
  }
  const int result = action();
  over.store(true);
  for (spool::Thread& each : threads)
    each.join();
  return result;
}

/// A hundred children; each twentieth lives, of the others half call exec and half _exit.
int forks() {
  return among_busy_threads([] {
    int worst = 0;
    for (int i = 0; i < 100 && worst == 0; ++i) {
      pause_for_fork.begin();
      const pid_t child = fork();
      if (child != 0) pause_for_fork.end();
      if (child == 0 && i % 20 == 0) std::exit(live_in_child());
      if (child == 0 && i % 2 == 0) execl("/bin/true", "true", nullptr);
      if (child == 0) _exit(0);
      worst = reap(child);
    }
    return worst;
  });
}

/// The child of a fork made by another thread than main is that thread alone, under another name; its end is the
/// child's.
int forks_in_thread() {
  static std::atomic<int> result{-1};
  spool::Thread forker{spool::ThreadOptions{.name = "forker", .daemon = true}, [] {
                         const pid_t child = fork();
                         if (child != 0) {
                           result.store(reap(child));
                           return;
                         }
                         const spool::Thread me = spool::current_thread();
                         const auto all = spool::enumerate();
                         const bool alone = all.size() == 1 && all.front() == me && spool::main_thread() == me;
                         const bool is_main = me.name() == "MainThread" && !me.daemon() && me.is_alive();
                         if (!alone || !is_main || me.native_id() != static_cast<unsigned>(getpid())) _exit(8);
                         if (live_in_child() != 0) _exit(9);
                         static spool::Thread last{[] { say("joined at the end"); }};
                         last.start();
                       }};
  forker.start();
  forker.join();
  return result.load();
}

/// The same for a thread that spool does not know.
int forks_in_foreign() {
  static spool::Lock held{"held"};
  int result = -1;
  held.lock();
  std::thread{[&] {
    result = in_child([] {
      const bool is_main = spool::current_thread().name() == "MainThread" && spool::active_count() == 1;
      return is_main && !held.try_lock() ? 0 : 1;
    });
  }}.join();
  held.unlock();
  return result;
}

/// A thread that holds `lock` for as long as the process lives.
void hold_for_ever(spool::Lock& lock) {
  static std::atomic<int> held{0};
  const int before = held.load();
  spool::Thread holder{spool::ThreadOptions{.name = "holder", .daemon = true},
                       [&lock]() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
                         lock.lock();
                         ++held;
                         for (;;)
                           pause();
                       }};
  holder.start();
  while (held.load() == before)
    std::this_thread::yield();
}

/// Locks that the child cannot have, and one that it holds itself.
int leaves_holders() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  static spool::Lock accounts{"accounts"};
  auto* const gone = new spool::Lock{"gone"};
  static spool::Lock mine{"mine"};
  hold_for_ever(accounts);
  hold_for_ever(*gone);
  mine.lock();
  const int result = in_child([&]() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    if (accounts.try_lock()) return 1;
    if (accounts.try_lock_for(std::chrono::hours{1})) return 2;
    std::stop_source stop;
    if (accounts.lock(stop.get_token())) return 3;
    try {
      accounts.lock();
      return 4;
    } catch (const spool::MisuseError& problem) {
      say(problem.what());
    }
    delete gone;
    if (!mine.is_owned()) return 5;
    mine.unlock();
    spool::Thread other{[] { const std::lock_guard guard{mine}; }};
    other.start();
    other.join();
    accounts.unlock();  // as in Python, anybody may
    const std::lock_guard guard{accounts};
    return 0;
  });
  mine.unlock();
  return result;
}

/// Threads of the parent wait; in the child nobody does, and what they waited on works.
int leaves_waiters() {
  static spool::Condition condition;
  static spool::Event event;
  static std::atomic<int> waiting{0};
  static bool over = false;
  std::array<spool::Thread, 2> threads{spool::Thread{[] {
                                         const std::lock_guard guard{condition};
                                         ++waiting;
                                         condition.wait([] { return over; });
                                       }},
                                       spool::Thread{[] {
                                         ++waiting;
                                         event.wait();
                                       }}};
  for (spool::Thread& each : threads)
    each.start();
  while (waiting.load() < 2)
    std::this_thread::yield();
  { const std::lock_guard waits{condition}; }
  const int result = in_child([] {
    over = false;
    spool::Thread late{[] {
      const std::lock_guard inside{condition};
      condition.wait([] { return over; });
      event.wait();
    }};
    late.start();
    {
      const std::lock_guard inside{condition};
      over = true;
      condition.notify_all();
    }
    event.set();
    late.join();
    return 0;
  });
  {
    const std::lock_guard inside{condition};
    over = true;
    condition.notify_all();
  }
  event.set();
  for (spool::Thread& each : threads)
    each.join();
  return result;
}

[[gnu::noinline]] pid_t exec_by_vfork(char* const* arguments) {
  const pid_t child = vfork();
  if (child != 0) return child;
  execve("/bin/true", arguments, environ);
  _exit(127);
}

/// Every kind of child that is about to be another program.
int becomes_others() {
  return among_busy_threads([] {
    std::array<char, 5> name{"true"};
    const std::array<char*, 2> arguments{name.data(), nullptr};
    int worst = 0;
    for (int i = 0; i < 20 && worst == 0; ++i) {
      pid_t child = 0;
      if (posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments.data(), environ) != 0) return 1;
      worst = reap(child);
      worst += reap(exec_by_vfork(arguments.data())) + std::system("true");
    }
    return worst;
  });
}

/// The image is replaced while threads work: what they wrote stays.
int execs() {
  return among_busy_threads([] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    execl("/bin/true", "true", nullptr);
    return 1;
  });
}

int forks_twice() {
  return in_child([] { return in_child(live_in_child); });
}

/// What daemons do: the directory that the environment named as a relative path is another one by now.
int moves_away() {
  return in_child([] {
    setsid();
    if (chdir("/") != 0) return 1;
    return in_child(live_in_child);
  });
}

/// Lines that wait in a file's buffer are written once.
int forks_with_sink() {
  const char* file = std::getenv("LINES");
  auto target = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  spool::basic_config({.sinks = {spool::sinks::text(std::move(target), "%N %v")}});
  std::atomic<bool> over{false};
  Pause pause{1};
  spool::Thread writer{spool::ThreadOptions{.name = "writer"}, [&] {
                         for (int i = 0; !over.load(); ++i) {
                           pause.here();
                           spool::info("line {}", i);
                           std::this_thread::sleep_for(std::chrono::microseconds{200});
                         }
                       }};
  writer.start();
  int worst = 0;
  for (int i = 0; i < 8 && worst == 0; ++i) {
    pause.begin();
    worst = in_child([i] {
      spool::info("child {}", i);
      return 0;
    });
    pause.end();
  }
  over.store(true);
  writer.join();
  return worst;
}

}  // namespace

Programs spool::test::fork_programs() {
  return {
      {"becomes_others", becomes_others},
      {"execs", execs},
      {"forks", forks},
      {"forks_in_foreign", forks_in_foreign},
      {"forks_in_thread", forks_in_thread},
      {"forks_twice", forks_twice},
      {"forks_with_sink", forks_with_sink},
      {"leaves_holders", leaves_holders},
      {"leaves_waiters", leaves_waiters},
      {"moves_away", moves_away},
  };
}
