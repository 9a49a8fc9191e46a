// SPDX-License-Identifier: MIT
//
// Tells what is stuck without being a ring of locks and joins: for each wait who ended such waits before, and what
// those threads do now.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <string>

namespace unspool {

/// What the finding is, after "DEADLOCK, likely: ".
std::string stuck_title(const Names& names, const Deadlocks& deadlocks, const Cycle& cycle);

/// The waits and the suspects, a line each, indented.
std::string stuck_members(const Names& names, const Times& times, const Analysis& analysis, const Cycle& cycle,
                          unsigned width, std::size_t most_threads);

/// A line for each call of the stack, indented, the innermost first; empty where there is none.
std::string call_lines(const Names& names, trace::StackNumber stack, unsigned width, unsigned indent);

}  // namespace unspool
