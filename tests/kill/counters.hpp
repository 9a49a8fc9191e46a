// SPDX-License-Identifier: MIT
//
// What the child that will be killed shares with the test: how far each of its threads has come. A number stands here
// only after the call that recorded it has returned.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace spool::test {

inline constexpr std::size_t kill_threads = 4;

struct ThreadProgress {
  alignas(64) std::atomic<std::uint64_t> messages;  ///< the number in the last message
  std::atomic<std::uint64_t> pairs;                 ///< lock() and unlock() of the thread's own lock
  std::atomic<std::uint64_t> lock;                  ///< that lock's number in the trace
  std::atomic<std::uint64_t> thread;                ///< the thread's
  std::atomic<std::uint64_t> before;                ///< the ticks just before the last round that was finished
};

struct Progress {
  ThreadProgress threads[kill_threads];
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "it is shared between processes");

}  // namespace spool::test
