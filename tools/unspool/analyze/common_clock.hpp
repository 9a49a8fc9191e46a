// SPDX-License-Identifier: MIT
//
// One clock for several processes, and how far it can be trusted. Owns the choice; nothing is put together without
// saying how.
//
//   const CommonClock clock{processes};
//   if (clock.by() == CommonClock::By::wall) say(clock.uncertainty());  // null: nobody knows
//   clock.time(2, record.time);
//
// Thread-safe once made, as it never changes.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace unspool {

class CommonClock {
 public:
  enum class By : std::uint8_t {
    monotonic,  ///< all ran on one start of one machine: its CLOCK_MONOTONIC
    wall,       ///< each machine's own wall clock
    none,       ///< some process does not say what time it was
  };

  /// Requires: the processes' definitions are complete. They need not outlive it.
  explicit CommonClock(std::span<const Process* const> processes);

  By by() const { return by_; }
  /// ns on that clock, of a process by its index. Any number where by() is none.
  std::uint64_t time(std::size_t process, trace::Ticks ticks) const;

  const std::set<std::string>& hosts() const { return hosts_; }
  /// It is recorded of all on which start of a machine they ran.
  bool boots_known() const { return boots_known_; }
  /// How far two processes' times can be apart that were the same moment, in ns, as measured within the processes.
  /// Nothing where the wall clocks of several hosts, or of several starts, had to do: how far those disagree is not
  /// recorded.
  std::optional<std::uint64_t> uncertainty() const;
  /// The part of it that is seen: what the clocks were off by within the processes, in ns.
  std::uint64_t seen() const { return seen_; }

 private:
  /// A reading, on the common clock.
  struct Point {
    trace::Ticks ticks = 0;
    std::uint64_t time = 0;
  };
  struct Line {
    std::uint64_t frequency = 0;
    std::vector<Point> points;  ///< by ticks
    std::uint64_t at(trace::Ticks ticks) const;
    std::uint64_t worst() const;
  };

  void choose(std::span<const Process* const> processes);

  By by_ = By::none;
  std::set<std::string> hosts_;
  bool boots_known_ = true;
  bool one_machine_ = false;
  std::uint64_t seen_ = 0;
  std::vector<Line> lines_;
};

}  // namespace unspool
