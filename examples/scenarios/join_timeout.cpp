// SPDX-License-Identifier: MIT
// A join that gives up: the return value says whether the thread has ended, and so does is_alive().
//
// Output:
//   joined: false, alive: true
//   joined: true, alive: false
#include <spool/spool.hpp>

#include <fmt/format.h>

using namespace std::chrono_literals;

int main() {
  spool::Event finish;
  spool::Thread thread{[&] { finish.wait(); }};
  thread.start();

  bool joined = thread.join_for(10ms);
  fmt::print("joined: {}, alive: {}\n", joined, thread.is_alive());

  finish.set();
  joined = thread.join_for(1h);
  fmt::print("joined: {}, alive: {}\n", joined, thread.is_alive());
}
