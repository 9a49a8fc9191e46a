// SPDX-License-Identifier: MIT
//
// Which names come nearest to one that was mistyped: by single letters that were changed, left out or put in.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace unspool {

class Nearest {
 public:
  static constexpr std::size_t most = 3;

  /// `wanted` may be a glob: its stars are left out of the comparison.
  explicit Nearest(const std::string& wanted);

  void add(const std::string& name);
  /// "a", "b", "c", in quotes, the nearest first; empty where no name was added.
  std::string words() const;

 private:
  struct Found {
    std::size_t distance;
    std::string name;
    auto operator<=>(const Found&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
  };

  std::string wanted_;
  std::vector<Found> found_;  ///< sorted, `most` at most
};

}  // namespace unspool
