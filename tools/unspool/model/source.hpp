// SPDX-License-Identifier: MIT
//
// The door between read/order and the analyses: a process's Records, one after another.
#pragma once

#include <unspool/model/model.hpp>

#include <span>

namespace unspool {

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

  /// The next Records, at least one; none after the last. Valid until the next call of either.
  virtual std::span<const Record> more() {
    return next(one_) ? std::span<const Record>{&one_, 1} : std::span<const Record>{};
  }

 private:
  Record one_;
};

}  // namespace unspool
