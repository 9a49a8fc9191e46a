// SPDX-License-Identifier: MIT
//
// The text of a segment's `metadata` (TSDL), made from the schema table. Owns the text, not the file it is put in.
#pragma once

#include <spool/trace/ctf.hpp>
#include <spool/trace/schema.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spool::trace {

/// What a segment says of its process; goes into TSDL's env and clock blocks.
struct Process {
  std::string program;  ///< the executable's name
  std::string hostname;
  std::string boot;  ///< the kernel's id of this start of the machine; empty: not known
  std::uint32_t pid = 0;
  std::uint32_t parent_pid = 0;             ///< the process that it was forked from while that recorded; 0: none
  std::string started;                      ///< RFC 3339, UTC
  std::uint64_t started_at = 0;             ///< the same in ns since 1970
  std::string clock;                        ///< "tsc" or "monotonic"
  std::uint64_t frequency = 1'000'000'000;  ///< ticks a second
  std::int64_t epoch_seconds = 0;           ///< tick 0 as realtime: seconds, then
  std::uint64_t epoch_ticks = 0;            ///< the rest in ticks
  std::uint64_t monotonic_zero =
      0;  ///< where the monotonic clock was 0, ns since 1970, by the wall clock at the start; 0: not known
};

/// The declarations that every segment begins with: types, env, clock, streams and one event class a row.
std::string metadata_text(const Process& process, const Uuid& uuid, std::uint32_t segment);

/// A message site's own event class. Its logger is in the class's name: "message", or "message.LOGGER".
struct MessageClass {
  std::uint16_t id = 0;
  Level level = Level::info;
  std::string logger;            ///< empty for the root logger
  std::string format;            ///< fmt's
  std::vector<Field> arguments;  ///< with names as argument_names makes them
};
std::string message_class_text(const MessageClass& message);

/// The names that the arguments of a message get in the file: letters, digits and _ only, each another, none `site`,
/// none longer than 64 bytes. What is one already stays as it is.
std::vector<std::string> argument_names(std::span<const std::string_view> wanted);

/// An argument's name as it stands in the metadata: CTF's own words, the names of our types and what begins with _ get
/// a _ in front, which readers of CTF take away again.
std::string declared_name(std::string_view argument);
std::string_view name_of_declared(std::string_view declared);

/// What an argument's number stands for is said by the name of its type: "pointer", "duration_1_1000_i64".
struct Meaning {
  Means means = Means::value;
  Period period = {};
};
Meaning meaning_of_type(std::string_view type_name);

/// `text` as a TSDL string literal, quotes included; control characters and quotes are escaped.
std::string tsdl_quoted(std::string_view text);

/// "6c1b...": the usual 36 characters.
std::string uuid_text(const Uuid& uuid);

}  // namespace spool::trace
