// SPDX-License-Identifier: MIT
// A lock for the length of a scope, and the same by hand.
//
// Output, in any order of the threads:
//   guard | (guard) lock acquired by a guard
//   hand  | (hand) lock acquired by hand
#include <spool/spool.hpp>

spool::Lock lock{"lock"};

void with_guard() {
  const std::lock_guard guard{lock};  // released at the end of the scope, also by an exception
  spool::info("lock acquired by a guard");
}

void by_hand() {
  lock.lock();
  try {
    spool::info("lock acquired by hand");
  } catch (...) {
    lock.unlock();
    throw;
  }
  lock.unlock();
}

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Thread guard{{.name = "guard"}, with_guard};
  spool::Thread hand{{.name = "hand"}, by_hand};
  guard.start();
  hand.start();
}
