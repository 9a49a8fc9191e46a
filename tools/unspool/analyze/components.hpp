// SPDX-License-Identifier: MIT
//
// The strongly connected components of a graph: where each node reaches each other. Knows nothing of threads.
#pragma once

#include <cstddef>
#include <vector>

namespace unspool {

/// By Tarjan's algorithm, without recursion: graphs may be a ring of any length. Each component is sorted; those that
/// edges lead to come first.
std::vector<std::vector<std::size_t>> components(const std::vector<std::vector<std::size_t>>& edges);

}  // namespace unspool
