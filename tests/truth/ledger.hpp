// SPDX-License-Identifier: MIT
//
// Who held a lock when, by what its users wrote down, and how well a division of a wait among holders agrees with that.
#pragma once

#include "truth.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace truth {

/// Who, and from which line; {0, 0} is nobody.
using Actor = std::pair<std::uint32_t, std::uint32_t>;
inline constexpr Actor nobody{0, 0};

/// Time that was waited, by how the answer agrees.
struct Score {
  double right = 0;
  double uncertain = 0;  ///< inside of a call of the library: what was so when cannot be told from outside
  double wrong = 0;

  Score& operator+=(const Score& other);
  double all() const { return right + uncertain + wrong; }
};

/// One lock's holds, in their order.
///
///   A  asked···had━━━━━━━━giving····gave
///   B        asked·············(·······)had━━━━━━━
///                  A for certain │ A or nobody │ nobody: B has not begun │ B
///
/// From `gave` to the next `had` the lock is nobody's by the programs' clocks: hand-over. That B had it a little earlier,
/// before its call returned, is possible; such an answer is uncertain, never right.
class Ledger {
 public:
  /// Requires: of one lock; those that failed are left out.
  explicit Ledger(std::vector<Call> calls);

  /// Whether no two held it at the same time.
  bool exclusive() const;
  Score judge(std::int64_t since, std::int64_t until, const std::map<Actor, double>& answer) const;

 private:
  /// Time of one actor in a wait: surely; as the programs saw it; at most.
  struct Bounds {
    double least = 0;
    double seen = 0;
    double most = 0;
  };
  std::map<Actor, Bounds> bounds_of(std::int64_t since, std::int64_t until) const;

  std::vector<Call> holds_;
};

}  // namespace truth
