// SPDX-License-Identifier: MIT
//
// The archiver: a thread of ours, hidden from enumerate and at the lowest priority, that packs one segment at a time.
// Owns the thread and the order it works on; which segment is next, and what becomes of its files, is the keeper's.
//
// It takes no mutex: a thread of low priority that is stopped in the middle of one would stop those who wait for it. An
// order and its result go over by one word:
//
//   | phase   | whose is order and result | who ends it                 |
//   | idle    | the keeper's              | the keeper, by an order     |
//   | ordered | the archiver's            | the archiver, when done     |
//   | done    | the keeper's              | the keeper, by taking it    |
#pragma once

#include <spool/log/hidden_thread.hpp>
#include <spool/log/packer.hpp>
#include <spool/os/park.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace spool::log {

/// All for one caller at a time. Memory ordering: the phase is stored with release and loaded with acquire on both
/// sides, so that what one side wrote into order or result is seen by the other.
class Archiver {
 public:
  /// Has it pack. False: it is not idle, or there is no memory or no thread for it. The thread is started by the first
  /// order.
  bool give(PackOrder order);
  /// What became of the last order, once.
  std::optional<Packed> take();
  bool is_idle() const { return phase_.load(std::memory_order_acquire) == idle; }  // acquire: partner is in run

  /// Ends the thread, with the order it works on unfinished. One that the disk holds for longer than 5 s is left to
  /// itself.
  void stop();
  void forget_after_fork();
  std::chrono::nanoseconds cpu_time() const noexcept { return thread_.cpu_time(); }

 private:
  enum Phase : std::uint32_t { idle, ordered, done };

  static void run(void* self);
  void serve();
  void end();

  HiddenThread thread_;
  std::unique_ptr<Packer> packer_;
  bool started_ = false;
  PackOrder order_;
  Packed result_;
  std::atomic<std::uint32_t> phase_{idle};
  os::Word wakes_{0};
  os::Word ended_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace spool::log
