// SPDX-License-Identifier: MIT
// All threads that are alive; main joins all but itself.
//
// Output:
//   alive: 4
//   joining Thread-1
//   joining Thread-2
//   joining Thread-3
//   alive: 1
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <vector>

int main() {
  spool::Event finish;
  for (int i = 0; i < 3; ++i) {
    spool::Thread thread{[&] { finish.wait(); }};
    thread.start();
  }
  fmt::print("alive: {}\n", spool::active_count());
  std::vector<spool::Thread> alive = spool::enumerate();  // in the order in which they were made
  finish.set();
  for (spool::Thread& each : alive) {
    if (each == spool::main_thread()) continue;
    fmt::print("joining {}\n", each.name());
    each.join();
  }
  fmt::print("alive: {}\n", spool::active_count());
}
