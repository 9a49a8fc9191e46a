// SPDX-License-Identifier: MIT
#include "support/record_tap.hpp"

#include <spool/log/control.hpp>
#include <spool/log/message_sites.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/park.hpp>
#include <spool/trace/message.hpp>

#include "support/source_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <variant>

namespace spool::test {
namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::chrono::microseconds between_looks{200};

std::uint64_t unsigned_of(const trace::Value& value) {
  const auto* number = std::get_if<std::uint64_t>(&value);
  return number == nullptr ? 0 : *number;
}

std::string text_of(const trace::Value& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  return text == nullptr ? std::string{} : std::string{*text};
}

const trace::Row* row_of_id(std::uint16_t id) {
  if (id >= trace::first_message_class) {
    return trace::row_of(trace::Kind::message, trace::Verb::text);
  }
  return trace::row_of_id(id);
}

/// A message of a class of its own: site, then the arguments.
void read_message(const log::DrainedRecord& record, TappedRecord& out) {
  const log::MessageSite* message = log::MessageSites::instance().find(record.id);
  if (message == nullptr) return;
  std::memcpy(&out.site, record.fields.data(), sizeof out.site);
  out.level = message->declared.level;
  const auto values = trace::read_values(message->declared.arguments, record.fields.subspan(sizeof out.site));
  if (values) out.text = trace::message_text(message->declared.format, message->declared.arguments, *values);
}

void read_row(const std::vector<trace::Value>& values, TappedRecord& out) {
  const auto fields = out.row->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(unsigned_of(values[i]));
    if (i == 0 && fields[i].means == trace::Means::site) out.site = number;
    if (fields[i].means == trace::Means::sequence) out.sequence = number;
    if (i == 2) out.a = number;
    if (i == 3) out.b = number;
  }
  if (out.kind != trace::Kind::message) return;
  out.level = static_cast<trace::Level>(unsigned_of(values[1]));
  out.text = text_of(values[3]);
}

bool is_told(const trace::Field& field) {
  return field.name != "spun" && field.name != "native_id" && !field.name.starts_with("reserved");
}

}  // namespace

RecordTap& tap() {
  static auto* made = new RecordTap;  // leaked: threads may still record when statics are gone
  return *made;
}

RecordTap::RecordTap() {
  log::RecorderSettings settings;
  settings.keep = std::uint64_t{128} << 20U;
  if (!log::Recorder::instance().start(settings)) {
    std::perror("the tests cannot record in memory");
    std::abort();
  }
  log::set_level(trace::Level::trace);
  log::set_mode(trace::Mode::all);
}

/// Under the mutex.
void RecordTap::poll() {
  for (bool more = true; more;) {
    log::DrainedBatch fresh;
    more = drain_.poll(fresh);
    for (const log::DrainedRecord& each : fresh.records)
      each.definition ? define(each) : add(each);
  }
}

void RecordTap::define(const log::DrainedRecord& record) {
  const trace::Row* row = row_of_id(record.id);
  if (row == nullptr) return;
  const auto values = trace::read_values(row->fields(), record.fields);
  if (!values) return;
  if (row->verb == trace::Verb::thread) {
    threads_[static_cast<trace::ThreadNumber>(record.object)] = text_of((*values)[4]);
  } else if (row->verb == trace::Verb::object) {
    objects_[record.object] = {text_of((*values)[3]), unsigned_of((*values)[2])};
  } else if (row->verb == trace::Verb::site) {
    const auto line = static_cast<std::uint32_t>(unsigned_of((*values)[1]));
    const std::string file = text_of((*values)[2]);
    sites_[static_cast<trace::SiteNumber>(unsigned_of((*values)[0]))] = {file, text_of((*values)[3]), line,
                                                                         source_label(file, line)};
  }
}

void RecordTap::add(const log::DrainedRecord& record) {
  TappedRecord added;
  added.row = row_of_id(record.id);
  if (added.row == nullptr) return;
  added.kind = added.row->kind;
  added.verb = added.row->verb;
  added.time = record.time;
  added.thread = record.thread;
  added.object = record.object;
  if (record.id >= trace::first_message_class) {
    read_message(record, added);
  } else if (const auto values = trace::read_values(added.row->fields(), record.fields)) {
    read_row(*values, added);
  }
  records_.push_back(std::move(added));
}

template <class Wanted>
std::vector<TappedRecord> RecordTap::select(Wanted wanted) {
  const std::lock_guard guard{mutex_};
  poll();
  std::vector<TappedRecord> found;
  std::ranges::copy_if(records_, std::back_inserter(found), wanted);
  std::ranges::stable_sort(found, {}, &TappedRecord::time);
  return found;
}

template <class Wanted>
void RecordTap::await_if(const std::string& what, std::size_t count, Wanted wanted) {
  const os::Deadline deadline = os::deadline_after(patience);
  os::Word nobody_wakes{0};
  std::size_t found = 0;
  for (;;) {
    found = select(wanted).size();
    if (found >= count) return;
    if (std::chrono::steady_clock::now() >= deadline) break;
    (void)os::park(nobody_wakes, 0, os::deadline_after(between_looks));
  }
  std::fputs(fmt::format("awaited {} of {}, found {}; these Records there are:\n", count, what, found).c_str(), stderr);
  for (const TappedRecord& each : all())
    std::fputs((words(each) + '\n').c_str(), stderr);
  std::abort();
}

void RecordTap::await(trace::Kind kind, trace::Verb verb, trace::ObjectNumber object, std::size_t count) {
  const std::string what = fmt::format("{} of object {}", trace::row_of(kind, verb)->name, object);
  await_if(what, count,
           [&](const TappedRecord& each) { return each.kind == kind && each.verb == verb && each.object == object; });
}

void RecordTap::await_by(trace::ThreadNumber thread, trace::Kind kind, trace::Verb verb, std::size_t count) {
  const std::string what = fmt::format("{} by thread {}", trace::row_of(kind, verb)->name, thread);
  await_if(what, count,
           [&](const TappedRecord& each) { return each.kind == kind && each.verb == verb && each.thread == thread; });
}

std::vector<TappedRecord> RecordTap::records_of(trace::ObjectNumber object) {
  return select([&](const TappedRecord& each) { return each.object == object; });
}

std::vector<TappedRecord> RecordTap::records_by(trace::ThreadNumber thread) {
  return select([&](const TappedRecord& each) { return each.thread == thread; });
}

std::vector<TappedRecord> RecordTap::messages_by(trace::ThreadNumber thread) {
  return select([&](const TappedRecord& each) { return each.thread == thread && each.kind == trace::Kind::message; });
}

std::vector<TappedRecord> RecordTap::all() {
  return select([](const TappedRecord&) { return true; });
}

Story RecordTap::story(trace::ObjectNumber object) {
  Story told;
  for (const TappedRecord& each : records_of(object))
    told.push_back(words(each));
  return told;
}

Story RecordTap::story_by(trace::ThreadNumber thread) {
  Story told;
  for (const TappedRecord& each : records_by(thread))
    told.push_back(words(each));
  return told;
}

std::vector<trace::Sequence> RecordTap::sequence(trace::ObjectNumber object) {
  std::vector<trace::Sequence> numbers;
  for (const TappedRecord& each : records_of(object)) {
    if (each.row->advances) numbers.push_back(each.sequence);
  }
  std::ranges::sort(numbers);
  return numbers;
}

TappedSite RecordTap::site(trace::SiteNumber number) {
  const std::lock_guard guard{mutex_};
  return sites_[number];
}

std::string RecordTap::thread_name(trace::ThreadNumber number) {
  const std::lock_guard guard{mutex_};
  return name_of_thread(number);
}

std::string RecordTap::object_name(trace::ObjectNumber number) {
  const std::lock_guard guard{mutex_};
  return objects_[number].name;
}

trace::ObjectNumber RecordTap::parent_of(trace::ObjectNumber number) {
  const std::lock_guard guard{mutex_};
  return objects_[number].parent;
}

std::uint64_t RecordTap::lapped() {
  const std::lock_guard guard{mutex_};
  return drain_.lapped();
}

std::string RecordTap::name_of_thread(trace::ThreadNumber number) const {
  const auto found = threads_.find(number);
  return found == threads_.end() ? fmt::format("(undefined thread {})", number) : found->second;
}

std::string RecordTap::label(trace::SiteNumber number) const {
  if (number == 0) return {};
  const auto found = sites_.find(number);
  return found == sites_.end() ? fmt::format("(undefined site {})", number) : found->second.label;
}

std::string RecordTap::words(const TappedRecord& record) const {
  std::string text = fmt::format("{} {}", name_of_thread(record.thread), record.row->name);
  if (record.site != 0) text += ' ' + label(record.site);
  if (record.kind == trace::Kind::message) {
    return text + fmt::format(" [{}] {}", trace::name_of(record.level), record.text);
  }
  const auto fields = record.row->fields();
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const trace::Field& field = fields[i];
    const std::uint32_t value = i == 1 ? record.sequence : i == 2 ? record.a : record.b;
    if (!is_told(field) || value == 0) continue;
    const std::string shown = field.means == trace::Means::thread ? name_of_thread(value)
                              : field.means == trace::Means::site ? label(value)
                                                                  : std::to_string(value);
    text += fmt::format(" {}={}", field.name, shown);
  }
  return text;
}

}  // namespace spool::test
