// SPDX-License-Identifier: MIT
//
// What the rooms of unspool hand to each other: a process's definitions, and its Records one after another.
// read fills it, order merges it, replay and analyze use it, render prints it. Numbers are the trace's own.
#pragma once

#include <spool/trace/ids.hpp>
#include <spool/trace/schema.hpp>
#include <spool/trace/status.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

/// A place in the source.
struct Site {
  std::string file;  ///< as compiled; render shortens it
  std::string function;
  std::uint32_t line = 0;
};

/// A call in a call stack: where it lies in the program, and what it is called, as far as the process came to look it
/// up.
struct Frame {
  std::string module;  ///< path of the executable or library
  std::uint64_t offset = 0;
  std::vector<Site> lines;  ///< several where the compiler put functions into each other, innermost first; may be empty

  /// One definition of it: the innermost line, `inlined` 0, begins anew what is known.
  void define(std::uint32_t inlined, std::string a_module, std::uint64_t an_offset, Site line);
};

/// The innermost call of a stack, and the stack of its caller.
struct Stack {
  trace::FrameNumber frame = 0;
  trace::StackNumber caller = 0;  ///< 0: the outermost call that was kept
};

struct Thread {
  std::string name;  ///< raw: may hold anything; render escapes it
  std::uint32_t native_id = 0;
  trace::ThreadNumber creator = 0;
  bool daemon = false;
  trace::Origin origin = trace::Origin::foreign;
};

struct Object {
  std::string name;  ///< may be empty; raw
  trace::Kind kind = trace::Kind::trace;
  trace::SiteNumber site = 0;      ///< where it was created
  trace::ObjectNumber parent = 0;  ///< a Condition's lock
};

/// A message site: how to read a message's bytes and how to make its text.
struct MessageClass {
  trace::Level level = trace::Level::info;
  std::string logger;
  std::string format;
  std::vector<trace::Field> arguments;  ///< names point into `argument_names`
  std::vector<std::string> argument_names;
  /// Where the input has the text made already, as a log's line does; else it comes from format and arguments.
  std::string text;
  bool has_text = false;
};

/// All clocks at one moment. The readings of a trace together give the best frequency, and show where a clock was set.
struct ClockReading {
  trace::Ticks ticks = 0;
  std::uint64_t monotonic = 0;  ///< ns
  std::uint64_t realtime = 0;   ///< ns since 1970
  std::uint64_t boottime = 0;   ///< ns
  std::uint64_t frequency = 0;  ///< ticks a second
};

/// What the recording had cost at `time`, as totals from `since` on: a `trace.cost`. CPU in ns.
struct Cost {
  trace::Ticks time = 0;
  trace::Ticks since = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;    ///< Records
  std::uint64_t helped = 0;  ///< segments that a writing thread had to prepare itself
  std::uint64_t keeper = 0;
  std::uint64_t dispatcher = 0;
  std::uint64_t archiver = 0;
};

/// Where a Record stands, to cite it: segment number, chunk number, byte offset in the chunk's file. Of a log's line
/// the chunk is the index of the file in Process::logs, and the offset that in its plain text.
struct Place {
  std::uint32_t segment = 0;
  std::uint32_t chunk = 0;
  std::uint64_t offset = 0;
};

/// One Record. Fields that its row does not have are 0.
struct Record {
  const trace::Row* row = nullptr;  ///< of a typed message: the row of `message`
  trace::Ticks time = 0;
  trace::ThreadNumber thread = 0;  ///< who wrote it
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Sequence seq = 0;
  /// a and b are the row's u32 fields other than `site` and `seq`, in their order: a transition's third and fourth;
  /// of trace.loss the reason, of trace.end alive, of status.hold the mode, of status.wait owner and owner_site, of
  /// status.stack the stack.
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  trace::Ticks since = 0;                 ///< of status.hold and status.wait
  std::uint64_t count = 0;                ///< of trace.loss; of status.wait the id of its block Record
  const MessageClass* message = nullptr;  ///< of a typed message
  /// A message's fields behind `site`; of any other Record all its fields. Valid until the next Record is read.
  std::span<const std::byte> bytes;
  Place place;
};

/// Two Records in one, as most Records of a busy program are: a lock is acquired without a wait and without spinning,
/// and released to nobody who waits, with nothing of its thread in between. 48 bytes, as they go from core to core.
struct PlainHold {
  trace::Ticks since = 0;
  trace::Ticks until = 0;
  std::uint64_t object_and_kind = 0;
  trace::SiteNumber site = 0;  ///< where it was acquired
  trace::Sequence seq = 0;     ///< of the acquire; the release has the next one
  trace::SiteNumber release_site = 0;
  trace::ThreadNumber waker = 0;  ///< as the acquire says
  trace::ThreadNumber thread = 0;
  std::uint32_t segment = 0;

  trace::ObjectNumber object() const { return object_and_kind & trace::max_object_number; }
  trace::Kind kind() const { return static_cast<trace::Kind>(object_and_kind >> 48U); }
  trace::Ticks ticks() const { return until - since; }
};
static_assert(sizeof(PlainHold) == 48);

/// Something in the input that could not be used, in words: what, where, what to do. None stops the analysis.
struct Problem {
  enum class Severity : std::uint8_t { note, damage };
  Severity severity = Severity::damage;
  std::string text;
};

/// Everything about one process that is not a Record.
struct Process {
  std::string path;  ///< the trace directory, or a log, as given
  std::string program;
  std::string hostname;
  std::string boot;     ///< which start of the machine: processes with the same share CLOCK_MONOTONIC; empty: not known
  std::string started;  ///< RFC 3339
  std::uint32_t pid = 0;
  std::uint32_t parent_pid = 0;  ///< the recorded process that it was forked from; 0: none
  std::string clock_source;
  std::uint64_t frequency = 1'000'000'000;  ///< best known, ticks a second
  trace::Mode mode = trace::Mode::all;      ///< the last one seen
  bool mode_changed = false;
  bool own_modes = false;                                 ///< some objects had a mode of their own
  std::unordered_set<trace::ObjectNumber> with_own_mode;  ///< those of them that are known: of a cut trace not all
  std::uint64_t long_wait = 0;  ///< nanoseconds: of mode long, used for all or some; shorter waits may not be there
  bool tells_limits = true;     ///< block Records say whether the wait has a limit: since format 1.1
  bool orderly_end = false;     ///< a trace.end Record was seen
  std::unordered_map<trace::ThreadNumber, Thread> threads;
  std::unordered_map<trace::ObjectNumber, Object> objects;
  std::unordered_map<trace::SiteNumber, Site> sites;
  std::unordered_map<trace::StackNumber, Stack> stacks;
  std::unordered_map<trace::FrameNumber, Frame> frames;
  std::vector<ClockReading> clocks;
  std::optional<Cost> cost;                ///< the latest; a log has none
  std::vector<std::string> logs;           ///< of Records that were read from log lines: all files given
  std::vector<trace::StatusEntry> status;  ///< the `.status` file's used entries; empty when there is none
  std::uint32_t unknown_threads = 0;       ///< that the process had beside its known ones, as far as it counted them
  std::uint64_t lost = 0;                  ///< Records that the process says it lost
  std::vector<Problem> problems;
  trace::Ticks first_time = 0;      ///< of the earliest Record that is no definition; 0: there is none
  std::uint64_t about_records = 0;  ///< as many as its packets have room for; 0: not known
  std::uint64_t bytes_lost = 0;     ///< of damaged input: what could not be read
  bool cut = false;                 ///< older segments are gone, or some between: objects may begin in their middle
  std::int64_t epoch_seconds = 0;   ///< tick 0 as realtime: seconds, and
  std::uint64_t epoch_ticks = 0;    ///< ticks; used where there is no clock reading
  /// Where the monotonic clock was 0, ns since 1970, by the wall clock at the program's start; 0: not known.
  std::uint64_t monotonic_zero = 0;

  /// Ticks to nanoseconds: order and subtract in ticks, convert last.
  double nanoseconds(trace::Ticks span) const {
    return static_cast<double>(span) * 1e9 / static_cast<double>(frequency);
  }
};

}  // namespace unspool
