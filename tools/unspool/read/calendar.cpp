// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/calendar.hpp>

#include <algorithm>
#include <ctime>
#include <limits>
#include <vector>

namespace unspool {
namespace {

constexpr std::uint64_t billion = 1'000'000'000;

}  // namespace

Calendar::Calendar(const Process& process) {
  std::vector<ClockReading> readings = process.clocks;
  std::ranges::stable_sort(readings, {}, &ClockReading::ticks);
  // The frequency that the process itself went by.
  const bool own = !readings.empty() && readings.front().frequency != 0;
  const std::uint64_t frequency = std::max<std::uint64_t>(1, own ? readings.front().frequency : process.frequency);
  const auto first = std::ranges::find_if(readings, [](const ClockReading& each) { return each.realtime != 0; });
  known_ = process.epoch_seconds > 0 || first != readings.end();
  std::int64_t seconds = process.epoch_seconds;
  std::uint64_t rest = process.epoch_ticks;
  if (seconds <= 0 && first != readings.end()) {
    trace::Timeline since;
    since.begin(frequency, 0, 0);
    const std::uint64_t zero = first->realtime - std::min(first->realtime, since.span(first->ticks));
    seconds = static_cast<std::int64_t>(zero / billion);
    rest = since.ticks_in(zero % billion);
  }
  line_.begin(frequency, seconds, rest, process.monotonic_zero);
  for (const ClockReading& each : readings) {
    if (each.monotonic != 0) line_.read(each.ticks, each.monotonic);
  }
}

trace::Ticks Calendar::ticks(std::uint64_t realtime) const {
  // Times never go back as ticks grow, so halving finds the last one that is not after.
  trace::Ticks low = 0;
  trace::Ticks high = std::numeric_limits<trace::Ticks>::max();
  while (low < high) {
    const trace::Ticks middle = low + (high - low) / 2 + 1;
    if (line_.realtime(middle) <= realtime) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::string utc(std::uint64_t realtime, unsigned digits) {
  const auto seconds = static_cast<std::time_t>(realtime / billion);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "unknown";
  std::string fraction = fmt::format(".{:09}", realtime % billion);
  fraction.resize(digits == 0 ? 0 : 1 + std::min(digits, 9U));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, fraction);
}

}  // namespace unspool
