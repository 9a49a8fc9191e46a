// SPDX-License-Identifier: MIT
//
// What every spinning wait asks of the machine.
#pragma once

namespace spool::sync {

/// Tells the CPU that this is a loop that waits for another one.
inline void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Whether anybody can change a word while we look at it: there are several CPUs.
bool can_spin() noexcept;

}  // namespace spool::sync
