// SPDX-License-Identifier: MIT
#include <spool/os/clock.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace spool::os {
namespace {

#if defined(__x86_64__)
bool is_invariant() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned power_leaf = 0x8000'0007;
  constexpr unsigned invariant_tsc = 1U << 8;
  return __get_cpuid(power_leaf, &a, &b, &c, &d) != 0 && (d & invariant_tsc) != 0;
}

/// The kernel uses it, so it has found it synchronized over the CPUs.
bool is_kernels_clock() {
  const int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, 16> text{};
  const ssize_t got = read(file, text.data(), text.size());
  close(file);
  return got > 0 && std::string_view{text.data(), static_cast<std::size_t>(got)} == "tsc\n";
}

/// By how much CLOCK_MONOTONIC is faster now than the kernel's own figure makes it: what NTP found out about the
/// crystal.
long double slew() {
  timex state{};
  if (adjtimex(&state) < 0) return 1;
  constexpr long double usual_tick = 10'000;  // us a kernel tick of 1/100 s
  constexpr long double parts = 65'536e6L;    // `freq` is in ppm, of 16 binary places
  return static_cast<long double>(state.tick) / usual_tick + static_cast<long double>(state.freq) / parts;
}

/// What the kernel itself divides by, from the first page of any perf event; 0 where that is forbidden.
std::uint64_t frequency_from_kernel() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_DUMMY;
  attributes.exclude_kernel = 1;
  const long file = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (file < 0) return 0;
  const auto page_size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, page_size, PROT_READ, MAP_SHARED, static_cast<int>(file), 0);
  close(static_cast<int>(file));
  if (memory == MAP_FAILED) return 0;
  const auto* page = static_cast<const perf_event_mmap_page*>(memory);
  std::uint64_t frequency = 0;
  // ns = ticks * time_mult >> time_shift
  if (page->cap_user_time != 0 && page->time_mult != 0) {
    frequency = static_cast<std::uint64_t>(1e9L * static_cast<long double>(1ULL << page->time_shift) /
                                           static_cast<long double>(page->time_mult) / slew());
  }
  munmap(memory, page_size);
  return frequency;
}

Clock measured_tsc() {
  constexpr long double good_ppm = 5;
  constexpr int most_pauses = 20;
  const ClockReading first = read_clocks();
  Clock clock{true};
  for (int i = 0; i < most_pauses; ++i) {
    const timespec pause{0, 10'000'000};
    nanosleep(&pause, nullptr);
    const ClockReading last = read_clocks();
    const auto ticks_passed = static_cast<long double>(last.ticks - first.ticks);
    const auto passed = static_cast<long double>(last.monotonic - first.monotonic);
    const auto doubt = static_cast<long double>(first.window + last.window) / 2;
    if (ticks_passed <= 0 || passed <= 0) continue;
    const long double ppm = doubt * 1e6L / ticks_passed;
    const bool better = i == 0 || ppm < static_cast<long double>(clock.ppm);
    if (better) {
      clock.frequency = static_cast<std::uint64_t>(ticks_passed * 1e9L / passed);
      clock.ppm = static_cast<double>(ppm);
    }
    if (ppm <= good_ppm) break;
  }
  return clock;
}
#endif

}  // namespace

ClockReading read_clocks() noexcept {
  // Of several tries the one whose two tick readings lie closest around the monotonic clock's, and likewise the one
  // whose two monotonic readings lie closest around the other two clocks'. What comes between would else look like a
  // step.
  ClockReading best{};
  std::uint64_t realtime_ahead = 0;
  std::uint64_t boottime_ahead = 0;
  best.window = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t shortest = best.window;
  constexpr int tries = 8;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t before = ticks_in_order();
    const std::uint64_t monotonic = nanoseconds_of(CLOCK_MONOTONIC);
    const std::uint64_t after = ticks_in_order();
    const std::uint64_t realtime = nanoseconds_of(CLOCK_REALTIME);
    const std::uint64_t boottime = nanoseconds_of(CLOCK_BOOTTIME);
    const std::uint64_t late = nanoseconds_of(CLOCK_MONOTONIC) - monotonic;
    if (after - before < best.window) {
      best.ticks = before + (after - before) / 2;
      best.monotonic = monotonic;
      best.window = after - before;
    }
    if (late < shortest) {
      shortest = late;
      realtime_ahead = realtime - (monotonic + late / 3);  // the differences wrap as the sums below do
      boottime_ahead = boottime - (monotonic + late * 2 / 3);
    }
  }
  best.realtime = best.monotonic + realtime_ahead;
  best.boottime = best.monotonic + boottime_ahead;
  return best;
}

Clock choose_clock([[maybe_unused]] ClockChoice choice) noexcept {
#if defined(__x86_64__)
  const bool wanted =
      choice == ClockChoice::tsc || (choice == ClockChoice::automatic && is_invariant() && is_kernels_clock());
  // relaxed: no other thread records yet
  detail::use_tsc.store(wanted, std::memory_order_relaxed);
  if (wanted) {
    const std::uint64_t known = frequency_from_kernel();
    return known != 0 ? Clock{true, known} : measured_tsc();
  }
#endif
  return {};
}

}  // namespace spool::os
