// SPDX-License-Identifier: MIT
//
// What recording has cost a process, as totals since the recording began: the fields of `trace.cost`.
#pragma once

#include <spool/log/tally.hpp>
#include <spool/trace/ids.hpp>

#include <chrono>
#include <cstdint>

namespace spool::log {

/// CPU time of the threads of ours; what a thread of the program spends in an emit is not measured.
struct OwnCpu {
  std::chrono::nanoseconds keeper{};
  std::chrono::nanoseconds dispatcher{};  ///< of all sinks' threads
  std::chrono::nanoseconds archiver{};
};

struct Cost {
  trace::Ticks since = 0;
  Written written;
  std::uint64_t lost = 0;    ///< Records
  std::uint64_t helped = 0;  ///< segments that a writing thread had to prepare itself
  OwnCpu cpu;
};

}  // namespace spool::log
