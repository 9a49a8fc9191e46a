// SPDX-License-Identifier: MIT
//
// How figures are told: a table for people, rows of JSON for programs.
#pragma once

#include "measure.hpp"

#include <string>
#include <vector>

namespace bench {

struct Row {
  const Benchmark* benchmark;
  Spread ours;
  Spread theirs;
  double ratio = 0;         ///< of the medians; 0: no peer
  double paired_ratio = 0;  ///< the median of the ratios round by round
  std::vector<std::string> facts;
};
Row reduce(const Benchmark& benchmark, const Samples& samples);

/// No goal counts as met.
bool meets_goal(const Row& row);

std::string heading();
std::string as_line(const Row& row);

/// An array of {"name", "value", "unit", "peer", "ratio", ...}, each with the machine it was measured on.
std::string as_json(const std::vector<Row>& rows);

}  // namespace bench
