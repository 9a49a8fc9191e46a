// SPDX-License-Identifier: MIT
//
// Messages: text from the user, in the same stream as the transitions. The caller writes raw arguments; whoever reads
// makes the text (trace/message.hpp).
//
//   spool::info("served {} in {} ms", path, ms);
//   spool::info("served {path} in {ms} ms", spool::arg<"path">(path), spool::arg<"ms">(ms));
//
// Thread-safe and cheap; legal at any time, also in static destructors and signal handlers that do not interrupt spool.
// Records: one message, or none below the level (logger.hpp). Before anything is configured, messages of level warning
// and up go to stderr at once, by the caller.
//
// Which arguments are copied, and which are formatted at once, by the caller, stands in argument.hpp; how they are
// named as well. A text longer than 4096 bytes is cut, with its length and a hash.
//
// -DSPOOL_LEVEL_FLOOR=info leaves messages below info out of the program when it is compiled: no test, no Record, and
// from -O1 on no format string, whatever the level at run time. Their arguments are evaluated all the same, as those of
// any function are; what the compiler sees to be without effect goes away with them. Give it to all files of a program
// alike.
#pragma once

#include <spool/log/argument.hpp>
#include <spool/log/control.hpp>
#include <spool/log/format.hpp>
#include <spool/log/site.hpp>
#include <spool/log/writer.hpp>

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#if !defined(SPOOL_LEVEL_FLOOR)
#define SPOOL_LEVEL_FLOOR trace
#endif

namespace spool {

/// trace, debug, info, warning, error, critical or off.
constexpr Level compiled_floor = Level::SPOOL_LEVEL_FLOOR;

constexpr bool is_compiled(Level level) {
  return level >= compiled_floor;
}

namespace log {

/// What the messages of one logger share. Immortal; made by the tree in logger.cpp.
struct LoggerState {
  std::atomic<std::uint8_t> least{static_cast<std::uint8_t>(Level::warning)};  ///< level that is logged
  std::uint64_t digest = 0;                                                    ///< of the name
  std::string name;
};

/// nullptr: the general logger.
[[gnu::always_inline]] inline bool is_logged(const LoggerState* logger, Level level) noexcept {
  const std::atomic<std::uint8_t>& least = logger == nullptr ? level_floor : logger->least;
  return static_cast<std::uint8_t>(level) >= least.load(std::memory_order_relaxed);  // relaxed: a switch
}

/// What makes a message site one. The same line may be several: by templates, by a level or a logger chosen at run
/// time.
struct MessageKey {
  std::uint64_t digest;  ///< of all the others
  std::string_view format;
  Site site;
  std::span<const trace::Field> fields;
  std::uint32_t at_once;  ///< bit i: argument i comes as text
  Level level;
  std::string_view logger = {};
  std::span<const std::string_view> names = {};  ///< the arguments', where fields cannot have them
};

/// Longer messages are formatted at once and cut.
inline constexpr std::size_t most_packed = 4096;

/// Two sites with the same digest would be taken for one: of the 2000 that a process may have the chance that any two
/// do is 1 in 10^13.
constexpr std::uint64_t digest_of(std::uint64_t site, Level level) {
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15U;
  return site ^ (static_cast<std::uint64_t>(level) + 1) * odd;
}

[[gnu::always_inline]] inline std::uint64_t digest_of(std::uint64_t site, Level level, const LoggerState* logger) {
  return digest_of(site, level) ^ (logger == nullptr ? 0 : logger->digest);
}

constexpr std::size_t message_slot(std::uint64_t digest) {
  return digest % Writer::message_slots;
}

/// Is there somewhere to write to? Otherwise print_at_once.
inline bool is_recording() {
  return generation.load(std::memory_order_relaxed) != 0;  // relaxed: a hint
}

/// Writes a message whose arguments are packed already, whatever it takes. False: it has to be written as text.
bool write_packed(const MessageKey& key, std::span<const std::byte> arguments) noexcept;

/// Writes a message whose text is made already; cuts it where it is longer than a packet takes.
void write_text(Level level, const Site& site, std::string_view text, std::string_view logger = {}) noexcept;

/// To stderr, by the caller.
void print_at_once(Level level, std::string_view text, std::string_view logger = {}) noexcept;

/// For a message that cannot be written as raw arguments. Only the names of `key` count that the format uses.
void write_formatted(const MessageKey& key, fmt::format_args arguments) noexcept;

/// The text of argument `index` alone, by its own spec. False: that cannot be told apart from the rest.
bool make_text(std::string& out, const MessageKey& key, std::size_t index, fmt::format_args argument);

namespace detail {

/// The fast path: everything is defined, and there is room. False: nothing was written.
template <class... Stored>
[[gnu::always_inline]] inline bool try_write_message(std::uint64_t digest, const Stored&... stored) noexcept {
  Writer* const writer = my_writer;
  // relaxed, both: switches; what comes of them is looked at again in the slow path
  const bool unusual =
      is_unusual.load(std::memory_order_relaxed) || (state.load(std::memory_order_relaxed) & ending_bit) != 0;
  if (writer == nullptr || unusual) [[unlikely]] {
    return false;
  }
  constexpr std::size_t fixed = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber);
  const std::size_t size = fixed + (packed_size(stored) + ... + std::size_t{0});
  if (size > most_packed) [[unlikely]] {
    return false;
  }
  Emission emission;
  if (emission.enter<Fenced::no>(*writer, size) != Emission::Result::entered) [[unlikely]] {
    return false;
  }
  const MessageSlot& slot = writer->messages[message_slot(digest)];
  if (slot.digest != digest || slot.generation != writer->generation) [[unlikely]] {
    emission.leave(*writer);
    return false;
  }
  store_word(emission.bytes, os::ticks_of_tsc());
  store_word(emission.bytes + 8, slot.id);
  [[maybe_unused]] std::byte* to = pack(emission.bytes + sizeof(trace::RecordHeader), slot.site);
  ((to = pack(to, stored)), ...);
  emission.commit(*writer);
  return true;
}

/// What is stored of an argument that may have been made a text.
template <class T>
auto stored_or(const T& argument, const std::string& text) {
  if constexpr (RawArgument<ValueOf<T>>)
    return stored<ValueOf<T>>(value_of(argument));
  else
    return std::string_view{text};
}

template <class T>
bool make_text_of(std::string& out, const MessageKey& key, std::size_t index, const T& argument) {
  if constexpr (RawArgument<ValueOf<T>>)
    return true;
  else
    return make_text(out, key, index, fmt::make_format_args(value_of(argument)));
}

/// Texts of those arguments that are formatted at once, then all as they stand in a Record. False: not possible.
template <class... Args>
bool write_as_fields(const MessageKey& key, const Args&... arguments) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    [[maybe_unused]] std::array<std::string, sizeof...(Args)> texts;
    if (!(make_text_of(texts[i], key, i, arguments) && ... && true)) return false;
    const auto write = [&](const auto&... stored) {
      const std::size_t size = (packed_size(stored) + ... + std::size_t{0});
      constexpr std::size_t header = sizeof(trace::RecordHeader) + sizeof(trace::SiteNumber);
      if (size > most_packed - header) return false;
      std::array<std::byte, most_packed> bytes;  // NOLINT: what is used of it is written first
      [[maybe_unused]] std::byte* to = bytes.data();
      ((to = pack(to, stored)), ...);
      return write_packed(key, std::span{bytes}.first(size));
    };
    return write(stored_or(arguments, texts[i])...);
  }
  (std::index_sequence_for<Args...>{});
}

/// All that the fast path leaves.
template <class... Args>
[[gnu::noinline]] void write_slowly(const LoggerState* logger, Level level, const Format<Args...>& format,
                                    const Args&... arguments) noexcept {
  park_if_ending();
  const std::array<std::string_view, sizeof...(Args)> names{run_time_name(arguments)...};
  MessageKey key{digest_of(format.digest, level, logger),
                 format.text(),
                 format.site,
                 fields_of<Args...>,
                 made_at_once<Args...>(),
                 level,
                 logger == nullptr ? std::string_view{} : std::string_view{logger->name},
                 {}};
  if constexpr (has_fixed_names<Args...> || has_run_time_names<Args...>) key.names = names;
  if constexpr (has_run_time_names<Args...>) {
    Digest digest;
    for (const std::string_view each : names)
      digest.add(each);
    key.digest ^= digest.value();
  }
  try {
    if (is_recording() && write_as_fields(key, arguments...)) return;
  } catch (...) {  // a formatter of the user's threw, or no memory: it is told with the whole text
  }
  write_formatted(key, fmt::make_format_args(shown(value_of(arguments))...));
}

}  // namespace detail

template <class... Args>
[[gnu::always_inline]] inline void message(const LoggerState* logger, Level level,
                                           const Format<std::type_identity_t<Args>...>& format,
                                           const Args&... arguments) noexcept {
  if (!is_logged(logger, level)) return;
  constexpr bool raw = detail::made_at_once<Args...>() == 0 && !detail::has_run_time_names<Args...>;
  if constexpr (raw) {
    using detail::stored;
    if (detail::try_write_message(digest_of(format.digest, level, logger),
                                  stored<detail::ValueOf<Args>>(detail::value_of(arguments))...)) [[likely]] {
      if (is_immediate(level)) [[unlikely]] {
        wake_sinks();
      }
      return;
    }
  }
  detail::write_slowly<Args...>(logger, level, format, arguments...);
  if (is_immediate(level)) wake_sinks();
}

/// By the general logger.
template <class... Args>
void message(Level level, const Format<std::type_identity_t<Args>...>& format, const Args&... arguments) noexcept {
  message(nullptr, level, format, arguments...);
}

}  // namespace log

template <class... Args>
[[gnu::always_inline]] inline void trace_message(Format<std::type_identity_t<Args>...> format,
                                                 const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::trace)) log::message(nullptr, Level::trace, format, arguments...);
}

template <class... Args>
[[gnu::always_inline]] inline void debug(Format<std::type_identity_t<Args>...> format,
                                         const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::debug)) log::message(nullptr, Level::debug, format, arguments...);
}

template <class... Args>
[[gnu::always_inline]] inline void info(Format<std::type_identity_t<Args>...> format,
                                        const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::info)) log::message(nullptr, Level::info, format, arguments...);
}

template <class... Args>
[[gnu::always_inline]] inline void warning(Format<std::type_identity_t<Args>...> format,
                                           const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::warning)) log::message(nullptr, Level::warning, format, arguments...);
}

template <class... Args>
[[gnu::always_inline]] inline void error(Format<std::type_identity_t<Args>...> format,
                                         const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::error)) log::message(nullptr, Level::error, format, arguments...);
}

template <class... Args>
[[gnu::always_inline]] inline void critical(Format<std::type_identity_t<Args>...> format,
                                            const Args&... arguments) noexcept {
  if constexpr (is_compiled(Level::critical)) log::message(nullptr, Level::critical, format, arguments...);
}

}  // namespace spool
