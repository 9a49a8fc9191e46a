// SPDX-License-Identifier: MIT
//
// How far the reading of long inputs has got, on a terminal: bytes, share, rate, time left. Nothing where stderr is
// none, and nothing in the first two seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace unspool {

/// Thread-safe: a trace is read on a thread of its own.
class ReadProgress {
 public:
  /// `shown`: stderr is a terminal.
  explicit ReadProgress(bool shown) : shown_{shown} {}
  ReadProgress(const ReadProgress&) = delete;
  ReadProgress& operator=(const ReadProgress&) = delete;
  ~ReadProgress() { clear(); }

  /// There are so many more stored bytes to be read.
  void expect(std::uint64_t bytes);
  /// So many of them have been read since the last call.
  void advance(std::uint64_t bytes);
  /// Takes the line off the terminal, for others to write there.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void show(Clock::time_point now);

  const bool shown_;
  std::mutex mutex_;  ///< guards what follows
  bool visible_ = false;
  std::uint64_t all_ = 0;
  std::uint64_t done_ = 0;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point next_ = began_ + std::chrono::seconds{2};
};

}  // namespace unspool
