// SPDX-License-Identifier: MIT
// A Lock is not taken twice, not even by its holder; an RLock is.
//
// Output:
//   Lock: first try true, second try false
//   RLock: first try true, second try true, depth 2
#include <spool/spool.hpp>

#include <fmt/format.h>

int main() {
  spool::Lock lock;
  const bool first = lock.try_lock();
  const bool second = lock.try_lock();
  fmt::print("Lock: first try {}, second try {}\n", first, second);
  if (first) lock.unlock();

  spool::RLock rlock;
  const bool outer = rlock.try_lock();
  const bool inner = rlock.try_lock();
  fmt::print("RLock: first try {}, second try {}, depth {}\n", outer, inner, rlock.depth());
  if (inner) rlock.unlock();
  if (outer) rlock.unlock();
}
