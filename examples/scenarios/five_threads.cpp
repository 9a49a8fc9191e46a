// SPDX-License-Identifier: MIT
// Five threads run the same function; main waits for all of them.
//
// Output, in any order of the threads:
//   one   | (Thread-1) at work
//   two   | (Thread-2) at work
//   three | (Thread-3) at work
//   four  | (Thread-4) at work
//   five  | (Thread-5) at work
//   ---
//   main  | (MainThread) all done
#include <spool/spool.hpp>

#include <vector>

void work() {
  spool::info("at work");
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back(work);
    threads.back().start();
  }
  for (spool::Thread& each : threads)
    each.join();
  spool::info("all done");
}
