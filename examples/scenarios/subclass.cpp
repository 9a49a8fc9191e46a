// SPDX-License-Identifier: MIT
// A thread as a class of its own: override run(). make_thread makes it shared, as a running thread owns itself.
//
// Output, in any order of the threads:
//   one | (Thread-1) running
//   two | (Thread-2) running
#include <spool/spool.hpp>

class MyThread : public spool::Thread {
 protected:
  void run() override { spool::info("running"); }
};

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  for (int i = 0; i < 2; ++i)
    spool::make_thread<MyThread>()->start();
}
