// SPDX-License-Identifier: MIT
//
// What a trace must hold of each thread: its numbers without a gap, as far as no segment was recycled.
#pragma once

#include "support/trace_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace spool::test {

/// One thread's messages, or one lock's numbers: 1, 2, 3, ... as far as nothing was recycled.
struct Run {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t part = 0;  ///< of the last one, see Parts
  std::uint64_t missing = 0;
  bool ordered = true;

  void add(std::uint64_t number, std::size_t in_part) {
    if (first == 0) first = number;
    ordered = ordered && number > last;
    if (last != 0 && in_part == part && number > last + 1) missing += number - last - 1;
    last = number;
    part = in_part;
  }
};

/// Segments without a hole between them. There is one where the machine let a thread stand inside a Record while the
/// others went twice round the ring: its segment stays, those behind it are recycled.
class Parts {
 public:
  explicit Parts(const TraceReader& trace) {
    for (std::size_t i = 0; i < trace.segments().size(); ++i) {
      const auto number = static_cast<std::uint32_t>(std::stoul(trace.segments()[i].filename().string()));
      if (i == 0 || number != last_ + 1) {
        ++count_;
        newest_ = i;
      }
      last_ = number;
      parts_[number] = count_;
    }
  }
  std::size_t of(std::uint32_t segment) const { return parts_.at(segment); }
  std::size_t count() const { return count_; }
  bool are_whole() const { return count_ == 1 && parts_.contains(1); }
  std::size_t newest() const { return newest_; }  ///< index of its first segment

 private:
  std::map<std::uint32_t, std::size_t> parts_;
  std::uint32_t last_ = 0;
  std::size_t count_ = 0;
  std::size_t newest_ = 0;
};

}  // namespace spool::test
