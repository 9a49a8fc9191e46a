// SPDX-License-Identifier: MIT
//
// The dispatcher: a thread of ours that reads what the writers have committed, merges it by time and feeds the sinks.
// A Record reaches the sinks within `dispatch_delay` and one interval; flush() and the end of the program deliver all.
#pragma once

#include <spool/log/sink.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace spool::log {

/// How long a Record waits for earlier ones of other threads.
inline constexpr std::chrono::milliseconds dispatch_delay{10};

class Dispatcher {
 public:
  static void start(std::vector<std::shared_ptr<Sink>> sinks);
  /// Delivers everything and ends the thread.
  static void stop();
  /// Returns when all Records committed before the call have reached the sinks and these are flushed.
  static void flush();

  /// Has the thread pause between two rounds, when the sinks are flushed: what they buffer is not written twice. A sink that
  /// hangs holds fork() up for a second; then the child goes without sinks.
  static void lock_for_fork();
  static void unlock_after_fork();
  /// In the child: the thread is not there. The sinks are kept for resume_in_child.
  static void forget_after_fork();
  /// Feeds the sinks again if the parent did, from the segment `first` on.
  static void resume_in_child(std::uint32_t first);
};

}  // namespace spool::log
