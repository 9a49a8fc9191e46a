// SPDX-License-Identifier: MIT
//
// Time by who and where, in bounded memory and without losing any of it.
#pragma once

#include <spool/trace/ids.hpp>

#include <compare>
#include <cstdint>
#include <vector>

namespace unspool {

namespace trace = spool::trace;

/// In place of a thread: several, of whom only the sum was kept.
inline constexpr trace::ThreadNumber other_threads = 0xffff'ffff;

/// A thread at a line; 0 is "unknown".
struct Actor {
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
  auto operator<=>(const Actor&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};

struct Part {
  Actor actor;
  std::uint64_t count = 0;
  trace::Ticks ticks = 0;
};

/// Sums ticks and counts by Actor. When there are more than twice `most` actors (a server with a thread a request),
/// those with the least time are put together as `other_threads` at their site.
class Tally {
 public:
  static constexpr std::size_t most = 1024;

  void add(Actor actor, trace::Ticks ticks, std::uint64_t count = 1);
  void merge(const Tally& other);

  /// Most time first; then by actor, so that output does not change from run to run.
  std::vector<Part> parts() const;

  /// The same by site alone; each Part's count is the sum, its thread is `other_threads` if there are several.
  std::vector<Part> by_site() const;

 private:
  std::uint32_t& slot_of(const Actor& actor);
  bool contains(const Actor& actor) { return slot_of(actor) != 0; }
  void put(const Actor& actor, trace::Ticks ticks, std::uint64_t count);
  void grow();
  void shrink();

  // Open addressing: every wait comes by here several times.
  std::vector<Part> parts_;
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(16);  ///< by hash: the part's index plus one; 0: free
};

}  // namespace unspool
