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

}  // namespace spool::sync
