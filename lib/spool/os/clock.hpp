// SPDX-License-Identifier: MIT
//
// The clock of the Records: the CPU's time stamp counter where the kernel trusts it, else CLOCK_MONOTONIC in ns.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace spool::os {

namespace detail {
/// Set once, before the first Record, by choose_clock.
inline std::atomic<bool> use_tsc{false};
}  // namespace detail

inline std::uint64_t nanoseconds_of(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

/// Now, in ticks.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  // relaxed: set before any other thread can reach an emit
  if (detail::use_tsc.load(std::memory_order_relaxed)) [[likely]] {
    return __rdtsc();
  }
#endif
  return nanoseconds_of(CLOCK_MONOTONIC);
}

/// The same where the TSC is known to be the clock.
inline std::uint64_t ticks_of_tsc() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return ticks();
#endif
}

/// Now, in ticks, not read ahead of anything before it (a fence in front).
inline std::uint64_t ticks_in_order() noexcept {
#if defined(__x86_64__)
  _mm_lfence();
#endif
  return ticks();
}

/// A full barrier of this thread. (std::atomic_thread_fence is nothing that ThreadSanitizer understands.)
inline void full_fence() noexcept {
#if defined(__x86_64__)
  _mm_mfence();
#else
  __sync_synchronize();
#endif
}

/// All clocks at one moment.
struct ClockReading {
  std::uint64_t ticks = 0;
  std::uint64_t monotonic = 0;  ///< ns
  std::uint64_t realtime = 0;   ///< ns since 1970
  std::uint64_t boottime = 0;   ///< ns
  std::uint64_t window = 0;     ///< ticks between which `monotonic` was read; `ticks` is their middle
};
ClockReading read_clocks() noexcept;

enum class ClockChoice : std::uint8_t { automatic, tsc, monotonic };

struct Clock {
  bool tsc = false;
  std::uint64_t frequency = 1'000'000'000;  ///< ticks a second of CLOCK_MONOTONIC
  double ppm = 0;                           ///< how far that can be off, by how closely the clocks could be read
};

/// Decides for the whole process, and calibrates (calibration.hpp goes on with it). `automatic` takes the TSC if it is
/// invariant and the kernel's own clock source, which means that the kernel has found it synchronized over the CPUs.
///
/// The frequency is the kernel's own figure, where it gives it, at the rate by which it slews CLOCK_MONOTONIC; else it
/// is measured: over 10 ms, and where something comes between the readings, until they tell it to 5 ppm, 200 ms at
/// most.
Clock choose_clock(ClockChoice choice) noexcept;

}  // namespace spool::os
