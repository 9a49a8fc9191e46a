// SPDX-License-Identifier: MIT
//
// What figures were measured on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

/// Names and values: CPU, cores, kernel, clock, compiler, load.
std::vector<std::pair<std::string, std::string>> machine_facts();

}  // namespace bench
