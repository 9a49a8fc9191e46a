// SPDX-License-Identifier: MIT
//
// A trace's Record with its names, as log lines hold it (docs/lines.md). Owns no line: spool/trace/json_line.hpp does.
#pragma once

#include <spool/trace/named_arguments.hpp>
#include <spool/trace/named_record.hpp>

#include <unspool/model/model.hpp>
#include <unspool/read/calendar.hpp>

#include <string>
#include <vector>

namespace unspool {

/// Thread-bound. Refers to the process.
class Naming {
 public:
  explicit Naming(const Process& process);

  /// Valid until the next call, and as long as the Record.
  const trace::NamedRecord& name(const Record& record);
  /// `definition.process`, which a trace says in its metadata.
  const trace::NamedRecord& process();

 private:
  void begin(const trace::Row& row, trace::Ticks time);
  void name_thread(const Record& record);
  void name_object(const Record& record);
  void name_site();
  void add_message(const Record& record);
  void add_row(const Record& record);
  void add_number(const trace::Row& row, const trace::Field& field, std::uint64_t value);

  const Process& process_;
  const Calendar calendar_;
  trace::NamedRecord named_;
  std::vector<trace::NamedField> fields_;
  std::vector<trace::Value> values_;  ///< of a message's arguments
  trace::NamedArguments arguments_;
  std::string text_;
};

}  // namespace unspool
