// SPDX-License-Identifier: MIT
//
// Lock orders that could deadlock, told as a story: what `order` prints, and a sentence of `report`.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>
#include <vector>

namespace unspool {

std::string order_text(const Process& process, const Analysis& analysis, const Options& options);
/// Empty where there is nothing to say.
std::string order_sentence(const Process& process, const Analysis& analysis);
Json order_json(const Process& process, const Analysis& analysis);

/// What to do about it.
std::string order_advice(const Process& process, const Inversion& inversion);

/// Inversions of the same fingerprint, as indexes into `all()`; in the order of the first of each.
std::vector<std::vector<std::size_t>> order_classes(const Inversions& inversions);

/// What bounds the answer, a sentence each.
std::vector<std::string> order_limits(const Inversions& inversions);

}  // namespace unspool
