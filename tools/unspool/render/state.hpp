// SPDX-License-Identifier: MIT
//
// A thread dump of one moment: what `state` prints.
#pragma once

#include <unspool/analyze/snapshot.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/json.hpp>

#include <string>

namespace unspool {

/// Requires: the analysis was made of what `until` passed on, and then its rest was read.
std::string state_text(const Process& process, const Analysis& analysis, const UntilMoment& until,
                       const Options& options);
Json state_json(const Process& process, const Analysis& analysis, const UntilMoment& until);

}  // namespace unspool
