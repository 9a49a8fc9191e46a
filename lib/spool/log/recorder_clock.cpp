// SPDX-License-Identifier: MIT
//
// The recorder's clock: which one it is, how fast it goes, and where its tick 0 lies. Known better each second
// (os/calibration.hpp), so that a segment read alone, weeks after the start, tells the same times as the log lines of
// that moment.
#include <spool/log/recorder.hpp>

#include <algorithm>
#include <cstdint>

namespace spool::log {

void Recorder::begin_clock(os::ClockChoice choice) {
  const os::Clock clock = os::choose_clock(choice);
  const os::ClockReading now = os::read_clocks();
  calibration_.begin(now, clock);
  process_.clock = clock.tsc ? "tsc" : "monotonic";
  process_.frequency = clock.frequency;
  process_.monotonic_zero = now.realtime - now.monotonic;
  set_epoch(now);
}

/// Tick 0 as realtime, in whole seconds and the rest in ticks, so that `now` is what the wall clock of the start,
/// advanced by the monotonic clock, makes it.
void Recorder::set_epoch(const os::ClockReading& now) {
  const auto frequency = static_cast<long double>(process_.frequency);
  const auto wall = static_cast<long double>(now.monotonic + process_.monotonic_zero);
  const long double zero = wall - static_cast<long double>(now.ticks) * 1e9L / frequency;
  const long double seconds = std::max(0.0L, zero / 1e9L);
  process_.epoch_seconds = static_cast<std::int64_t>(seconds);
  process_.epoch_ticks =
      static_cast<std::uint64_t>((seconds - static_cast<long double>(process_.epoch_seconds)) * frequency);
}

void Recorder::write_clock() {
  const std::lock_guard files{fm_};
  const std::lock_guard guard{m_};
  const os::ClockReading now = os::read_clocks();
  if (process_.clock == "tsc") {
    calibration_.read(now);
    process_.frequency = calibration_.frequency();
    set_epoch(now);
  }
  if (current_ != nullptr) (void)definitions_.clock(*current_, now, process_.frequency);
}

}  // namespace spool::log
