// SPDX-License-Identifier: MIT
//
// What threads waited for lately, and on whose account: who waits for a thread that lets it go on (a put, a notify, a
// set) waited for all that this one had to wait for meanwhile. Owns the last waits of each thread; older ones are put
// together.
//
// Memory: some kilobytes for each live thread, and for the last ones that ended.
#pragma once

#include <spool/trace/ids.hpp>

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

/// Time on chains, by a chain's last node (blame.hpp).
using ChainParts = std::vector<std::pair<std::size_t, trace::Ticks>>;
/// Adds to the part of this node, or makes one.
void add_part(ChainParts& parts, std::size_t node, trace::Ticks ticks);
/// part / whole of `ticks`, where part is not more than whole.
trace::Ticks in_proportion(trace::Ticks ticks, trace::Ticks part, trace::Ticks whole);

class Trails {
 public:
  static constexpr std::size_t most_stretches = 64;
  static constexpr std::size_t most_parts = 64;  ///< of a stretch
  static constexpr std::size_t most_ended = 1024;

  /// A wait has ended; its parts sum to no more than `until` - `since`.
  void add(trace::ThreadNumber thread, trace::Ticks since, trace::Ticks until, const ChainParts& parts);
  /// Whoever waits may go on a while after its waker has ended.
  void ended(trace::ThreadNumber thread);
  /// The thread's waits within these times. One that is only partly within them counts in proportion.
  ChainParts within(trace::ThreadNumber thread, trace::Ticks since, trace::Ticks until) const;

 private:
  struct Stretch {
    trace::Ticks since = 0;
    trace::Ticks until = 0;
    ChainParts parts;
  };
  using Trail = std::deque<Stretch>;  ///< in the order of their begins

  static void add_parts(ChainParts& to, const ChainParts& parts);
  static void put_together(Trail& trail);

  std::unordered_map<trace::ThreadNumber, Trail> trails_;
  std::deque<trace::ThreadNumber> ended_;
};

}  // namespace unspool
