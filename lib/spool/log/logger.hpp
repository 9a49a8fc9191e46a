// SPDX-License-Identifier: MIT
//
// Loggers: names for messages, and a level for each name. Owns the tree of names and the levels in it; what a message
// is stands in message.hpp.
//
//   spool::Logger http{"http"};
//   http.info("served {} in {} ms", path, ms);
//   http.set_level(spool::Level::debug);                  // from now on, in every thread
//   spool::set_level("http", spool::Level::debug);        // the same by name, also before such a Logger exists
//   $ SPOOL_LEVEL=info,http=debug,http.client=off server  // the same from outside
//
// As in Python, a dot makes a child: "http.client" has the level of "http" until it gets one of its own, and "http" the
// general one. Levels are worked out when they change, for all descendants, so that the question "is it logged?" is one
// relaxed load however deep the name.
//
// Thread-safe. A Logger is a handle: those of one name are one logger, which lives for ever. It has no destructor that
// does anything, so a static one may be used in destructors of statics. One that is used before its own constructor ran
// (from another file's static) writes as the general logger.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spool {

class Logger {
 public:
  /// The logger of this name; "" is the general one, which spool::info and its like write to. Names are compared byte
  /// by byte; one longer than 200 bytes is cut.
  explicit Logger(std::string_view name);

  // Each makes one message if its level is logged, else nothing. Records: as spool::info does, with the logger's name.
  // Calls below SPOOL_LEVEL_FLOOR are compiled to nothing, see message.hpp.
  template <class... Args>
  [[gnu::always_inline]] inline void trace(Format<std::type_identity_t<Args>...> format,
                                           const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::trace)) log::message(state_, Level::trace, format, arguments...);
  }
  template <class... Args>
  [[gnu::always_inline]] inline void debug(Format<std::type_identity_t<Args>...> format,
                                           const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::debug)) log::message(state_, Level::debug, format, arguments...);
  }
  template <class... Args>
  [[gnu::always_inline]] inline void info(Format<std::type_identity_t<Args>...> format,
                                          const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::info)) log::message(state_, Level::info, format, arguments...);
  }
  template <class... Args>
  [[gnu::always_inline]] inline void warning(Format<std::type_identity_t<Args>...> format,
                                             const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::warning)) log::message(state_, Level::warning, format, arguments...);
  }
  template <class... Args>
  [[gnu::always_inline]] inline void error(Format<std::type_identity_t<Args>...> format,
                                           const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::error)) log::message(state_, Level::error, format, arguments...);
  }
  template <class... Args>
  [[gnu::always_inline]] inline void critical(Format<std::type_identity_t<Args>...> format,
                                              const Args&... arguments) const noexcept {
    if constexpr (is_compiled(Level::critical)) log::message(state_, Level::critical, format, arguments...);
  }

  /// With a level that is chosen at run time; `off` is none and writes nothing.
  template <class... Args>
  void log(Level level, Format<std::type_identity_t<Args>...> format, const Args&... arguments) const noexcept {
    if (level >= compiled_floor && level < Level::off) log::message(state_, level, format, arguments...);
  }

  /// For what is costly to work out before it can be logged.
  bool is_logged(Level level) const noexcept { return log::is_logged(state_, level); }

  /// The level that counts, its own or the one that it follows.
  Level level() const noexcept;
  /// Gives it, and all that follow it, this level. At run time, in every thread; messages under way may still be
  /// written.
  void set_level(Level level) const;
  /// Has it follow its parent again. The general logger goes back to warning, as before any configuration.
  void reset_level() const;

  std::string_view name() const noexcept;

 private:
  log::LoggerState* state_;
};

namespace log {

/// By name, also for loggers that do not exist yet; "" is the general level. nullopt: follow the parent.
void set_level(std::string_view logger, std::optional<Level> level);
Level level_of(std::string_view logger);

}  // namespace log

}  // namespace spool
