// SPDX-License-Identifier: MIT
// Two consumers wait until the producer has made something.
//
// Output, in any order of the threads:
//   c1 | (c1) starting consumer
//   c2 | (c2) starting consumer
//   p  | (p) starting producer
//   p  | (p) making the resource available
//   ---
//   c1 | (c1) resource is available to consumer
//   c2 | (c2) resource is available to consumer
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Condition condition{"resource"};
  bool available = false;
  spool::Semaphore started{0};
  const auto consume = [&] {
    spool::info("starting consumer");
    started.release();
    const std::lock_guard guard{condition};
    condition.wait([&] { return available; });
    spool::info("resource is available to consumer");
  };
  const auto produce = [&] {
    spool::info("starting producer");
    started.acquire();
    started.acquire();
    const std::lock_guard guard{condition};
    spool::info("making the resource available");
    available = true;
    condition.notify_all();
  };
  spool::Thread c1{{.name = "c1"}, consume};
  spool::Thread c2{{.name = "c2"}, consume};
  spool::Thread p{{.name = "p"}, produce};
  for (spool::Thread* each : {&c1, &c2, &p})
    each->start();
  for (spool::Thread* each : {&c1, &c2, &p})
    each->join();  // they use what is main's
}
