// SPDX-License-Identifier: MIT
//
// A thread of ours (the keeper, a sink's feeder): no identity, all signals blocked, so that the server's handlers never
// run on it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

#include <pthread.h>

namespace spool::log {

/// Must not move while its thread runs.
class HiddenThread {
 public:
  /// False when the system makes no thread.
  bool start(const char* name, void (*run)(void*), void* argument);
  /// Waits for its end; nothing if it was not started.
  void join();
  bool is_calling() const { return running_ && pthread_equal(thread_, pthread_self()) != 0; }
  /// After fork, in the child: the thread does not exist there. Or it is left to itself.
  void forget();
  /// How many of all of them run.
  static std::uint32_t count() noexcept { return running_count.load(std::memory_order_relaxed); }  // relaxed: a count
  /// That it has used, in all its runs. Thread-safe; a little low while a run is ending.
  std::chrono::nanoseconds cpu_time() const noexcept;

 private:
  static constexpr clockid_t no_clock = 0;  ///< CLOCK_REALTIME: no thread's

  static void* enter(void* self);
  static inline std::atomic<std::uint32_t> running_count{0};

  pthread_t thread_{};
  bool running_ = false;
  void (*run_)(void*) = nullptr;
  void* argument_ = nullptr;
  std::atomic<clockid_t> clock_{no_clock};  ///< of its CPU time, while it runs
  std::atomic<std::uint64_t> spent_{0};     ///< ns, in the runs before
};

}  // namespace spool::log
