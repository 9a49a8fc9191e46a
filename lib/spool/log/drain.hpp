// SPDX-License-Identifier: MIT
//
// Reads what has been committed since the last time, in the process itself: the dispatcher and the tests' tap stand on
// it. Owns its place in every chunk; segments are pinned only while it copies.
#pragma once

#include <spool/log/segment.hpp>
#include <spool/trace/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace spool::log {

/// A Record as bytes. `fields` are those behind the Record's header.
struct DrainedRecord {
  trace::Ticks time = 0;
  trace::ThreadNumber thread = 0;  ///< 0 for definitions
  std::uint16_t id = 0;
  bool definition = false;
  trace::ObjectNumber object = 0;
  std::vector<std::byte> fields;
};

/// Thread-bound.
class Drain {
 public:
  /// What poll copies. `messages` leaves out transitions, but for the ends of threads.
  enum class Wanted : std::uint8_t { all, messages };
  explicit Drain(Wanted wanted = Wanted::all) : wanted_{wanted} {}
  void want(Wanted wanted) { wanted_ = wanted; }

  /// Appends all wanted Records committed since the last call: those of each thread in their order, definitions last but
  /// complete for every Record appended. Not merged by time.
  void poll(std::vector<DrainedRecord>& out);

  /// Segments that were recycled before they had been read to their end.
  std::uint64_t lapped() const { return lapped_; }

  /// Forgets what was read, and counts no segment before `first` as missed: a trace that begins there.
  void begin_at(std::uint32_t first);

  /// Takes all that is there as read.
  void skip();

 private:
  struct Cursor {
    std::uint64_t packet = 0;    ///< offset of the packet in the chunk
    std::uint64_t position = 0;  ///< offset of the next Record in the packet; 0: at its header
  };

  void poll_segment(const Segment& segment, bool definitions, std::vector<DrainedRecord>& out);
  void poll_chunk(const Segment& segment, std::size_t chunk, bool definitions, std::vector<DrainedRecord>& out);
  void forget_old(const std::vector<std::shared_ptr<Segment>>& pinned);

  Wanted wanted_;
  std::map<std::uint32_t, std::vector<Cursor>> cursors_;  ///< by segment number
  std::uint32_t finished_ = 0;                            ///< the newest segment that is closed and read to its end
  std::uint64_t lapped_ = 0;
};

}  // namespace spool::log
