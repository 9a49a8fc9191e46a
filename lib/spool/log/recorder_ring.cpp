// SPDX-License-Identifier: MIT
//
// The keeper's half of the recorder: the ring of segments, from the spare over the current to the oldest closed one.
//
//      spare ──▶ current ──▶ closing ──▶ closed ... closed ──▶ recycled as the next spare
//        (keeper)   (swap, a writer)  (keeper: nobody is inside)
#include <spool/log/drain.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/status.hpp>
#include <spool/os/process.hpp>

#include <algorithm>
#include <limits>

namespace spool::log {
namespace {

constexpr std::size_t smallest_ring = 3;
constexpr std::size_t kept_mapped =
    3;  ///< the current one, and two that a drain may still want, when all are kept on disk
constexpr std::size_t most_returned = 8;         ///< segments with an archive whose files wait to be used again
constexpr std::uint64_t most_mappings = 30'000;  ///< of a process's 65,530; each thread's stack takes two
constexpr std::size_t smallest_chunk = std::size_t{16} * 1024;

std::size_t bytes_of(const Geometry& geometry) {
  return geometry.chunks * geometry.chunk_bytes + geometry.metadata_bytes;
}

}  // namespace

std::size_t Recorder::ring_size() const {
  return std::max<std::size_t>(smallest_ring, settings_.keep / bytes_of(geometry_));
}

/// Chunks must outnumber live threads, or segments fill with chunks that are nearly empty.
Geometry Recorder::wanted_geometry() {
  Geometry geometry = settings_.geometry;
  const std::size_t threads = writers_.size() - idle_writers_.size();
  while (geometry.chunks < 2 * threads && geometry.chunks < most_chunks) {
    geometry.chunks *= 2;
    const std::size_t halved = std::max(geometry.chunk_bytes / 2, smallest_chunk);
    if (settings_.keep / halved <= most_mappings) geometry.chunk_bytes = halved;
  }
  return geometry;
}

bool Recorder::keep_house() {
  const bool closing = close_pass();
  {
    const std::lock_guard files{fm_};
    leave_damaged();
    note_cost();
    ship();
    if (ensure_spare(false) == Spare::there) no_space_.store(false, std::memory_order_relaxed);  // relaxed: a hint
    trim();
  }
  redefine_quiet_threads();
  (void)symbolize();
  return closing;
}

/// Closes what nobody writes to any more. A thread that was descheduled inside an emit delays only its own segment.
bool Recorder::close_pass() {
  {
    const std::lock_guard guard{m_};
    if (closing_.empty()) return false;
  }
  // The keeper's half of I3: the swap has stored `generation`; after this every thread that is inside shows it.
  // relaxed: set before the first segment
  if (!full_fence.load(std::memory_order_relaxed)) os::barrier_everywhere();
  std::unique_lock guard{m_};
  std::vector<std::shared_ptr<Segment>> now;
  now.reserve(closing_.size());
  for (auto each = closing_.begin(); each != closing_.end();) {
    if (!close_if_left(**each)) {
      ++each;
      continue;
    }
    closed_.push_back(*each);  // where there is no memory, it is still among those that are closing
    now.push_back(*each);
    each = closing_.erase(each);
  }
  std::ranges::sort(closed_, {}, &Segment::number);
  const bool closing = !closing_.empty();
  const std::vector<Announcement> announcements = has_packed() ? std::vector<Announcement>{} : describe(now);
  guard.unlock();
  announce(announcements);
  return closing;
}

bool Recorder::close_if_left(Segment& segment) {
  bool inside = false;
  for (Writer& writer : writers_) {
    if (writer.segment != &segment) continue;
    // relaxed: ordered by the barrier; acquire: partner is the release of commit, the packet may be reused after it
    const std::uint64_t position = writer.position.load(std::memory_order_relaxed);
    if (position != writer.committed.load(std::memory_order_acquire)) {
      inside = true;
      continue;
    }
    segment.ends[writer.chunk] =
        static_cast<std::uint64_t>(writer.packet - segment.chunks[writer.chunk].data()) + position;
    writer.segment = nullptr;
    writer.limit.store(0, std::memory_order_relaxed);  // relaxed: the owner refuses by `generation` already
  }
  if (inside) return false;
  segment.begin = segment.header(0).timestamp_begin;
  segment.records_end = os::ticks_in_order();
  // release: partner is a reader's acquire; nothing is written to the segment any more (I4)
  std::atomic_ref{segment.header(0).closed}.store(segment.records_end, std::memory_order_release);
  return true;
}

Recorder::Spare Recorder::ensure_spare(bool helping) {
  std::uint32_t number = 0;
  {
    const std::lock_guard guard{m_};
    if (spare_ != nullptr || stopped_.load(std::memory_order_relaxed)) return Spare::there;  // relaxed: set under m
    if (holder_of_oldest() != nullptr) return Spare::held_up;
    number = last_number_ + 1;
  }
  std::shared_ptr<Segment> made = make_segment(number);
  if (made == nullptr) return Spare::failed;
  const std::lock_guard guard{m_};
  last_number_ = number;
  spare_ = std::move(made);
  if (helping) ++counters_.helped;
  return Spare::there;
}

/// Segments with Records in them.
std::size_t Recorder::ring_count() const {
  return closed_.size() + closing_.size() + 1;
}

/// May the oldest closed segment go? Not while somebody copies from it, or has to read it first. Not while it is
/// packed, or told to the user, or a thread is descheduled inside an older one, so that what is left would have a hole:
/// the ring grows meanwhile, to twice its size at most.
bool Recorder::may_take_oldest() const {
  if (closed_.empty() || closed_.front()->readers != 0 || is_awaited(*closed_.front())) return false;
  const Segment& oldest = *closed_.front();
  const bool leaves_hole = !closing_.empty() && closing_.front()->number < oldest.number;
  return (!leaves_hole && oldest.packing != Packing::ordered && !oldest.told) || ring_count() >= 2 * ring_size();
}

/// The oldest closed segment, out of the ring, if it is of the wanted size and either the ring is full or the segment's
/// archive is whole.
std::shared_ptr<Segment> Recorder::take_oldest_closed(const Geometry& geometry) {
  const bool full = settings_.keep != 0 && ring_count() >= ring_size();
  const bool is_archived = !closed_.empty() && closed_.front()->packing == Packing::whole;
  if (has_packed() && !full && !is_archived && ring_count() > smallest_ring) ++counters_.lagging;
  if ((!full && !is_archived) || !may_take_oldest()) return nullptr;
  if (closed_.front()->geometry != geometry || !closed_.front()->is_mapped()) return nullptr;
  std::shared_ptr<Segment> oldest = std::move(closed_.front());
  closed_.pop_front();
  oldest->recycled = true;
  return oldest;
}

std::shared_ptr<Segment> Recorder::make_segment(std::uint32_t number) {
  std::shared_ptr<Segment> old;
  Geometry geometry;
  {
    const std::lock_guard guard{m_};
    geometry = wanted_geometry();
    geometry_ = geometry;
    old = take_oldest_closed(geometry);
  }
  if (old != nullptr) {
    tell_missed(*old);
    count_whole(*old);
  }
  if (old != nullptr && has_packed() && old->packing != Packing::whole) {
    drop_archives(0);  // older than this one: what is left must have no hole
    const std::lock_guard guard{m_};
    ++counters_.unarchived;
  }
  if (old != nullptr && old->is_damaged()) {
    remove_segment(*old);
    old.reset();
  }
  try {
    if (old != nullptr && recycle_segment(*old, number, process_)) {
      const std::lock_guard guard{m_};
      ++counters_.recycled;
      return old;
    }
  } catch (...) {  // no memory: it is the oldest again, or the ring would be empty before there is some
    const std::lock_guard guard{m_};
    old->recycled = false;
    closed_.push_front(old);
    throw;
  }
  return build_segment(directory_, number, geometry, process_);
}

/// How many segments may be in the ring: with archives, those whose archive is whole stay only to be used again.
std::size_t Recorder::most_in_ring() const {
  const bool unlimited = settings_.keep == 0;
  if (!has_packed()) return unlimited ? kept_mapped : ring_size();
  if (closed_.empty() || closed_.front()->packing != Packing::whole) {
    return unlimited ? std::numeric_limits<std::size_t>::max() : ring_size();
  }
  return unlimited ? most_returned : std::clamp(ring_size() / 2, smallest_ring, most_returned);
}

/// One segment whose archive is whole stays to be the next spare, also where the archiver lags and those that wait for
/// it are more than enough: no new page is asked for.
bool Recorder::is_next_spare(const Segment& oldest) const {
  const bool over = settings_.keep != 0 && ring_count() > ring_size();
  const bool alone = closed_.size() < 2 || closed_[1]->packing != Packing::whole;
  return has_packed() && oldest.packing == Packing::whole && alone && !over;
}

/// Lets go what is over: the oldest beyond `keep`, and files that came back from the archiver and are not needed. Where
/// all are kept without archives, only their mappings go.
void Recorder::trim() {
  std::vector<std::shared_ptr<Segment>> victims;
  {
    const std::lock_guard guard{m_};
    while (ring_count() > most_in_ring() && may_take_oldest() && !is_next_spare(*closed_.front())) {
      if (has_packed() && closed_.front()->packing != Packing::whole) ++counters_.unarchived;
      victims.push_back(std::move(closed_.front()));
      closed_.pop_front();
    }
  }
  for (const auto& victim : victims) {
    tell_missed(*victim);
    count_whole(*victim);
    if (has_packed() && victim->packing != Packing::whole) drop_archives(0);
    if (settings_.keep != 0 || has_packed()) remove_segment(*victim);
  }
  if (has_packed()) {
    unmap_waiting();
    limit_archives();
  }
}

/// A thread that sleeps through segments writes nothing into them; what its status names is defined for it.
void Recorder::redefine_quiet_threads() {
  const std::lock_guard guard{m_};
  if (current_ == nullptr || redefined_ == current_->number) return;
  for (Writer& writer : writers_) {
    StatusSnapshot seen{};
    if (!writer.attached || !snapshot(writer, seen)) continue;
    if (!definitions_.define_thread(*current_, *writer.identity) || !redefine(seen)) return;
  }
  redefined_ = current_->number;
}

bool Recorder::redefine(const StatusSnapshot& seen) {
  Segment& segment = *current_;
  for (std::size_t i = 0; i < std::min<std::size_t>(seen.entry.depth, trace::status_holds); ++i) {
    if (seen.held[i] == nullptr) continue;
    if (!definitions_.define_remembered(segment, seen.entry.holds[i].object, *seen.held[i], 0)) return false;
    if (!definitions_.define_site(segment, seen.entry.holds[i].site)) return false;
  }
  if (seen.entry.wait_record == 0) return true;
  const bool object = seen.waited == nullptr ||
                      definitions_.define_remembered(segment, seen.entry.wait_object, *seen.waited, seen.waited_parent);
  return object && definitions_.define_site(segment, seen.entry.wait_site) &&
         definitions_.define_site(segment, seen.entry.wait_owner_site) &&
         definitions_.define_stack(segment, seen.entry.wait_stack);
}

void Recorder::define_anew(Identity& identity) {
  const std::lock_guard guard{m_};
  if (current_ != nullptr) (void)definitions_.define_thread(*current_, identity);
}

void Recorder::note_mode(trace::Mode mode) {
  const std::lock_guard guard{m_};
  modes_.general = mode;
  if (current_ != nullptr) {
    if (mode == trace::Mode::long_waits) (void)definitions_.long_wait(*current_, modes_.long_wait);
    (void)definitions_.mode(*current_, mode);
  }
  if (!status_) return;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
  auto& header = *reinterpret_cast<trace::StatusHeader*>(status_.data());
  std::atomic_ref{header.mode}.store(static_cast<std::uint32_t>(mode), std::memory_order_relaxed);  // relaxed: a hint
}

void Recorder::note_long_wait(std::chrono::nanoseconds span) {
  const std::lock_guard guard{m_};
  modes_.long_wait = span;
  if (current_ != nullptr && modes_.has_long()) (void)definitions_.long_wait(*current_, span);
}

void Recorder::note_own_mode(Object& object, std::optional<trace::Mode> mode) {
  const trace::ObjectNumber number = object.number();
  const std::lock_guard guard{m_};
  if (mode) {
    modes_.own.insert_or_assign(number, *mode);
    if (modes_.own.size() > Modes::most_own) modes_.own.erase(modes_.own.begin());
  } else {
    modes_.own.erase(number);
  }
  if (current_ == nullptr || !definitions_.define(*current_, object)) return;
  if (mode == trace::Mode::long_waits) (void)definitions_.long_wait(*current_, modes_.long_wait);
  (void)definitions_.mode(*current_, mode.value_or(modes_.general), number);
}

RecorderCounters Recorder::counters() {
  const std::lock_guard guard{m_};
  RecorderCounters now = counters_;
  now.lost = lost_.load(std::memory_order_relaxed);  // relaxed: a count
  return now;
}

std::filesystem::path Recorder::directory() const {
  return directory_;
}

}  // namespace spool::log
