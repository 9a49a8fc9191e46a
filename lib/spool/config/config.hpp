// SPDX-License-Identifier: MIT
//
// Turns spool on: by a call, or by the environment, which overrides the call. Wires a trace and sinks together; owns
// neither.
//
//   spool::basic_config({.directory = "/var/log/kvserver", .level = spool::Level::debug});
//
//   SPOOL_DIR=DIR            write a trace to DIR/PROGRAM-PID.spool
//   SPOOL_KEEP=256M          bytes of the newest segments that stay; K, M, G; "all" keeps everything
//   SPOOL_ARCHIVE=zstd       closed segments are compressed, each into a file NNNNNN.tar.zst; off
//   SPOOL_SYNC=segments      closed segments survive a power loss: each is waited for until the disk has it; off
//   SPOOL_LEVEL=info         trace, debug, info, warning, error, critical, off; "info,http=debug" says it of the logger
//                            "http" as well
//   SPOOL_TRANSITIONS=all    all, contended, long, off
//   SPOOL_LONG_WAIT=1ms      how long a wait lasts before `long` records it; ns, us, ms, s, m
//   SPOOL_WATCHDOG=30s       tell of waits for a lock that are longer, and of deadlocks; ms, s, m; "30s,every" of waits of all
//                            kinds, "30s,abort" aborts then
//   SPOOL_DUMP_ON=QUIT       this signal prints all threads: QUIT, USR1, USR2, HUP
//   SPOOL_STACKS=on          each wait with its call stack: on (32 calls at most), off, or a number of calls
//   SPOOL_SIGBUS=handle      where another process truncates a file of the trace the program goes on; off: it dies
//   SPOOL_CLOCK=auto         auto, tsc, monotonic
//
// With none of these nothing is recorded, and only warnings and worse are printed to stderr.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/log/shipping.hpp>
#include <spool/log/sink.hpp>
#include <spool/log/watchdog.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spool {

struct Config {
  std::filesystem::path directory = {};  ///< parent of the trace directory; empty: no trace
  /// Bytes of the newest segments that stay, uncompressed and archived ones together; 0: all
  std::uint64_t keep = std::uint64_t{256} << 20U;
  Archive archive = Archive::off;            ///< whether closed segments are compressed, in the background
  Sync sync = Sync::off;                     ///< whether closed segments are on the disk before they are told
  OnSegment on_segment = {};                 ///< told each segment that is closed, or archived
  Level level = Level::info;                 ///< the least that is logged
  std::map<std::string, Level> levels = {};  ///< the same of single loggers, by name
  Mode transitions = Mode::all;
  std::chrono::nanoseconds long_wait = std::chrono::milliseconds{1};  ///< from where on Mode::long_waits records a wait
  Level immediate = Level::error;  ///< messages of this level and up reach the sinks at once; `off`: none do
  std::vector<std::shared_ptr<Sink>> sinks =
      {};  ///< e.g. spool::sinks::console(); with neither directory nor sinks: that
  Watchdog watchdog =
      {};  ///< off; what it tells goes to stderr and, as messages of the logger "spool.watchdog", to the log
  /// Each wait with its call stack: so many calls at most, from the innermost on; 0: none. Costs some microseconds a
  /// wait, nothing where nobody waits, and the memory of the program's debug information where it has some. In the
  /// trace alone.
  std::uint32_t call_stacks = 0;
  /// Where another process truncates a file of the trace, the program goes on (a handler of SIGBUS that minds our files
  /// only, and passes on what is not theirs). false: it dies of SIGBUS, as any program with a mapped file.
  bool survive_truncation = true;
  int dump_on = 0;  ///< a signal, such as SIGQUIT, that prints all threads to stderr from now on; 0: none does
};

/// Starts recording. As Python's basicConfig it does nothing when that was done before (false). What the environment
/// says goes before what `config` says. Throws std::system_error if the trace directory cannot be made, or `dump_on` is
/// no signal that can be caught. Thread-safe.
bool basic_config(Config config = {});

/// Which transitions are recorded, from each thread's next acquire on. Records: definition.mode. Thread-safe.
///
///   all         every transition
///   contended   what had to wait, and what ended that
///   long_waits  the same of waits that last (set_long_wait): such a wait is recorded once it has lasted so long, with its
///               beginning, and so is there also if it never ends
///   off         none
void set_transitions(Mode mode);
Mode transitions();

/// From where on Mode::long_waits records a wait. Records: definition.long_wait, where that mode is used. Thread-safe.
void set_long_wait(std::chrono::nanoseconds span);

/// A mode for this one lock, event, queue ..., whatever the general one is; nullopt takes it away again. Each use that
/// begins from then on goes by it, and a hold ends as it began. Other objects keep their fast paths; this one takes the
/// slow path, which is still without a Record where its mode makes none. Records: definition.mode, of the object.
/// Thread-safe.
///
///   spool::set_transitions(statistics_lock, spool::Mode::off);
template <class Primitive>
void set_transitions(Primitive& primitive, std::optional<Mode> mode) {
  primitive.log_object().set_mode(mode);
}

/// The least level that is logged, in general, and by all loggers that have none of their own. Thread-safe.
void set_level(Level level);
/// The same of one logger and those below it, also before there is a spool::Logger of this name. "" is the general
/// level.
/// Thread-safe.
void set_level(std::string_view logger, Level level);

/// Where the trace is; empty where none is written.
std::filesystem::path trace_directory();

/// Returns when every Record made before the call has reached the sinks, and these have written it where they write to.
/// False: a sink did not do so within its patience (SinkPolicy, 5 s).
bool flush();

/// What the end of the program does anyway: joins the non-daemon threads, delivers everything to the sinks and closes
/// the trace. For main; afterwards nothing is recorded.
void shutdown();

namespace config {

/// Applies the environment; runs before main in every program that includes <spool/spool.hpp>. False: it said nothing.
bool apply_environment() noexcept;
inline const bool environment_applied = apply_environment();

}  // namespace config

}  // namespace spool
