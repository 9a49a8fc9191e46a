// SPDX-License-Identifier: MIT
// A thread that is asked to stop: its target takes a std::stop_token, and waits that take it end at once.
//
// Output:
//   (worker) waiting for work
//   (MainThread) asking it to stop
//   (worker) stopped: true
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Event work{"work"};
  spool::Event waits;
  spool::Thread worker{{.name = "worker"}, [&](const std::stop_token& stop) {
                         spool::info("waiting for work");
                         waits.set();
                         const bool got_work = work.wait(stop);
                         spool::info("stopped: {}", !got_work && stop.stop_requested());
                       }};
  worker.start();
  waits.wait();
  spool::info("asking it to stop");
  worker.request_stop();
  worker.join();
}
