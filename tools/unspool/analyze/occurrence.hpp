// SPDX-License-Identifier: MIT
//
// One thread that asked for one lock while holding another. Owns which of many alike are kept: thousands of short threads
// may nest the same two locks at the same lines.
//
// A ring takes one of each of its steps that are about to ask at the same time. So what matters of an occurrence is
// which others it may overlap:
//
//   - those that are still to come: a newer one of the same step that it precedes in every run, with no other lock held
//     and no limit that it had not, may overlap all of them that it may. It is outdated.
//   - those that have been seen already, in steps that begin or end at one of its two locks: of each of these the newest
//     two occurrences that may overlap it are kept, by two threads. Of the many moments of one thread's occurrence those
//     are that may overlap the opposite step.
//
// Outdated ones that nothing seen needs go first, some of them stay, evenly over time: a ring may be longer. Where that is
// not enough, as so many threads nest the locks beside each other, the others are thinned evenly too; then a ring may be
// missed, and they count as such.
#pragma once

#include <unspool/analyze/clocks.hpp>
#include <unspool/analyze/gates.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace unspool {

/// One thread that made a link, with the same locks held.
struct Occurrence {
  trace::ThreadNumber thread = 0;
  const HeldLocks* held = nullptr;  ///< all that it held, the outer lock too
  bool waited = false;              ///< for the inner lock
  bool limited = false;             ///< it waited, and would have given up
  bool stuck = false;               ///< it still waits at the end
  std::uint64_t count = 0;
  trace::Ticks outer_since = 0;  ///< of the first; of the one that is stuck
  trace::Ticks time = 0;         ///< when it asked for the inner lock, or got it without a wait
  std::vector<Moment> moments;   ///< the first one, the last one, and some between
};

/// Whether they can have been about to ask at the same time.
bool may_overlap(const Occurrence& a, const Occurrence& b);

/// A newer one of the same step makes up for it in all that is still to come.
bool is_outdated(const Occurrence& occurrence, const Occurrence& newer);

struct Choice {
  std::vector<bool> kept;    ///< of each that there was, the oldest first
  std::uint64_t missed = 0;  ///< of those that are not kept: somebody may need them
};

/// Makes room for a newer one: a quarter of `most` at least goes, half of it where that loses nothing.
/// `partners`: occurrences of other steps of its rings, what matters most first.
Choice choose(std::span<const Occurrence* const> all, const Occurrence& newer,
              std::span<const Occurrence* const> partners, const Gates& gates, std::size_t most);

}  // namespace unspool
