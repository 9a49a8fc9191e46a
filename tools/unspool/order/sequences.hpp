// SPDX-License-Identifier: MIT
//
// How far each object has got: the sequence number of its last Record that was given out, and which chains wait for
// more. Compared serially, as the numbers may wrap.
#pragma once

#include <spool/trace/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unspool {

/// One object. 16 bytes, for there may be millions.
struct Progress {
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  std::uint64_t object : 48;  ///< 0: an empty place of the table
  std::uint64_t seen : 1;     ///< `last` means something
  std::uint64_t : 15;
  spool::trace::Sequence last;
  std::uint32_t waiter;  ///< the chain that began to wait last, or nobody

  /// All up to `need` has been given out. What nobody has seen yet is at 0.
  bool has(spool::trace::Sequence need) const { return seen ? static_cast<std::int32_t>(need - last) <= 0 : need == 0; }
  /// Never back: a late Record changes nothing.
  void advance(spool::trace::Sequence to) {
    if (seen && static_cast<std::int32_t>(to - last) <= 0) return;
    seen = 1;
    last = to;
  }
};
static_assert(sizeof(Progress) == 16);

/// Objects by number: open addressing, never shrinks. Objects stay after their end, because a Record of one may
/// come late.
class Sequences {
 public:
  Sequences() : table_(1024, empty()) {}

  /// Valid until the next call. Requires: object is not 0.
  Progress& of(spool::trace::ObjectNumber object) {
    std::size_t at = place(object);
    while (table_[at].object != object) {
      if (table_[at].object == 0) return insert(at, object);
      at = (at + 1) & (table_.size() - 1);
    }
    return table_[at];
  }

 private:
  static Progress empty() { return {0, 0, 0, Progress::nobody}; }
  std::size_t place(spool::trace::ObjectNumber object) const {
    // Fibonacci hashing: object numbers are dense, hostile ones are not.
    return static_cast<std::size_t>((object * 0x9e37'79b9'7f4a'7c15) >> 20) & (table_.size() - 1);
  }
  Progress& insert(std::size_t at, spool::trace::ObjectNumber object);

  std::vector<Progress> table_;
  std::size_t used_ = 0;
};

}  // namespace unspool
