// SPDX-License-Identifier: MIT
//
// Chains by time: which one is earliest, when that has to be asked after every Record. Heap answers the same where
// chains come and go.
#pragma once

#include <spool/trace/ids.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace unspool {

/// A tree of matches: each node has the earlier of its two. A chain's new time is played up to the root, without a
/// branch that has to be guessed. Of equal times the chain with the lower index is first.
class Tournament {
 public:
  /// Of a chain that takes no part for now.
  static constexpr spool::trace::Ticks absent = ~spool::trace::Ticks{0};

  explicit Tournament(std::size_t chains = 0) : leaves_{std::bit_ceil(std::max<std::size_t>(chains, 2))} {
    nodes_.resize(2 * leaves_, Node{absent, 0});
    for (std::size_t i = 0; i < leaves_; ++i)
      nodes_[leaves_ + i].chain = static_cast<std::uint32_t>(i);
    for (std::size_t at = leaves_ - 1; at > 0; --at)
      nodes_[at] = nodes_[2 * at];
  }

  /// The earliest chain, and its time; `absent`: all are.
  std::uint32_t first() const { return nodes_[1].chain; }
  spool::trace::Ticks first_time() const { return nodes_[1].time; }
  bool empty() const { return nodes_[1].time == absent; }

  /// The last moment there is counts as the one before it.
  void set(std::uint32_t chain, spool::trace::Ticks time) { play(chain, std::min(time, absent - 1)); }
  void remove(std::uint32_t chain) { play(chain, absent); }

 private:
  struct Node {
    spool::trace::Ticks time;
    std::uint32_t chain;
  };

  void play(std::uint32_t chain, spool::trace::Ticks time) {
    std::size_t at = leaves_ + chain;
    Node best{time, chain};
    nodes_[at] = best;
    while (at > 1) {
      const Node& other = nodes_[at ^ 1U];
      // Of the two the one on the left has the lower chain.
      const bool loses = other.time < best.time || (other.time == best.time && (at & 1U) != 0);
      best.time = loses ? other.time : best.time;
      best.chain = loses ? other.chain : best.chain;
      at /= 2;
      nodes_[at] = best;
    }
  }

  std::size_t leaves_;
  std::vector<Node> nodes_;
};

}  // namespace unspool
