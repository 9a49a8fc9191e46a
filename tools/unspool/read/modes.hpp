// SPDX-License-Identifier: MIT
//
// What a process says of its recording modes: which was in force, whether all the time and for all, and how short a
// wait may be missing for being short.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>

namespace unspool {

/// Takes the definition.mode and definition.long_wait Records of one process, in their order. Thread-bound.
class ModeReader {
 public:
  explicit ModeReader(Process& process) : process_{process} {}

  /// Of one object, or, where that is 0, of all that have none of their own. An unknown mode counts as `all`.
  void mode(trace::ObjectNumber object, std::uint64_t mode);
  void long_wait(std::uint64_t nanoseconds);

 private:
  Process& process_;
  bool mode_seen_ = false;
};

}  // namespace unspool
