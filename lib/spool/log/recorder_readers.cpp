// SPDX-License-Identifier: MIT
//
// The recorder and those who read along: segments are pinned while they are copied from, whoever has not read one that
// is recycled is told, and the ring waits for a reader that asked for it.
#include <spool/log/dispatcher.hpp>
#include <spool/log/drain.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>

#include <algorithm>

namespace spool::log {
namespace {

constexpr auto look_again = std::chrono::milliseconds{10};

}  // namespace

std::vector<PinnedSegment> Recorder::pin_segments(const std::function<bool(std::uint32_t)>& wanted) {
  const std::lock_guard guard{m_};
  std::vector<PinnedSegment> pinned;
  const auto pin = [&](const std::shared_ptr<Segment>& segment, bool closed) {
    if (segment == nullptr || !wanted(segment->number)) return;
    ++segment->readers;
    pinned.push_back({segment, closed});
  };
  for (const auto& each : closed_)
    pin(each, true);
  for (const auto& each : closing_)
    pin(each, false);
  pin(current_, false);
  std::ranges::sort(pinned, {}, [](const PinnedSegment& each) { return each.segment->number; });
  return pinned;
}

void Recorder::unpin(const std::vector<PinnedSegment>& segments) {
  {
    const std::lock_guard guard{m_};
    for (const PinnedSegment& each : segments)
      --each.segment->readers;
  }
  // relaxed: whoever begins to wait looks again soon
  if (held_up_.load(std::memory_order_relaxed) == 0) return;
  unpinned_.fetch_add(1, std::memory_order_release);  // release: partner is the acquire in wait_for_readers
  os::unpark(&unpinned_, os::everybody);
}

void Recorder::add_reader(Drain& reader) {
  const std::lock_guard files{fm_};
  const std::lock_guard guard{m_};
  readers_.push_back(&reader);
}

void Recorder::remove_reader(Drain& reader) {
  const std::lock_guard files{fm_};
  const std::lock_guard guard{m_};
  std::erase(readers_, &reader);
}

void Recorder::tell_missed(const Segment& segment) {
  for (Drain* reader : readers_)
    reader->miss(segment);
}

bool Recorder::is_awaited(const Segment& segment) const {
  return std::ranges::any_of(readers_, [&](const Drain* each) { return each->holds(segment.number); });
}

Drain* Recorder::holder_of_oldest() {
  if (closed_.empty() || ring_count() < ring_size()) return nullptr;
  const auto found =
      std::ranges::find_if(readers_, [&](const Drain* each) { return each->holds(closed_.front()->number); });
  return found == readers_.end() ? nullptr : *found;
}

/// True: it waited, and the world may look different. A reader that does not get on is not waited for any longer than
/// its patience; then it is passed over until it does.
bool Recorder::wait_for_readers() {
  if (Dispatcher::is_feeding()) return false;  // a sink that logs cannot wait for itself
  bool waited = false;
  const Drain* holder = nullptr;
  std::uint64_t progress = 0;
  os::Deadline deadline = os::never;
  for (;;) {
    const std::uint32_t seen = unpinned_.load(std::memory_order_acquire);  // acquire: partner is the release in unpin
    {
      const std::lock_guard guard{m_};
      Drain* const now = spare_ != nullptr ? nullptr : holder_of_oldest();
      if (now == nullptr) return waited;
      if (now != holder || now->progress() != progress) {
        holder = now;
        progress = now->progress();
        deadline = os::deadline_after(now->patience());
      } else if (std::chrono::steady_clock::now() >= deadline) {
        now->give_up();
        continue;
      }
    }
    waited = true;
    Dispatcher::wake();                                // not to wait for the delay of 10 ms besides
    held_up_.fetch_add(1, std::memory_order_relaxed);  // relaxed, both: a hint to unpin; a missed wake costs look_again
    os::park(unpinned_, seen, os::deadline_after(look_again));
    held_up_.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace spool::log
