// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/json_line.hpp>

#include <cmath>
#include <variant>

namespace unspool {
namespace {

using trace::Means;

nlohmann::ordered_json json_of(const trace::Value& value) {
  return std::visit([](const auto& each) { return nlohmann::ordered_json(each); }, value);
}

/// Characters, addresses and durations as their text; a duration in nanoseconds as well.
nlohmann::ordered_json arguments_of(const RecordFields& read) {
  auto arguments = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < read.values.size(); ++i) {
    const trace::Field& field = read.fields[i];
    const trace::Value& value = read.values[i];
    const bool plain = field.means == Means::value;
    arguments[std::string{field.name}] = plain ? json_of(value) : nlohmann::ordered_json(trace::value_text(field, value));
  }
  for (std::size_t i = 0; i < read.values.size(); ++i) {
    const auto nanoseconds = trace::nanoseconds_of(read.fields[i], read.values[i]);
    // An argument that is called so itself comes first.
    if (nanoseconds) arguments.emplace(std::string{read.fields[i].name} + "_ns", *nanoseconds);
  }
  return arguments;
}

}  // namespace

void JsonLines::append(const Record& record, std::string& out) const {
  Json line;
  line["pid"] = process_.pid;
  line["time"] = record.time;
  line["offset"] = moments_.nanoseconds(record.time);
  line["thread"] = record.thread;
  line["thread_name"] = thread_name(record.thread);
  line["record"] = record.row->name;
  if (record.row->kind == trace::Kind::message) {
    add_message(record, line);
  } else {
    add_row(record, line);
  }
  line["place"] = place(record.place);
  // A name may be any bytes: what is no UTF-8 is replaced.
  out += line.dump(-1, ' ', false, Json::error_handler_t::replace);
  out += '\n';
}

void JsonLines::add_message(const Record& record, Json& line) const {
  const MessageParts message{record};
  line["site"] = record.site;
  line["site_at"] = site(record.site);
  line["level"] = trace::name_of(message.level);
  line["logger"] = message.logger;
  line["text"] = message.text;
  if (!record.message) return;
  line["format"] = record.message->format;
  const RecordFields read{record};
  line["arguments"] = arguments_of(read);
}

void JsonLines::add_row(const Record& record, Json& line) const {
  line["object"] = record.object;
  const auto object = process_.objects.find(record.object);
  if (object != process_.objects.end()) {
    line["object_kind"] = trace::name_of(object->second.kind);
    line["object_name"] = object->second.name;
  } else if (record.object != 0 && trace::is_thread(record.object)) {
    line["object_kind"] = "thread";
    line["object_name"] = thread_name(static_cast<trace::ThreadNumber>(record.object));
  }
  const RecordFields read{record};
  for (std::size_t i = 0; i < read.values.size(); ++i) {
    const trace::Field& field = read.fields[i];
    if (field.name.starts_with("reserved")) continue;
    line[std::string{field.name}] = json_of(read.values[i]);
    if (const auto* number = std::get_if<std::uint64_t>(&read.values[i]))
      add_resolved(*record.row, field, *number, line);
  }
}

void JsonLines::add_resolved(const trace::Row& row, const trace::Field& field, std::uint64_t number, Json& line) const {
  const std::string name{field.name};
  const auto narrow = static_cast<std::uint32_t>(number);
  if (field.means == Means::thread) line[name + "_name"] = thread_name(narrow);
  if (field.means == Means::site) line[name + "_at"] = site(narrow);
  if (field.means == Means::ticks && field.type == trace::Type::u64)
    line[name + "_offset"] = moments_.nanoseconds(number);
  if (field.means == Means::ticks && field.type != trace::Type::u64) line[name + "_ns"] = moments_.span(number);
  if (const std::string_view word = word_of(row, field, number); !word.empty()) line[name + "_name"] = word;
}

std::string JsonLines::place(const Place& at) const {
  if (at.chunk < process_.logs.size()) return fmt::format("{}@{}", process_.logs[at.chunk], at.offset);
  return fmt::format("{:06}/stream-{:04}@{}", at.segment, at.chunk, at.offset);
}

JsonLines::Json JsonLines::thread_name(trace::ThreadNumber thread) const {
  const auto found = process_.threads.find(thread);
  return found == process_.threads.end() ? Json{} : Json(found->second.name);
}

JsonLines::Json JsonLines::site(trace::SiteNumber number) const {
  const auto found = process_.sites.find(number);
  if (found == process_.sites.end()) return {};
  return fmt::format("{}:{}", found->second.file, found->second.line);
}

}  // namespace unspool
