// SPDX-License-Identifier: MIT
//
// From a line to the Record that it was made from: numbers into its fields, fields into bytes as the trace has them.
#pragma once

#include <unspool/read/line.hpp>

#include <string>

namespace unspool {

/// A Record and all that it points to.
struct HeldRecord {
  Record record;
  std::string bytes;
  MessageClass message;

  HeldRecord() = default;
  HeldRecord(const HeldRecord& other);
  HeldRecord& operator=(const HeldRecord&) = delete;

  /// The Record of the line. Requires: the line is whole.
  void assign(const Line& line, const Place& place);

 private:
  void assign_message(const Line& line);
  void assign_row(const Line& line);
  void point();
};

/// It has a sequence number.
inline bool is_sequenced(const Record& record) {
  return record.object != 0 && record.row->field_count > 1 &&
         record.row->field_array[1].means == trace::Means::sequence;
}

}  // namespace unspool
