// SPDX-License-Identifier: MIT
//
// What the environment says, parsed; nothing is applied here.
#pragma once

#include <spool/log/shipping.hpp>
#include <spool/log/watchdog.hpp>
#include <spool/os/clock.hpp>
#include <spool/trace/schema.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace spool::config {

struct Environment {
  std::optional<std::string> directory;
  std::optional<std::uint64_t> keep;
  std::optional<Archive> archive;
  std::optional<Sync> sync;
  std::optional<trace::Level> level;
  std::map<std::string, trace::Level> levels;  ///< of single loggers
  std::optional<trace::Mode> transitions;
  std::optional<std::chrono::nanoseconds> long_wait;
  std::optional<os::ClockChoice> clock;
  std::optional<Watchdog> watchdog;
  std::optional<bool> survive_truncation;
  std::optional<std::uint32_t> call_stacks;
  std::optional<int> dump_on;
  std::vector<std::string> problems;  ///< values that are not understood, in words
};

Environment read_environment();

/// "256M" and the like in bytes; "all" is 0.
std::optional<std::uint64_t> parse_size(const std::string& text);

}  // namespace spool::config
