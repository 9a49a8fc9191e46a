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

/// Threads that wait at the end but are part of no cycle, put together by what they wait for.
std::string others_text(const Process& process, const Analysis& analysis, const Options& options, std::size_t most);

/// How many those are, and who wait most of all, in a sentence; empty: there are none.
std::string others_sentence(const Process& process, const Analysis& analysis);

/// Whose messages tell of a finding: who is stuck, and who could have ended it; then who hangs on them.
std::vector<trace::ThreadNumber> threads_of(const Deadlocks& deadlocks, const Cycle& cycle, std::size_t most);

std::string deadlocks_text(const Process& process, const Analysis& analysis, const Options& options);
Json deadlocks_json(const Process& process, const Analysis& analysis);

}  // namespace unspool
