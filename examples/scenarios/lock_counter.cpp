// SPDX-License-Identifier: MIT
// A counter that several threads change: a lock makes each change whole.
//
// Output:
//   counter: 40000
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <vector>

class Counter {
 public:
  void increment() {
    const std::lock_guard guard{lock_};
    ++value_;
  }
  int value() const {
    const std::lock_guard guard{lock_};
    return value_;
  }

 private:
  mutable spool::Lock lock_{"counter"};
  int value_ SPOOL_GUARDED_BY(lock_) = 0;  // clang warns of a use without the lock
};

int main() {
  Counter counter;
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n)
        counter.increment();
    });
    threads.back().start();
  }
  for (spool::Thread& each : threads)
    each.join();
  fmt::print("counter: {}\n", counter.value());
}
