// SPDX-License-Identifier: MIT
#include <spool/trace/words.hpp>

#include <fmt/format.h>
#include <unspool/render/style.hpp>
#include <unspool/render/text_line.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

using trace::Kind;
using trace::Means;

constexpr std::size_t widest_thread = 24;
constexpr std::size_t name_width = 18;  // condition.continue
constexpr std::size_t offset_width = 14;

/// Quoted, on one line, with no quote inside that could end it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : trace::escaped(text)) {
    if (each == '"') out += '\\';
    out += each;
  }
  return out + '"';
}

void padded(const std::string& text, std::size_t width, std::string& out) {
  out += text;
  const std::size_t wide = columns(text);
  if (wide < width) out.append(width - wide, ' ');
}

}  // namespace

TextLines::TextLines(const Process& process, trace::Ticks start, CatOptions::Time time, std::string prefix)
    : labels_(process), moments_(process, start), time_(time), prefix_(std::move(prefix)) {
  for (const auto& [number, thread] : process.threads) {
    if (thread.origin == trace::Origin::internal) continue;
    thread_width_ = std::max(thread_width_, std::min(columns(labels_.thread(number)), widest_thread));
  }
}

void TextLines::append(const Record& record, std::string& out) {
  out += prefix_;
  out += time(record.time);
  out += "  ";
  padded(labels_.thread(record.thread), thread_width_, out);
  out += "  ";
  if (record.row->kind == Kind::message) {
    append_message(record, out);
  } else {
    append_row(record, out);
  }
  out += '\n';
}

std::string TextLines::time(trace::Ticks time) const {
  switch (time_) {
    case CatOptions::Time::clock:
      return moments_.clock(time);
    case CatOptions::Time::ticks:
      return fmt::format("{}", time);
    case CatOptions::Time::offset:
      break;
  }
  return fmt::format("{:>{}}", moments_.offset(time), offset_width);
}

void TextLines::append_message(const Record& record, std::string& out) {
  const MessageParts message{record};
  padded("message", name_width, out);
  out += "  ";
  padded(std::string{trace::name_of(message.level)}, 8, out);
  out += "  ";
  out += trace::escaped(message.text);
  if (!message.logger.empty()) out += "  logger=" + trace::escaped(message.logger);
  out += "  at=" + labels_.site(record.site);
}

void TextLines::append_row(const Record& record, std::string& out) {
  padded(std::string{record.row->name}, name_width, out);
  if (record.object != 0) out += "  " + labels_.object(record.object, record.row->kind);
  std::string_view gap = "  ";
  const RecordFields read{record};
  for (std::size_t i = 0; i < read.values.size(); ++i) {
    if (read.fields[i].name.starts_with("reserved")) continue;
    out += std::exchange(gap, " ");
    out += read.fields[i].name == "site" ? std::string_view{"at"} : read.fields[i].name;
    out += '=';
    out += value(*record.row, read.fields[i], read.values[i]);
  }
}

std::string TextLines::value(const trace::Row& row, const trace::Field& field, const trace::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return quoted(*text);
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (!number) return "?";
  const auto narrow = static_cast<std::uint32_t>(*number);
  switch (field.means) {
    case Means::thread:
      return labels_.thread(narrow);
    case Means::object:
      return labels_.object(*number, Kind::trace);
    case Means::ticks:
      return field.type == trace::Type::u64 ? time_value(*number) : span_value(*number);
    case Means::site:
      // A definition's own number, which others refer to.
      if (row.kind == Kind::definition && field.name == "number") break;
      return labels_.site(narrow);
    case Means::value:
    case Means::sequence:
    case Means::character:
    case Means::pointer:
    case Means::duration:
      break;
  }
  if (field.name == "daemon") return *number != 0 ? "yes" : "no";
  const std::string_view word = trace::word_of(row, field, *number);
  return word.empty() ? fmt::format("{}", *number) : std::string{word};
}

std::string TextLines::time_value(trace::Ticks time) const {
  if (time_ == CatOptions::Time::clock) return moments_.clock(time);
  return time_ == CatOptions::Time::ticks ? fmt::format("{}", time) : moments_.offset(time);
}
std::string TextLines::span_value(trace::Ticks span) const {
  return time_ == CatOptions::Time::ticks ? fmt::format("{}", span) : fmt::format("{}ns", moments_.span(span));
}

}  // namespace unspool
