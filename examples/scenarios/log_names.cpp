// SPDX-License-Identifier: MIT
// Log lines that say which thread they are of: %N in a sink's pattern is the name, %-10N pads it.
//
// Output, in any order of the threads:
//   worker  | [debug] (worker    ) Starting
//   worker  | [debug] (worker    ) Exiting
//   unnamed | [debug] (Thread-1  ) Starting
//   unnamed | [debug] (Thread-1  ) Exiting
//   service | [debug] (my_service) Starting
//   service | [debug] (my_service) Exiting
#include <spool/spool.hpp>

void work() {
  spool::debug("Starting");
  spool::debug("Exiting");
}

int main() {
  spool::basic_config({.level = spool::Level::debug, .sinks = {spool::sinks::console("[%l] (%-10N) %v")}});
  spool::Thread service{{.name = "my_service"}, work};
  spool::Thread worker{{.name = "worker"}, work};
  spool::Thread unnamed{work};
  service.start();
  worker.start();
  unnamed.start();
}
