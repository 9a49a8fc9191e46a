// SPDX-License-Identifier: MIT
#include <spool/log/message_sites.hpp>
#include <spool/log/sink_feed.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace spool::log {
namespace {

std::uint64_t number_at(const std::vector<trace::Value>& values, std::size_t index) {
  return index < values.size() && std::holds_alternative<std::uint64_t>(values[index])
             ? std::get<std::uint64_t>(values[index])
             : 0;
}

std::uint32_t small_at(const std::vector<trace::Value>& values, std::size_t index) {
  return static_cast<std::uint32_t>(number_at(values, index));
}

std::string text_at(const std::vector<trace::Value>& values, std::size_t index) {
  return index < values.size() && std::holds_alternative<std::string_view>(values[index])
             ? std::string{std::get<std::string_view>(values[index])}
             : std::string{};
}

const trace::Row* row_of_id(std::uint16_t id) {
  return trace::row_of_id(id);
}

/// The file's name without the directories, for words.
std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

void SinkFeed::define(const DrainedRecord& record) {
  const trace::Row* row = row_of_id(record.id);
  if (row == nullptr) return;
  const auto values = trace::read_values(row->fields(), record.fields);
  if (!values) return;
  switch (row->verb) {
    case trace::Verb::thread:
      threads_[static_cast<trace::ThreadNumber>(record.object)] = {text_at(*values, 4), small_at(*values, 0),
                                                                   number_at(*values, 2) != 0};
      break;
    case trace::Verb::site:
      sites_[small_at(*values, 0)] = {text_at(*values, 2), text_at(*values, 3), small_at(*values, 1)};
      break;
    case trace::Verb::object:
      objects_[record.object] = {text_at(*values, 3), static_cast<trace::Kind>(number_at(*values, 1))};
      break;
    case trace::Verb::clock:
      frequency_ = std::max<std::uint64_t>(1, number_at(*values, 3));
      break;
    default:
      break;
  }
}

bool SinkFeed::renames(const DrainedRecord& record) const {
  const trace::Row* row = row_of_id(record.id);
  return row != nullptr && row->kind == trace::Kind::definition && row->verb == trace::Verb::thread &&
         threads_.contains(static_cast<trace::ThreadNumber>(record.object));
}

trace::Ticks SinkFeed::ticks_before(trace::Ticks now, std::chrono::nanoseconds span) const {
  const auto ticks =
      static_cast<trace::Ticks>(static_cast<double>(span.count()) * 1e-9 * static_cast<double>(frequency_));
  return now > ticks ? now - ticks : 0;
}

std::uint64_t SinkFeed::realtime_of(trace::Ticks ticks) const {
  const auto ahead = static_cast<double>(static_cast<std::int64_t>(ticks - now_.ticks));
  return now_.realtime +
         static_cast<std::uint64_t>(static_cast<std::int64_t>(ahead * 1e9 / static_cast<double>(frequency_)));
}

std::string SinkFeed::object_text(trace::ObjectNumber object) const {
  if (trace::is_thread(object)) {
    const auto thread = threads_.find(static_cast<trace::ThreadNumber>(object));
    return thread == threads_.end() ? fmt::format("thread {}", object) : thread->second.name;
  }
  const auto found = objects_.find(object);
  if (found == objects_.end()) return fmt::format("object {}", object - trace::first_object_number);
  const auto& [name, kind] = found->second;
  const auto number = object - trace::first_object_number;
  return name.empty() ? fmt::format("{} {}", trace::name_of(kind), number) : name;
}

/// "lock.block accounts owner=worker-1 owner_site=transfer.cpp:31 seq=7"
std::string SinkFeed::transition_text(const trace::Row& row, const DrainedRecord& record) const {
  std::string text = fmt::format("{} {}", row.name, object_text(record.object));
  const auto values = trace::read_values(row.fields(), record.fields);
  if (!values) return text;
  for (std::size_t i = 0; i < row.fields().size(); ++i) {
    const trace::Field& field = row.fields()[i];
    const std::uint64_t value = number_at(*values, i);
    if (value == 0 || field.name == "site" || field.name.starts_with("reserved")) continue;
    const auto site = sites_.find(static_cast<trace::SiteNumber>(value));
    if (field.means == trace::Means::thread) {
      text += fmt::format(" {}={}", field.name, object_text(value));
    } else if (field.means == trace::Means::site && site != sites_.end()) {
      text += fmt::format(" {}={}:{}", field.name, base_name(site->second.file), site->second.line);
    } else {
      text += fmt::format(" {}={}", field.name, value);
    }
  }
  return text;
}

/// Makes the text, and fills in what depends on the kind of Record.
std::string SinkFeed::text_of(const DrainedRecord& record, SinkRecord& out) const {
  if (const MessageSite* site = MessageSites::instance().find(record.id)) {
    out.row = trace::row_of(trace::Kind::message, trace::Verb::text);
    out.level = site->declared.level;
    out.logger = site->declared.logger;
    const std::span<const std::byte> bytes{record.fields};
    const auto values = trace::read_values(site->declared.arguments, bytes.subspan(sizeof(trace::SiteNumber)));
    return values ? trace::message_text(site->declared.format, site->declared.arguments, *values)
                  : site->declared.format;
  }
  out.row = row_of_id(record.id);
  if (out.row == nullptr) return {};
  if (out.row->kind == trace::Kind::message) {
    const auto values = trace::read_values(out.row->fields(), record.fields);
    if (!values) return {};
    out.level = static_cast<trace::Level>(number_at(*values, 1));
    if (const auto* logger = std::get_if<std::string_view>(&(*values)[2])) out.logger = *logger;
    return text_at(*values, 3);
  }
  out.level = trace::Level::trace;
  return transition_text(*out.row, record);
}

void SinkFeed::write(const DrainedRecord& record) {
  SinkRecord out;
  const std::string text = text_of(record, out);
  if (out.row == nullptr) return;
  out.text = text;
  out.time = realtime_of(record.time);
  out.thread = record.thread;
  if (const auto thread = threads_.find(record.thread); thread != threads_.end()) {
    out.thread_name = thread->second.name;
    out.native_id = thread->second.native_id;
    out.daemon = thread->second.daemon;
  }
  std::uint32_t site_number = 0;
  const bool has_site = !out.row->fields().empty() && out.row->fields()[0].means == trace::Means::site;
  if (has_site && record.fields.size() >= sizeof site_number) {
    std::memcpy(&site_number, record.fields.data(), sizeof site_number);
  }
  if (const auto site = sites_.find(site_number); site != sites_.end()) {
    out.file = site->second.file;
    out.function = site->second.function;
    out.line = site->second.line;
  }
  out.object = record.object;
  if (const auto object = objects_.find(record.object); object != objects_.end()) out.object_name = object->second.name;
  deliver(out);
  if (out.row->verb == trace::Verb::destroy) objects_.erase(record.object);
  if (out.row->kind == trace::Kind::thread && out.row->verb == trace::Verb::end) forget_later(record.thread);
}

/// A join of an ended thread still names it; the last thousand are enough for that.
void SinkFeed::forget_later(trace::ThreadNumber thread) {
  constexpr std::size_t remembered = 1024;
  ended_.push_back(thread);
  if (ended_.size() <= remembered) return;
  threads_.erase(ended_.front());
  ended_.pop_front();
}

void SinkFeed::deliver(const SinkRecord& record) {
  const bool is_message = record.row->kind == trace::Kind::message;
  for (const auto& sink : sinks_) {
    if (!is_message && !sink->wants_transitions()) continue;
    try {
      sink->write(record);
    } catch (const std::exception& problem) {
      note_failure(problem.what());
    } catch (...) {
      note_failure("an exception that is no std::exception");
    }
  }
}

void SinkFeed::flush() {
  for (const auto& sink : sinks_) {
    try {
      sink->flush();
    } catch (const std::exception& problem) {
      note_failure(problem.what());
    } catch (...) {
      note_failure("an exception that is no std::exception");
    }
  }
}

void SinkFeed::note_failure(const char* what) {
  if (++failures_ == 1) {
    const std::string line = fmt::format(
        "spool: a sink failed to write: {}; the Record is not in that sink, the trace goes on (said once)\n",
        trace::escaped(what));
    std::fputs(line.c_str(), stderr);
  }
}

void SinkFeed::note_lapped(std::uint64_t segments) {
  if (segments == 0 || lapped_told_ != 0) return;
  lapped_told_ = segments;
  const std::string line = fmt::format(
      "spool: the sinks are too slow: {} segments were recycled before they were read (said once); log less to sinks, "
      "or "
      "raise `keep`\n",
      segments);
  std::fputs(line.c_str(), stderr);
}

}  // namespace spool::log
