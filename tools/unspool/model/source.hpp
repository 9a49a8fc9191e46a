// SPDX-License-Identifier: MIT
//
// The door between read/order and the analyses: a process's Records, one after another.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <span>

namespace unspool {

/// Some of the next Records, and the plain holds between them: before `records[i]` come the holds below
/// `holds_before[i]`, behind the last Record the rest of them.
struct Batch {
  std::span<const Record> records;
  std::span<const std::uint32_t> holds_before;  ///< one a Record, or none at all: there are no holds before Records
  std::span<const PlainHold> holds;

  bool empty() const { return records.empty() && holds.empty(); }
};

/// Gives a process's Records in order: by time, except where an object's sequence numbers say otherwise.
/// Thread-bound. Definitions in the Process are complete before the first Record is read.
class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  virtual ~RecordSource() = default;

  /// The next Record into `record`; false after the last. Never throws for what the input holds: damage is
  /// added to the Process's problems.
  virtual bool next(Record& record) = 0;

  /// The next Records; empty after the last. Valid until the next call of either.
  virtual Batch more() { return next(one_) ? Batch{{&one_, 1}, {}, {}} : Batch{}; }

  /// Damage or a loss has shown up to the last Record given, or some further on. (The Process must not be asked while
  /// it is read.)
  virtual bool shows_damage() const { return false; }

  /// `more` may give plain holds from now on. They keep their place among the Records of their thread and of their
  /// object, but may come before Records of others with earlier times. Before the first Record; never with next().
  virtual void join_holds() {}

 private:
  Record one_;
};

}  // namespace unspool
