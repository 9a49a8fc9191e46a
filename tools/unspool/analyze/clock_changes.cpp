// SPDX-License-Identifier: MIT
#include <unspool/analyze/clock_changes.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace unspool {
namespace {

constexpr std::int64_t least = 1'000'000;  // ns
/// A clock that NTP slews goes wrong by 500 ppm at most, and so may a frequency of the start be.
constexpr double slewed = 1e-3;

/// How much more one clock went on than another; hostile input wraps.
std::int64_t more(std::uint64_t from, std::uint64_t to, std::uint64_t other_from, std::uint64_t other_to) {
  return static_cast<std::int64_t>((to - from) - (other_to - other_from));
}

bool is_change(std::int64_t by) {
  return by >= least || by <= -least;
}

bool has_all(const ClockReading& reading) {
  return reading.monotonic != 0 && reading.realtime != 0 && reading.boottime != 0;
}

void compare(const Process& process, const ClockReading& last, const ClockReading& next,
             std::vector<ClockChange>& changes) {
  using What = ClockChange::What;
  const auto passed = static_cast<double>(next.monotonic) - static_cast<double>(last.monotonic);
  const double by_ticks = process.nanoseconds(next.ticks - last.ticks);
  const std::int64_t slept = more(last.boottime, next.boottime, last.monotonic, next.monotonic);
  const std::int64_t set = more(last.realtime, next.realtime, last.boottime, next.boottime);
  const bool suspended = is_change(slept) && slept > 0;
  double astray = by_ticks - passed;
  if (suspended) {
    const double with_sleep = astray - static_cast<double>(slept);
    const bool counted = std::abs(with_sleep) < std::abs(astray);
    changes.push_back({What::suspended, last.ticks, next.ticks, slept, counted});
    if (counted) astray = with_sleep;
  }
  if (is_change(set)) changes.push_back({What::set, last.ticks, next.ticks, set, false});
  const double allowed = static_cast<double>(least) + std::abs(passed) * slewed;
  if (std::abs(astray) > allowed && std::abs(astray) < 9e18)
    changes.push_back({What::counter, last.ticks, next.ticks, static_cast<std::int64_t>(astray), false});
}

}  // namespace

std::vector<ClockChange> clock_changes(const Process& process) {
  std::vector<ClockReading> readings;
  std::ranges::copy_if(process.clocks, std::back_inserter(readings), has_all);
  std::ranges::stable_sort(readings, {}, &ClockReading::ticks);
  std::vector<ClockChange> changes;
  for (std::size_t i = 1; i < readings.size(); ++i)
    compare(process, readings[i - 1], readings[i], changes);
  return changes;
}

}  // namespace unspool
