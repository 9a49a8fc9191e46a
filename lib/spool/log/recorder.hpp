// SPDX-License-Identifier: MIT
//
// The recorder's state and slow path: which segment is current, who writes where, and what to do when a chunk is full.
// The keeper (keeper.hpp) prepares, closes and recycles segments beside it.
//
//   m    memory only: nothing under it calls the kernel but the wake of the keeper
//   fm   file system work
//   order: fm, then m
//
// Invariants, cited by number in the code:
//   I1  every visible directory is a valid trace at every instant
//   I2  a chunk has one writer; only the owner's slow path changes that, and the keeper takes it back only while the
//       owner is outside
//   I3  store position, then load generation (thread) against store generation, barrier, load position (keeper)
//   I4  only closed segments are recycled
//   I5  m is held with the writer's generation current while defining: a definition precedes its use in its segment
//   I6  times in one file never go back
#pragma once

#include <spool/log/announcer.hpp>
#include <spool/log/archiver.hpp>
#include <spool/log/cost.hpp>
#include <spool/log/definitions.hpp>
#include <spool/log/live.hpp>
#include <spool/log/reserve.hpp>
#include <spool/log/segment.hpp>
#include <spool/log/symbolizer.hpp>
#include <spool/log/writer.hpp>
#include <spool/os/calibration.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spool::log {

/// How to record.
struct RecorderSettings {
  std::filesystem::path parent;  ///< where the trace directory is made; empty: in memory, for sinks only
  std::uint64_t keep = std::uint64_t{256} << 20U;  ///< bytes of the newest segments that stay; 0: all
  Archive archive = Archive::off;
  OnSegment on_segment = {};
  Sync sync = Sync::off;
  Geometry geometry;
  os::ClockChoice clock = os::ClockChoice::automatic;
  bool survive_truncation = true;       ///< os/spare_page.hpp
  std::uint32_t call_stacks = 0;        ///< frames kept of a wait's call stack; 0: none
  trace::Mode mode = trace::Mode::off;  ///< what the trace says until note_mode: the mode that is about to be set
};

/// What the recording has cost so far. Counts of the whole process.
struct RecorderCounters {
  std::uint64_t lost = 0;              ///< Records
  std::uint64_t segments = 0;          ///< segments begun
  std::uint64_t recycled = 0;          ///< of these, made from an old one
  std::uint64_t shared = 0;            ///< Records that were written under m, into a chunk that many threads share
  std::uint64_t archived = 0;          ///< segments that became archives
  std::uint64_t archive_bytes = 0;     ///< of these archives
  std::uint64_t archive_failures = 0;  ///< archives that could not be written; each is tried again
  std::uint64_t lagging = 0;           ///< segments that had to be made because the archiver had not given one back
  std::uint64_t unarchived = 0;        ///< segments that `keep` took before the archiver came to them
  std::uint64_t helped = 0;            ///< segments that a writing thread had to prepare itself
};

/// A segment that is not recycled until it is unpinned.
struct PinnedSegment {
  std::shared_ptr<Segment> segment;
  bool closed = false;  ///< nothing more is written to it
};

class Drain;

/// Beyond half as many threads as this they share chunks: a directory of ten thousand files is nobody's friend, and a
/// process has 65,530 mappings.
inline constexpr std::size_t most_chunks = 512;

class Recorder {
 public:
  /// The one recorder; never destroyed, so that static destructors may log.
  static Recorder& instance();

  /// Makes the trace directory and the first segments. False with errno and nothing left behind; true also if it
  /// records already.
  bool start(const RecorderSettings& settings);
  /// Ends it in order: closes the last segment. Records after that are lost and counted.
  void stop();
  bool is_recording() const { return generation.load(std::memory_order_relaxed) != 0; }  // relaxed: a hint

  std::filesystem::path directory() const;  ///< of the trace; empty in memory
  RecorderCounters counters();
  Cost cost();                       ///< counted up to now
  void note_mode(trace::Mode mode);  ///< a change of mode is itself a definition
  void note_long_wait(std::chrono::nanoseconds span);
  void note_own_mode(Object& object, std::optional<trace::Mode> mode);
  /// What is said of this thread has changed.
  void define_anew(Identity& identity);

  // For writer.hpp.
  bool prepare(Writer& writer, const Need& need) noexcept;
  Site site_of(Writer& writer, trace::SiteNumber number) noexcept;
  Writer& attach(std::shared_ptr<Identity> identity);
  void detach(Writer& writer);
  void count_loss(Writer& writer, trace::LossReason reason) noexcept;
  void note_no_memory() noexcept;             ///< said once
  void count_loss_without_writer() noexcept;  ///< of a thread that could not be given one
  void end_lease(Writer& writer) noexcept;
  std::string describe_site(trace::SiteNumber number);  ///< "file:line"; empty where it is not known
  /// In the child of a fork: a thread that stayed behind with a recorded shared hold of this object, and where it took
  /// it; none where none is known.
  Quoted left_reader(trace::ObjectNumber object);

  // For fork.cpp.
  void lock_for_fork();  ///< and notes what the child will want to know
  void unlock_after_fork();
  void leave_parent() noexcept;  ///< in the child: nothing of the parent's is mapped
  /// A child that has made no Record yet, and so has no trace.
  bool awaits_first_record() const {
    return awaits_first_record_.load(std::memory_order_acquire);  // acquire: partner is the release in begin_in_child
  }

  // For the announcer.
  /// The directory of this segment is not recycled soon. False: it is not there any more, or the segment is another.
  bool begin_telling(Segment& segment, std::uint32_t number);
  void end_telling(Segment& segment);

  // For the keeper and the drain.
  bool keep_house();              ///< one round of the keeper; true: some segment is still closing
  void count_threads() noexcept;  ///< those that spool does not know, for the status file
  void write_clock();             ///< reads the clocks, and knows the frequency better for it
  LiveProcess look_at_threads();  ///< all but our own
  /// In the order of their numbers, those that `wanted` names.
  std::vector<PinnedSegment> pin_segments(const std::function<bool(std::uint32_t)>& wanted);
  void unpin(const std::vector<PinnedSegment>& segments);
  /// Readers are told what is recycled unread, or asked before.
  void add_reader(Drain& reader);
  void remove_reader(Drain& reader);
  /// What the trace says of its process.
  trace::Process process();

 private:
  using Announcement = std::pair<ClosedSegment, std::shared_ptr<Segment>>;
  /// What a thread holds that the child of a fork will not have.
  struct LeftHold {
    trace::ThreadNumber holder = 0;
    trace::StatusHold hold{};
    const ObjectClass* described = nullptr;
  };

  enum class Outcome : std::uint8_t { ready, full, impossible };
  Outcome try_prepare(Writer& writer, const Need& need);
  bool move_writer(Writer& writer, std::uint64_t size);
  bool chain_packet(Writer& writer, std::uint64_t size);
  bool take_chunk(Writer& writer, std::uint64_t size);
  bool must_share(const Writer& writer) const;
  Outcome lease(Writer& writer, const Need& need);
  bool open_shared_packet(Writer& writer, std::uint64_t room);
  static std::byte* append_packet(const Segment& segment, std::size_t chunk, std::byte* last,
                                  trace::ThreadNumber thread, std::uint64_t room);
  bool write_status(Writer& writer);
  bool write_raw(Writer& writer, std::span<const std::byte> record);
  void write_loss(Writer& writer);
  bool define_all(Writer& writer, const Need& need);
  bool define_stack(Writer& writer, const CapturedStack& captured);
  std::vector<std::string> calls_of(trace::StackNumber number);  ///< under m
  bool symbolize();                                              ///< the keeper's; true: frames are being looked up
  void finish_symbols();
  bool swap_segments();
  void note_no_space();  ///< under fm
  void tell_no_space(const char* why) noexcept;
  std::shared_ptr<Segment> make_segment(std::uint32_t number);
  std::shared_ptr<Segment> take_oldest_closed(const Geometry& geometry);
  bool close_pass();
  bool close_if_left(Segment& segment);
  enum class Spare : std::uint8_t { there, held_up, failed };
  Spare ensure_spare(bool helping);  ///< under fm
  Drain* holder_of_oldest();         ///< under m: who has to read before the ring can turn; nullptr: nobody
  bool is_awaited(const Segment& segment) const;  ///< under m
  bool wait_for_readers();
  void tell_missed(const Segment& segment);  ///< under fm
  void redefine_quiet_threads();             ///< what status entries name, in the current segment
  bool redefine(const struct StatusSnapshot& seen);
  void trim();
  void leave_damaged();  ///< under fm
  bool leave_damaged_segments();
  void count_truncated();  ///< under fm
  void mark_mixed(Writer& writer);
  void count_written();                ///< under fm: what was committed until now
  void count_whole(Segment& segment);  ///< under fm: of a closed one, before it is used again
  void begin_cost();                   ///< under fm, as all of these
  void update_cost();
  void write_cost();
  void note_cost();  ///< writes it where it is due: once a second in which something was recorded, and in each segment
  void end_cost() noexcept;  ///< takes fm
  void renew_status();       ///< under fm
  void move_status(Writer& writer);
  bool is_in_status(const trace::StatusEntry& entry) const;
  void add_lost(std::uint64_t count) noexcept;
  os::MappedFile make_status(const std::filesystem::path& path) const;
  bool has_packed() const { return settings_.archive != Archive::off && !directory_.empty(); }
  bool is_shipped() const {
    return has_packed() || static_cast<bool>(settings_.on_segment) || settings_.sync != Sync::off;
  }
  void ship();           ///< under fm
  void take_packed();    ///< under fm
  void order_packing();  ///< under fm
  bool adopt(const Packed& packed);
  void drop_archives(std::uint64_t most);
  void limit_archives();
  void unmap_waiting();
  void end_packing();                                                                               ///< under fm
  std::vector<Announcement> describe(const std::vector<std::shared_ptr<Segment>>& segments) const;  ///< under m
  void announce(const std::vector<Announcement>& announcements);
  std::uint64_t ring_bytes();
  std::filesystem::path archive_path(std::uint32_t number, bool whole) const;
  ClosedSegment describe(const Segment& segment) const;
  std::chrono::system_clock::time_point wall_time(trace::Ticks ticks) const;
  Geometry wanted_geometry();
  std::size_t ring_size() const;
  std::size_t most_in_ring() const;
  std::size_t ring_count() const;
  bool may_take_oldest() const;
  bool is_next_spare(const Segment& oldest) const;
  bool make_directory();
  bool open_status();
  bool begin_trace(std::uint32_t number);
  void begin_in_child();
  bool try_begin_in_child() noexcept;
  void start_in_child();
  void warn_of(const LeftHold& left);
  void leave_parent(Writer& writer);
  void begin_clock(os::ClockChoice choice);  ///< under fm
  void set_epoch(const os::ClockReading& now);
  void note_start();
  void assign_status(Writer& writer);
  trace::StatusHeader& status_header() const;
  trace::StatusEntry& status_entry(std::uint32_t index) const;
  void add_free_status(std::uint32_t from, std::uint32_t until);
  void grow_status();
  void try_grow_status() noexcept;

  std::mutex m_;
  std::mutex fm_;
  RecorderSettings settings_;
  Geometry geometry_;  ///< of the newest segment: the size that the ring is counted in
  std::filesystem::path directory_;
  trace::Process process_;       ///< what changes of it, the frequency and the epoch, under fm and m
  os::Calibration calibration_;  ///< under fm
  Modes modes_;
  Definitions definitions_;
  std::shared_ptr<Segment> current_;
  std::shared_ptr<Segment> spare_;
  std::vector<std::shared_ptr<Segment>> closing_;
  std::deque<std::shared_ptr<Segment>> closed_;
  std::list<Writer, ReservedAllocator<Writer>> writers_;
  std::vector<Writer*, ReservedAllocator<Writer*>> idle_writers_;  ///< has room for all
  os::MappedFile status_;
  std::vector<os::MappedFile> left_statuses_;  ///< damaged; a quiet thread may still write to one
  std::uint64_t truncated_ = 0;                ///< under m: Records, not yet told in a loss Record
  std::uint64_t spare_pages_seen_ = 0;         ///< under fm
  bool told_truncated_ = false;
  Tally tally_;                             ///< under fm
  Cost cost_;                               ///< under fm: what was counted last
  std::uint32_t cost_segment_ = 0;          ///< under fm: the last one that has a trace.cost
  os::Deadline next_cost_{};                ///< under fm
  std::vector<std::uint32_t> free_status_;  ///< entries that no thread has
  std::uint32_t last_number_ = 0;
  std::uint32_t redefined_ = 0;  ///< the segment that redefine_quiet_threads did last
  RecorderCounters counters_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> no_space_{false};  ///< nothing can be made now: lose at once, the keeper tries again
  std::atomic<bool> told_no_space_{false};
  std::atomic<bool> stopped_{false};
  struct ArchiveFile {
    std::uint32_t number = 0;
    std::uint64_t bytes = 0;
  };
  Archiver archiver_;  ///< under fm
  Symbolizer symbolizer_;
  Announcer announcer_;
  std::deque<ArchiveFile> archives_;  ///< under fm: oldest first
  ClosedSegment packing_;             ///< under fm: what is said of the segment that is packed now
  os::Deadline next_packing_{};       ///< under fm: not before that, after a failure
  bool told_no_archive_ = false;
  std::vector<Drain*> readers_;            ///< changed under fm and m
  os::Word unpinned_{0};                   ///< changes when a reader has got on
  std::atomic<std::uint32_t> held_up_{0};  ///< threads that wait for that
  std::vector<LeftHold> leaving_;          ///< by the fork under way
  std::vector<LeftHold> left_holds_;       ///< under fm: not yet warned of
  std::vector<LeftHold> left_readers_;     ///< the shared ones of all processes before this one; does not change
  std::uint32_t forking_pid_ = 0;          ///< of the parent, by the fork under way
  std::atomic<bool> awaits_first_record_{false};
};

}  // namespace spool::log
