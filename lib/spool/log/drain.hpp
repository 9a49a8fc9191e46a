// SPDX-License-Identifier: MIT
//
// Reads what has been committed since the last time, in the process itself, merged by time: the feeders of the sinks
// and the tests' tap stand on it. Owns its place in every chunk; segments are pinned only while it copies.
//
//   Each chunk is sorted by time (I6), so the chunks of all segments are merged as they lie, by a heap; what is not due yet
//   stays where it is. Definitions go before the Records of their time.
#pragma once

#include <spool/log/record_lengths.hpp>
#include <spool/log/segment.hpp>
#include <spool/trace/ids.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace spool::log {

/// A Record as bytes. `fields` are those behind the Record's header.
struct DrainedRecord {
  trace::Ticks time = 0;
  trace::ObjectNumber object = 0;
  std::span<const std::byte> fields;
  trace::ThreadNumber thread = 0;  ///< 0 for definitions
  std::uint16_t id = 0;
  bool definition = false;
};

/// What a poll has read; one arena for all fields, kept from poll to poll. Views are valid until clear().
class DrainedBatch {
 public:
  std::vector<DrainedRecord> records;

  void clear();
  /// Room for so many bytes; false: the arena is full, and nothing is taken.
  bool copy(std::span<const std::byte> fields, std::span<const std::byte>& out);

 private:
  static constexpr std::size_t usual_size = std::size_t{1} << 20U;
  std::unique_ptr<std::byte[]> arena_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

/// poll is thread-bound; what the recorder and a fork call is thread-safe. Must outlive no fork and no segment: it
/// stays registered with the recorder as long as it exists.
class Drain {
 public:
  /// What poll copies. `messages` leaves out transitions, but for losses and the ends of threads.
  enum class Wanted : std::uint8_t { all, messages };
  /// What becomes of a segment that was not read to its end, when it is to be recycled.
  enum class Unread : std::uint8_t { lapped, waited_for };

  /// `patience`: so long a writer waits for a reader that does not get on.
  explicit Drain(Wanted wanted = Wanted::all, Unread unread = Unread::lapped, std::chrono::milliseconds patience = {});
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  /// Appends, by time, what has been committed up to `horizon`, as much as the batch takes; each thread's Records in
  /// their order, and each definition before the first Record that needs it. True: there is more.
  bool poll(DrainedBatch& out, trace::Ticks horizon = std::numeric_limits<trace::Ticks>::max());

  /// Records that were recycled before they had been read, of those that it wants. Exact.
  std::uint64_t lapped() const { return lapped_.load(std::memory_order_relaxed); }  // relaxed: a count

  /// Forgets what was read: a trace that begins with segment `first`.
  void begin_at(std::uint32_t first);

  /// Takes all that is there as read.
  void skip();

  /// Whoever uses what was read gets on: a wait for it is worth while.
  void note_progress() {
    // relaxed, both: hints to waits that look again
    progress_.store(progress_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (given_up_.load(std::memory_order_relaxed)) [[unlikely]] {
      given_up_.store(false, std::memory_order_relaxed);  // relaxed: as above
    }
  }

  // For the recorder.
  /// Is the segment to be kept until it is read? Under m.
  bool holds(std::uint32_t segment) const {
    // relaxed, both: written under m or hints
    return unread_ == Unread::waited_for && !given_up_.load(std::memory_order_relaxed) &&
           read_until_.load(std::memory_order_relaxed) < segment;
  }
  std::uint64_t progress() const { return progress_.load(std::memory_order_relaxed); }  // relaxed: a hint
  std::chrono::milliseconds patience() const { return patience_; }
  void give_up() { given_up_.store(true, std::memory_order_relaxed); }  // relaxed: a hint
  /// Counts what was not read of a segment that is about to be recycled. Not under m.
  void miss(const Segment& segment);
  void lock_for_fork() { mutex_.lock(); }
  void unlock_after_fork() { mutex_.unlock(); }

 private:
  struct Cursor {
    std::uint64_t packet = 0;    ///< offset of the packet in the chunk
    std::uint64_t position = 0;  ///< offset of the next Record in the packet; 0: at its header
  };
  struct Place {
    std::vector<Cursor> cursors;  ///< by chunk
    bool done = false;            ///< closed and read to its end, or missed
  };
  struct Run;

  bool merge(DrainedBatch& out, trace::Ticks horizon, std::vector<Run>& runs);
  void open_runs(const Segment& segment, Place& place, bool definitions, std::vector<Run>& runs);
  static Run run_of(const Segment& segment, std::size_t chunk, Cursor& cursor);
  static bool open(Run& run, bool definitions);
  static bool has_unread(const Segment& segment, Place& place);
  bool advance(Run& run) const;
  bool take(const Run& run, DrainedBatch& out) const;
  std::uint64_t count_unread(const Segment& segment, std::vector<Cursor> cursors) const;

  const Wanted wanted_;
  const Unread unread_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;                          ///< the places; taken before the recorder's m, after its fm
  std::map<std::uint32_t, Place> places_;     ///< by segment number
  mutable RecordLengths lengths_;             ///< under the mutex
  std::atomic<std::uint32_t> read_until_{0};  ///< all segments up to this one are done
  std::atomic<std::uint64_t> lapped_{0};
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<bool> given_up_{false};
};

}  // namespace spool::log
