// SPDX-License-Identifier: MIT
//
// Judges a list of Records by the schema table alone: what a thread may do next to an object, and how sequences count.
#pragma once

#include "support/tapped_record.hpp"

#include <string>
#include <vector>

namespace spool::test {

/// Each violation in words; empty when all is legal. `records`: those of each thread in their order.
///   - after a Record, the same thread does to the same object only what the row's `next` says, or what `at_rest` allows
///   - a thread's times never go back
///   - the advancing Records of an object bear 1, 2, 3, ... without gap or repetition; a quoting one quotes no later one
std::vector<std::string> violations(const std::vector<TappedRecord>& records);

}  // namespace spool::test
