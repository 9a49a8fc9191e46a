// SPDX-License-Identifier: MIT
//
// Whether something of the input is not there to be judged by. While a Process is read, only whoever reads it may ask.
#pragma once

#include <unspool/model/model.hpp>

#include <algorithm>

namespace unspool {

/// Some of the input could not be used.
inline bool has_damage(const Process& process) {
  const auto is_damage = [](const Problem& each) { return each.severity == Problem::Severity::damage; };
  return std::ranges::any_of(process.problems, is_damage);
}

/// The same, or Records were lost.
inline bool lacks_records(const Process& process) {
  return process.lost != 0 || process.bytes_lost != 0 || has_damage(process);
}

}  // namespace unspool
