// SPDX-License-Identifier: MIT
// A semaphore as a pool of two connections that four threads share.
//
// Output:
//   never more than 2 at a time: true
//   served: 4
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <vector>

class Connections {
 public:
  void use() {
    const spool::Permit permit{free_};
    enter(1);
    ++served_;
    enter(-1);
  }
  int most() const { return most_; }
  int served() const { return served_; }

 private:
  void enter(int change) {
    const std::lock_guard guard{lock_};
    active_ += change;
    most_ = std::max(most_, active_);
  }

  spool::Semaphore free_{2, "connections"};
  spool::Lock lock_{"active"};
  int active_ = 0;
  int most_ = 0;
  std::atomic<int> served_{0};
};

int main() {
  Connections connections;
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { connections.use(); });
    threads.back().start();
  }
  for (spool::Thread& each : threads)
    each.join();
  fmt::print("never more than 2 at a time: {}\n", connections.most() <= 2);
  fmt::print("served: {}\n", connections.served());
}
