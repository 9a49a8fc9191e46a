// SPDX-License-Identifier: MIT
// Which thread am I? Names are given, or "Thread-N"; a thread may also rename itself.
//
// Output, in any order of the threads:
//   service | (service) starting
//   service | (service) exiting
//   worker  | (worker) starting
//   worker  | (worker) exiting
//   unnamed | (Thread-1) starting
//   unnamed | (Thread-1) exiting
//   renamed | (Thread-2) starting
//   renamed | (fetcher) exiting
#include <spool/spool.hpp>

void say(const char* what) {
  spool::info("{}", what);
}

void work() {
  say("starting");
  say("exiting");
}

void work_renamed() {
  say("starting");
  spool::current_thread().set_name("fetcher");
  say("exiting");
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Thread service{{.name = "service"}, work};
  spool::Thread worker{{.name = "worker"}, work};
  spool::Thread unnamed{work};
  spool::Thread renamed{work_renamed};
  for (spool::Thread* each : {&service, &worker, &unnamed, &renamed})
    each->start();
}
