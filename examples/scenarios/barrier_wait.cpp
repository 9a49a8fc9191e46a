// SPDX-License-Identifier: MIT
// Threads wait for each other; all go on when the last has come.
//
// Output, in any order of the threads:
//   0 | (worker-0) starting
//   0 | (worker-0) waiting for the others
//   1 | (worker-1) starting
//   1 | (worker-1) waiting for the others
//   2 | (worker-2) starting
//   2 | (worker-2) waiting for the others
//   ---
//   0 | (worker-0) going on
//   1 | (worker-1) going on
//   2 | (worker-2) going on
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <vector>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  constexpr int parties = 3;
  spool::Barrier barrier{parties};
  std::vector<spool::Thread> threads;
  for (int i = 0; i < parties; ++i) {
    threads.emplace_back(spool::ThreadOptions{.name = fmt::format("worker-{}", i)}, [&] {
      spool::info("starting");
      spool::info("waiting for the others");
      barrier.wait();
      spool::info("going on");
    });
    threads.back().start();
  }
  for (spool::Thread& each : threads)
    each.join();
}
