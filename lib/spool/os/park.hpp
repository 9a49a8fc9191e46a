// SPDX-License-Identifier: MIT
//
// Sleeping on a 32-bit word until somebody changes it (futex). The only door to the kernel for blocking.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace spool::os {

using Word = std::atomic<std::uint32_t>;

/// A point in monotonic time; `never` for none. A step of the realtime clock does not move it.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline never = Deadline::max();

/// Now plus `span`, saturating: a huge span is `never`, a negative one has passed.
template <class Rep, class Period>
Deadline deadline_after(std::chrono::duration<Rep, Period> span) {
  using Steady = std::chrono::steady_clock;
  // Compared as long double seconds: any duration type fits, NaN counts as zero.
  using Seconds = std::chrono::duration<long double>;
  const Deadline now = Steady::now();
  const Seconds wanted = std::chrono::duration_cast<Seconds>(span);
  if (!(wanted > Seconds{0})) return now;
  if (wanted >= std::chrono::duration_cast<Seconds>(never - now)) return never;
  return now + std::chrono::ceil<Steady::duration>(wanted);
}

/// The monotonic moment at which `time` of another clock would come if that clock ran on evenly from now.
template <class Clock, class Duration>
Deadline deadline_at(const std::chrono::time_point<Clock, Duration>& time) {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    // Compared as long double seconds: the ends of another unit do not fit into ours.
    using Seconds = std::chrono::duration<long double>;
    const Seconds at{time.time_since_epoch()};
    if (!(at < Seconds{never.time_since_epoch()} - Seconds{1})) return never;
    if (at < Seconds{0}) return Deadline{};
    return std::chrono::time_point_cast<Deadline::duration>(time);
  } else {
    if (time == std::chrono::time_point<Clock, Duration>::max()) return never;
    return deadline_after(std::chrono::duration<long double>(time.time_since_epoch()) -
                          std::chrono::duration<long double>(Clock::now().time_since_epoch()));
  }
}

/// Sleeps while `word` is `expected`, until an unpark or the deadline; may return early. False: the deadline has
/// passed. Thread-safe.
bool park(Word& word, std::uint32_t expected, Deadline deadline = never) noexcept;

/// Sleeps while `word` is `expected` and `other` is 0: a wait on somebody else's word that a cancel through one's own
/// can end. Needs Linux 5.16; before that it looks at `other` every 10 ms.
bool park_either(Word& word, std::uint32_t expected, Word& other, Deadline deadline = never) noexcept;

/// Wakes up to `count` threads that sleep on the word at this address. The address may be dead by now: it is a key
/// only, and whoever sleeps on something else there wakes early and looks again.
void unpark(Word* word, int count) noexcept;
inline constexpr int everybody = 0x7fff'ffff;

}  // namespace spool::os
