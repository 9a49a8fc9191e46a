// SPDX-License-Identifier: MIT
//
// Short ways to a second thread, and to a state that is reached soon but not at once.
#pragma once

#include <spool/thread/thread.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace spool::test {

/// A running thread of this name.
template <class F>
Thread start_thread(std::string name, F function, const Site& site = Site::current()) {
  Thread thread{ThreadOptions{.name = std::move(name), .site = site}, std::move(function)};
  thread.start(site);
  return thread;
}

/// Runs `function` in a thread of this name to its end.
template <class F>
void run_in_thread(std::string name, F function) {
  start_thread(std::move(name), std::move(function)).join();
}

/// Looks until `done()`; after 20 s it aborts. For what leaves no Record; where there is one, await that.
template <class Done>
void until(Done done, const char* what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      std::fprintf(stderr, "waited 20 s in vain until %s\n", what);
      std::abort();
    }
    std::this_thread::yield();
  }
}

/// Looks until the kernel has put the thread to sleep. For the child of a fork, where nobody reads the log; elsewhere
/// await the Record.
inline void until_asleep(const Thread& thread) {
  const auto sleeps = [&] {
    std::ifstream stat{"/proc/self/task/" + std::to_string(thread.native_id()) + "/stat"};
    std::string text;
    std::getline(stat, text);
    const auto name_end = text.rfind(')');
    return name_end != std::string::npos && text.compare(name_end, 3, ") S") == 0;
  };
  until(sleeps, "the thread sleeps");
}

}  // namespace spool::test
