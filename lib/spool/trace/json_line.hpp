// SPDX-License-Identifier: MIT
//
// A Record as one line of JSON (docs/lines.md). Used by the sinks and by unspool.
#pragma once

#include <spool/trace/line_buffer.hpp>
#include <spool/trace/named_record.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spool::trace {

/// `text` between the quotes of a JSON string: control characters, quotes and backslashes escaped, what is no UTF-8
/// replaced by U+FFFD.
void put_json_text(std::string_view text, LineBuffer& out);

/// Names, places and the second of the time are made once and used again. Thread-bound.
///
///   JsonLines lines;
///   lines.append(record, out);
class JsonLines {
 public:
  JsonLines();
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// With the line's end. Nothing where `record.row` is null.
  void append(const NamedRecord& record, std::string& out);
  /// The same. Where it throws (no memory), half a line may stand in `out`.
  void append(const NamedRecord& record, LineBuffer& out);

 private:
  struct RowPlan;
  struct FieldPlan;
  struct Caches;
  struct KnownThread;

  const RowPlan& plan_of(const Row& row) const;
  const KnownThread& known_thread(ThreadNumber thread, std::string_view name, std::uint64_t names);
  const std::string& known_format(const NamedRecord& record);
  void put_object(const NamedRecord& record, LineBuffer& out);
  void put_site(const NamedRecord& record, bool with_function, LineBuffer& out);
  void put_field(const FieldPlan& plan, const NamedField& field, std::uint64_t names, LineBuffer& out);
  void put_message(const NamedRecord& record, LineBuffer& out);
  void put_row(const NamedRecord& record, const RowPlan& plan, LineBuffer& out);
  static void put_value(const Value& value, LineBuffer& out);

  std::vector<RowPlan> plans_;  ///< by the row's place in the table
  std::unique_ptr<Caches> caches_;
  TimeText times_;
  LineBuffer line_;
};

}  // namespace spool::trace
