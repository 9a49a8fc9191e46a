// SPDX-License-Identifier: MIT
//
// Threads that wait for the same thing of the same thread at the same line: they are told in one line. Owns what counts
// as the same.
#pragma once

#include <unspool/analyze/waiting.hpp>

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace unspool {

using WaitKey = std::tuple<trace::Kind, trace::ObjectNumber, trace::SiteNumber, trace::ThreadNumber, std::uint32_t>;
/// The same of waits that are alike.
WaitKey key_of(const Waiting& waiting);

struct AlikeWaits {
  std::vector<const Waiting*> waits;  ///< one at least, the longest waiting first

  const Waiting& first() const { return *waits.front(); }
  trace::Ticks since() const { return first().wait.since; }
  /// Where they wait for a task's result: for the same.
  bool for_one_task() const;
};

/// In the order in which they come.
std::vector<AlikeWaits> alike_waits(std::span<const Waiting* const> waits);

}  // namespace unspool
