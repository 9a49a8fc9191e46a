// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/moment.hpp>

#include <algorithm>
#include <ctime>
#include <limits>

namespace unspool {
namespace {

constexpr std::int64_t billion = 1'000'000'000;
constexpr auto most = std::numeric_limits<std::int64_t>::max();

/// The seconds from 1970 to tick 0 need not be whole, and a file may claim anything.
std::uint64_t realtime_of_tick_0(const Process& process, std::uint64_t frequency) {
  const std::int64_t seconds = std::clamp<std::int64_t>(process.epoch_seconds, 0, most / billion - 1);
  const long double rest =
      static_cast<long double>(process.epoch_ticks % frequency) * billion / static_cast<long double>(frequency);
  return static_cast<std::uint64_t>(seconds) * billion + static_cast<std::uint64_t>(rest);
}

}  // namespace

Moments::Moments(const Process& process, trace::Ticks start)
    : frequency_(std::max<std::uint64_t>(process.frequency, 1)), start_(start), readings_(process.clocks) {
  std::erase_if(readings_, [](const ClockReading& each) { return each.realtime == 0; });
  if (readings_.empty()) readings_.push_back({0, 0, realtime_of_tick_0(process, frequency_), 0, 0});
  std::ranges::stable_sort(readings_, {}, &ClockReading::ticks);
}

std::uint64_t Moments::span(trace::Ticks ticks) const {
  // Whole seconds apart: a product of ticks and 10^9 has no room in 64 bits, and a double no nanoseconds after months.
  const long double rest =
      static_cast<long double>(ticks % frequency_) * billion / static_cast<long double>(frequency_);
  const std::uint64_t seconds = ticks / frequency_;
  if (seconds >= static_cast<std::uint64_t>(most / billion)) return static_cast<std::uint64_t>(most);
  return seconds * billion + static_cast<std::uint64_t>(rest);
}

std::int64_t Moments::between(trace::Ticks from, trace::Ticks to) const {
  const auto apart = static_cast<std::int64_t>(span(to >= from ? to - from : from - to));
  return to >= from ? apart : -apart;
}

std::int64_t Moments::nanoseconds(trace::Ticks time) const {
  return between(start_, time);
}

std::string Moments::offset(trace::Ticks time) const {
  const std::int64_t ns = nanoseconds(time);
  const std::int64_t magnitude = ns < 0 ? -ns : ns;
  return fmt::format("{}{}.{:09}", ns < 0 ? '-' : '+', magnitude / billion, magnitude % billion);
}

std::string Moments::clock(trace::Ticks time) const {
  auto reading = std::ranges::upper_bound(readings_, time, {}, &ClockReading::ticks);
  if (reading != readings_.begin()) --reading;
  const auto at = static_cast<std::int64_t>(std::min<std::uint64_t>(reading->realtime, most / 2));
  const std::int64_t ns =
      std::max<std::int64_t>(at + std::clamp(between(reading->ticks, time), -most / 2, most / 2), 0);
  const auto seconds = static_cast<std::time_t>(ns / billion);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "unknown";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ns % billion);
}

}  // namespace unspool
