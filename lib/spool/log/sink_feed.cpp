// SPDX-License-Identifier: MIT
#include <spool/log/packed_bytes.hpp>
#include <spool/log/sink_feed.hpp>

#include <algorithm>

namespace spool::log {
namespace {

using trace::Kind;
using trace::Means;
using trace::Verb;

constexpr std::uint16_t loss_id = trace::record_id(Kind::trace, Verb::loss);
constexpr std::uint16_t clock_id = trace::record_id(Kind::definition, Verb::clock);

}  // namespace

void SinkFeed::begin(const trace::Process& process) {
  process_ = process;
  owes_process_ = definitions_;
  owed_ = {};
  owes_loss_ = false;
  timeline_.begin(process.frequency, process.epoch_seconds, process.epoch_ticks, process.monotonic_zero);
  last_time_ = process.started_at;
  names_.clear();
}

trace::Ticks SinkFeed::ticks_before(trace::Ticks now, std::uint64_t nanoseconds) const {
  return now - std::min(now, timeline_.ticks_in(nanoseconds));
}

void SinkFeed::begin_record(const trace::Row& row, std::uint64_t time) {
  constexpr trace::NamedRecord blank{};
  named_.row = &row;
  named_.level = trace::Level::trace;
  named_.time = time;
  named_.pid = process_.pid;
  // One by one: the compiler makes a string instruction of the assignment of all, which takes longer than the rest.
  named_.thread = blank.thread;
  named_.native_id = blank.native_id;
  named_.daemon = blank.daemon;
  named_.thread_name = blank.thread_name;
  named_.object = blank.object;
  named_.object_kind = blank.object_kind;
  named_.object_name = blank.object_name;
  named_.seq = blank.seq;
  named_.site = blank.site;
  named_.file = blank.file;
  named_.function = blank.function;
  named_.line = blank.line;
  named_.logger = blank.logger;
  named_.text = blank.text;
  named_.format = blank.format;
  named_.fields = blank.fields;
  named_.names = blank.names;
}

bool SinkFeed::fill(const DrainedRecord& record) {
  const trace::Row* const row = RecordFields::row_of(record.id);
  if (row == nullptr || !is_wanted(record, *row)) return false;
  begin_record(*row, timeline_.realtime(record.time));
  named_.thread = record.thread;
  named_.object = record.object;
  if (!fields_.put(record, named_)) return false;
  names_.put_names(named_);
  return true;
}

bool SinkFeed::is_wanted(const DrainedRecord& record, const trace::Row& row) const {
  if (record.definition) return definitions_ && names_.is_news(record);
  return row.kind == Kind::message || record.id == loss_id || transitions_;
}

/// Its sink has it, or never will.
void SinkFeed::pass(const DrainedRecord& record) {
  if (!record.definition) return names_.forget_ended(record);
  names_.learn(record);
  if (record.id != clock_id) return;
  std::span<const std::byte> bytes = record.fields;
  timeline_.read(record.time, take<std::uint64_t>(bytes));
  timeline_.keep_newest(64);
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
  pass(record);
}

void SinkFeed::drop(const DrainedRecord& record) {
  if (fill(record)) owe(trace::LossReason::failed, 1);
  pass(record);
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
  const std::array<trace::NamedField, 6> fields{{
      {"parent_pid", Means::value, std::uint64_t{process_.parent_pid}, {}, 0},
      {"started", Means::ticks, process_.started_at, {}, 0},
      {"program", Means::value, std::string_view{process_.program}, {}, 0},
      {"host", Means::value, std::string_view{process_.hostname}, {}, 0},
      {"clock", Means::value, std::string_view{process_.clock}, {}, 0},
      {"version", Means::value, trace::lines_version, {}, 0},
  }};
  deliver(row, fields);
}

void SinkFeed::deliver_loss(trace::LossReason reason, std::uint64_t count) {
  static const trace::Row& row = *trace::row_of(Kind::trace, Verb::loss);
  const std::array<trace::NamedField, 2> fields{{
      {"count", Means::value, count, {}, 0},
      {"reason", Means::value, std::uint64_t{static_cast<std::uint8_t>(reason)}, trace::name_of(reason), 0},
  }};
  deliver(row, fields);
}

void SinkFeed::deliver(const trace::Row& row, std::span<const trace::NamedField> fields) {
  begin_record(row, last_time_);
  named_.fields = fields;
  sink_.write(named_);
}

}  // namespace spool::log
