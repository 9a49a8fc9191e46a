// SPDX-License-Identifier: MIT
//
// Condition: wait, under a Lock or an RLock, until another thread notifies. Python's threading.Condition with
// std::condition_variable's names. Owns the queue of waiters; the lock may be its own or the user's.
//
//   spool::Condition ready{"ready"};
//   { std::lock_guard guard{ready}; ready.wait([&] { return !jobs.empty(); }); ... }
//   { std::lock_guard guard{ready}; jobs.push(job); ready.notify_one(); }
#pragma once

#include <spool/sync/lock.hpp>
#include <spool/sync/rlock.hpp>

#include <chrono>
#include <concepts>
#include <memory>

namespace spool {

/// Thread-safe. Waiters are woken first come, first served, and no spurious wake-up reaches the caller: a wait returns
/// because it was notified, timed out or was stopped. A wait lets a re-entered RLock go however often it is held, and
/// holds it as often again when it returns.
///
///   a waiter's word   waiting ──notify──▶ notified        decided by one CAS: a notification is never given to a
///                        └──deadline, stop──▶ gone         waiter that has given up
///
/// Memory ordering: all of it happens under the lock, whose ordering holds.
/// Requires: the calling thread holds the lock, else MisuseError; not destroyed while waited on.
/// Records: of a wait: block (with how often the lock is held), the lock's release, then continue (with who notified,
/// and where), timeout or cancel, then the lock's Records of acquiring it again. However often an RLock is held, these
/// are one release and one acquire. Each with the caller's line.
class SPOOL_CAPABILITY("mutex") Condition {
 public:
  /// Over the user's lock, which must outlive it.
  explicit Condition(Lock& lock, Name name = {}, const Site& site = Site::current())
      : lock_{&lock}, object_{trace::Kind::condition, name, site} {
    object_.set_parent(&lock.log_object());
  }
  explicit Condition(RLock& lock, Name name = {}, const Site& site = Site::current())
      : rlock_{&lock}, object_{trace::Kind::condition, name, site} {
    object_.set_parent(&lock.log_object());
  }
  /// Over an RLock of its own, of the same name.
  Condition(const Site& site = Site::current()) : Condition{Name{}, site} {}  // NOLINT(google-explicit-constructor)
  explicit Condition(Name name, const Site& site = Site::current());
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition();

  /// The lock, so that guards work on a Condition as on its lock.
  void lock(const Site& site = Site::current()) SPOOL_ACQUIRE() {
    lock_ != nullptr ? lock_->lock(site) : rlock_->lock(site);
  }
  [[nodiscard]] bool try_lock(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return lock_ != nullptr ? lock_->try_lock(site) : rlock_->try_lock(site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    return lock_ != nullptr ? lock_->try_lock_for(span, site) : rlock_->try_lock_for(span, site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time,
                                    const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return lock_ != nullptr ? lock_->try_lock_until(time, site) : rlock_->try_lock_until(time, site);
  }
  [[nodiscard]] bool lock(const std::stop_token& stop, const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return lock_ != nullptr ? lock_->lock(stop, site) : rlock_->lock(stop, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                  const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return lock_ != nullptr ? lock_->try_lock_for(stop, span, site) : rlock_->try_lock_for(stop, span, site);
  }
  void unlock(const Site& site = Site::current()) SPOOL_RELEASE() {
    lock_ != nullptr ? lock_->unlock(site) : rlock_->unlock(site);
  }

  /// Waits until notified.
  void wait(const Site& site = Site::current()) { (void)wait_on(os::never, nullptr, site); }

  /// Waits until notified (true) or for `span` (false); the lock is held again either way.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return wait_on(os::deadline_after(span), nullptr, site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) {
    return wait_on(os::deadline_at(time), nullptr, site);
  }
  /// False when `stop` asked to stop first.
  [[nodiscard]] bool wait(const std::stop_token& stop, const Site& site = Site::current()) {
    return wait_on(os::never, &stop, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) {
    return wait_on(os::deadline_after(span), &stop, site);
  }

  /// Waits until `done()`, called under the lock. The timed ones return its last value.
  template <std::predicate Done>
  void wait(Done done, const Site& site = Site::current()) {
    while (!done())
      (void)wait_on(os::never, nullptr, site);
  }
  template <class Rep, class Period, std::predicate Done>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> span, Done done, const Site& site = Site::current()) {
    return wait_while_not(os::deadline_after(span), nullptr, done, site);
  }
  template <class Clock, class Duration, std::predicate Done>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& time, Done done,
                                const Site& site = Site::current()) {
    return wait_while_not(os::deadline_at(time), nullptr, done, site);
  }
  template <std::predicate Done>
  [[nodiscard]] bool wait(const std::stop_token& stop, Done done, const Site& site = Site::current()) {
    return wait_while_not(os::never, &stop, done, site);
  }
  template <class Rep, class Period, std::predicate Done>
  [[nodiscard]] bool wait_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span, Done done,
                              const Site& site = Site::current()) {
    return wait_while_not(os::deadline_after(span), &stop, done, site);
  }

  /// Wakes the `count` longest waiting. Records: notify, with how many were woken and how many waited.
  void notify(std::size_t count = 1, const Site& site = Site::current());
  void notify_one(const Site& site = Site::current()) { notify(1, site); }
  void notify_all(const Site& site = Site::current()) { notify(static_cast<std::size_t>(-1), site); }

  log::ObjectState& log_object() { return object_; }

 private:
  struct Node;
  struct Late;

  template <class Done>
  bool wait_while_not(os::Deadline deadline, const std::stop_token* stop, Done& done, const Site& site) {
    while (!done()) {
      if (!wait_on(deadline, stop, site)) return done();
    }
    return true;
  }

  /// Lets the lock go and takes it again, which the analysis cannot follow.
  bool wait_on(os::Deadline deadline, const std::stop_token* stop, const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS;
  void forget_left_behind();
  void enqueue(Node& node);
  void unlink(Node& node);
  static void wake_in_order(Node* newest);
  static bool sleep(Node& node, os::Deadline deadline);
  void sleep_to_end(Node& node, os::Deadline deadline, const Late& late, const Site& site);
  bool awaits_recorded(std::size_t count) const;
  std::uint32_t depth_of_lock() const;
  void let_go(const Site& site);
  void take_again(std::uint32_t depth, const Site& site);
  void note_block(const Node& node, std::uint32_t depth, const log::WaitEnd& limit, const Site& site);
  void note_woken(const Node& node, const Site& site);
  void check_owned(const char* what, const Site& site);

  Lock* lock_ = nullptr;  ///< this one, or
  RLock* rlock_ = nullptr;
  std::unique_ptr<RLock> own_;
  Node* first_ = nullptr;  ///< under the lock, as all below
  Node* last_ = nullptr;
  std::atomic<std::uint32_t> waiters_{0};
  std::atomic<std::uint32_t> process_{0};     ///< log::fork_depth() of the process whose threads are in the list
  std::atomic<trace::Sequence> sequence_{0};  ///< advanced under the lock, quoted by who times out
  log::ObjectState object_;
};

}  // namespace spool
