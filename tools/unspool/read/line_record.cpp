// SPDX-License-Identifier: MIT
#include <unspool/read/line_record.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace unspool {
namespace {

using trace::Type;

template <class T>
void put(std::string& bytes, T value) {
  std::array<char, sizeof value> raw{};
  std::memcpy(raw.data(), &value, sizeof value);
  bytes.append(raw.data(), raw.size());
}

void put_text(std::string& bytes, std::string_view text) {
  put(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

/// A span of more than four seconds has no room in the trace's own ticks, either.
std::uint32_t saturated(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
}

void put(std::string& bytes, Type type, std::uint64_t number) {
  switch (type) {
    case Type::u8:
    case Type::i8:
    case Type::boolean:
      return put(bytes, static_cast<std::uint8_t>(number));
    case Type::u16:
    case Type::i16:
      return put(bytes, static_cast<std::uint16_t>(number));
    case Type::u64:
    case Type::i64:
    case Type::f64:
      return put(bytes, number);
    case Type::u32:
    case Type::i32:
    case Type::f32:
    case Type::text:
      return put(bytes, saturated(number));
  }
}

Type type_of(const trace::Value& value) {
  constexpr std::array types{Type::boolean, Type::i64, Type::u64, Type::f32, Type::f64, Type::text};
  return types[value.index()];
}

void put_value(std::string& bytes, const trace::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return put_text(bytes, *text);
  if (const auto* truth = std::get_if<bool>(&value)) return put(bytes, std::uint8_t{*truth});
  std::visit(
      [&](const auto& each) {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(each)>>) put(bytes, each);
      },
      value);
}

/// The value of a row's field: every line's `site` and `seq`, of a definition what JSON has under other names.
std::uint64_t number_of(const Line& line, std::size_t index) {
  const trace::Field& field = line.row->fields()[index];
  if (field.name == "site") return line.site;
  if (field.name == "seq") return line.seq;
  if (line.row->verb == trace::Verb::site && field.name == "line" && line.numbers[index] == 0) return line.lineno;
  return line.numbers[index];
}

std::string_view text_of(const Line& line, std::size_t index) {
  if (line.row->verb != trace::Verb::site || !line.words[index].empty()) return line.words[index];
  return line.row->fields()[index].name == "file" ? line.file : line.function;
}

}  // namespace

HeldRecord::HeldRecord(const HeldRecord& other) : record{other.record}, bytes{other.bytes}, message{other.message} {
  point();
}

/// To what is kept here.
void HeldRecord::point() {
  for (std::size_t i = 0; i < message.arguments.size(); ++i)
    message.arguments[i].name = message.argument_names[i];
  record.bytes = std::as_bytes(std::span{bytes});
  if (record.message != nullptr) record.message = &message;
}

void HeldRecord::assign(const Line& line, const Place& place) {
  record = {};
  record.row = line.row;
  record.time = line.time;
  record.thread = line.thread;
  record.object = line.object;
  record.site = line.site;
  record.seq = line.seq;
  record.place = place;
  bytes.clear();
  if (line.row->kind == trace::Kind::message) {
    assign_message(line);
  } else {
    assign_row(line);
  }
  record.bytes = std::as_bytes(std::span{bytes});
}

void HeldRecord::assign_message(const Line& line) {
  if (!line.typed) {
    put(bytes, static_cast<std::uint8_t>(line.level));
    put_text(bytes, line.logger);
    put_text(bytes, line.text);
    return;
  }
  message.level = line.level;
  message.logger = line.logger;
  message.format = line.format;
  message.text = line.text;
  message.has_text = true;
  message.arguments.clear();
  message.argument_names.clear();
  for (const Line::Argument& argument : line.arguments) {
    message.argument_names.emplace_back(argument.name);
    message.arguments.push_back({{}, type_of(argument.value), trace::Means::value});
    put_value(bytes, argument.value);
  }
  record.message = &message;
  point();
}

void HeldRecord::assign_row(const Line& line) {
  std::size_t narrow = 0;
  const auto fields = line.row->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const trace::Field& field = fields[i];
    if (field.type == Type::text) {
      put_text(bytes, text_of(line, i));
      continue;
    }
    const std::uint64_t number = number_of(line, i);
    put(bytes, field.type, number);
    const bool common = field.name == "site" || field.name == "seq";
    if (field.type == Type::u32 && !common && narrow < 2) (narrow++ == 0 ? record.a : record.b) = saturated(number);
    if (field.type == Type::u64 && field.name == "since") record.since = number;
    if ((field.type == Type::u64 && field.name == "count") || field.name == "begun_by") record.count = number;
  }
}

}  // namespace unspool
