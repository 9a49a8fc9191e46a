// SPDX-License-Identifier: MIT
//
// The inside of a Thread that spool starts. Shared by its handles and by the running thread.
#pragma once

#include <spool/thread/thread.hpp>

#include <pthread.h>

namespace spool::thread {

class ThreadState final : public log::Identity {
 public:
  ThreadState(ThreadOptions options, std::unique_ptr<Task> task, trace::ThreadNumber creator, bool daemon);
  ~ThreadState() override;

  /// Makes the system's thread. `self` is the handle whose run() is called; it is owned until the thread has ended.
  void launch(std::shared_ptr<Thread> self, const std::shared_ptr<ThreadState>& keep, const Site& site);
  void run_task();
  /// Waits for the system's thread to be gone, which is a moment after `ended`; done by one joiner.
  void reap() noexcept;

  bool is_started() const { return started_.load(std::memory_order_acquire) == started; }  // acquire: see mark_started
  std::stop_source& stop_source() { return stop_; }
  std::exception_ptr exception() const;
  void set_daemon_checked(bool daemon, const Site& site);

 private:
  enum Phase : std::uint32_t { created, starting, started };

  void create(const pthread_attr_t* attributes, const Site& site);
  void mark_started() { started_.store(started, std::memory_order_release); }  // release: partner is is_started
  static void* enter(void* argument);
  void live() noexcept;
  void on_ended() override;
  void on_forked_away() override {
    // relaxed: the child has one thread
    reaped_.store(true, std::memory_order_relaxed);
  }
  /// Whoever joins it waits for the end of the program's main thread, not for pthread's.
  void on_became_main() override { on_forked_away(); }

  std::unique_ptr<Task> task_;
  std::size_t stack_size_;
  std::stop_source stop_;
  std::atomic<std::uint32_t> started_{created};
  std::atomic<bool> reaped_{false};
  std::shared_ptr<Thread> runner_;     ///< the running thread's own hold on its handle
  std::shared_ptr<ThreadState> keep_;  ///< and on this
  std::exception_ptr exception_;       ///< written before `ended`, read after it
  pthread_t native_{};
};

/// Calls the hook for an exception that left a thread's target.
void report_exception(const std::exception_ptr& exception, const Thread& thread) noexcept;

}  // namespace spool::thread
