// SPDX-License-Identifier: MIT
//
// A message's arguments as log lines and sinks have them: characters, addresses and durations become texts, and a
// duration stands a second time in nanoseconds, as NAME_ns. Owns these texts.
#pragma once

#include <spool/trace/message.hpp>
#include <spool/trace/named_record.hpp>

#include <deque>
#include <span>
#include <string>
#include <vector>

namespace spool::trace {

/// Thread-bound.
class NamedArguments {
 public:
  /// Appends to `out`; what is appended is valid until the next call, and as long as fields and values.
  void append(std::span<const Field> fields, std::span<const Value> values, std::vector<NamedField>& out);

 private:
  std::deque<std::string> texts_;  ///< of a deque, whose texts stay where they are
};

}  // namespace spool::trace
