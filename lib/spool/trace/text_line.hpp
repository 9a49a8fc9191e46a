// SPDX-License-Identifier: MIT
//
// A Record as a line of text, its words and its pairs (docs/lines.md). Used by the sinks and by unspool.
#pragma once

#include <spool/trace/line_buffer.hpp>
#include <spool/trace/named_record.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spool::trace {

/// A thread's name as it stands in a line's head: escaped, and a `)` before a blank as well, since that is where the
/// name ends.
std::string thread_text(std::string_view name);

/// trace::escaped, into a line.
void put_escaped_text(std::string_view text, LineBuffer& out);

/// Names, places and the second of the time are made once and used again. Thread-bound.
///
///   TextLines lines;
///   lines.append(record, out);
class TextLines {
 public:
  TextLines();
  ~TextLines();
  TextLines(const TextLines&) = delete;
  TextLines& operator=(const TextLines&) = delete;

  /// The line of the default pattern, with its end. Nothing where `record.row` is null.
  void append(const NamedRecord& record, std::string& out);
  /// The same. Where it throws (no memory), half a line may stand in `out`.
  void append(const NamedRecord& record, LineBuffer& out);

  // The parts, each appended.
  /// A message's text; of anything else its Record's name and its object's name.
  void words(const NamedRecord& record, std::string& out);
  /// `key=value` and a blank between two.
  void pairs(const NamedRecord& record, std::string& out);

 private:
  struct RowPlan;
  struct FieldPlan;
  struct Caches;

  const RowPlan& plan_of(const Row& row) const;
  void put_words(const NamedRecord& record, LineBuffer& out);
  void put_pairs(const NamedRecord& record, LineBuffer& out);
  void put_fields(const NamedRecord& record, const RowPlan& plan, LineBuffer& out);
  void put_message_pairs(const NamedRecord& record, LineBuffer& out);
  void put_thread_name(const NamedRecord& record, LineBuffer& out);
  void put_site(const NamedRecord& record, LineBuffer& out);

  std::vector<RowPlan> plans_;  ///< by the row's place in the table
  std::unique_ptr<Caches> caches_;
  TimeText times_;
  LineBuffer line_;
};

}  // namespace spool::trace
