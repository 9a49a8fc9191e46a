// SPDX-License-Identifier: MIT
//
// How many Records the threads have written, and how many bytes. No thread counts its own: that would be a store in
// each emit. The packets are looked at beside them, each part once, while their bytes are still there.
#pragma once

#include <spool/log/record_lengths.hpp>
#include <spool/log/segment.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace spool::log {

struct Written {
  std::uint64_t records = 0;  ///< by threads; definitions are none of them
  std::uint64_t bytes = 0;    ///< of both kinds, with the headers of packets
};

/// Thread-bound: whoever has the recorder's fm.
///
/// Memory ordering: a packet's sizes are loaded with acquire, of which the partners are the stores of its writer; what
/// is before `content_size` does not change any more.
class Tally {
 public:
  /// Counts what has been committed to the first `chunks` chunks since the last time. The segment must not be reused
  /// meanwhile. A packet of transitions alone costs one look at its header; one with messages is walked.
  void count(Segment& segment, std::size_t chunks);
  const Written& so_far() const { return so_far_; }
  void clear() { so_far_ = {}; }

 private:
  void count_chunk(std::span<std::byte> chunk, Counted& until);
  void count_packet(std::byte* packet, std::uint64_t from, std::uint64_t until);
  std::uint64_t walk(std::span<const std::byte> packet, std::uint64_t from);

  RecordLengths lengths_;
  Written so_far_;
};

}  // namespace spool::log
