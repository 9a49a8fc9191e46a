// SPDX-License-Identifier: MIT
//
// Cycles among links that as many threads can get into at the same time. Owns the search, not what is made of a cycle.
//
// A cycle counts if its links can be made by different threads, no two of which hold a lock that keeps the other out (a
// gate lock), and none of which comes before another in every run; if a semaphore of which they have permits has as many;
// and if at each lock the one who asks has to wait for the one who holds it. A reader waits for a reader where a writer
// stands between them: then somebody else has to be that writer.
//
// For each link the shortest such cycle through it is found: how many cycles there are in all can grow exponentially.
// The work is bounded; is_cut() tells where the bound was reached.
#pragma once

#include <unspool/analyze/links.hpp>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace unspool {

/// Which links and threads may take part.
enum class Allowed : std::uint8_t {
  strict,       ///< without a limit, each by a thread of its own
  with_limit,   ///< some of them with a limit
  few_threads,  ///< by fewer threads than links, but more than one
};

struct LinkOf {
  const LinkKey* key = nullptr;
  const Occurrence* by = nullptr;
  std::uint64_t times = 0;  ///< that its thread made the link
};

struct LinkCycle {
  std::vector<LinkOf> links;  ///< the inner lock of each is the outer one of the next
  std::vector<std::pair<trace::ObjectNumber, const WriterCall*>> writers;  ///< who has to stand between two readers
  Allowed allowed = Allowed::strict;
};

class InversionSearch {
 public:
  explicit InversionSearch(const Links& links);

  /// The shortest first.
  std::vector<LinkCycle> run();
  bool is_cut() const { return cut_; }

 private:
  struct Arc {
    const LinkKey* key;
    const std::vector<Occurrence>* by;
    std::size_t from;
    std::size_t to;
  };

  void keep_cyclic();
  void measure(std::size_t start);
  bool find_through(std::size_t arc, Allowed allowed);
  bool go(std::size_t arc, std::size_t remaining);
  bool enter(std::size_t arc, const Occurrence& by, std::size_t remaining);
  bool fits(const Occurrence& by) const;
  bool close();
  bool find_writers(std::vector<std::pair<trace::ObjectNumber, const WriterCall*>>& writers) const;

  const Links& links_;
  std::vector<Arc> arcs_;
  std::vector<std::vector<std::size_t>> out_;  ///< arcs by node, within the cycles
  std::vector<std::vector<std::size_t>> in_;
  std::vector<std::size_t> size_;      ///< of a node's component
  std::vector<std::size_t> threads_;   ///< that made links in it
  std::vector<std::size_t> distance_;  ///< to the node that is searched from
  std::vector<bool> on_path_;
  std::vector<std::size_t> covered_;  ///< by arc: the length of the shortest cycle found through it
  std::vector<std::pair<std::size_t, const Occurrence*>> path_;
  std::vector<const HeldLocks*> held_;  ///< in each step of it
  std::set<std::vector<std::size_t>> reported_;
  std::vector<LinkCycle> found_;
  std::size_t start_ = 0;
  Allowed allowed_ = Allowed::strict;
  std::uint64_t steps_ = 0;
  std::uint64_t all_steps_ = 0;
  bool cut_ = false;
};

}  // namespace unspool
