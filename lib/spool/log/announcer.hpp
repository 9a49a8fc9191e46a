// SPDX-License-Identifier: MIT
//
// The announcer: a thread of ours that says which segments are closed, in a message of the logger "spool.recorder" and
// to the user's callback. Owns what is still to be said; decides nothing about segments.
#pragma once

#include <spool/log/hidden_thread.hpp>
#include <spool/log/segment.hpp>
#include <spool/log/shipping.hpp>
#include <spool/os/park.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace spool::log {

/// Announcements that wait for the one before them; what is beyond is counted.
inline constexpr std::size_t most_announcements = 64;

/// Never destroyed. Lock order: its mutex is innermost.
class Announcer {
 public:
  Announcer();

  /// Once, before the first announcement.
  void set(OnSegment callback, Sync sync) {
    callback_ = std::move(callback);
    sync_ = sync;
  }
  /// O(1), never blocks for long. `segment` is the one whose directory is told, none for an archive. Starts the thread
  /// where there is none. For the keeper.
  void announce(ClosedSegment closed, std::shared_ptr<Segment> segment);
  /// Ends the thread once everything is told; waits for 5 s at most and leaves it to itself then.
  void stop();
  void forget_after_fork();

 private:
  struct Item {
    ClosedSegment closed;
    std::shared_ptr<Segment> segment;
  };

  static void run(void* self);
  bool say_next();
  void say(Item& item);
  void make_durable(ClosedSegment& closed);

  std::mutex mutex_;
  HiddenThread thread_;
  bool started_ = false;  ///< of the keeper, and whoever ends the recording
  OnSegment callback_;
  Sync sync_ = Sync::off;
  std::deque<Item> items_;    ///< under the mutex
  std::uint64_t missed_ = 0;  ///< under the mutex
  bool told_throw_ = false;   ///< of the thread, both
  bool told_not_durable_ = false;
  os::Word wakes_{0};
  os::Word ended_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace spool::log
