// SPDX-License-Identifier: MIT
//
// Who waits at the end as part of no deadlock, put together by what they wait for, and why that is none.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>

#include <cstddef>
#include <string>

namespace unspool {

/// A table of so many groups at most; empty: there is none.
std::string others_text(const Process& process, const Analysis& analysis, const Options& options, std::size_t most);

/// How many threads those are, and who wait most of all, in a sentence; empty: there are none.
std::string others_sentence(const Process& process, const Analysis& analysis);

}  // namespace unspool
