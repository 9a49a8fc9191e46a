// SPDX-License-Identifier: MIT
//
// A process's ticks as the time of day, by one rule for whatever prints or reads one: that of the log lines, so that a
// time copied from a log is the same moment here. Owns which clock readings count; trace::Timeline owns the line
// through them.
#pragma once

#include <spool/trace/timeline.hpp>

#include <unspool/model/model.hpp>

#include <cstdint>
#include <string>

namespace unspool {

/// Begins where the metadata say that tick 0 was, else at the first reading that knows the wall clock; from there on it
/// goes with the monotonic clock. A step of the wall clock is not seen.
///
///   const Calendar calendar{process};
///   if (calendar.is_known()) text = utc(calendar.realtime(record.time), 3);
///
/// Thread-bound. Copies what it needs of the process.
class Calendar {
 public:
  explicit Calendar(const Process& process);

  /// False: nothing says what the time of day was; realtime() counts from 1970 then.
  bool is_known() const { return known_; }
  /// ns since 1970. What does not fit is the nearest that does.
  std::uint64_t realtime(trace::Ticks time) const { return line_.realtime(time); }
  /// The last tick whose time is not after `realtime`; 0 where it lies before tick 0.
  trace::Ticks ticks(std::uint64_t realtime) const;
  const trace::Timeline& line() const { return line_; }

 private:
  trace::Timeline line_;
  bool known_ = false;
};

/// RFC 3339 in UTC with so many digits of the second, 0 to 9; the rest is cut off, never rounded up to a time that is
/// yet to come.
std::string utc(std::uint64_t realtime, unsigned digits);

}  // namespace unspool
