// SPDX-License-Identifier: MIT
//
// Why a thread that waits is not stuck: who goes on that it hopes for.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/render/names.hpp>

#include <string>

namespace unspool {

/// In a few words.
std::string why_not_stuck(const Process& process, const Names& names, const Deadlocks& deadlocks,
                          const Waiting& waiting);

}  // namespace unspool
