// SPDX-License-Identifier: MIT
//
// The joins of one process in words: what `joins` prints, and what `report` takes from it.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

/// The longest joins, at most `most` of them.
std::string joins_table(const Process& process, const Analysis& analysis, const Options& options, std::size_t most);

/// "3 joins waited 1.20 s in all; 1 thread ended by an exception"
std::string joins_sentence(const Process& process, const Analysis& analysis);

std::string joins_text(const Process& process, const Analysis& analysis, const Options& options);
Json joins_json(const Process& process, const Analysis& analysis);

}  // namespace unspool
