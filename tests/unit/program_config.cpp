// SPDX-License-Identifier: MIT
//
// How programs begin: by call, by environment, late, in vain.
#include <spool/sinks/text.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace spool::test;

namespace {

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

/// Names that would forge lines, colour terminals or fill screens.
int has_hostile_names() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  for (const std::string& name :
       {std::string{"worker-0\n"}, std::string{"\x1b[31mred\x1b]0;title\a"}, std::string{"a\0b", 3},
        std::string{"\xff\xfe"}, std::string(std::size_t{1} << 20U, 'x')}) {
    spool::Thread thread{spool::ThreadOptions{.name = name}, [] { spool::info("named"); }};
    thread.start();
    thread.join();
    if (thread.name() != name) return 1;
  }
  return 0;
}

}  // namespace

Programs spool::test::config_programs() {
  return {
      {"warns", warns},
      {"console", console},
      {"configures_twice", configures_twice},
      {"configures_in_vain", configures_in_vain},
      {"configures_late", configures_late},
      {"has_hostile_names", has_hostile_names},
      {"works", works},
  };
}
