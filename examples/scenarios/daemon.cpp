// SPDX-License-Identifier: MIT
// The program does not end before its threads do, but for daemons: these are left behind.
//
// Output, in any order of the threads:
//   daemon | (daemon) Starting
//   plain  | (plain) Starting
//   plain  | (plain) Exiting
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  static spool::Event started;
  static spool::Event never;
  spool::Thread daemon{{.name = "daemon", .daemon = true}, [] {
                         spool::info("Starting");
                         started.set();
                         never.wait();
                         spool::info("Exiting");  // not reached: nobody sets it
                       }};
  spool::Thread plain{{.name = "plain"}, [] {
                        spool::info("Starting");
                        spool::info("Exiting");
                      }};
  daemon.start();
  plain.start();
  started.wait();
}
