// SPDX-License-Identifier: MIT
//
// By how much the threads' clocks differ, as the objects' sequence numbers tell: who takes a lock after its release
// cannot do so before it. Owns the search; Merge puts the times right.
//
// It looks at the first Records of each thread. Where no order is contradicted by more than a millisecond, the clocks
// agree as far as can be seen, and no time is changed.
#pragma once

#include <unspool/read/trace.hpp>

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace unspool {

struct Alignment {
  /// Ticks to be added to all times of a thread; of others none.
  std::unordered_map<trace::ThreadNumber, std::int64_t> offsets;
  trace::Ticks apart = 0;       ///< the most that an order contradicts the times by; 0: the clocks agree
  trace::Ticks good_to = 0;     ///< so far can the times of two threads still be off, of those that enough is known of
  trace::Ticks first_time = 0;  ///< of the earliest Record, put right
  std::size_t unknown = 0;      ///< threads whose times are only known not to be earlier, or not to be later
};

/// What it reads is not reported: it is read again.
Alignment align(Trace& trace);

/// A time that is `offset` later, as far as there are such times.
inline trace::Ticks shifted(trace::Ticks time, std::int64_t offset) {
  const auto moved = time + static_cast<trace::Ticks>(offset);
  if (offset < 0 && moved > time) return 0;
  return offset > 0 && moved < time ? ~trace::Ticks{0} - 1 : moved;
}

}  // namespace unspool
