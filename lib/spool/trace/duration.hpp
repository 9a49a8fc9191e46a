// SPDX-License-Identifier: MIT
//
// std::chrono durations as arguments of messages: which of them a field can hold, and their texts. Owns the list of
// periods: fmt's formatters are templates, so a reader has to know beforehand what it may meet.
#pragma once

#include <spool/trace/schema.hpp>

#include <algorithm>
#include <array>

namespace spool::trace {

/// Of nanoseconds to years, as the standard has them.
inline constexpr std::array<Period, 10> known_periods{
    Period{1, 1'000'000'000}, {1, 1'000'000}, {1, 1000}, {1, 1}, {60, 1}, {3600, 1}, {86'400, 1}, {604'800, 1},
    {2'629'746, 1},           {31'556'952, 1}};

constexpr bool is_known(const Period& period) {
  return std::ranges::find(known_periods, period) != known_periods.end();
}

}  // namespace spool::trace
