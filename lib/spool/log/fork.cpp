// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/identity.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>

#include <array>
#include <atomic>

#include <pthread.h>

namespace spool::log {
namespace {

/// A few mutexes that are guarded for ever.
class Guarded {
 public:
  void add(std::mutex& mutex) {
    const std::size_t at = count_.fetch_add(1, std::memory_order_relaxed);  // relaxed: each has a place of its own
    if (at < places_.size()) places_[at].store(&mutex, std::memory_order_release);  // release: partner is in lock
  }
  void lock() {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      locked_[i] = places_[i].load(std::memory_order_acquire);  // acquire: partner is in add
      if (locked_[i] != nullptr) locked_[i]->lock();
    }
  }
  void unlock() {
    for (std::size_t i = places_.size(); i-- > 0;) {
      if (locked_[i] != nullptr) locked_[i]->unlock();
    }
  }

 private:
  static constexpr std::size_t most = 8;
  std::array<std::atomic<std::mutex*>, most> places_{};
  std::array<std::mutex*, most> locked_{};  ///< by the fork under way
  std::atomic<std::size_t> count_{0};
};

constinit Guarded outermost;
constinit Guarded innermost;

// Order of the mutexes: outermost, the dispatcher's, fm, m, the registry's, innermost.

void before_fork() {
  outermost.lock();
  Dispatcher::lock_for_fork();
  Recorder::instance().lock_for_fork();
  Registry::lock_for_fork();
  innermost.lock();
}

void in_parent() {
  innermost.unlock();
  Registry::unlock_after_fork();
  Recorder::instance().unlock_after_fork();
  Dispatcher::unlock_after_fork();
  outermost.unlock();
}

/// No file is made here and nothing is started: the child may be about to call exec.
void in_child() {
  forks.fetch_add(1, std::memory_order_relaxed);  // relaxed: the child has one thread
  Keeper::forget_after_fork();
  Recorder::instance().leave_parent();
  Registry::forget_others_after_fork();
  innermost.unlock();
  Registry::unlock_after_fork();
  Recorder::instance().unlock_after_fork();
  Dispatcher::forget_after_fork();
  outermost.unlock();
}

[[gnu::constructor]] void at_load() {
  prepare_for_fork();
}

}  // namespace

void prepare_for_fork() {
  static const bool registered = pthread_atfork(&before_fork, &in_parent, &in_child) == 0;
  (void)registered;
}

void guard_across_fork(std::mutex& mutex, ForkOrder order) {
  (order == ForkOrder::outermost ? outermost : innermost).add(mutex);
}

}  // namespace spool::log
