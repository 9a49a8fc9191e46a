// SPDX-License-Identifier: MIT
#include <spool/os/clock.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
                                           static_cast<long double>(page->time_mult));
  }
  munmap(memory, page_size);
  return frequency;
}

/// Two tight pairs of readings 10 ms apart: their uncertainty of some 50 ns each is 10 ppm of that.
std::uint64_t frequency_by_measuring() {
  const ClockReading first = read_clocks();
  const timespec pause{0, 10'000'000};
  nanosleep(&pause, nullptr);
  const ClockReading last = read_clocks();
  const auto ticks_passed = static_cast<long double>(last.ticks - first.ticks);
  return static_cast<std::uint64_t>(ticks_passed * 1e9L / static_cast<long double>(last.monotonic - first.monotonic));
}
#endif

}  // namespace

ClockReading read_clocks() noexcept {
  // Of several tries the one whose two tick readings lie closest around the monotonic one.
  ClockReading best{};
  std::uint64_t tightest = std::numeric_limits<std::uint64_t>::max();
  constexpr int tries = 8;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t before = ticks_in_order();
    const std::uint64_t monotonic = nanoseconds_of(CLOCK_MONOTONIC);
    const std::uint64_t after = ticks_in_order();
    if (after - before >= tightest) continue;
    tightest = after - before;
    best = {before + (after - before) / 2, monotonic, nanoseconds_of(CLOCK_REALTIME), nanoseconds_of(CLOCK_BOOTTIME)};
    // The two slower clocks were read later; bring them back to the moment of the first.
    const std::uint64_t late = nanoseconds_of(CLOCK_MONOTONIC) - monotonic;
    best.realtime -= late / 2;
    best.boottime -= late / 2;
  }
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
    return {true, known != 0 ? known : frequency_by_measuring()};
  }
#endif
  return {};
}

}  // namespace spool::os
