// SPDX-License-Identifier: MIT
#include <spool/log/message_sites.hpp>
#include <spool/log/sink_feed.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/words.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace spool::log {
namespace {

using trace::Kind;
using trace::Means;
using trace::Type;
using trace::Verb;

const trace::Row& message_row() {
  static const trace::Row& row = *trace::row_of(Kind::message, Verb::text);
  return row;
}

using RowsById = std::array<const trace::Row*, trace::first_message_class>;

RowsById make_rows_by_id() {
  RowsById rows{};
  for (const trace::Row& row : trace::rows())
    rows[trace::record_id(row.kind, row.verb)] = &row;
  return rows;
}

/// Message classes share a row.
const trace::Row* row_of(std::uint16_t id) {
  static const RowsById table = make_rows_by_id();
  return id < trace::first_message_class ? table[id] : &message_row();
}

/// A primitive's kind; what the recording says of itself has none.
Kind kind_of(const trace::Row& row) {
  const bool is_ours = row.kind == Kind::status || row.kind == Kind::definition || row.kind == Kind::message;
  return is_ours ? Kind::trace : row.kind;
}

template <class T>
T take(std::span<const std::byte>& bytes) {
  T value{};
  if (bytes.size() < sizeof value) return bytes = {}, value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return value;
}

std::string_view take_text(std::span<const std::byte>& bytes) {
  const std::size_t length = std::min<std::size_t>(take<std::uint32_t>(bytes), bytes.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of text
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), length};
  bytes = bytes.subspan(length);
  return text;
}

/// The rows of the table have no other types.
std::uint64_t take_number(Type type, std::span<const std::byte>& bytes) {
  if (type == Type::u8) return take<std::uint8_t>(bytes);
  if (type == Type::u64) return take<std::uint64_t>(bytes);
  return take<std::uint32_t>(bytes);
}

/// definition.thread
struct ThreadDefinition {
  explicit ThreadDefinition(std::span<const std::byte> bytes)
      : native_id{take<std::uint32_t>(bytes)},
        creator{take<std::uint32_t>(bytes)},
        daemon{take<std::uint8_t>(bytes) != 0},
        origin{take<std::uint8_t>(bytes)},
        name{take_text(bytes)} {}
  std::uint32_t native_id;
  trace::ThreadNumber creator;
  bool daemon;
  std::uint8_t origin;
  std::string_view name;
};

/// definition.object
struct ObjectDefinition {
  explicit ObjectDefinition(std::span<const std::byte> bytes)
      : site{take<std::uint32_t>(bytes)},
        kind{static_cast<Kind>(take<std::uint8_t>(bytes))},
        parent{take<std::uint64_t>(bytes)},
        name{take_text(bytes)} {}
  trace::SiteNumber site;
  Kind kind;
  trace::ObjectNumber parent;
  std::string_view name;
};

/// definition.site
struct SiteDefinition {
  explicit SiteDefinition(std::span<const std::byte> bytes)
      : number{take<std::uint32_t>(bytes)},
        line{take<std::uint32_t>(bytes)},
        file{take_text(bytes)},
        function{take_text(bytes)} {}
  trace::SiteNumber number;
  std::uint32_t line;
  std::string_view file;
  std::string_view function;
};

}  // namespace

void SinkFeed::begin(const trace::Process& process) {
  process_ = process;
  owes_process_ = definitions_;
  owed_ = {};
  owes_loss_ = false;
  timeline_.begin(process.frequency, process.epoch_seconds, process.epoch_ticks);
  last_time_ = process.started_at;
  threads_.clear();
  sites_.clear();
  objects_.clear();
  ended_.clear();
  mode_ = -1;
}

trace::Ticks SinkFeed::ticks_before(trace::Ticks now, std::uint64_t nanoseconds) const {
  return now - std::min(now, timeline_.ticks_in(nanoseconds));
}

const SinkFeed::MessagePlan* SinkFeed::plan_of(std::uint16_t id) {
  const std::size_t index = id - trace::first_message_class;
  if (index >= plans_.size()) plans_.resize(index + 1);
  MessagePlan& plan = plans_[index];
  if (plan.site == nullptr) {
    plan.site = MessageSites::instance().find(id);
    if (plan.site != nullptr) plan.format = MessageFormat{plan.site->declared};
  }
  return plan.site == nullptr ? nullptr : &plan;
}

void SinkFeed::add_number(const trace::Row& row, const trace::Field& field, std::uint64_t value) {
  trace::NamedField& added = fields_.emplace_back();
  added.name = field.name;
  added.means = field.means;
  if (field.means == Means::ticks) {
    added.value = field.type == Type::u64 ? timeline_.realtime(value) : timeline_.span(value);
    return;
  }
  added.value = value;
  if (field.means == Means::thread && value != 0) {
    const KnownThread* thread = threads_.find(static_cast<trace::ThreadNumber>(value));
    if (thread != nullptr) added.stands_for = thread->name;
  } else if (field.means == Means::object && value != 0) {
    const KnownObject* object = objects_.find(value);
    if (object != nullptr) added.stands_for = object->name;
  } else if (field.means == Means::site && value != 0) {
    const KnownSite* site = sites_.find(static_cast<trace::SiteNumber>(value));
    if (site == nullptr) return;
    added.stands_for = site->file;
    added.line = site->line;
  } else if (field.means == Means::value) {
    added.stands_for = trace::word_of(row, field, value);
  }
}

void SinkFeed::fill_row(const trace::Row& row, std::span<const std::byte> bytes) {
  for (const trace::Field& field : row.fields()) {
    if (field.type == Type::text) {
      fields_.push_back({field.name, field.means, take_text(bytes), {}, 0});
      continue;
    }
    const std::uint64_t value = take_number(field.type, bytes);
    if (field.means == Means::sequence) {
      named_.seq = static_cast<trace::Sequence>(value);
    } else if (field.means == Means::site && field.name == "site") {
      named_.site = static_cast<trace::SiteNumber>(value);
    } else if (!field.name.starts_with("reserved")) {
      add_number(row, field, value);
    }
  }
}

void SinkFeed::fill_text_message(std::span<const std::byte> bytes) {
  named_.site = take<trace::SiteNumber>(bytes);
  named_.level = static_cast<Level>(std::min<unsigned>(take<std::uint8_t>(bytes), 6));
  named_.logger = take_text(bytes);
  named_.text = take_text(bytes);
}

void SinkFeed::fill_message(const DrainedRecord& record, const MessagePlan& plan) {
  const trace::MessageClass& declared = plan.site->declared;
  std::span<const std::byte> bytes = record.fields;
  named_.site = take<trace::SiteNumber>(bytes);
  named_.level = declared.level;
  named_.logger = declared.logger;
  named_.format = declared.format;
  text_.clear();
  if (!trace::read_values(declared.arguments, bytes, values_)) {
    text_ = declared.format;
  } else {
    plan.format.append(values_, text_);
    arguments_.append(declared.arguments, values_, fields_);
  }
  named_.text = text_;
}

void SinkFeed::fill_names(const DrainedRecord& record) {
  if (const KnownThread* thread = threads_.find(record.thread); thread != nullptr && record.thread != 0) {
    named_.thread_name = thread->name;
    named_.native_id = thread->native_id;
    named_.daemon = thread->daemon;
  }
  if (named_.site != 0) {
    if (const KnownSite* site = sites_.find(named_.site)) {
      named_.file = site->file;
      named_.function = site->function;
      named_.line = site->line;
    }
  }
  if (record.object == 0 || record.definition) return;
  if (trace::is_thread(record.object)) {
    named_.object_kind = Kind::thread;
    const KnownThread* thread = threads_.find(static_cast<trace::ThreadNumber>(record.object));
    if (thread != nullptr) named_.object_name = thread->name;
  } else if (const KnownObject* object = objects_.find(record.object)) {
    named_.object_kind = object->kind;
    named_.object_name = object->name;
  } else {
    named_.object_kind = kind_of(*named_.row);
  }
}

void SinkFeed::begin_record(const trace::Row& row, std::uint64_t time) {
  named_ = {};
  named_.row = &row;
  named_.level = Level::trace;
  named_.time = time;
  named_.pid = process_.pid;
  fields_.clear();
}

bool SinkFeed::fill(const DrainedRecord& record) {
  const trace::Row* const row = row_of(record.id);
  if (row == nullptr || !is_wanted(record, *row)) return false;
  begin_record(*row, timeline_.realtime(record.time));
  named_.thread = record.thread;
  named_.object = record.object;
  if (record.id >= trace::first_message_class) {
    const MessagePlan* const plan = plan_of(record.id);
    if (plan == nullptr) return false;
    fill_message(record, *plan);
  } else if (row->kind == Kind::message) {
    fill_text_message(record.fields);
  } else {
    fill_row(*row, record.fields);
  }
  fill_names(record);
  named_.fields = fields_;
  return true;
}

bool SinkFeed::is_wanted(const DrainedRecord& record, const trace::Row& row) const {
  if (record.definition) return definitions_ && is_news(record);
  const bool is_loss = row.kind == Kind::trace && row.verb == Verb::loss;
  return row.kind == Kind::message || is_loss || transitions_;
}

/// A segment repeats the definitions of what it uses; a sink gets each once, and where it changes.
bool SinkFeed::is_news(const DrainedRecord& record) const {
  switch (row_of(record.id)->verb) {
    case Verb::thread: {
      const ThreadDefinition now{record.fields};
      const KnownThread* known = threads_.find(static_cast<trace::ThreadNumber>(record.object));
      return known == nullptr || known->name != now.name || known->native_id != now.native_id ||
             known->daemon != now.daemon;
    }
    case Verb::site:
      return sites_.find(SiteDefinition{record.fields}.number) == nullptr;
    case Verb::object:
      return transitions_ && objects_.find(record.object) == nullptr;
    case Verb::mode:
      return transitions_ && mode_ != static_cast<int>(record.fields.empty() ? std::byte{0} : record.fields[0]);
    default:
      return false;  // the clock's: the times tell it
  }
}

void SinkFeed::learn(const DrainedRecord& record) {
  switch (row_of(record.id)->verb) {
    case Verb::thread: {
      const ThreadDefinition now{record.fields};
      threads_.set(static_cast<trace::ThreadNumber>(record.object), {std::string{now.name}, now.native_id, now.daemon});
      break;
    }
    case Verb::site: {
      const SiteDefinition now{record.fields};
      if (sites_.find(now.number) == nullptr)
        sites_.set(now.number, {std::string{now.file}, std::string{now.function}, now.line});
      break;
    }
    case Verb::object: {
      const ObjectDefinition now{record.fields};
      if (transitions_) objects_.set(record.object, {std::string{now.name}, now.kind});
      break;
    }
    case Verb::mode:
      mode_ = static_cast<int>(record.fields.empty() ? std::byte{0} : record.fields[0]);
      break;
    case Verb::clock: {
      std::span<const std::byte> bytes = record.fields;
      timeline_.read(record.time, take<std::uint64_t>(bytes));
      timeline_.keep_newest(64);
      break;
    }
    default:
      break;
  }
}

/// A join of an ended thread still names it; the last thousand are enough for that.
void SinkFeed::forget_ended(const DrainedRecord& record) {
  constexpr std::size_t remembered = 1024;
  constexpr std::uint16_t end = trace::record_id(Kind::thread, Verb::end);
  if (record.id == end) {
    ended_.push_back(record.thread);
    if (ended_.size() <= remembered) return;
    threads_.erase(ended_.front());
    ended_.pop_front();
  } else if (record.id < trace::first_message_class && row_of(record.id) != nullptr &&
             row_of(record.id)->verb == Verb::destroy) {
    objects_.erase(record.object);
  }
}

void SinkFeed::write(const DrainedRecord& record) {
  if (fill(record)) {
    if (owes_process_ || owes_loss_) {
      settle();
      (void)fill(record);
    }
    sink_.write(named_);
    last_time_ = named_.time;
  }
  record.definition ? learn(record) : forget_ended(record);
}

void SinkFeed::drop(const DrainedRecord& record) {
  if (fill(record)) owe(trace::LossReason::failed, 1);
  record.definition ? learn(record) : forget_ended(record);
}

void SinkFeed::owe(trace::LossReason reason, std::uint64_t count) {
  if (count == 0) return;
  owed_[static_cast<std::size_t>(reason)] += count;
  owes_loss_ = true;
}

bool SinkFeed::settle() {
  if (!owes_process_ && !owes_loss_) return false;
  if (owes_process_) {
    deliver_process();
    owes_process_ = false;
  }
  for (std::size_t i = 0; i < owed_.size(); ++i) {
    if (owed_[i] == 0) continue;
    deliver_loss(static_cast<trace::LossReason>(i), owed_[i]);
    owed_[i] = 0;
  }
  owes_loss_ = false;
  return true;
}

void SinkFeed::deliver_process() {
  static const trace::Row& row = *trace::row_of(Kind::definition, Verb::process);
  begin_record(row, last_time_);
  fields_.push_back({"parent_pid", Means::value, std::uint64_t{process_.parent_pid}, {}, 0});
  fields_.push_back({"started", Means::ticks, process_.started_at, {}, 0});
  fields_.push_back({"program", Means::value, std::string_view{process_.program}, {}, 0});
  fields_.push_back({"host", Means::value, std::string_view{process_.hostname}, {}, 0});
  fields_.push_back({"clock", Means::value, std::string_view{process_.clock}, {}, 0});
  fields_.push_back({"version", Means::value, trace::lines_version, {}, 0});
  named_.fields = fields_;
  sink_.write(named_);
}

void SinkFeed::deliver_loss(trace::LossReason reason, std::uint64_t count) {
  static const trace::Row& row = *trace::row_of(Kind::trace, Verb::loss);
  begin_record(row, last_time_);
  fields_.push_back({"count", Means::value, count, {}, 0});
  fields_.push_back(
      {"reason", Means::value, std::uint64_t{static_cast<std::uint8_t>(reason)}, trace::name_of(reason), 0});
  named_.fields = fields_;
  sink_.write(named_);
}

}  // namespace spool::log
