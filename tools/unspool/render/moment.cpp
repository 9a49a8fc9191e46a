// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/moment.hpp>

#include <algorithm>
#include <limits>

namespace unspool {
namespace {

constexpr std::int64_t billion = 1'000'000'000;
constexpr auto most = std::numeric_limits<std::int64_t>::max();

}  // namespace

Moments::Moments(const Process& process, trace::Ticks start)
    : frequency_(std::max<std::uint64_t>(process.frequency, 1)), start_(start), calendar_(process) {}

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
  return utc(calendar_.realtime(time), 9);
}

}  // namespace unspool
