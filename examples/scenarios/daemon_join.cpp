// SPDX-License-Identifier: MIT
// A daemon may be joined like any other thread: then its end is waited for.
//
// Output:
//   (daemon) Starting
//   (daemon) Exiting
//   (MainThread) joined, and it was a daemon: true
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Thread daemon{{.name = "daemon", .daemon = true}, [] {
                         spool::info("Starting");
                         spool::info("Exiting");
                       }};
  daemon.start();
  daemon.join();
  spool::info("joined, and it was a daemon: {}", daemon.daemon());
}
