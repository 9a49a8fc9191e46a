// SPDX-License-Identifier: MIT
//
// Makes of a drained Record's bytes the fields that a sink gets, by a plan for each kind of Record. Owns these fields
// and a message's text.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/known_names.hpp>
#include <spool/log/message_format.hpp>
#include <spool/trace/named_arguments.hpp>
#include <spool/trace/named_record.hpp>
#include <spool/trace/schema.hpp>
#include <spool/trace/timeline.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace spool::log {

/// Thread-bound. What is put is valid until the next call.
class RecordFields {
 public:
  /// Both must outlive it.
  RecordFields(const KnownNames& names, const trace::Timeline& timeline);

  /// The row of a Record's id: that of `message` for all message classes; nullptr where it is not known.
  static const trace::Row* row_of(std::uint16_t id);

  /// Gives `to` its fields, its site, its sequence, a message's text. Requires its row. False: of a message class that
  /// is not known.
  bool put(const DrainedRecord& record, trace::NamedRecord& to);

 private:
  enum class How : std::uint8_t { text, sequence, site, reserved, point, span, thread, object, place, word };
  struct Step {
    How how = How::reserved;
    const trace::Field* field = nullptr;
    std::size_t place = 0;  ///< among the fields
  };
  struct RowPlan {
    std::vector<Step> steps;
    std::vector<trace::NamedField> fields;  ///< with their names; the values are the last Record's
  };
  struct MessagePlan {
    const MessageSite* site = nullptr;
    MessageFormat format;
    std::vector<trace::NamedField> fields;  ///< as above; empty: an argument is no plain value
  };

  static How how_of(const trace::Field& field);
  MessagePlan* message_plan(std::uint16_t id);
  void put_row(std::span<const std::byte> bytes, trace::NamedRecord& to);
  void put_number(const Step& step, std::uint64_t value, const trace::Row& row, trace::NamedField& to) const;
  void put_message(std::span<const std::byte> bytes, MessagePlan& plan, trace::NamedRecord& to);
  std::span<const trace::NamedField> arguments(MessagePlan& plan);

  const KnownNames& names_;
  const trace::Timeline& timeline_;
  std::vector<RowPlan> rows_;          ///< by the row's place in the table
  std::vector<MessagePlan> messages_;  ///< by class
  std::vector<trace::Value> values_;
  trace::NamedArguments named_arguments_;
  std::vector<trace::NamedField> fields_;
  std::string text_;
};

}  // namespace spool::log
