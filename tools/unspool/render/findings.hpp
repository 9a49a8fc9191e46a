// SPDX-License-Identifier: MIT
//
// Which findings are told: those that the filter lets pass and the baseline does not know.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>

namespace unspool {

/// Takes the other findings out of the analysis, counts the known ones there, and puts new ones into the baseline where
/// they are to be accepted. Misuses without weight (notes) are no findings and stand in no baseline.
void settle(const Process& process, Analysis& analysis, const Options& options);

}  // namespace unspool
