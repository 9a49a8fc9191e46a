// SPDX-License-Identifier: MIT
//
// Points in time to the nanosecond, for the commands that print single Records. Owns no units: style.hpp does.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/read/calendar.hpp>

#include <cstdint>
#include <string>

namespace unspool {

class Moments {
 public:
  /// `start`: the time of the trace's first Record.
  Moments(const Process& process, trace::Ticks start);

  /// Seconds from the start: "+0.000123456", or "-0.000000012" before it.
  std::string offset(trace::Ticks time) const;
  /// UTC: "2026-01-02T03:04:05.123456789Z".
  std::string clock(trace::Ticks time) const;
  /// From the start, in nanoseconds; what does not fit is the nearest that does.
  std::int64_t nanoseconds(trace::Ticks time) const;
  /// A span in nanoseconds.
  std::uint64_t span(trace::Ticks ticks) const;

 private:
  std::int64_t between(trace::Ticks from, trace::Ticks to) const;

  const std::uint64_t frequency_;
  const trace::Ticks start_;
  const Calendar calendar_;
};

}  // namespace unspool
