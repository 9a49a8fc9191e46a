// SPDX-License-Identifier: MIT
//
// Ticks as nanoseconds since 1970, as log lines tell them: the realtime clock at one moment, advanced by the ticks.
// Never goes back and never jumps. The sinks and unspool use the same clock readings, so they tell the same times.
#pragma once

#include <spool/trace/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spool::trace {

/// Piecewise linear: at each reading the slope is set so that the line meets the monotonic clock again after ten
/// seconds, by
/// 500 ppm at most. So the frequency that was measured at the start need not be exact, and a step of the system's clock
/// is not seen. Thread-bound.
///
///   Timeline line;
///   line.begin(frequency, epoch_seconds, epoch_ticks);
///   line.read(later_ticks, monotonic);      // each clock reading, by time
///   line.realtime(some_ticks);
class Timeline {
 public:
  /// As a trace's metadata say it: so many ticks a second, to begin with, and tick 0 as realtime, in seconds and ticks.
  /// `monotonic_zero`: where the monotonic clock was 0, ns since 1970; 0: not known, and the first reading says it.
  void begin(std::uint64_t frequency, std::int64_t epoch_seconds, std::uint64_t epoch_ticks,
             std::uint64_t monotonic_zero = 0);
  bool has_begun() const { return !pieces_.empty(); }

  /// Another reading: the monotonic clock, in ns, at `ticks`. One that is not later than the last is passed over.
  void read(Ticks ticks, std::uint64_t monotonic);

  /// ns since 1970.
  std::uint64_t realtime(Ticks ticks) const;
  /// A span in ns.
  std::uint64_t span(Ticks ticks) const;
  /// A span in ticks.
  Ticks ticks_in(std::uint64_t nanoseconds) const;

  /// Forgets all but the newest pieces, for whoever goes with the time.
  void keep_newest(std::size_t count);

 private:
  struct Piece {
    Ticks ticks = 0;
    std::uint64_t realtime = 0;
    std::uint64_t slope = 0;  ///< ns a tick, times 2^48
  };
  void add(Ticks ticks, std::uint64_t slope);

  std::vector<Piece> pieces_;  ///< by ticks
  std::uint64_t nominal_ = 0;  ///< the slope by the frequency
  std::uint64_t zero_ = 0;     ///< of the monotonic clock; 0: not known
  bool has_reading_ = false;
  std::uint64_t first_realtime_ = 0;   ///< at the first reading, by the line
  std::uint64_t first_monotonic_ = 0;  ///< at the first reading
};

}  // namespace spool::trace
