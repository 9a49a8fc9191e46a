// SPDX-License-Identifier: MIT
//
// Since when a thread is stuck: not before so few are left who could end its wait that they do not do. Owns the moment;
// who is stuck at the end hopes.hpp knows.
#pragma once

#include <unspool/analyze/waiting.hpp>
#include <unspool/replay/replay.hpp>

#include <span>
#include <vector>

namespace unspool {

/// Of each of `waiting`, which is sorted by thread; of one that is not stuck the begin of its wait.
std::vector<trace::Ticks> stuck_since(std::span<const Waiting> waiting, const Replay& replay);

}  // namespace unspool
