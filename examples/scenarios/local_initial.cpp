// SPDX-License-Identifier: MIT
// Per-thread data that begins with a value.
//
// Output, in any order of the threads:
//   main  | (MainThread) value = 1000
//   one   | (Thread-1) value = 1000
//   one   | (Thread-1) value = 17
//   two   | (Thread-2) value = 1000
//   two   | (Thread-2) value = 17
#include <spool/spool.hpp>

spool::Local<int> local{1000};

void work() {
  spool::info("value = {}", *local);
  *local = 17;
  spool::info("value = {}", *local);
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::info("value = {}", *local);
  for (int i = 0; i < 2; ++i) {
    spool::Thread thread{work};
    thread.start();
  }
}
