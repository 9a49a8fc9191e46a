// SPDX-License-Identifier: MIT
#include <spool/log/drain.hpp>
#include <spool/log/recorder.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace spool::log {
namespace {

/// A definition's time is read under the recorder's mutex, a Record's is not, and the counter can be read a little
/// ahead: so much earlier a definition counts.
constexpr trace::Ticks definition_lead = 512;

constexpr std::size_t usual_batch = 4096;  ///< Records

bool is_told_to_all(std::uint16_t id) {
  constexpr std::uint16_t text = trace::record_id(trace::Kind::message, trace::Verb::text);
  constexpr std::uint16_t loss = trace::record_id(trace::Kind::trace, trace::Verb::loss);
  return id >= trace::first_message_class || id == text || id == loss;
}

bool is_message_or_end(std::uint16_t id) {
  constexpr std::uint16_t end = trace::record_id(trace::Kind::thread, trace::Verb::end);
  return is_told_to_all(id) || id == end;
}

std::uint64_t load_size(std::uint64_t& bits) {
  return std::atomic_ref{bits}.load(std::memory_order_acquire) / 8;  // acquire: partner is the writer's commit
}

}  // namespace

void DrainedBatch::clear() {
  records.clear();
  used_ = 0;
}

bool DrainedBatch::copy(std::span<const std::byte> fields, std::span<const std::byte>& out) {
  if (used_ + fields.size() > size_) {
    if (used_ != 0) return false;  // views into the arena must stay
    size_ = std::max(usual_size, fields.size());
    arena_ = std::make_unique<std::byte[]>(size_);
  }
  std::byte* const to = arena_.get() + used_;
  if (!fields.empty()) std::memcpy(to, fields.data(), fields.size());
  out = {to, fields.size()};
  used_ += trace::align_record(fields.size());
  used_ = std::min(used_, size_);
  return true;
}

/// One chunk's Records that are there to be read.
struct Drain::Run {
  Cursor* cursor = nullptr;
  std::byte* file = nullptr;
  std::uint64_t file_size = 0;
  std::uint64_t last_packet = 0;  ///< where it ends for this poll: what comes later may need later definitions
  std::uint64_t last_content = 0;
  bool definitions = false;
  trace::Ticks key = 0;

  std::uint64_t content() const {
    if (cursor->packet == last_packet) return last_content;
    return load_size(Segment::header_at(file + cursor->packet).content_size);
  }
  std::span<const std::byte> record() const {
    const std::uint64_t at = trace::align_record(cursor->position);
    return {file + cursor->packet + at, content() - at};
  }
};

Drain::Drain(Wanted wanted, Unread unread, std::chrono::milliseconds patience)
    : wanted_{wanted}, unread_{unread}, patience_{patience} {
  Recorder::instance().add_reader(*this);
}

Drain::~Drain() {
  Recorder::instance().remove_reader(*this);
}

Drain::Run Drain::run_of(const Segment& segment, std::size_t chunk, Cursor& cursor) {
  Run run;
  run.cursor = &cursor;
  run.file = segment.chunks[chunk].data();
  run.file_size = segment.geometry.chunk_bytes;
  return run;
}

/// Finds the end of what there is now. False: nothing, or not of this stream.
bool Drain::open(Run& run, bool definitions) {
  Cursor& cursor = *run.cursor;
  run.definitions = definitions;
  std::uint64_t packet = cursor.packet;
  for (;;) {
    trace::PacketHeader& header = Segment::header_at(run.file + packet);
    // The packet's size first: once it ends before the file does, its content no longer grows.
    const std::uint64_t packet_size = load_size(header.packet_size);
    const std::uint64_t content = load_size(header.content_size);
    // Zeros: another process has truncated the file.
    if (packet_size < sizeof header || content > packet_size) return false;
    if (content > sizeof header && (header.stream_id == trace::definition_stream) != definitions) return false;
    run.last_packet = packet;
    run.last_content = content;
    if (packet + packet_size >= run.file_size) break;
    packet += packet_size;
  }
  if (cursor.position == 0) cursor.position = sizeof(trace::PacketHeader);
  return cursor.packet != run.last_packet || trace::align_record(cursor.position) < run.last_content;
}

/// Stands at the next Record, or says that there is none.
bool Drain::advance(Run& run) const {
  Cursor& cursor = *run.cursor;
  while (trace::align_record(cursor.position) >= run.content()) {
    if (cursor.packet == run.last_packet) return false;
    const std::uint64_t size = load_size(Segment::header_at(run.file + cursor.packet).packet_size);
    if (size < sizeof(trace::PacketHeader)) return false;  // zeros, as in open
    cursor = {cursor.packet + size, sizeof(trace::PacketHeader)};
  }
  trace::Ticks time = 0;
  std::memcpy(&time, run.record().data(), sizeof time);
  run.key = run.definitions ? time - std::min(time, definition_lead) : time;
  return true;
}

/// Copies the Record at which the run stands, and passes it. False: the batch has no room.
bool Drain::take(const Run& run, DrainedBatch& out) const {
  const std::span<const std::byte> bytes = run.record();
  trace::RecordHeader record{};
  std::memcpy(&record, bytes.data(), sizeof record);
  const auto id = static_cast<std::uint16_t>(record.id_and_object);
  const std::size_t length = lengths_.of_fields(id, bytes.subspan(sizeof record));
  if (run.definitions || wanted_ == Wanted::all || is_message_or_end(id)) {
    std::span<const std::byte> fields;
    if (!out.copy(bytes.subspan(sizeof record, length), fields)) return false;
    const auto thread = run.definitions ? 0 : Segment::header_at(run.file + run.cursor->packet).thread_id;
    out.records.push_back({record.timestamp, record.id_and_object >> 16U, fields, thread, id, run.definitions});
  }
  run.cursor->position = trace::align_record(run.cursor->position) + sizeof record + length;
  return true;
}

void Drain::open_runs(const Segment& segment, Place& place, bool definitions, std::vector<Run>& runs) {
  place.cursors.resize(segment.geometry.chunks);
  for (std::size_t chunk = 0; chunk < segment.geometry.chunks; ++chunk) {
    Run run = run_of(segment, chunk, place.cursors[chunk]);
    if (open(run, definitions) && advance(run)) runs.push_back(run);
  }
}

/// True: there is more than the batch takes.
bool Drain::merge(DrainedBatch& out, trace::Ticks horizon, std::vector<Run>& runs) {
  const auto later = [](const Run* left, const Run* right) { return left->key > right->key; };
  // What is taken is to stay in the processor's cache until it is used, and to be worth the look at each run.
  const std::size_t full = out.records.size() + std::max<std::size_t>(usual_batch, 64 * runs.size());
  std::vector<Run*> heap;
  heap.reserve(runs.size());
  for (Run& run : runs)
    heap.push_back(&run);
  std::ranges::make_heap(heap, later);
  while (!heap.empty() && heap.front()->key <= horizon) {
    std::ranges::pop_heap(heap, later);
    Run& run = *heap.back();
    // As long as no other run has an earlier one; a thread that is alone is read straight through.
    const trace::Ticks until = heap.size() > 1 ? std::min(horizon, heap.front()->key) : horizon;
    bool goes_on = true;
    while (goes_on && run.key <= until) {
      if (out.records.size() >= full || !take(run, out)) return true;
      goes_on = advance(run);
    }
    if (goes_on) {
      std::ranges::push_heap(heap, later);
    } else {
      heap.pop_back();
    }
  }
  return false;
}

namespace {

/// A definition comes before what needs it; so that times do not go back there, it bears the earlier time of the two.
void settle_definitions(std::span<DrainedRecord> records) {
  trace::Ticks next = std::numeric_limits<trace::Ticks>::max();
  for (std::size_t i = records.size(); i-- > 0;) {
    if (records[i].definition) records[i].time = std::min(records[i].time, next);
    next = records[i].time;
  }
}

}  // namespace

bool Drain::poll(DrainedBatch& out, trace::Ticks horizon) {
  const std::lock_guard guard{mutex_};
  Recorder& recorder = Recorder::instance();
  const auto pinned = recorder.pin_segments([&](std::uint32_t number) {
    const auto place = places_.find(number);
    return place == places_.end() || !place->second.done;
  });
  const std::size_t before = out.records.size();
  std::vector<Run> runs;
  // Definitions after Records: whatever a Record found here needs is committed by then (I5).
  for (const bool definitions : {false, true}) {
    for (const PinnedSegment& each : pinned)
      open_runs(*each.segment, places_[each.segment->number], definitions, runs);
  }
  const bool more = merge(out, horizon, runs);
  settle_definitions(std::span{out.records}.subspan(before));
  for (const PinnedSegment& each : pinned) {
    Place& place = places_[each.segment->number];
    place.done = each.closed && !has_unread(*each.segment, place);
  }
  const auto open = std::ranges::find_if(places_, [](const auto& each) { return !each.second.done; });
  // What comes behind the last one that is known is not done either.
  if (open != places_.begin()) {
    read_until_.store(std::prev(open)->first, std::memory_order_relaxed);  // relaxed: the reader holds m, as unpin does
  }
  recorder.unpin(pinned);
  return more;
}

bool Drain::has_unread(const Segment& segment, Place& place) {
  for (std::size_t chunk = 0; chunk < segment.geometry.chunks; ++chunk) {
    Run run = run_of(segment, chunk, place.cursors[chunk]);
    if (open(run, false) || open(run, true)) return true;
  }
  return false;
}

std::uint64_t Drain::count_unread(const Segment& segment, std::vector<Cursor> cursors) const {
  cursors.resize(segment.geometry.chunks);
  std::uint64_t count = 0;
  for (std::size_t chunk = 0; chunk < segment.geometry.chunks; ++chunk) {
    Run run = run_of(segment, chunk, cursors[chunk]);
    if (!open(run, false)) continue;
    while (advance(run)) {
      const std::span<const std::byte> bytes = run.record();
      trace::RecordHeader record{};
      std::memcpy(&record, bytes.data(), sizeof record);
      const auto id = static_cast<std::uint16_t>(record.id_and_object);
      if (wanted_ == Wanted::all || is_told_to_all(id)) ++count;
      run.cursor->position = trace::align_record(run.cursor->position) + sizeof record +
                             lengths_.of_fields(id, bytes.subspan(sizeof record));
    }
  }
  return count;
}

void Drain::miss(const Segment& segment) {
  const std::lock_guard guard{mutex_};
  Place& place = places_[segment.number];
  if (!place.done) {
    // relaxed: a count
    lapped_.fetch_add(count_unread(segment, place.cursors), std::memory_order_relaxed);
  }
  places_.erase(segment.number);
}

void Drain::begin_at(std::uint32_t first) {
  const std::lock_guard guard{mutex_};
  places_.clear();
  read_until_.store(first - 1, std::memory_order_relaxed);  // relaxed, all: nothing is recorded yet
  lapped_.store(0, std::memory_order_relaxed);
  given_up_.store(false, std::memory_order_relaxed);
}

void Drain::skip() {
  DrainedBatch unwanted;
  while (poll(unwanted))
    unwanted.clear();
}

}  // namespace spool::log
