// SPDX-License-Identifier: MIT
//
// The recorder's part in shipping: which closed segment is packed next, when its files may be used again, which
// archives go, and what the announcer is told.
//
//      closed, packing none ──▶ ordered ──▶ whole ──▶ recycled as the next spare, or removed
//                     (keeper)    (archiver, then keeper: the archive gets its name)
//
// The archive gets its name before the segment's files are touched: at every instant a segment is there as a directory,
// as a whole archive, or both.
#include <spool/log/recorder.hpp>
#include <spool/os/process.hpp>
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace spool::log {
namespace {

constexpr auto pause_after_failure = std::chrono::seconds{1};
constexpr std::size_t most_mapped = 32;  ///< closed segments; a mapping for each chunk, of the 65,530 of a process

}  // namespace

std::filesystem::path Recorder::archive_path(std::uint32_t number, bool whole) const {
  return directory_ / fmt::format("{}{:06}{}", whole ? "" : ".", number, trace::archive_suffix);
}

std::chrono::system_clock::time_point Recorder::wall_time(trace::Ticks ticks) const {
  const std::uint64_t since = process_.epoch_ticks + ticks;
  const std::uint64_t second = 1'000'000'000;
  const std::uint64_t rest = since % process_.frequency * second / process_.frequency;
  const auto seconds = static_cast<std::uint64_t>(process_.epoch_seconds) + since / process_.frequency;
  return std::chrono::system_clock::time_point{std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * second + rest)})};
}

ClosedSegment Recorder::describe(const Segment& segment) const {
  ClosedSegment closed;
  closed.path = segment.directory;
  closed.number = segment.number;
  closed.bytes = segment.bytes();
  closed.first = wall_time(segment.begin);
  closed.last = wall_time(segment.records_end);
  return closed;
}

/// Nothing of segments in memory, which have no path.
std::vector<Recorder::Announcement> Recorder::describe(const std::vector<std::shared_ptr<Segment>>& segments) const {
  std::vector<Announcement> described;
  if (!is_shipped() || directory_.empty()) return described;
  for (const auto& each : segments)
    described.emplace_back(describe(*each), each);
  return described;
}

void Recorder::announce(const std::vector<Announcement>& announcements) {
  for (const auto& [closed, segment] : announcements)
    announcer_.announce(closed, segment);
}

bool Recorder::begin_telling(Segment& segment, std::uint32_t number) {
  const std::lock_guard guard{m_};
  if (segment.recycled || segment.number != number) return false;
  segment.told = true;
  return true;
}

void Recorder::end_telling(Segment& segment) {
  const std::lock_guard guard{m_};
  segment.told = false;
}

void Recorder::ship() {
  if (!has_packed()) return;
  take_packed();
  order_packing();
}

/// Gives a finished archive its name, unless its segment was recycled meanwhile: then it may hold anything.
void Recorder::take_packed() {
  const std::optional<Packed> packed = archiver_.take();
  if (!packed) return;
  if (packed->error == 0 && adopt(*packed)) return;
  (void)unlink(archive_path(packed->number, false).c_str());
  bool failed = false;
  {
    const std::lock_guard guard{m_};
    const auto found = std::ranges::find(closed_, packed->number, &Segment::number);
    if (found == closed_.end()) return;
    // Somebody has shipped it himself: it needs no archive.
    (*found)->packing = packed->moved ? Packing::whole : Packing::none;
    failed = packed->error != ECANCELED && !packed->moved;
    if (failed) ++counters_.archive_failures;
  }
  if (!failed) return;
  next_packing_ = os::deadline_after(pause_after_failure);
  if (std::exchange(told_no_archive_, true)) return;
  os::print_error(fmt::format("spool: {} cannot be written: {}; segments stay uncompressed until it can (said once)\n",
                              archive_path(packed->number, true).string(),
                              std::generic_category().message(packed->error)));
}

bool Recorder::adopt(const Packed& packed) {
  std::shared_ptr<Segment> segment;
  {
    const std::lock_guard guard{m_};
    const auto found = std::ranges::find(closed_, packed.number, &Segment::number);
    if (found == closed_.end()) return false;
    segment = *found;
  }
  const std::filesystem::path path = archive_path(packed.number, true);
  if (rename(archive_path(packed.number, false).c_str(), path.c_str()) != 0) return false;
  archives_.push_back({packed.number, packed.bytes});
  {
    const std::lock_guard guard{m_};
    segment->packing = Packing::whole;
    ++counters_.archived;
    counters_.archive_bytes += packed.bytes;
  }
  packing_.path = path;
  packing_.bytes = packed.bytes;
  packing_.archived = true;
  announcer_.announce(packing_, nullptr);
  return true;
}

/// The oldest comes first, so that the archives and the directories behind them have no hole between them.
void Recorder::order_packing() {
  if (!archiver_.is_idle() || std::chrono::steady_clock::now() < next_packing_) return;
  std::shared_ptr<Segment> next;
  PackOrder order;
  {
    const std::lock_guard guard{m_};
    const auto found = std::ranges::find(closed_, Packing::none, [](const auto& each) { return each->packing; });
    if (found == closed_.end()) return;
    // A thread that is descheduled inside an older one: that one has to be first.
    if (!closing_.empty() && closing_.front()->number < (*found)->number) return;
    next = *found;
    packing_ = describe(*next);
    order = {next->directory, archive_path(next->number, false), next->number, next->next_chunk};
    next->packing = Packing::ordered;
  }
  if (archiver_.give(std::move(order))) return;
  const std::lock_guard guard{m_};
  next->packing = Packing::none;
  ++counters_.archive_failures;
  next_packing_ = os::deadline_after(pause_after_failure);
}

std::uint64_t Recorder::ring_bytes() {
  const std::lock_guard guard{m_};
  std::uint64_t sum = 0;
  for (const auto& each : closed_)
    sum += each->bytes();
  for (const auto& each : closing_)
    sum += each->bytes();
  for (const auto& each : {current_, spare_})
    sum += each == nullptr ? 0 : each->bytes();
  return sum;
}

void Recorder::limit_archives() {
  if (settings_.keep == 0) return;
  const std::uint64_t ring = ring_bytes();
  drop_archives(settings_.keep > ring ? settings_.keep - ring : 0);
}

/// Removes the oldest archives until `most` bytes are left of them. What others have taken away does not count.
void Recorder::drop_archives(std::uint64_t most) {
  const auto total = [this] {
    std::uint64_t sum = 0;
    for (const ArchiveFile& each : archives_)
      sum += each.bytes;
    return sum;
  };
  if (total() <= most) return;
  std::erase_if(archives_, [this](const ArchiveFile& each) {
    struct stat about {};
    return lstat(archive_path(each.number, true).c_str(), &about) != 0 && errno == ENOENT;
  });
  for (std::uint64_t left = total(); left > most; archives_.pop_front()) {
    left -= archives_.front().bytes;
    (void)unlink(archive_path(archives_.front().number, true).c_str());
  }
}

/// Segments that wait for the archiver are as many as it lags behind: the newest keep their mappings no longer than
/// needed. Their files are removed and not used again once their archives are whole.
void Recorder::unmap_waiting() {
  std::vector<os::MappedFile> unmapped;  // outside of m
  const std::lock_guard guard{m_};
  for (std::size_t i = most_mapped; i < closed_.size(); ++i) {
    Segment& segment = *closed_[i];
    if (segment.readers != 0 || is_awaited(segment)) continue;
    std::ranges::move(segment.chunks, std::back_inserter(unmapped));
    segment.chunks.clear();
    unmapped.push_back(std::move(segment.metadata));
  }
}

/// What is closed by now and has no archive stays as it is, and is announced as such.
void Recorder::end_packing() {
  if (!has_packed()) return;
  take_packed();
  archiver_.stop();
  take_packed();
  trim();
  std::vector<std::shared_ptr<Segment>> left;
  std::unique_lock guard{m_};
  std::ranges::copy_if(closed_, std::back_inserter(left),
                       [](const auto& each) { return each->packing != Packing::whole; });
  const std::vector<Announcement> announcements = describe(left);
  guard.unlock();
  announce(announcements);
}

}  // namespace spool::log
