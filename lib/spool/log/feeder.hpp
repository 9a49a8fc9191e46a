// SPDX-License-Identifier: MIT
//
// One sink's thread: it reads the streams for this sink alone, so that a sink which is slow, hangs or throws harms
// nobody else. Owns the sink's place in the streams and what was read and not yet delivered.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/hidden_thread.hpp>
#include <spool/log/sink_feed.hpp>
#include <spool/os/park.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

namespace spool::log {

/// How long a Record waits for earlier ones of other threads.
inline constexpr std::chrono::milliseconds dispatch_delay{10};

/// Thread-safe but for start, stop and the functions for a fork, which exclude each other. Must live as long as its
/// thread, which a sink that hangs keeps for ever.
class Feeder {
 public:
  explicit Feeder(std::shared_ptr<Sink> sink);

  void start();
  /// Has the thread deliver everything and end.
  void ask_to_stop();
  /// Waits for that as long as the sink's patience. False: the sink hangs, and the thread with it.
  bool await_stop();

  /// Delivers at once all that is there.
  void wake() noexcept;

  /// Has everything delivered and the sink flushed.
  std::uint32_t ask_for_all();
  /// Waits for it; false where the sink does not do it within its patience.
  bool await_all(std::uint32_t ticket);

  /// Has the thread pause between two rounds. False: it is in the sink still, at the deadline.
  bool pause(os::Deadline deadline);
  void go_on();
  /// In the child of a fork: the thread is not there. Requires a pause before; without one the sink is left alone for
  /// ever.
  void forget();
  /// In the child: feeds the sink again if the parent did, from the segment `first` on.
  void resume(std::uint32_t first);

  std::chrono::nanoseconds cpu_time() const noexcept { return thread_.cpu_time(); }

  /// Is the calling thread a feeder's?
  static bool is_calling() noexcept;

 private:
  enum class Round : std::uint8_t { done, more, failed };

  void run();
  Round round(bool all);
  Round deliver(bool all);
  Round fail(const char* what);
  void write_one(const DrainedRecord& record);
  void read(bool all);
  void give_up_rest();
  void rest(std::uint32_t seen, Round last);
  void launch();

  const std::shared_ptr<Sink> sink_;
  Drain drain_;
  HiddenThread thread_;
  bool running_ = false;
  bool resumes_ = false;    ///< in the child of a fork: with its first Record
  bool paused_ = false;     ///< by the fork under way
  bool abandoned_ = false;  ///< a fork caught it in the sink

  std::mutex feeding_;  ///< held during a round: the sink, and what follows
  SinkFeed feed_;
  DrainedBatch batch_;
  std::size_t next_ = 0;  ///< in the batch
  bool more_ = false;     ///< there is more than the batch took
  bool unflushed_ = false;
  int attempts_ = 0;  ///< at the Record that is next
  std::uint64_t lapped_told_ = 0;
  std::uint64_t failed_ = 0;  ///< Records that the sink did not take
  bool told_ = false;
  std::chrono::milliseconds back_off_{0};  ///< 0: the last round went well

  os::Word wakes_{0};
  os::Word asked_{0};
  os::Word answered_{0};
  os::Word ended_{0};
  std::atomic<bool> urgent_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace spool::log
