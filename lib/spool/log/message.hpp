// SPDX-License-Identifier: MIT
//
// Messages: text from the user, in the same stream as the transitions. The caller writes raw arguments; whoever reads
// makes the text (trace/message.hpp).
//
//   spool::info("served {} in {} ms", path, ms);
//
// Thread-safe and cheap; legal at any time, also in static destructors. Records: one message, or none below the level.
// Before anything is configured, messages of level warning and up go to stderr at once, by the caller.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/site.hpp>
#include <spool/log/writer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace spool {

/// A format string, checked against `Args` at compile time, and the place it stands at.
template <class... Args>
struct Format {
  consteval Format(const char* format, Site at = Site::current())  // NOLINT(google-explicit-constructor)
      : checked{format}, site{at} {}

  std::string_view text() const {
    const fmt::string_view view = checked;
    return {view.data(), view.size()};
  }

  fmt::format_string<Args...> checked;
  Site site;
};

namespace log {

namespace detail {

template <class T>
concept TextArgument = std::convertible_to<const T&, std::string_view>;

template <class T>
concept NumberArgument = (std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                          !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>) ||
                         std::same_as<T, float> || std::same_as<T, double>;

/// Copied as it is; anything else is formatted at once, by the caller.
template <class T>
concept RawArgument = TextArgument<T> || NumberArgument<T>;

template <class T>
constexpr trace::Type type_of() {
  using enum trace::Type;
  if constexpr (TextArgument<T>)
    return text;
  else if constexpr (std::same_as<T, bool>)
    return boolean;
  else if constexpr (std::same_as<T, float>)
    return f32;
  else if constexpr (std::same_as<T, double>)
    return f64;
  else if constexpr (sizeof(T) == 1)
    return std::is_signed_v<T> ? i8 : u8;
  else if constexpr (sizeof(T) == 2)
    return std::is_signed_v<T> ? i16 : u16;
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? i32 : u32;
  else
    return std::is_signed_v<T> ? i64 : u64;
}

inline constexpr std::size_t most_arguments = 16;
inline constexpr std::array<std::string_view, most_arguments> argument_names{
    "arg0", "arg1", "arg2",  "arg3",  "arg4",  "arg5",  "arg6",  "arg7",
    "arg8", "arg9", "arg10", "arg11", "arg12", "arg13", "arg14", "arg15"};

template <class... Args>
constexpr std::array<trace::Field, sizeof...(Args)> make_fields() {
  [[maybe_unused]] std::size_t i = 0;
  return {trace::Field{argument_names[i++], type_of<Args>()}...};
}

/// One array for each list of argument types; its address is part of a message site's key.
template <class... Args>
inline constexpr auto fields_of = make_fields<Args...>();

template <TextArgument T>
std::string_view view_of(const T& text) {
  if constexpr (std::is_pointer_v<T>) {
    if (text == nullptr) return "(null)";
  }
  return text;
}

template <class T>
std::size_t packed_size([[maybe_unused]] const T& value) {
  if constexpr (TextArgument<T>)
    return sizeof(std::uint32_t) + view_of(value).size();
  else
    return sizeof value;
}

template <class T>
std::byte* pack(std::byte* to, const T& value) {
  if constexpr (TextArgument<T>) {
    const std::string_view text = view_of(value);
    to = pack(to, static_cast<std::uint32_t>(text.size()));
    return std::ranges::copy(std::as_bytes(std::span{text}), to).out;
  } else {
    std::memcpy(to, &value, sizeof value);
    return to + sizeof value;
  }
}

}  // namespace detail

/// What makes a message site one: the same line may be several by templates or a level chosen at run time.
struct MessageKey {
  std::string_view format;
  Site site;
  std::span<const trace::Field> fields;
  Level level;
};

/// Longer messages are formatted at once and cut.
inline constexpr std::size_t most_packed = 4096;

inline std::size_t message_slot(const MessageKey& key) {
  return site_slot(key.format.data(), key.site.line) % Writer::message_slots;
}

inline bool is_in(const MessageSlot& slot, const MessageKey& key, std::uint32_t segment) {
  return slot.generation == segment && slot.format == key.format.data() && slot.line == key.site.line &&
         slot.key == key.fields.data() && slot.level == key.level;
}

/// Is there somewhere to write to? Otherwise print_at_once.
inline bool is_recording() {
  return generation.load(std::memory_order_relaxed) != 0;
}  // relaxed: a hint

/// Defines the message site and makes room. False: lost and counted, or to be written as text.
enum class Prepared : std::uint8_t { ready, as_text, lost };
Prepared prepare_message(Writer& writer, const MessageKey& key, std::size_t size) noexcept;

/// Writes a message whose text is made already; cuts it where it is longer than a packet takes.
void write_text(Level level, const Site& site, std::string_view text) noexcept;

/// To stderr, by the caller.
void print_at_once(Level level, std::string_view text) noexcept;

/// For a message that cannot be written as raw arguments.
void write_formatted(Level level, const Site& site, fmt::string_view format, fmt::format_args arguments) noexcept;

template <class... Args>
void write_raw_message(const MessageKey& key, const Args&... arguments) noexcept {
  Writer& writer = self();
  const std::size_t size =
      sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber) + (detail::packed_size(arguments) + ... + std::size_t{0});
  constexpr int attempts = 64;
  for (int i = 0; size <= most_packed && i < attempts; ++i) {
    Emission emission;
    if (emission.enter(writer, size) == Emission::Result::entered) [[likely]] {
      const MessageSlot& slot = writer.messages[message_slot(key)];
      if (is_in(slot, key, writer.generation)) [[likely]] {
        const trace::RecordHeader header{os::ticks(), trace::id_and_object(slot.id, 0)};
        [[maybe_unused]] std::byte* to = detail::pack(emission.bytes, header);
        to = detail::pack(to, slot.site);
        ((to = detail::pack(to, arguments)), ...);
        emission.commit(writer);
        finish(writer);
        return;
      }
      emission.leave(writer);
    }
    finish(writer);
    const Prepared prepared = prepare_message(writer, key, size);
    if (prepared == Prepared::lost) return;
    if (prepared == Prepared::as_text) break;
  }
  write_formatted(key.level, key.site, {key.format.data(), key.format.size()}, fmt::make_format_args(arguments...));
}

template <class... Args>
void message(Level level, const Format<std::type_identity_t<Args>...>& format, const Args&... arguments) noexcept {
  if (!is_logged(level)) return;
  park_if_ending();
  constexpr bool raw =
      (detail::RawArgument<std::decay_t<Args>> && ... && true) && sizeof...(Args) <= detail::most_arguments;
  if constexpr (raw) {
    if (is_recording()) {
      write_raw_message({format.text(), format.site, detail::fields_of<std::decay_t<Args>...>, level}, arguments...);
      if (is_immediate(level)) [[unlikely]] {
        wake_sinks();
      }
      return;
    }
  }
  write_formatted(level, format.site, format.checked, fmt::make_format_args(arguments...));
  if (is_immediate(level)) wake_sinks();
}

}  // namespace log

template <class... Args>
void trace_message(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::trace, format, arguments...);
}

template <class... Args>
void debug(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::debug, format, arguments...);
}

template <class... Args>
void info(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::info, format, arguments...);
}

template <class... Args>
void warning(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::warning, format, arguments...);
}

template <class... Args>
void error(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::error, format, arguments...);
}

template <class... Args>
void critical(Format<std::type_identity_t<Args>...> format, const Args&... arguments) noexcept {
  log::message<Args...>(Level::critical, format, arguments...);
}

}  // namespace spool
