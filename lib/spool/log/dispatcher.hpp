// SPDX-License-Identifier: MIT
//
// The dispatcher: each sink has a feeder, a thread of its own that reads what the writers have committed, merged by
// time. A Record reaches the sinks within `dispatch_delay` and one interval of 20 ms; flush() and the end of the
// program deliver all.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/feeder.hpp>
#include <spool/log/sink.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace spool::log {

class Dispatcher {
 public:
  /// Messages of level `immediate` and up are delivered at once.
  static void start(std::vector<std::shared_ptr<Sink>> sinks, Level immediate);
  /// Delivers everything and ends the threads; waits for each sink as long as its patience.
  static void stop();
  /// Returns when all Records committed before the call have reached the sinks and these are flushed, or their patience
  /// is over. False: not all have.
  static bool flush();

  /// Of the sinks' threads.
  static std::chrono::nanoseconds cpu_time() noexcept;

  /// Has all sinks deliver what is there. O(sinks), no lock; also in a signal handler.
  static void wake() noexcept;
  /// Is the calling thread one that feeds a sink? It must not wait for one.
  static bool is_feeding() noexcept { return Feeder::is_calling(); }

  /// Has the threads pause between two rounds, when the sinks are flushed: what they buffer is not written twice. Sinks
  /// that hang hold fork() up for a second; then the child goes without them.
  static void lock_for_fork();
  static void unlock_after_fork();
  /// In the child: the threads are not there. The sinks are kept for resume_in_child.
  static void forget_after_fork();
  /// Feeds the sinks again if the parent did, from the segment `first` on. Under the recorder's fm.
  static void resume_in_child(std::uint32_t first);
};

}  // namespace spool::log
