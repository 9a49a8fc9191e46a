// SPDX-License-Identifier: MIT
//
// Question: did a clock do anything but go on? Owns what is seen in the trace's own readings of its clocks, about one a
// second: when the machine was suspended, the wall clock was set, or the counter of the Records' times did not go with
// the clock.
//
//   for (const ClockChange& each : clock_changes(process)) tell(each);
//
// What NTP slews moves the wall clock and the monotonic one alike, and is no change.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <vector>

namespace unspool {

struct ClockChange {
  enum class What : std::uint8_t {
    suspended,  ///< the machine slept: CLOCK_BOOTTIME went on and CLOCK_MONOTONIC did not
    set,        ///< the wall clock was set, by more than the machine slept
    counter,    ///< the Records' times jumped against the monotonic clock
  };
  What what{};
  trace::Ticks from = 0;  ///< the last reading before it
  trace::Ticks to = 0;    ///< the first one after it
  std::int64_t by = 0;    ///< ns; negative: back
  bool counted = false;   ///< suspended: the Records' times went on meanwhile
};

/// By time. Differences of under a millisecond are how readings are, and none.
std::vector<ClockChange> clock_changes(const Process& process);

}  // namespace unspool
