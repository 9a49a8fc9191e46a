// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>
#include <spool/trace/text_line.hpp>

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace spool::trace {
namespace {

constexpr std::uint64_t widest = 4096;

std::size_t size_of(Type type) {
  switch (type) {
    case Type::u8:
    case Type::i8:
    case Type::boolean:
      return 1;
    case Type::u16:
    case Type::i16:
      return 2;
    case Type::u32:
    case Type::i32:
    case Type::f32:
    case Type::text:
      return 4;  // a text's count of bytes
    case Type::u64:
    case Type::i64:
    case Type::f64:
      return 8;
  }
  return 1;
}

template <class T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// The length of one field at the front of `bytes`, or nullopt.
std::optional<std::size_t> field_length(Type type, std::span<const std::byte> bytes) {
  const std::size_t fixed = size_of(type);
  if (bytes.size() < fixed) return std::nullopt;
  if (type != Type::text) return fixed;
  const std::size_t text = load<std::uint32_t>(bytes);
  if (bytes.size() - fixed < text) return std::nullopt;
  return fixed + text;
}

Value value_of(Type type, std::span<const std::byte> bytes) {
  switch (type) {
    case Type::boolean:
      return bytes[0] != std::byte{0};
    case Type::u8:
      return std::uint64_t{load<std::uint8_t>(bytes)};
    case Type::u16:
      return std::uint64_t{load<std::uint16_t>(bytes)};
    case Type::u32:
      return std::uint64_t{load<std::uint32_t>(bytes)};
    case Type::u64:
      return load<std::uint64_t>(bytes);
    case Type::i8:
      return std::int64_t{load<std::int8_t>(bytes)};
    case Type::i16:
      return std::int64_t{load<std::int16_t>(bytes)};
    case Type::i32:
      return std::int64_t{load<std::int32_t>(bytes)};
    case Type::i64:
      return load<std::int64_t>(bytes);
    case Type::f32:
      return load<float>(bytes);
    case Type::f64:
      return load<double>(bytes);
    case Type::text: {
      const auto rest = bytes.subspan(4);
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of text
      return std::string_view{reinterpret_cast<const char*>(rest.data()), rest.size()};
    }
  }
  return std::uint64_t{0};
}

/// Every number in a format string's replacement fields is a width, a precision or an index: all must be small.
bool has_huge_number(std::string_view format) {
  std::uint64_t number = 0;
  for (const char each : format) {
    number = each >= '0' && each <= '9' ? number * 10 + static_cast<std::uint64_t>(each - '0') : 0;
    if (number > widest) return true;
  }
  return false;
}

/// "{:{}}" takes its width from an argument.
bool has_dynamic_width(std::string_view format) {
  int depth = 0;
  for (const char each : format) {
    if (each == '{' && ++depth > 1) return true;
    if (each == '}') depth = 0;
  }
  return false;
}

bool is_huge(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number > static_cast<std::int64_t>(widest);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number > widest;
  return false;
}

std::string side_by_side(std::string_view format, std::span<const Value> arguments) {
  std::string text{format};
  for (const Value& argument : arguments) {
    std::visit([&](const auto& value) { fmt::format_to(std::back_inserter(text), " [{}]", value); }, argument);
  }
  return text;
}

}  // namespace

std::optional<std::size_t> packed_length(std::span<const Field> fields, std::span<const std::byte> bytes) {
  std::size_t length = 0;
  for (const Field& field : fields) {
    const auto one = field_length(field.type, bytes.subspan(length));
    if (!one) return std::nullopt;
    length += *one;
  }
  return length;
}

bool read_values(std::span<const Field> fields, std::span<const std::byte> bytes, std::vector<Value>& out) {
  out.clear();
  for (const Field& field : fields) {
    const auto length = field_length(field.type, bytes);
    if (!length) return false;
    out.push_back(value_of(field.type, bytes.first(*length)));
    bytes = bytes.subspan(*length);
  }
  return true;
}

std::optional<std::vector<Value>> read_values(std::span<const Field> fields, std::span<const std::byte> bytes) {
  std::vector<Value> values;
  values.reserve(fields.size());
  return read_values(fields, bytes, values) ? std::optional{std::move(values)} : std::nullopt;
}

std::string message_text(std::string_view format, std::span<const Value> arguments) {
  const bool hostile =
      has_huge_number(format) || (has_dynamic_width(format) && std::ranges::any_of(arguments, is_huge));
  if (hostile) return side_by_side(format, arguments);
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const Value& argument : arguments) {
    std::visit([&](const auto& value) { store.push_back(value); }, argument);
  }
  try {
    return fmt::vformat(fmt::string_view{format.data(), format.size()}, store);
  } catch (const fmt::format_error&) {
    return side_by_side(format, arguments);
  }
}

std::string escaped(std::string_view text) {
  LineBuffer out;
  put_escaped_text(text, out);
  return std::string{out.text()};
}

}  // namespace spool::trace
