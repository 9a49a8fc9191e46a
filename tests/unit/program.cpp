// SPDX-License-Identifier: MIT
//
// Small programs to be run to their end by program_test: `unit_program NAME`. Each shows one thing about how a program
// that uses spool begins, ends or forks. Uses the public header only, as a user would.
#include <spool/sinks/text.hpp>
#include <spool/spool.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/// ThreadSanitizer's defaults forbid what these programs are about: threads in the child of a fork. (Read by its runtime;
/// a plain function elsewhere.)
extern "C" const char* __tsan_default_options() {  // NOLINT(bugprone-reserved-identifier): the runtime's name
  return "die_after_fork=0";
}

/// LeakSanitizer in the child of a fork still counts the parent's threads as running, and so cannot look at the stacks that
/// hold its pointers: it looks for leaks in the parents only.
static bool is_forked = false;
extern "C" int __lsan_is_turned_off() {  // NOLINT(bugprone-reserved-identifier): the runtime's name
  return is_forked ? 1 : 0;
}

namespace {

void say(const char* words) {
  std::puts(words);
  (void)std::fflush(stdout);
}

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

int warns() {
  spool::info("not shown");
  spool::warning("watch {}\n", "out");
  _exit(0);
}

int console() {
  spool::basic_config({.level = spool::Level::debug, .sinks = {spool::sinks::console("[%l] (%-10N) %v")}});
  spool::Thread worker{spool::ThreadOptions{.name = "worker"}, [] { spool::debug("Starting"); }};
  worker.start();
  worker.join();
  spool::Thread service{spool::ThreadOptions{.name = "a\nb", .daemon = true}, [] { spool::warning("two\nlines"); }};
  service.start();
  service.join();
  spool::trace_message("below the level");
  return 0;
}

int configures_twice() {
  const bool first = spool::basic_config({.sinks = {spool::sinks::console("first %v")}});
  const bool second = spool::basic_config({.sinks = {spool::sinks::console("second %v")}});
  std::printf("%d %d\n", static_cast<int>(first), static_cast<int>(second));
  spool::info("hello");
  spool::flush();
  return 0;
}

int configures_in_vain() {
  try {
    spool::basic_config({.directory = "/dev/null/traces"});
  } catch (const std::system_error& problem) {
    say(problem.what());
    return 0;
  }
  return 1;
}

/// Recording starts while threads contend, wait and hold.
int configures_late() {
  static spool::Lock busy;
  static spool::Condition ready;
  static std::atomic<bool> over{false};
  static std::atomic<int> rounds{0};
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      while (!over.load()) {
        const std::lock_guard guard{busy};
        ++rounds;
      }
    });
  }
  threads.emplace_back([] {
    const std::lock_guard guard{ready};
    ready.wait([] { return over.load(); });
  });
  for (spool::Thread& each : threads)
    each.start();
  while (rounds.load() < 1000)
    std::this_thread::yield();
  const char* parent = std::getenv("TRACE_PARENT");
  spool::basic_config({.directory = parent, .sinks = {spool::sinks::console()}});
  const int before = rounds.load();
  while (rounds.load() < before + 1000)
    std::this_thread::yield();
  over.store(true);
  {
    const std::lock_guard guard{ready};
    ready.notify_all();
  }
  for (spool::Thread& each : threads)
    each.join();
  return 0;
}

int destroys_held() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::Lock lock{"held"};
  lock.lock();
  return 0;
}

int works() {
  spool::Lock lock{"accounts"};
  spool::Thread thread{spool::ThreadOptions{.name = "worker"}, [&] {
                         const std::lock_guard guard{lock};
                         spool::info("at work");
                       }};
  thread.start();
  thread.join();
  return 0;
}

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

/// Forks again and again while threads come and go, lock and log.
int forks() {
  std::atomic<bool> over{false};
  spool::Lock shared;
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over.load()) {
        spool::Thread short_lived{[&] {
          const std::lock_guard guard{shared};
          spool::info("short {}", spool::current_thread().name());
        }};
        short_lived.start();
        short_lived.join();
      }
    });
    threads.back().start();
  }
  int worst = 0;
  for (int i = 0; i < 50 && worst == 0; ++i) {
    const pid_t child = fork();
    if (child == 0) std::exit(live_in_child());
    worst = reap(child);
  }
  over.store(true);
  for (spool::Thread& each : threads)
    each.join();
  return worst;
}

/// The child of a fork made by another thread than main is that thread alone.
int forks_in_thread() {
  static std::atomic<int> result{-1};
  spool::Thread forker{[] {
    const pid_t child = fork();
    if (child == 0) {
      const bool alone = spool::active_count() == 1;
      std::exit(alone ? live_in_child() : 8);
    }
    result.store(reap(child));
  }};
  forker.start();
  forker.join();
  return result.load();
}

using Program = int (*)();

const std::map<std::string_view, Program> programs{
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
    {"warns", warns},
    {"console", console},
    {"configures_twice", configures_twice},
    {"configures_in_vain", configures_in_vain},
    {"configures_late", configures_late},
    {"destroys_held", destroys_held},
    {"works", works},
    {"forks", forks},
    {"forks_in_thread", forks_in_thread},
};

}  // namespace

int main(int argc, char** argv) {
  const auto found = argc == 2 ? programs.find(argv[1]) : programs.end();
  return found == programs.end() ? 126 : found->second();
}
