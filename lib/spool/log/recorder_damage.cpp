// SPDX-License-Identifier: MIT
//
// What the recorder does where another process has truncated its files (os/spare_page.hpp): writers leave such a
// segment for the next one, what was lost in it is counted, and a thread that comes by tells it. The directory stays as
// the other process has left it, until the ring comes to it.
#include <spool/log/recorder.hpp>
#include <spool/os/process.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <sys/stat.h>

namespace spool::log {
namespace {

/// Bytes of the chunk's file that are still there.
std::uint64_t bytes_on_disk(const Segment& segment, std::size_t chunk) {
  struct stat about {};
  const std::filesystem::path path = segment.directory / fmt::format("stream-{:04}", chunk);
  return stat(path.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

/// How many Records of this chunk are not in its file, at a transition's size. Whoever has left a chunk for another one
/// has filled it.
std::uint64_t records_cut_off(const Segment& segment, std::size_t chunk) {
  if (segment.header(chunk).stream_id == trace::definition_stream || chunk == 0) return 0;
  constexpr std::uint64_t page = 4096;
  const std::uint64_t end = segment.ends[chunk] != 0 ? segment.ends[chunk] : segment.chunks[chunk].size();
  const std::uint64_t gone = std::min(segment.chunks[chunk].spare_pages() * page, end);  // it may have grown again
  const std::uint64_t kept =
      std::max(std::min({bytes_on_disk(segment, chunk), end, end - gone}), std::uint64_t{sizeof(trace::PacketHeader)});
  return end <= kept ? 0 : (end - kept + sizeof(trace::Transition) - 1) / sizeof(trace::Transition);
}

std::uint64_t records_cut_off(const Segment& segment) {
  std::uint64_t sum = 0;
  for (std::size_t chunk = 0; chunk < std::min(segment.next_chunk, segment.chunks.size()); ++chunk)
    sum += records_cut_off(segment, chunk);
  return sum;
}

}  // namespace

void Recorder::leave_damaged() {
  count_truncated();
  const std::uint64_t seen = os::spare_pages();
  if (seen == spare_pages_seen_) return;
  if (!std::exchange(told_truncated_, true)) {
    os::print_error(
        fmt::format("spool: another process has truncated files of the trace {}; what was in them is lost and counted, "
                    "recording goes on in the next segment (said once)\n",
                    directory_.string()));
  }
  renew_status();
  if (leave_damaged_segments()) spare_pages_seen_ = seen;
}

/// False: it has to be tried again, as there is no other segment now.
bool Recorder::leave_damaged_segments() {
  std::shared_ptr<Segment> unusable;
  {
    const std::lock_guard guard{m_};
    if (spare_ != nullptr && spare_->is_damaged()) {
      unusable = std::move(spare_);
      --last_number_;  // no Record has it: the next spare gets the number
    }
    if (unusable == nullptr && (current_ == nullptr || !current_->is_damaged())) return true;
  }
  if (unusable != nullptr) remove_segment(*unusable);
  if (ensure_spare(false) != Spare::there) return false;
  const std::lock_guard guard{m_};
  return current_ == nullptr || !current_->is_damaged() || swap_segments();
}

/// Once nobody writes to a damaged segment any more.
void Recorder::count_truncated() {
  if (os::spare_pages() == 0) return;
  std::vector<std::shared_ptr<Segment>> damaged;
  {
    const std::lock_guard guard{m_};
    for (const auto& each : closed_) {
      if (!each->loss_counted && each->is_damaged()) damaged.push_back(each);
    }
  }
  for (const auto& each : damaged) {
    each->loss_counted = true;
    const std::uint64_t lost = records_cut_off(*each);
    const std::lock_guard guard{m_};
    if (has_packed() && each->packing == Packing::none)
      each->packing = Packing::whole;  // there is nothing to make an archive of
    truncated_ += lost;
    add_lost(lost);
  }
}

}  // namespace spool::log
