// SPDX-License-Identifier: MIT
//
// Tells whose doing the waiting was in the end.
#pragma once

#include <unspool/analyze/blame.hpp>
#include <unspool/render/json.hpp>
#include <unspool/render/scene.hpp>

#include <string>
#include <string_view>

namespace unspool {

/// What somebody does who ends a wait for this kind: "set it", "came last", ...
std::string_view letting_go(trace::Kind kind);

/// For the report: who is behind most of the waits, and the chains that are longer than one step. Empty where nobody
/// waited.
std::string blame_lines(const Scene& scene, const Blame& blame);

/// How much was waited in all, and because of whom in the end (docs/json.md).
Json blame_sums_json(const Scene& scene, const Blame& blame);

}  // namespace unspool
