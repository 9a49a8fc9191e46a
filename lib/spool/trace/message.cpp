// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

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

/// The length of the valid UTF-8 sequence at the front of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = at(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool out_of_range = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || out_of_range ? 0 : length;
}

void append_byte(std::string& out, unsigned byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\\':
      out += "\\\\";
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
  }
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

std::optional<std::vector<Value>> read_values(std::span<const Field> fields, std::span<const std::byte> bytes) {
  std::vector<Value> values;
  values.reserve(fields.size());
  for (const Field& field : fields) {
    const auto length = field_length(field.type, bytes);
    if (!length) return std::nullopt;
    values.push_back(value_of(field.type, bytes.first(*length)));
    bytes = bytes.subspan(*length);
  }
  return values;
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
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    const bool c1 = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '\\') {
      append_byte(out, byte);
      text.remove_prefix(1);
    } else if (c1) {
      append_byte(out, static_cast<unsigned char>(text[1]));
      text.remove_prefix(2);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace spool::trace
