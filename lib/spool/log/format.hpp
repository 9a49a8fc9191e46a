// SPDX-License-Identifier: MIT
//
// A message's format string, checked against the arguments at compile time, and what makes a message site one: the
// place, the text and the fields, as one number that the compiler works out.
#pragma once

#include <spool/log/argument.hpp>
#include <spool/log/site.hpp>
#include <spool/trace/format_fields.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spool {

namespace log::detail {

// Called where the compiler works out a wrong format string: their names are the error message.
void the_format_has_a_brace_too_many_or_too_few();
void a_name_in_the_format_is_no_argument();
void the_format_mixes_numbered_and_automatic_arguments();
void the_format_is_longer_than_2000_characters();
void print_the_address_of_text_as_a_void_pointer();

inline constexpr std::size_t most_arguments = 32;
inline constexpr std::array<std::string_view, most_arguments> argument_numbers{
    "arg0",  "arg1",  "arg2",  "arg3",  "arg4",  "arg5",  "arg6",  "arg7",  "arg8",  "arg9",  "arg10",
    "arg11", "arg12", "arg13", "arg14", "arg15", "arg16", "arg17", "arg18", "arg19", "arg20", "arg21",
    "arg22", "arg23", "arg24", "arg25", "arg26", "arg27", "arg28", "arg29", "arg30", "arg31"};

template <class... Args>
constexpr std::array<trace::Field, sizeof...(Args)> make_fields() {
  static_assert(sizeof...(Args) <= most_arguments, "a message has 32 arguments at most");
  [[maybe_unused]] std::size_t i = 0;
  [[maybe_unused]] const auto name = [&](std::string_view given) {
    const std::string_view number = argument_numbers[i++];
    return given.empty() ? number : given;
  };
  return {field_of<ValueOf<Args>>(name(Unwrapped<Args>::name))...};
}

template <class... Args>
inline constexpr auto fields_of = make_fields<Args...>();

/// Bit i: the text of argument i is made by the caller.
template <class... Args>
constexpr std::uint32_t made_at_once() {
  const std::array<bool, sizeof...(Args)> raw{RawArgument<ValueOf<Args>>...};
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < raw.size(); ++i)
    bits |= raw[i] ? 0U : 1U << i;
  return bits;
}

template <class... Args>
inline constexpr bool has_fixed_names = ((Unwrapped<Args>::naming == Naming::fixed) || ... || false);
template <class... Args>
inline constexpr bool has_run_time_names = ((Unwrapped<Args>::naming == Naming::at_run_time) || ... || false);

/// What an argument is called in a format string; -1: nothing is.
template <class... Args>
constexpr int index_of(std::string_view name) {
  const std::array<std::string_view, sizeof...(Args)> names{Unwrapped<Args>::name...};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

constexpr void refuse(trace::FormatFault fault) {
  if (fault == trace::FormatFault::braces) the_format_has_a_brace_too_many_or_too_few();
  if (fault == trace::FormatFault::unknown) a_name_in_the_format_is_no_argument();
  if (fault == trace::FormatFault::mixed) the_format_mixes_numbered_and_automatic_arguments();
}

/// "{:p}" of a C string asks fmt for its address; but it is the text that is copied.
template <class... Args>
consteval void refuse_addresses_of_text(std::string_view format) {
  const std::array<bool, sizeof...(Args)> is_text{TextArgument<ValueOf<Args>>...};
  (void)trace::for_each_argument(format, index_of<Args...>, [&](const trace::Reference& each, std::size_t index) {
    const bool asks = !each.nested && each.close > each.id_end + 1 && format[each.close - 1] == 'p';
    if (asks && index < is_text.size() && is_text[index]) print_the_address_of_text_as_a_void_pointer();
  });
}

/// By fmt's own checker, which does not know our names: it gets numbers.
template <class... Args>
consteval void check(std::string_view format) {
  if constexpr (has_run_time_names<Args...>) {
    return;
  } else if constexpr (!has_fixed_names<Args...>) {
    (void)fmt::format_string<Shown<Args>...>{fmt::string_view{format.data(), format.size()}};
  } else {
    std::array<char, 2000> numbered{};
    std::size_t length = 0;
    const auto put = [&](std::string_view piece) {
      if (length + piece.size() > numbered.size()) the_format_is_longer_than_2000_characters();
      for (const char each : piece)
        numbered[length++] = each;
    };
    refuse(trace::put_numbered(format, index_of<Args...>, put));
    (void)fmt::format_string<Shown<Args>...>{fmt::string_view{numbered.data(), length}};
  }
  refuse_addresses_of_text<Args...>(format);
}

/// FNV-1a.
class Digest {
 public:
  constexpr Digest& add(std::string_view text) {
    for (const char each : text)
      add(static_cast<unsigned char>(each));
    return add(text.size());
  }
  constexpr Digest& add(std::uint64_t number) {
    digest_ = (digest_ ^ number) * 0x100'0000'01b3U;
    return *this;
  }
  constexpr Digest& add(std::span<const trace::Field> fields, std::uint32_t at_once) {
    for (const trace::Field& each : fields) {
      add(each.name).add(static_cast<std::uint64_t>(each.type)).add(static_cast<std::uint64_t>(each.means));
      add(each.period.numerator).add(each.period.denominator);
    }
    return add(at_once);
  }
  /// The last numbers reach the low bits only by a multiplication; this brings the high ones there, too.
  constexpr std::uint64_t value() const { return digest_ ^ digest_ >> 32U; }

 private:
  std::uint64_t digest_ = 0xcbf2'9ce4'8422'2325U;
};

}  // namespace log::detail

/// A format string, checked against `Args` at compile time, and the place it stands at. Made of a literal, by the call
/// that it is an argument of. A format string that does not fit is a compile error; with fmt::arg among the arguments
/// it is not looked at, and a misfit shows itself as the format followed by the arguments.
template <class... Args>
struct Format {
  consteval Format(const char* format, const Site& at = Site::current())  // NOLINT(google-explicit-constructor)
      : text_{format}, site{at} {
    log::detail::check<Args...>(text_);
    digest = log::detail::Digest{}
                 .add(at.file == nullptr ? std::string_view{} : at.file)
                 .add(at.function == nullptr ? std::string_view{} : at.function)
                 .add(at.line)
                 .add(text_)
                 .add(log::detail::fields_of<Args...>, log::detail::made_at_once<Args...>())
                 .value();
  }

  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;

 public:
  Site site;
  std::uint64_t digest = 0;  ///< tells message sites apart; the same site in two libraries has the same
};

}  // namespace spool
