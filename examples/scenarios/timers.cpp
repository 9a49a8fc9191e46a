// SPDX-License-Identifier: MIT
// A function that runs later, unless it is cancelled before.
//
// Output:
//   (MainThread) waiting before canceling t2
//   (MainThread) canceling t2
//   (t1) worker running
//   (MainThread) done
#include <spool/spool.hpp>

using namespace std::chrono_literals;

void delayed() {
  spool::info("worker running");
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Timer t1{50ms, delayed};
  t1.set_name("t1");
  spool::Timer t2{1h, delayed};
  t2.set_name("t2");
  spool::info("waiting before canceling t2");
  t2.start();
  spool::info("canceling t2");
  t2.cancel();
  t2.join();
  t1.start();
  t1.join();
  spool::info("done");
}
