// SPDX-License-Identifier: MIT
//
// The keeper: a thread of ours, hidden from enumerate, that closes full segments, prepares the next one before it is
// needed, recycles the oldest, and notes the clocks. Owns the thread; what it does to the ring is the recorder's.
#pragma once

#include <chrono>

namespace spool::log {

class Keeper {
 public:
  static void start();
  /// Waits until it has ended.
  static void stop();
  static void forget_after_fork();
  static std::chrono::nanoseconds cpu_time() noexcept;
  /// O(1), callable under m: something is to do.
  static void wake() noexcept;
};

}  // namespace spool::log
