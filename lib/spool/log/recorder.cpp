// SPDX-License-Identifier: MIT
//
// The slow path of an emit: room, definitions, and the swap to the next segment.
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/status.hpp>

#include <algorithm>
#include <utility>

namespace spool::log {
namespace {

/// A Record made under m, as bytes.
template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span{&value, 1});
}

struct StatusHoldRecord {
  trace::RecordHeader header;
  std::uint32_t site;
  std::uint32_t mode;
  std::uint64_t since;
};
static_assert(sizeof(StatusHoldRecord) == 32);

struct LossRecord {
  trace::RecordHeader header;
  std::uint64_t count;
  std::uint32_t reason;
  std::uint32_t reserved;
};
static_assert(sizeof(LossRecord) == 32);

/// Room kept for what the recorder itself puts in front of a thread's Record.
constexpr std::uint64_t status_room = trace::status_holds * sizeof(StatusHoldRecord) + sizeof(trace::StatusWaitRecord) +
                                      sizeof(trace::StatusStackRecord) + 2 * sizeof(LossRecord) + 64;

/// Marks the owner as being in the slow path, against signal handlers that emit.
class SlowMark {
 public:
  explicit SlowMark(Writer& writer) : writer_{writer} {
    writer_.slow = true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  ~SlowMark() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    writer_.slow = false;
  }
  SlowMark(const SlowMark&) = delete;
  SlowMark& operator=(const SlowMark&) = delete;

 private:
  Writer& writer_;
};

static_assert(sizeof(Writer) + 2 * sizeof(void*) + alignof(Writer) <= std::size_t{16} * 1024,
              "the reserve's large blocks");

}  // namespace

Recorder& Recorder::instance() {
  static auto* recorder = new Recorder;  // leaked: logging is legal in static destructors
  return *recorder;
}

bool Recorder::prepare(Writer& writer, const Need& need) noexcept {
  if (writer.slow || writer.leased ||
      writer.position.load(std::memory_order_relaxed) !=  // relaxed, both: our own
          writer.committed.load(std::memory_order_relaxed)) {
    count_loss(writer, trace::LossReason::reentered);
    return false;
  }
  if (awaits_first_record() && !try_begin_in_child()) [[unlikely]] {
    count_loss(writer, trace::LossReason::no_space);
    return false;
  }
  if (no_space_.load(std::memory_order_relaxed)) {  // relaxed: a hint; the keeper takes it back
    count_loss(writer, trace::LossReason::no_space);
    return false;
  }
  const SlowMark mark{writer};
  auto reason = trace::LossReason::no_space;
  try {
    constexpr int attempts = 16;
    for (int i = 0; i < attempts; ++i) {
      {
        std::unique_lock guard{m_};
        const Outcome outcome = try_prepare(writer, need);
        if (writer.leased) (void)guard.release();  // until end_lease
        if (outcome == Outcome::ready) return true;
        if (outcome == Outcome::impossible) {
          reason = stopped_.load(std::memory_order_relaxed) || current_ == nullptr ? trace::LossReason::shut_down
                                                                                   : trace::LossReason::no_stream;
          break;
        }
        if (swap_segments()) continue;
      }
      if (wait_for_readers()) --i;
      // The keeper is late: what it has not closed could not be used again, and the ring would grow.
      (void)close_pass();
      const std::lock_guard files{fm_};
      if (ensure_spare(true) == Spare::failed) {
        note_no_space();
        break;
      }
    }
  } catch (...) {  // no memory: the server goes on, the Record does not
    reason = trace::LossReason::no_space;
    note_no_memory();
  }
  count_loss(writer, reason);
  return false;
}

Site Recorder::site_of(Writer& writer, trace::SiteNumber number) noexcept {
  if (writer.slow) return {};  // a signal handler, whose thread may hold m
  const SlowMark mark{writer};
  const std::lock_guard guard{m_};
  return definitions_.site(number);
}

Recorder::Outcome Recorder::try_prepare(Writer& writer, const Need& need) {
  // relaxed: written under m, which we hold
  if (current_ == nullptr || stopped_.load(std::memory_order_relaxed)) return Outcome::impossible;
  const std::uint64_t most = current_->geometry.chunk_bytes - sizeof(trace::PacketHeader) - status_room;
  if (need.size > most) return Outcome::impossible;
  if (must_share(writer)) return lease(writer, need);
  const std::uint64_t at = trace::align_record(writer.position.load(std::memory_order_relaxed));  // relaxed: our own
  const std::uint64_t limit = writer.limit.load(std::memory_order_relaxed);                       // relaxed: under m
  const bool stays = writer.segment == current_.get() && !writer.fresh && at + need.size <= limit;
  if (!stays && !move_writer(writer, need.size)) return Outcome::full;
  if (!define_all(writer, need)) return Outcome::full;
  mark_mixed(writer);
  if (writer.lost != 0 || truncated_ != 0) write_loss(writer);
  return Outcome::ready;
}

bool Recorder::define_all(Writer& writer, const Need& need) {
  Segment& segment = *current_;
  if (need.object != nullptr && !definitions_.define(segment, *need.object)) return false;
  if (need.site != nullptr) {
    trace::SiteNumber number = 0;
    if (!definitions_.define(segment, *need.site, number)) return false;
    const Site& site = *need.site;
    writer.sites[site_slot(site)] = {site.file, site.function, site.line, segment.number, number};
  }
  if (need.message != nullptr && !definitions_.define_message(segment, *need.message)) return false;
  if (need.message != nullptr) writer.mixed_in = segment.number;
  if (need.thread != 0) {
    const std::shared_ptr<Identity> named = Registry::find(need.thread);
    if (named != nullptr && !definitions_.define_thread(segment, *named)) return false;
  }
  if (need.stack != nullptr && !define_stack(writer, *need.stack)) return false;
  return definitions_.define_site(segment, need.quoted_site);
}

bool Recorder::move_writer(Writer& writer, std::uint64_t size) {
  const bool enters = writer.generation != current_->number || writer.fresh;
  if (!definitions_.define_thread(*current_, *writer.identity)) return false;
  if (!chain_packet(writer, size) && !take_chunk(writer, size)) return false;
  writer.fresh = false;
  writer.shares = false;
  return !enters || write_status(writer);
}

/// Where chunks cannot become more, half of them are for the first chunk of those threads that come first; the rest is
/// for busy threads' next ones, and shared by everybody else.
bool Recorder::must_share(const Writer& writer) const {
  const Segment& segment = *current_;
  if (segment.geometry.chunks < most_chunks || writer.segment == &segment) return false;
  if (writer.generation == segment.number && !writer.fresh) return writer.shares;
  return segment.private_writers >= segment.geometry.chunks / 2;
}

/// Under m, which a thread that shares keeps until its Record is written: the chunk's writer is whoever holds m (I2),
/// and the keeper never finds it inside. Each turn of a thread is a packet of its own.
///
///    | thread 7's packet | thread 9's | thread 7's | ...      |
Recorder::Outcome Recorder::lease(Writer& writer, const Need& need) {
  const bool enters = writer.generation != current_->number || writer.fresh;
  if (!definitions_.define_thread(*current_, *writer.identity)) return Outcome::full;
  if (!define_all(writer, need)) return Outcome::full;
  if (need.size == 0 || !need.claims) return Outcome::ready;
  if (!open_shared_packet(writer, need.size + (enters || writer.lost != 0 || truncated_ != 0 ? status_room : 0)))
    return Outcome::full;
  mark_mixed(writer);
  if (enters && !write_status(writer)) {
    writer.limit.store(0, std::memory_order_relaxed);  // relaxed: under m
    return Outcome::full;
  }
  writer.fresh = false;
  writer.shares = true;
  writer.generation = current_->number;
  if (writer.lost != 0 || truncated_ != 0) write_loss(writer);
  // relaxed, both: under m; just the room for one Record
  const std::uint64_t at = trace::align_record(writer.position.load(std::memory_order_relaxed));
  writer.limit.store(at + need.size, std::memory_order_relaxed);
  writer.leased = true;
  ++counters_.shared;
  return Outcome::ready;
}

/// Has the writer stand in the shared chunk, with so much room: at the end of its own packet where that is the last,
/// else in a new one.
bool Recorder::open_shared_packet(Writer& writer, std::uint64_t room) {
  Segment& segment = *current_;
  const std::uint64_t file_size = segment.geometry.chunk_bytes;
  const auto stand_at = [&](std::byte* packet) {
    const std::uint64_t used = Segment::header_at(packet).content_size / 8;
    writer.packet = packet;
    writer.position.store(used, std::memory_order_relaxed);  // relaxed, all: under m
    writer.committed.store(used, std::memory_order_relaxed);
    writer.limit.store(Segment::header_at(packet).packet_size / 8, std::memory_order_relaxed);
    return trace::align_record(used) + room <= writer.limit.load(std::memory_order_relaxed);
  };
  if (segment.shared_packet != nullptr) {
    if (Segment::header_at(segment.shared_packet).thread_id == writer.number) {
      if (stand_at(segment.shared_packet)) return true;
    } else if (std::byte* next =
                   append_packet(segment, segment.shared_chunk, segment.shared_packet, writer.number, room)) {
      segment.shared_packet = next;
      return stand_at(next);
    }
  }
  if (segment.next_chunk >= segment.geometry.chunks || sizeof(trace::PacketHeader) + room > file_size) return false;
  segment.shared_chunk = segment.next_chunk++;
  segment.shared_packet = segment.chunks[segment.shared_chunk].data();
  trace::PacketHeader& header = Segment::header_at(segment.shared_packet);
  header.thread_id = writer.number;
  header.timestamp_begin = os::ticks_in_order();
  return stand_at(segment.shared_packet);
}

void Recorder::end_lease(Writer& writer) noexcept {
  writer.limit.store(0, std::memory_order_relaxed);  // relaxed: under m
  writer.segment = nullptr;
  writer.leased = false;
  m_.unlock();
}

/// A packet for `thread` behind the last one of a chunk; nullptr where `room` bytes do not fit any more.
std::byte* Recorder::append_packet(const Segment& segment, std::size_t chunk, std::byte* last,
                                   trace::ThreadNumber thread, std::uint64_t room) {
  std::byte* const file = segment.chunks[chunk].data();
  trace::PacketHeader& old = Segment::header_at(last);
  constexpr std::uint64_t packet_alignment = 64;
  const std::uint64_t used = old.content_size / 8;
  const auto start = static_cast<std::uint64_t>(last - file);
  const std::uint64_t next = (start + used + packet_alignment - 1) / packet_alignment * packet_alignment;
  const std::uint64_t file_size = segment.geometry.chunk_bytes;
  if (next + sizeof old + room > file_size) return nullptr;
  trace::PacketHeader fresh = old;
  fresh.content_size = sizeof fresh * 8;
  fresh.packet_size = (file_size - next) * 8;
  fresh.thread_id = thread;
  fresh.mixed = 0;
  fresh.timestamp_begin = os::ticks_in_order();  // in order: not before the old packet's last Record (I6)
  std::memcpy(file + next, &fresh, sizeof fresh);
  // release: partner is a reader's acquire; the new header is whole before it can be found (I1)
  std::atomic_ref{old.packet_size}.store((next - start) * 8, std::memory_order_release);
  return file + next;
}

/// Takes the rest of the chunk that an ended thread left. Its packet becomes visible with one store, after it is whole.
///
///    | packet of the ended thread | packet of this one ...      |
///      packet_size ───────────────▶                         ▲ reaches to the end of the file
bool Recorder::chain_packet(Writer& writer, std::uint64_t size) {
  if (writer.segment != current_.get() || !writer.fresh || writer.packet == nullptr) return false;
  Segment& segment = *current_;
  std::byte* const next = append_packet(segment, writer.chunk, writer.packet, writer.number, status_room + size);
  if (next == nullptr) return false;
  writer.limit.store(0, std::memory_order_relaxed);  // relaxed: a signal handler must not write in between
  std::atomic_signal_fence(std::memory_order_seq_cst);
  writer.packet = next;
  writer.position.store(sizeof(trace::PacketHeader), std::memory_order_relaxed);  // relaxed, both: under m
  writer.committed.store(sizeof(trace::PacketHeader), std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  writer.limit.store(Segment::header_at(next).packet_size / 8, std::memory_order_relaxed);  // relaxed: under m
  return true;
}

bool Recorder::take_chunk(Writer& writer, std::uint64_t size) {
  Segment& segment = *current_;
  if (segment.next_chunk >= segment.geometry.chunks) return false;
  if (sizeof(trace::PacketHeader) + status_room + size > segment.geometry.chunk_bytes) return false;
  const std::size_t chunk = segment.next_chunk++;
  trace::PacketHeader& header = segment.header(chunk);
  header.thread_id = writer.number;
  header.timestamp_begin = os::ticks_in_order();
  writer.limit.store(0, std::memory_order_relaxed);  // relaxed: a signal handler must not write in between
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (writer.segment != &segment) ++segment.private_writers;
  writer.segment = &segment;
  writer.chunk = static_cast<std::uint32_t>(chunk);
  writer.packet = segment.chunks[chunk].data();
  writer.generation = segment.number;
  writer.position.store(sizeof header, std::memory_order_relaxed);  // relaxed, both: under m
  writer.committed.store(sizeof header, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  writer.limit.store(segment.geometry.chunk_bytes, std::memory_order_relaxed);  // relaxed: under m
  return true;
}

bool Recorder::write_raw(Writer& writer, std::span<const std::byte> record) {
  const std::uint64_t at = trace::align_record(writer.position.load(std::memory_order_relaxed));  // relaxed: our own
  const std::uint64_t end = at + record.size();
  if (end > writer.limit.load(std::memory_order_relaxed)) return false;  // relaxed: under m
  std::memcpy(writer.packet + at, record.data(), record.size());
  writer.position.store(end, std::memory_order_relaxed);  // relaxed: under m, the keeper cannot look now
  // release: partner is the acquire of a reader of content_size
  Emission::content_size(writer.packet).store(end * 8, std::memory_order_release);
  writer.committed.store(end, std::memory_order_release);  // release: partner is the close pass
  return true;
}

/// First in a thread's first packet of a segment: its holds and its wait, so that nothing is cut off from its
/// beginning.
bool Recorder::write_status(Writer& writer) {
  move_status(writer);
  const trace::StatusEntry& entry = writer.current_status();
  const std::size_t depth = std::min<std::size_t>(entry.depth, trace::status_holds);
  for (std::size_t i = 0; i < depth; ++i) {
    const trace::StatusHold& hold = entry.holds[i];
    if (hold.object == 0) continue;                                             // not known which
    const ObjectClass* known = writer.held[i].load(std::memory_order_relaxed);  // relaxed: our own
    if (known != nullptr && !definitions_.define_remembered(*current_, hold.object, *known, 0)) return false;
    if (!definitions_.define_site(*current_, hold.site)) return false;
    const StatusHoldRecord record{
        {os::ticks(), trace::id_and_object(trace::record_id(trace::Kind::status, trace::Verb::hold), hold.object)},
        hold.site,
        hold.mode,
        hold.since};
    if (!write_raw(writer, bytes_of(record))) return false;
  }
  if (entry.wait_record == 0) return true;
  const ObjectClass* waited = writer.waited.load(std::memory_order_relaxed);                // relaxed: our own
  const trace::ObjectNumber parent = writer.waited_parent.load(std::memory_order_relaxed);  // relaxed: our own
  if (waited != nullptr && !definitions_.define_remembered(*current_, entry.wait_object, *waited, parent)) return false;
  if (!definitions_.define_site(*current_, entry.wait_site)) return false;
  if (!definitions_.define_site(*current_, entry.wait_owner_site)) return false;
  const trace::StatusWaitRecord record{
      {os::ticks(), trace::id_and_object(trace::record_id(trace::Kind::status, trace::Verb::wait), entry.wait_object)},
      entry.wait_site,
      entry.wait_owner,
      entry.wait_since,
      entry.wait_owner_site,
      entry.wait_record};
  if (!write_raw(writer, bytes_of(record))) return false;
  if (entry.wait_stack == 0) return true;
  if (!definitions_.define_stack(*current_, entry.wait_stack)) return false;
  const trace::StatusStackRecord stack{
      {os::ticks(), trace::id_and_object(trace::record_id(trace::Kind::status, trace::Verb::stack), entry.wait_object)},
      entry.wait_stack,
      0};
  return write_raw(writer, bytes_of(stack));
}

/// Of what truncation took nobody knows any more whose it was: the first thread that comes tells it.
void Recorder::write_loss(Writer& writer) {
  const auto tell = [&](std::uint64_t& count, trace::LossReason reason) {
    const LossRecord record{
        {os::ticks(), trace::id_and_object(trace::record_id(trace::Kind::trace, trace::Verb::loss), 0)},
        count,
        static_cast<std::uint32_t>(reason),
        0};
    if (count != 0 && write_raw(writer, bytes_of(record))) count = 0;
  };
  tell(writer.lost, writer.lost_reason);
  tell(truncated_, trace::LossReason::truncated);
}

bool Recorder::swap_segments() {
  if (spare_ == nullptr) return false;
  if (!definitions_.enter(*spare_, modes_, process_.frequency)) return false;
  closing_.push_back(std::move(current_));
  current_ = std::move(spare_);
  ++counters_.segments;
  // seq_cst: the keeper's half of I3, before its barrier
  generation.store(current_->number, std::memory_order_seq_cst);
  Keeper::wake();
  return true;
}

}  // namespace spool::log
