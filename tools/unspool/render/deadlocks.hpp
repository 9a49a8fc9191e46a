// SPDX-License-Identifier: MIT
//
// Who is stuck, told as a story: what `deadlocks` prints, and the verdict that `report` begins with.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>
#include <vector>

namespace unspool {

/// "No deadlock.", or each cycle with at most `most_threads` of its threads.
std::string verdict_text(const Process& process, const Analysis& analysis, const Options& options,
                         std::size_t most_cycles, std::size_t most_threads);

/// Whose messages tell of a finding: who is stuck, and who could have ended it; then who hangs on them.
std::vector<trace::ThreadNumber> threads_of(const Deadlocks& deadlocks, const Cycle& cycle, std::size_t most);

std::string deadlocks_text(const Process& process, const Analysis& analysis, const Options& options);
Json deadlocks_json(const Process& process, const Analysis& analysis);

}  // namespace unspool
