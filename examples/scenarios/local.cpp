// SPDX-License-Identifier: MIT
// Data of which each thread has its own. What main sets, the others do not see.
//
// Output, in any order of the threads:
//   main  | (MainThread) No value yet
//   main  | (MainThread) value = 1000
//   one   | (Thread-1) No value yet
//   one   | (Thread-1) value = 17
//   two   | (Thread-2) No value yet
//   two   | (Thread-2) value = 17
#include <spool/spool.hpp>

spool::Local<int> local;

void show() {
  if (const int* value = local.get_if()) {
    spool::info("value = {}", *value);
  } else {
    spool::info("No value yet");
  }
}

void work() {
  show();
  local.set(17);
  show();
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  show();
  local.set(1000);
  show();
  for (int i = 0; i < 2; ++i) {
    spool::Thread thread{work};
    thread.start();
  }
}
