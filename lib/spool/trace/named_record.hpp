// SPDX-License-Identifier: MIT
//
// A Record whose numbers have got their names: what sinks are given, and what a line of a log holds. Sinks in the
// process fill it from the streams, unspool from any of its inputs. Owns nothing: views are valid as long as whoever
// filled it says.
#pragma once

#include <spool/trace/ids.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/schema.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace spool::trace {

/// The version of the format of log lines (docs/lines.md). A reader refuses a greater first number.
inline constexpr std::string_view lines_version = "1.1";

/// A field of a Record, or an argument of a message.
struct NamedField {
  std::string_view name;
  Means means = Means::value;
  /// Spans in nanoseconds, points in time in nanoseconds since 1970.
  Value value;
  /// The name of the thread or object, the file of the site, the word of an enumeration; empty where there is none.
  std::string_view stands_for;
  std::uint32_t line = 0;  ///< of a site
};

/// Texts are raw: they may hold control characters (trace::escaped makes them safe).
struct NamedRecord {
  const Row* row = nullptr;   ///< what kind of Record; the row of `message` for all messages
  Level level = Level::info;  ///< of a message; of anything else `trace`
  std::uint64_t time = 0;     ///< ns since 1970
  std::uint32_t pid = 0;
  ThreadNumber thread = 0;  ///< who wrote it; 0: a definition
  std::uint32_t native_id = 0;
  bool daemon = false;
  std::string_view thread_name;
  ObjectNumber object = 0;         ///< 0 for a message
  Kind object_kind = Kind::trace;  ///< Kind::thread where it is one; Kind::trace: not known
  std::string_view object_name;
  Sequence seq = 0;       ///< where the row has one
  SiteNumber site = 0;    ///< 0: not known
  std::string_view file;  ///< of the site, as compiled; empty where not known
  std::string_view function;
  std::uint32_t line = 0;
  std::string_view logger;  ///< of a message; empty: the root logger
  std::string_view text;    ///< of a message
  std::string_view format;  ///< of a message with typed arguments: fmt's format string
  /// A message's arguments; of anything else all its row's fields but `site`, `seq` and the reserved ones.
  std::span<const NamedField> fields;
  /// For whoever keeps what it made of a name. Two Records with the same number here, other than 0, have the same names
  /// for the same numbers of threads, objects and sites, and formats at the same address are the same. 0: nothing is
  /// promised.
  std::uint64_t names = 0;
};

}  // namespace spool::trace
