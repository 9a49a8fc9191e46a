// SPDX-License-Identifier: MIT
//
// All at a glance: the verdict, the worst locks and joins, and what the figures rest on.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/analyze/blame.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

std::string report_text(const Process& process, const Analysis& analysis, const Blame& blame, const Options& options);
Json report_json(const Process& process, const Analysis& analysis, const Blame& blame);

}  // namespace unspool
