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

/// Who, and from which line.
using Actor = std::pair<std::uint32_t, std::uint32_t>;
inline constexpr Actor nobody{0, 0};
inline constexpr Actor several{0, 1};  ///< readers

/// Time that was waited, by how the answer agrees.
struct Score {
  double right = 0;
  double uncertain = 0;  ///< not as the threads saw it, but possible: inside of a call of the library
  double wrong = 0;

  Score& operator+=(const Score& other);
  double all() const { return right + uncertain + wrong; }
};

/// One lock's holds.
///
///   A  asked···had━━━━━━━━giving····gave
///   B        asked·············(·······)had━━━━━━━
///                  A           │ nobody: hand-over │ B
///
/// Who holds it is who is between `had` and `giving`: whoever has called unlock() has done with it, and whoever's
/// lock() has not returned does not use it yet. An answer that has A or B holding it from inside of their calls is
/// uncertain, never right.
class Ledger {
 public:
  /// Requires: of one lock; those that failed are left out.
  explicit Ledger(std::vector<Call> calls);

  /// Whether nobody held it beside a writer, and the turns are in the order of the times.
  bool exclusive() const;
  /// `reads`: who waited was let in as a reader. From when the last writer had done with it, no other reader kept it
  /// waiting, but only that it did not run yet: hand-over.
  Score judge(std::int64_t since, std::int64_t until, const std::map<Actor, double>& answer, bool reads = false) const;

  /// Thread and line of each hold, by turn; only where it can be held by one alone.
  const std::vector<Actor>& turns() const { return turns_; }

 private:
  /// From `from` on until the next one.
  struct Tenure {
    std::int64_t from = 0;
    Actor actor;
  };

  std::map<Actor, double> seen(std::int64_t since, std::int64_t until, bool reads) const;
  double most(const Actor& actor, std::int64_t since, std::int64_t until) const;

  std::vector<Call> holds_;  ///< by `had`
  std::vector<Tenure> tenures_;
  std::vector<Actor> turns_;
};

}  // namespace truth
