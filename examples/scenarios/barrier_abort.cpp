// SPDX-License-Identifier: MIT
// A party that cannot come aborts the barrier, so that the others do not wait for ever.
//
// Output, in any order of the threads:
//   0 | (worker-0) waiting
//   1 | (worker-1) waiting
//   2 | (worker-2) cannot come: aborting
//   ---
//   0 | (worker-0) the barrier is broken
//   1 | (worker-1) the barrier is broken
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <vector>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Barrier barrier{3};
  spool::Semaphore waiting{0};
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back(spool::ThreadOptions{.name = fmt::format("worker-{}", i)}, [&] {
      spool::info("waiting");
      waiting.release();
      try {
        barrier.wait();
      } catch (const spool::BrokenBarrierError&) {
        spool::info("the barrier is broken");
      }
    });
  }
  threads.emplace_back(spool::ThreadOptions{.name = "worker-2"}, [&] {
    waiting.acquire();
    waiting.acquire();
    spool::info("cannot come: aborting");
    barrier.abort();
  });
  for (spool::Thread& each : threads)
    each.start();
  for (spool::Thread& each : threads)
    each.join();
}
