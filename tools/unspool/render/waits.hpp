// SPDX-License-Identifier: MIT
//
// Waits for what nobody holds, each kind in its own words: what `waits` prints, and what `report` takes from it.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

/// "Other waits: condition 12.0 s (34), queue 1.20 s (5): unspool waits", and a pool that starved; empty without any.
std::string waits_sentence(const Process& process, const Analysis& analysis, const Options& options);

std::string waits_text(const Process& process, const Analysis& analysis, const Options& options);
Json waits_json(const Process& process, const Analysis& analysis);

}  // namespace unspool
