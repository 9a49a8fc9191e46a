// SPDX-License-Identifier: MIT
//
// What every spinning wait asks of the machine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace spool::sync {

/// Tells the CPU that this is a loop that waits for another one.
inline void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// A span in ticks as a Record tells it.
inline std::uint32_t saturated(std::uint64_t ticks) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, std::numeric_limits<std::uint32_t>::max()));
}

/// Whether anybody can change a word while we look at it: there are several CPUs.
bool can_spin() noexcept;

/// Calls `look` until it gives true, for about as long as a sleep and a wake-up take; false if it never did. Each look
/// takes a cache line from who is about to change it, so looks come less and less often: where a lock is always held
/// when looked at, its holder gets some hundred turns at full speed between two looks.
template <class Look>
bool spin_until(Look look) {
  // In pauses of the CPU.
  constexpr int least_pauses = 2;
  constexpr int most_pauses = 64;
  constexpr int most_spins = 1000;
  if (!can_spin()) return false;
  int pauses = least_pauses;
  for (int paused = 0; paused < most_spins; paused += pauses) {
    for (int i = 0; i < pauses; ++i)
      pause_cpu();
    if (look()) return true;
    pauses = std::min(2 * pauses, most_pauses);
  }
  return false;
}

}  // namespace spool::sync
