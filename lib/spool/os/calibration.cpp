// SPDX-License-Identifier: MIT
#include <spool/os/calibration.hpp>

#include <algorithm>
#include <cmath>

namespace spool::os {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t longest = 3600 * second;
constexpr double good_ppm = 1;
/// What a reading that something came between may be off by, and what NTP slews at most (500 ppm), twice.
constexpr double most_astray = 1e6;
constexpr double most_ppm = 1000;

}  // namespace

void Calibration::begin(const ClockReading& start, const Clock& clock) {
  base_ = next_base_ = last_ = start;
  frequency_ = clock.frequency;
  ppm_ = clock.ppm;
}

/// From the last reading to this one the ticks went as they should.
bool Calibration::goes_on(const ClockReading& now) const {
  if (now.ticks <= last_.ticks || now.monotonic <= last_.monotonic) return false;
  const auto passed = static_cast<double>(now.monotonic - last_.monotonic);
  const auto by_ticks = static_cast<double>(now.ticks - last_.ticks) * 1e9 / static_cast<double>(frequency_);
  const auto suspended = static_cast<double>(
      static_cast<std::int64_t>((now.boottime - now.monotonic) - (last_.boottime - last_.monotonic)));
  return std::abs(by_ticks - passed) < most_astray + passed * most_ppm / 1e6 && std::abs(suspended) < most_astray;
}

void Calibration::move_base(const ClockReading& now) {
  const std::uint64_t span = now.monotonic - base_.monotonic;
  if (span >= longest) {
    base_ = next_base_;
    next_base_ = now;
  } else if (next_base_.ticks == base_.ticks && span >= longest / 2) {
    next_base_ = now;
  }
}

void Calibration::read(const ClockReading& now) {
  if (!goes_on(now)) {
    base_ = next_base_ = last_ = now;
    return;
  }
  last_ = now;
  if (now.monotonic - base_.monotonic < second) return;
  const auto ticks = static_cast<long double>(now.ticks - base_.ticks);
  const auto ppm = static_cast<double>(static_cast<long double>(base_.window + now.window) / 2 * 1e6L / ticks);
  if (ppm > std::max(good_ppm, ppm_)) return;
  frequency_ = static_cast<std::uint64_t>(
      std::llround(ticks * 1e9L / static_cast<long double>(now.monotonic - base_.monotonic)));
  ppm_ = ppm;
  move_base(now);
}

}  // namespace spool::os
