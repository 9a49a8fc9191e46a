// SPDX-License-Identifier: MIT
//
// Findings of one class are told once, with their instances.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace unspool {

/// The findings' indexes by fingerprint, in the order of the first of each.
template <class Finding>
std::vector<std::vector<std::size_t>> classes_of(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::size_t>> classes;
  std::unordered_map<std::uint64_t, std::size_t> numbers;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto [found, is_new] = numbers.try_emplace(findings[i].fingerprint, classes.size());
    if (is_new) classes.emplace_back();
    classes[found->second].push_back(i);
  }
  return classes;
}

}  // namespace unspool
