// SPDX-License-Identifier: MIT
//
// Programs with very many threads, at once and one after another; COUNT in the environment says how many. Each prints
// what it cost: "NAME FIGURE" in lines.
#include <spool/spool.hpp>

#include "program.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace spool::test;

namespace {

using Clock = std::chrono::steady_clock;

int count_of_environment() {
  const char* text = std::getenv("COUNT");
  return text == nullptr ? 1000 : std::atoi(text);
}

void print_figure(const char* name, long figure) {
  std::printf("%s %ld\n", name, figure);
}

long mappings() {
  std::ifstream in{"/proc/self/maps"};
  return std::count(std::istreambuf_iterator<char>{in}, {}, '\n');
}

/// Now; the maximum of a process counts what its parent was before it.
long resident_kilobytes() {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

void print_time(Clock::time_point begun) {
  print_figure("milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count());
}

constexpr std::size_t small_stack = std::size_t{64} * 1024;

/// All alive at the same time; each locks now and then.
int many_live() {
  constexpr int turns = 20;
  const int count = count_of_environment();
  static std::array<spool::Lock, 16> locks;
  static spool::Event start;
  static std::atomic<int> in_turns{0};
  static spool::Event finish;
  std::vector<spool::Thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  const auto begun = Clock::now();
  for (int i = 0; i < count; ++i) {
    threads.emplace_back(spool::ThreadOptions{.stack_size = small_stack}, [i] {
      start.wait();
      for (int turn = 0; turn < turns; ++turn) {
        { const std::lock_guard guard{locks.at(static_cast<std::size_t>(i + turn) % locks.size())}; }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
      }
      ++in_turns;
      finish.wait();
    });
    threads.back().start();
  }
  const auto started = Clock::now();
  start.set();
  while (in_turns.load() < count)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  print_time(started);
  print_figure("kilobytes", resident_kilobytes());
  print_figure("mappings", mappings());
  finish.set();
  for (spool::Thread& each : threads)
    each.join();
  print_figure("milliseconds_in_all",
               std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count());
  return 0;
}

/// Threads that log a line, take a lock once, and then wait for ever: what a large server's pool is most of the time.
int many_quiet() {
  const int count = count_of_environment();
  static spool::Lock lock;
  static spool::Event finish;
  static std::atomic<int> quiet{0};
  const long before = resident_kilobytes();
  std::vector<spool::Thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back(spool::ThreadOptions{.stack_size = small_stack}, [i] {
      { const std::lock_guard guard{lock}; }
      spool::info("worker {} is ready", i);
      ++quiet;
      finish.wait();
    });
    threads.back().start();
  }
  while (quiet.load() < count)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  print_figure("kilobytes", resident_kilobytes() - before);
  print_figure("mappings", mappings());
  finish.set();
  for (spool::Thread& each : threads)
    each.join();
  return 0;
}

/// One after another; each locks.
int many_in_a_row() {
  const int count = count_of_environment();
  static spool::Lock lock;
  long early = 0;
  const auto begun = Clock::now();
  for (int i = 0; i < count; ++i) {
    if (i == count / 4) early = resident_kilobytes();
    spool::Thread thread{[] { const std::lock_guard guard{lock}; }};
    thread.start();
    thread.join();
  }
  print_time(begun);
  print_figure("kilobytes_early", early);
  print_figure("kilobytes", resident_kilobytes());
  print_figure("mappings", mappings());
  return 0;
}

}  // namespace

Programs spool::test::scale_programs() {
  return {
      {"many_in_a_row", many_in_a_row},
      {"many_live", many_live},
      {"many_quiet", many_quiet},
  };
}
