// SPDX-License-Identifier: MIT
//
// Frames of archives, unpacked: each when it is asked for, those that will be asked for soon on threads of their own.
// Owns the memory they take, which is bounded whatever is asked for.
#pragma once

#include <unspool/read/seekable.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace unspool {

/// Thread-bound; its own threads work beside the caller. An entry's frame is written without the mutex by whoever has
/// set its state to `unpacking`, and only read once that is `whole`.
class FrameCache {
 public:
  FrameCache();
  FrameCache(const FrameCache&) = delete;
  FrameCache& operator=(const FrameCache&) = delete;
  ~FrameCache();

  std::shared_ptr<const PlainFrame> get(const std::shared_ptr<const StoredFrames>& archive, std::uint32_t number);
  /// It will be asked for soon. A hint: where too many are, it is passed over.
  void expect(const std::shared_ptr<const StoredFrames>& archive, std::uint32_t number);

 private:
  using Key = std::pair<const StoredFrames*, std::uint32_t>;
  enum class State : std::uint8_t { expected, unpacking, whole };
  struct Entry {
    std::shared_ptr<const StoredFrames> archive;
    PlainFrame frame;
    State state = State::expected;
    bool unread = true;               ///< nobody has asked for it yet
    std::uint64_t weight = 0;         ///< of a whole one: the memory it takes
    std::list<Key>::iterator recent;  ///< of a whole one
  };

  void work();
  void begin_workers();
  void unpack(std::unique_lock<std::mutex>& guard, const Key& key, Entry& entry, FrameDecoder& decoder);
  void drop_oldest();

  FrameDecoder decoder_;  ///< the caller's
  std::mutex mutex_;      ///< guards what follows
  std::condition_variable ordered_;
  std::condition_variable done_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
  std::deque<Key> expected_;  ///< some of them the caller has unpacked meanwhile
  std::list<Key> recent_;     ///< the whole ones; what was asked for last stands last
  std::vector<std::vector<std::byte>> spare_;
  std::uint64_t bytes_ = 0;  ///< the sum of the weights
  std::size_t unread_ = 0;   ///< entries
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace unspool
