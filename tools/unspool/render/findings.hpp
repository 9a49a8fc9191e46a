// SPDX-License-Identifier: MIT
//
// Which findings are told: those that the filter lets pass and the baseline does not know.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/command.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// Takes the other findings out of the analysis, counts the known ones there, and puts new ones into the baseline where
/// they are to be accepted. Misuses without weight (notes) are no findings and stand in no baseline.
void settle(const Process& process, Analysis& analysis, const Options& options);

/// A finding in one line, as it can be told apart from those of other runs and processes.
struct Told {
  std::string_view sort;  ///< as in Baseline
  std::uint64_t fingerprint = 0;
  std::string_view certainty;
  std::string comment;  ///< what waits for what, where; escaped
};

/// Those that settle() left, of all sorts.
std::vector<Told> told_findings(const Process& process, const Analysis& analysis);

}  // namespace unspool
