// SPDX-License-Identifier: MIT
#include <spool/trace/duration.hpp>
#include <spool/trace/format_fields.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/text_line.hpp>

#include <fmt/args.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

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

/// Calls `use` with the duration that the field says; false where it is none that we know.
template <class Rep, class Use>
bool with_duration(Rep count, const Period& period, Use use) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    const auto try_one = [&]<std::size_t index>(std::integral_constant<std::size_t, index>) {
      constexpr Period known = known_periods[index];
      if (period != known) return false;
      use(std::chrono::duration<Rep, std::ratio<known.numerator, known.denominator>>{count});
      return true;
    };
    return (try_one(std::integral_constant<std::size_t, i>{}) || ...);
  }
  (std::make_index_sequence<known_periods.size()>{});
}

/// Calls `use` with what the caller gave: the character, address or duration that a number stands for, or the value.
template <class Use>
void with_argument(const Field& field, const Value& value, Use use) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    if (field.means == Means::character) return use(static_cast<char>(*number));
    if (field.means == Means::pointer) return use(std::bit_cast<const void*>(static_cast<std::uintptr_t>(*number)));
  }
  const auto used = [&](const auto& each) {
    using T = std::decay_t<decltype(each)>;
    constexpr bool counts = std::is_same_v<T, std::int64_t> || std::is_floating_point_v<T>;
    if constexpr (counts) {
      if (field.means == Means::duration && with_duration(each, field.period, use)) return;
    }
    use(each);
  };
  std::visit(used, value);
}

/// fmt multiplies a duration out to seconds, whatever comes of it.
bool overflows(const Field& field, const Value& value) {
  if (field.means != Means::duration) return false;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t limit = most / std::max<std::int64_t>(1, field.period.numerator);
  if (const auto* count = std::get_if<std::int64_t>(&value)) return *count > limit || *count < -limit;
  const auto is_beyond = [&](double count) { return !(std::abs(count) < static_cast<double>(limit)); };
  if (const auto* count = std::get_if<double>(&value)) return is_beyond(*count);
  if (const auto* count = std::get_if<float>(&value)) return is_beyond(static_cast<double>(*count));
  return false;
}

std::string side_by_side(std::string_view format, std::span<const Field> fields, std::span<const Value> values) {
  std::string text{format};
  for (std::size_t i = 0; i < values.size(); ++i)
    fmt::format_to(std::back_inserter(text), " [{}]", value_text(i < fields.size() ? fields[i] : Field{}, values[i]));
  return text;
}

/// The format with numbers in place of names: fmt's own search by name would copy each.
std::optional<std::string> numbered(std::string_view format, std::span<const Field> fields) {
  std::string text;
  const auto find = [&](std::string_view name) {
    const auto found = std::ranges::find(fields, name, &Field::name);
    return found == fields.end() ? -1 : static_cast<int>(found - fields.begin());
  };
  const FormatFault fault = put_numbered(format, find, [&](std::string_view piece) { text += piece; });
  return fault == FormatFault::none ? std::optional{text} : std::nullopt;
}

/// Nothing that a file asks for may cost more than a line of text.
bool is_hostile(std::string_view format, std::span<const Field> fields, std::span<const Value> values) {
  if (has_huge_number(format)) return true;
  if (has_dynamic_width(format) && std::ranges::any_of(values, is_huge)) return true;
  if (format.find('%') == std::string_view::npos) return false;
  for (std::size_t i = 0; i < values.size() && i < fields.size(); ++i) {
    if (overflows(fields[i], values[i])) return true;
  }
  return false;
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

std::string message_text(std::string_view format, std::span<const Field> fields, std::span<const Value> values) {
  const std::string_view given = format;
  if (is_hostile(format, fields, values)) return side_by_side(given, fields, values);
  std::optional<std::string> made;
  if (has_names(format)) {
    made = numbered(format, fields);
    if (!made) return side_by_side(given, fields, values);
    format = *made;
  }
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (std::size_t i = 0; i < values.size(); ++i)
    with_argument(i < fields.size() ? fields[i] : Field{}, values[i], [&](const auto& each) { store.push_back(each); });
  try {
    return fmt::vformat(fmt::string_view{format.data(), format.size()}, store);
  } catch (const fmt::format_error&) {
    return side_by_side(given, fields, values);
  }
}

std::string value_text(const Field& field, const Value& value) {
  std::string text;
  with_argument(field, value, [&](const auto& each) { text = fmt::format("{}", each); });
  return text;
}

std::optional<std::int64_t> nanoseconds_of(const Field& field, const Value& value) {
  if (field.means != Means::duration || !is_known(field.period)) return std::nullopt;
  constexpr double most = 9.2e18;
  const double unit = 1e9 * field.period.numerator / field.period.denominator;
  if (const auto* count = std::get_if<std::int64_t>(&value)) {
    if (std::abs(static_cast<double>(*count)) * unit >= most) return std::nullopt;
    return *count * static_cast<std::int64_t>(unit);
  }
  const auto* narrow = std::get_if<float>(&value);
  const auto* wide = std::get_if<double>(&value);
  if (narrow == nullptr && wide == nullptr) return std::nullopt;
  const double nanoseconds = (wide != nullptr ? *wide : static_cast<double>(*narrow)) * unit;
  if (!(std::abs(nanoseconds) < most)) return std::nullopt;
  return std::llround(nanoseconds);
}

std::string escaped(std::string_view text) {
  LineBuffer out;
  put_escaped_text(text, out);
  return std::string{out.text()};
}

}  // namespace spool::trace
