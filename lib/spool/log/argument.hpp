// SPDX-License-Identifier: MIT
//
// One argument of a message: what its field in the trace is, and how its bytes get there. Owns the mapping of C++ types
// to fields; the format string is format.hpp's.
//
//   type of the argument                       field            what fmt gets where the text is made
//   bool, integers, float, double              the same         the same
//   char                                       u8               char
//   enum without a formatter of its own        its underlying   the underlying integer
//   string, string_view, const char*           text             string_view (nullptr: "(null)")
//   void*, const void*, nullptr_t              u64              const void*
//   duration<R, P>, P of nano to years         i64, f32, f64    the same duration
//   anything else that fmt can format          text             made at once, by the caller, by its own spec
#pragma once

#include <spool/trace/duration.hpp>
#include <spool/trace/schema.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace spool {

/// The text of a template argument.
template <std::size_t N>
struct ArgumentName {
  std::array<char, N> characters{};

  // NOLINTNEXTLINE: an implicit conversion from a literal is what it is for
  consteval ArgumentName(const char (&text)[N]) { std::copy_n(text, N, characters.begin()); }
  constexpr std::string_view view() const { return {characters.data(), N - 1}; }
};

namespace log::detail {

constexpr bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !is_letter(text[0])) return false;
  return std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace log::detail

/// An argument with a name, as `arg` makes it. For the call it stands in only: it refers to the value.
template <ArgumentName name, class T>
struct NamedArgument {
  static_assert(log::detail::is_identifier(name.view()),
                "an argument's name is a letter or _, then letters, digits and _");
  static constexpr std::string_view called = name.view();
  const T& value;
};

/// Names an argument: it is the field `name` in the trace and in JSON, and `{name}` in the format string, which the
/// compiler checks.
///
///   spool::info("served {path} in {ms} ms", spool::arg<"path">(path), spool::arg<"ms">(ms));
///
/// fmt::arg("path", path) does as well; but its name is known at run time only, so that the compiler checks nothing of
/// such a format string, and each call looks the name up. A name that no field can have ("größe", "2nd"), or that comes
/// twice, is changed a little (`argument_names` in trace/metadata.hpp).
template <ArgumentName name, class T>
[[nodiscard]] constexpr NamedArgument<name, T> arg(const T& value) {
  return {value};
}

namespace log::detail {

// --- names ------------------------------------------------------------------------------------------------------------

enum class Naming : std::uint8_t { none, fixed, at_run_time };

template <class T>
struct Unwrapped {
  static constexpr Naming naming = Naming::none;
  static constexpr std::string_view name = {};
  using Value = T;
};
template <ArgumentName called, class T>
struct Unwrapped<NamedArgument<called, T>> {
  static constexpr Naming naming = Naming::fixed;
  static constexpr std::string_view name = NamedArgument<called, T>::called;
  using Value = T;
};
template <class T>
struct Unwrapped<fmt::detail::named_arg<char, T>> {
  static constexpr Naming naming = Naming::at_run_time;
  static constexpr std::string_view name = {};
  using Value = T;
};
#if FMT_USE_NONTYPE_TEMPLATE_ARGS
/// fmt's `"path"_a = path` where fmt itself knows the name at compile time.
template <class T, std::size_t n, fmt::detail_exported::fixed_string<char, n> text>
struct Unwrapped<fmt::detail::statically_named_arg<T, char, n, text>> {
  static constexpr Naming naming = Naming::fixed;
  static constexpr std::string_view name = fmt::detail::statically_named_arg<T, char, n, text>::name;
  using Value = T;
};
#endif

template <class T>
using ValueOf = std::decay_t<typename Unwrapped<T>::Value>;

template <class T>
const auto& value_of(const T& argument) {
  if constexpr (Unwrapped<T>::naming == Naming::none)
    return argument;
  else
    return argument.value;
}

template <class T>
std::string_view run_time_name(const T& argument) {
  if constexpr (Unwrapped<T>::naming == Naming::at_run_time)
    return argument.name == nullptr ? std::string_view{} : argument.name;
  else
    return Unwrapped<T>::name;
}

// --- types ------------------------------------------------------------------------------------------------------------

template <class T>
concept FormattedAsOther = requires(const T& value) {
  format_as(value);
};

/// An enum that fmt knows nothing of. (has_formatter is false for what fmt shows as an integer in spite of itself.)
template <class T>
concept PlainEnum = std::is_enum_v<T> && !fmt::has_formatter<T, fmt::format_context>::value && !FormattedAsOther<T>;

template <class T>
struct IsString : std::false_type {};
template <class Traits, class Allocator>
struct IsString<std::basic_string<char, Traits, Allocator>> : std::true_type {};

template <class T>
concept TextArgument = std::same_as<T, char*> || std::same_as<T, const char*> || std::same_as<T, std::string_view> ||
    std::same_as<T, fmt::string_view> || IsString<T>::value;

template <class T>
concept CharacterLike = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept NumberArgument =
    (std::integral<T> && sizeof(T) <= 8 && !CharacterLike<T>) || std::same_as<T, float> || std::same_as<T, double>;

template <class T>
concept PointerArgument = std::same_as<T, void*> || std::same_as<T, const void*> || std::same_as<T, std::nullptr_t>;

/// (As a lambda where it is used, clang 14 crashes on it.)
template <class Ratio>
constexpr bool has_known_period() {
  for (const trace::Period& each : trace::known_periods) {
    if (each.numerator == Ratio::num && each.denominator == Ratio::den) return true;
  }
  return false;
}

template <class T>
struct IsDuration : std::false_type {};
/// An unsigned 64-bit count does not fit.
template <class Rep, class Ratio>
struct IsDuration<std::chrono::duration<Rep, Ratio>>
    : std::bool_constant<NumberArgument<Rep> && !std::same_as<Rep, bool> &&
                         (std::is_signed_v<Rep> || sizeof(Rep) < sizeof(std::int64_t)) && has_known_period<Ratio>()> {};

template <class T>
concept DurationArgument = IsDuration<T>::value;

/// Copied as it is; anything else is formatted at once, by the caller.
template <class T>
concept RawArgument = TextArgument<T> || NumberArgument<T> || std::same_as<T, char> || PlainEnum<T> ||
    PointerArgument<T> || DurationArgument<T>;

/// Arrays of characters as the pointers that they become.
template <class T>
using Passed = std::conditional_t<std::is_same_v<T, char*>, const char*, T>;

/// The bytes of an argument are those of this type. T is what ValueOf says.
template <class T>
[[gnu::always_inline]] inline auto stored(const Passed<T>& value) {
  if constexpr (std::same_as<T, fmt::string_view>) {
    return std::string_view{value.data(), value.size()};
  } else if constexpr (std::is_pointer_v<T> && TextArgument<T>) {
    return value == nullptr ? std::string_view{"(null)"} : std::string_view{value};
  } else if constexpr (TextArgument<T>) {
    return std::string_view{value};
  } else if constexpr (PlainEnum<T>) {
    return static_cast<std::underlying_type_t<T>>(value);
  } else if constexpr (std::same_as<T, std::nullptr_t>) {
    return std::uint64_t{0};
  } else if constexpr (PointerArgument<T>) {
    return static_cast<std::uint64_t>(std::bit_cast<std::uintptr_t>(value));
  } else if constexpr (DurationArgument<T>) {
    if constexpr (std::is_floating_point_v<typename T::rep>)
      return value.count();
    else
      return static_cast<std::int64_t>(value.count());
  } else {
    return value;
  }
}

/// What fmt gets; it must show the same as the stored value does.
template <class T>
decltype(auto) shown(const T& value) {
  using Plain = std::decay_t<T>;
  if constexpr (PlainEnum<Plain>)
    return static_cast<std::underlying_type_t<Plain>>(value);
  else if constexpr (std::is_pointer_v<Plain> && TextArgument<Plain>)
    return stored<const char*>(value);
  else
    return (value);
}

/// The type that a format string is checked for.
template <class T>
using Shown = typename std::conditional_t<PlainEnum<ValueOf<T>>, std::underlying_type<ValueOf<T>>,
                                          std::type_identity<typename Unwrapped<T>::Value>>::type;

template <class T>
constexpr trace::Type type_of() {
  using enum trace::Type;
  if constexpr (std::same_as<T, std::string_view>)
    return text;
  else if constexpr (std::same_as<T, bool>)
    return boolean;
  else if constexpr (std::same_as<T, float>)
    return f32;
  else if constexpr (std::same_as<T, double>)
    return f64;
  else if constexpr (std::same_as<T, char> || sizeof(T) == 1)
    return std::is_signed_v<T> && !std::same_as<T, char> ? i8 : u8;
  else if constexpr (sizeof(T) == 2)
    return std::is_signed_v<T> ? i16 : u16;
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? i32 : u32;
  else
    return std::is_signed_v<T> ? i64 : u64;
}

/// T as ValueOf gives it.
template <class T>
constexpr trace::Field field_of(std::string_view name) {
  if constexpr (!RawArgument<T>) {
    return {name, trace::Type::text};
  } else {
    trace::Field field{name, type_of<decltype(stored<T>(std::declval<const T&>()))>()};
    if constexpr (std::same_as<T, char>) field.means = trace::Means::character;
    if constexpr (PointerArgument<T>) field.means = trace::Means::pointer;
    if constexpr (DurationArgument<T>) {
      field.means = trace::Means::duration;
      field.period = {static_cast<std::uint32_t>(T::period::num), static_cast<std::uint32_t>(T::period::den)};
    }
    return field;
  }
}

// --- bytes ------------------------------------------------------------------------------------------------------------

template <class T>
[[gnu::always_inline]] inline std::size_t packed_size(const T& value) {
  if constexpr (std::same_as<T, std::string_view>)
    return sizeof(std::uint32_t) + value.size();
  else
    return sizeof value;
}

template <class T>
[[gnu::always_inline]] inline std::byte* pack(std::byte* to, const T& value) {
  if constexpr (std::same_as<T, std::string_view>) {
    to = pack(to, static_cast<std::uint32_t>(value.size()));
    return std::ranges::copy(std::as_bytes(std::span{value}), to).out;
  } else {
    std::memcpy(to, &value, sizeof value);
    return to + sizeof value;
  }
}

}  // namespace log::detail

}  // namespace spool
