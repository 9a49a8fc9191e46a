// SPDX-License-Identifier: MIT
//
// The symbolizer: a thread of ours, hidden from enumerate and at the lowest priority, that looks up what the frames of
// call stacks are called, while the process lives: nobody who reads the trace has the program. Owns the thread and the
// order it works on; which frames those are, and what becomes of their names, is the keeper's.
//
// It takes no mutex, for the same reason as the archiver. An order and its result go over by one word:
//
//   | phase   | whose is the order      | who ends it                   |
//   | idle    | the keeper's            | the keeper, by an order       |
//   | ordered | the symbolizer's        | the symbolizer, when done     |
//   | done    | the keeper's            | the keeper, by taking it      |
#pragma once

#include <spool/log/call_stacks.hpp>
#include <spool/log/hidden_thread.hpp>
#include <spool/os/park.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace spool::log {

/// All for one caller at a time. Memory ordering: the phase is stored with release and loaded with acquire on both
/// sides, so that what one side wrote into the order is seen by the other.
class Symbolizer {
 public:
  /// Has it look. False: it is not idle, or there is no memory or no thread for it. The thread is started by the first
  /// order.
  bool give(std::vector<UnnamedFrame> frames);
  /// What the last order's frames are called, once; nothing while it is at it.
  std::optional<std::vector<NamedFrame>> take();
  bool is_idle() const { return phase_.load(std::memory_order_acquire) == idle; }  // acquire: partner is in serve

  /// Waits until the order is done, or the time is over.
  void await(os::Deadline deadline);
  /// Ends the thread. One that the disk holds for longer than 5 s is left to itself.
  void stop();
  void forget_after_fork();

 private:
  enum Phase : std::uint32_t { idle, ordered, done, ended };

  static void run(void* self);
  void serve();

  struct Work {
    os::Symbols symbols;
    std::vector<UnnamedFrame> order;
    std::vector<NamedFrame> result;
  };

  HiddenThread thread_;
  std::unique_ptr<Work> work_;
  bool started_ = false;
  os::Word phase_{idle};
  os::Word wakes_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace spool::log
