// SPDX-License-Identifier: MIT
#include <unspool/read/frame_cache.hpp>

#include <algorithm>
#include <atomic>
#include <new>
#include <optional>
#include <system_error>

namespace unspool {
namespace {

// Of 16 threads that are read at once a few MiB are in use. A frame that is dropped too early is unpacked again.
constexpr std::uint64_t most_bytes = std::uint64_t{32} << 20;
constexpr std::size_t most_entries = 4096;
constexpr std::size_t most_unread = 64;
constexpr std::size_t most_spare = 16;
constexpr unsigned most_workers = 4;

}  // namespace

FrameCache::FrameCache() {
  spare_.reserve(most_spare);
}

FrameCache::~FrameCache() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  ordered_.notify_all();
  for (std::thread& each : workers_)
    each.join();
}

std::shared_ptr<const PlainFrame> FrameCache::get(const std::shared_ptr<const StoredFrames>& archive,
                                                  std::uint32_t number) {
  const Key key{archive.get(), number};
  std::unique_lock guard{mutex_};
  auto& slot = entries_[key];
  if (slot == nullptr) {
    slot = std::make_shared<Entry>();
    slot->archive = archive;
    ++unread_;
  }
  const std::shared_ptr<Entry> entry = slot;  // it may be dropped as soon as it is whole
  if (entry->unread) --unread_;
  entry->unread = false;
  if (entry->state == State::expected) {
    unpack(guard, key, *entry, decoder_);
  } else if (entry->state == State::whole) {
    recent_.splice(recent_.end(), recent_, entry->recent);
  } else {
    done_.wait(guard, [&entry] { return entry->state == State::whole; });
  }
  return {entry, &entry->frame};
}

void FrameCache::expect(const std::shared_ptr<const StoredFrames>& archive, std::uint32_t number) {
  {
    const std::lock_guard guard{mutex_};
    if (unread_ >= most_unread) return;
    const Key key{archive.get(), number};
    auto& slot = entries_[key];
    if (slot != nullptr) return;
    slot = std::make_shared<Entry>();
    slot->archive = archive;
    ++unread_;
    expected_.push_back(key);
    begin_workers();
  }
  ordered_.notify_one();
}

/// One for each processor but that of the caller. Where there are none the caller does it all.
void FrameCache::begin_workers() {
  if (!workers_.empty()) return;
  const unsigned wanted = std::clamp(std::thread::hardware_concurrency(), 2U, most_workers + 1) - 1;
  try {
    while (workers_.size() < wanted)
      workers_.emplace_back(&FrameCache::work, this);
  } catch (const std::system_error&) {  // the system has no more threads
  }
}

/// Without memory the caller does it.
void FrameCache::work() {
  std::optional<FrameDecoder> decoder;
  try {
    decoder.emplace();
  } catch (const std::bad_alloc&) {
    return;
  }
  std::unique_lock guard{mutex_};
  for (;;) {
    ordered_.wait(guard, [this] { return stopping_ || !expected_.empty(); });
    if (stopping_) return;
    const Key key = expected_.front();
    expected_.pop_front();
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second->state != State::expected) continue;
    const std::shared_ptr<Entry> entry = found->second;
    try {
      unpack(guard, key, *entry, *decoder);
    } catch (const std::bad_alloc&) {
      return;
    }
    done_.notify_all();
  }
}

/// With the mutex, and without it while it unpacks.
void FrameCache::unpack(std::unique_lock<std::mutex>& guard, const Key& key, Entry& entry, FrameDecoder& decoder) {
  std::list<Key> place{key};  // what may fail comes before the state
  entry.state = State::unpacking;
  const std::uint64_t size = entry.archive->places()[key.second].plain_size;
  if (!spare_.empty() && spare_.back().capacity() <= 2 * size) {
    entry.frame.bytes.swap(spare_.back());
    spare_.pop_back();
  }
  guard.unlock();
  try {
    decoder.unpack(*entry.archive, key.second, entry.frame);
  } catch (const std::bad_alloc&) {
    entry.frame.bytes = {};
    entry.frame.fault = "no memory";  // as short as takes none
  }
  guard.lock();
  entry.state = State::whole;
  entry.weight = entry.frame.bytes.capacity();
  entry.recent = place.begin();
  recent_.splice(recent_.end(), place);
  bytes_ += entry.weight;
  while (recent_.size() > 1 && (bytes_ > most_bytes || recent_.size() > most_entries))
    drop_oldest();
}

void FrameCache::drop_oldest() {
  const auto found = entries_.find(recent_.front());
  Entry& entry = *found->second;
  if (entry.unread) --unread_;
  bytes_ -= entry.weight;
  if (found->second.use_count() == 1 && spare_.size() < most_spare) {
    // Nobody else has it: its memory is used again. acquire: partner is the release by which the caller let it go
    std::atomic_thread_fence(std::memory_order_acquire);
    spare_.push_back(std::move(entry.frame.bytes));
  }
  recent_.pop_front();
  entries_.erase(found);
}

}  // namespace unspool
