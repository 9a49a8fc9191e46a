// SPDX-License-Identifier: MIT
#include <spool/log/message_sites.hpp>
#include <spool/log/packed_bytes.hpp>
#include <spool/log/record_fields.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/words.hpp>

#include <algorithm>
#include <array>

namespace spool::log {
namespace {

using trace::Kind;
using trace::Means;
using trace::Type;
using trace::Verb;

using RowsById = std::array<const trace::Row*, trace::first_message_class>;

RowsById make_rows_by_id() {
  RowsById rows{};
  for (const trace::Row& row : trace::rows())
    rows[trace::record_id(row)] = &row;
  return rows;
}

void put_text_message(std::span<const std::byte> bytes, trace::NamedRecord& to) {
  to.site = take<trace::SiteNumber>(bytes);
  to.level = static_cast<trace::Level>(std::min<unsigned>(take<std::uint8_t>(bytes), 6));
  to.logger = take_text(bytes);
  to.text = take_text(bytes);
}

}  // namespace

const trace::Row* RecordFields::row_of(std::uint16_t id) {
  static const RowsById table = make_rows_by_id();
  static const trace::Row* const message = trace::row_of(Kind::message, Verb::text);
  return id < trace::first_message_class ? table[id] : message;
}

RecordFields::How RecordFields::how_of(const trace::Field& field) {
  if (field.type == Type::text) return How::text;
  if (field.means == Means::sequence) return How::sequence;
  if (field.means == Means::site && field.name == "site") return How::site;
  if (field.name.starts_with("reserved")) return How::reserved;
  if (field.means == Means::ticks) return field.type == Type::u64 ? How::point : How::span;
  if (field.means == Means::thread) return How::thread;
  if (field.means == Means::object) return How::object;
  if (field.means == Means::site) return How::place;
  return How::word;
}

RecordFields::RecordFields(const KnownNames& names, const trace::Timeline& timeline)
    : names_{names}, timeline_{timeline} {
  for (const trace::Row& row : trace::rows()) {
    RowPlan& plan = rows_.emplace_back();
    for (const trace::Field& field : row.fields()) {
      const How how = how_of(field);
      plan.steps.push_back({how, &field, plan.fields.size()});
      if (how == How::sequence || how == How::site || how == How::reserved) continue;
      plan.fields.push_back({field.name, field.means, std::uint64_t{0}, {}, 0});
    }
  }
}

void RecordFields::put_number(const Step& step, std::uint64_t value, const trace::Row& row,
                              trace::NamedField& to) const {
  to.value = value;
  to.stands_for = {};
  switch (step.how) {
    case How::point:
      to.value = timeline_.realtime(value);
      break;
    case How::span:
      to.value = timeline_.span(value);
      break;
    case How::thread: {
      const KnownThread* const thread = value == 0 ? nullptr : names_.thread(static_cast<trace::ThreadNumber>(value));
      if (thread != nullptr) to.stands_for = thread->name;
      break;
    }
    case How::object: {
      const KnownObject* const object = value == 0 ? nullptr : names_.object(value);
      if (object != nullptr) to.stands_for = object->name;
      break;
    }
    case How::place: {
      const KnownSite* const site = value == 0 ? nullptr : names_.site(static_cast<trace::SiteNumber>(value));
      to.stands_for = site == nullptr ? std::string_view{} : site->file;
      to.line = site == nullptr ? 0 : site->line;
      break;
    }
    default:
      to.stands_for = trace::word_of(row, *step.field, value);
      break;
  }
}

void RecordFields::put_row(std::span<const std::byte> bytes, trace::NamedRecord& to) {
  RowPlan& plan = rows_[static_cast<std::size_t>(to.row - trace::rows().data())];
  for (const Step& step : plan.steps) {
    if (step.how == How::text) {
      plan.fields[step.place].value = take_text(bytes);
      continue;
    }
    const std::uint64_t value = take_number(step.field->type, bytes);
    if (step.how == How::sequence) {
      to.seq = static_cast<trace::Sequence>(value);
    } else if (step.how == How::site) {
      to.site = static_cast<trace::SiteNumber>(value);
    } else if (step.how != How::reserved) {
      put_number(step, value, *to.row, plan.fields[step.place]);
    }
  }
  to.fields = plan.fields;
}

RecordFields::MessagePlan* RecordFields::message_plan(std::uint16_t id) {
  const std::size_t index = id - trace::first_message_class;
  if (index >= messages_.size()) messages_.resize(index + 1);
  MessagePlan& plan = messages_[index];
  if (plan.site != nullptr) return &plan;
  plan.site = MessageSites::instance().find(id);
  if (plan.site == nullptr) return nullptr;
  const trace::MessageClass& declared = plan.site->declared;
  plan.format = MessageFormat{declared};
  const bool plain =
      std::ranges::all_of(declared.arguments, [](const auto& each) { return each.means == Means::value; });
  for (const trace::Field& field : declared.arguments) {
    if (plain) plan.fields.push_back({field.name, Means::value, std::uint64_t{0}, {}, 0});
  }
  return &plan;
}

/// Of the values just read.
std::span<const trace::NamedField> RecordFields::arguments(MessagePlan& plan) {
  if (plan.fields.size() == values_.size()) {
    for (std::size_t i = 0; i < values_.size(); ++i)
      plan.fields[i].value = values_[i];
    return plan.fields;
  }
  fields_.clear();
  named_arguments_.append(plan.site->declared.arguments, values_, fields_);
  return fields_;
}

void RecordFields::put_message(std::span<const std::byte> bytes, MessagePlan& plan, trace::NamedRecord& to) {
  const trace::MessageClass& declared = plan.site->declared;
  to.site = take<trace::SiteNumber>(bytes);
  to.level = declared.level;
  to.logger = declared.logger;
  to.format = declared.format;
  text_.clear();
  if (!trace::read_values(declared.arguments, bytes, values_)) {
    text_ = declared.format;
  } else {
    plan.format.append(values_, text_);
    to.fields = arguments(plan);
  }
  to.text = text_;
}

bool RecordFields::put(const DrainedRecord& record, trace::NamedRecord& to) {
  if (record.id >= trace::first_message_class) {
    MessagePlan* const plan = message_plan(record.id);
    if (plan == nullptr) return false;
    put_message(record.fields, *plan, to);
  } else if (to.row->kind == Kind::message) {
    put_text_message(record.fields, to);
  } else {
    put_row(record.fields, to);
  }
  return true;
}

}  // namespace spool::log
