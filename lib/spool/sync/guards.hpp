// SPDX-License-Identifier: MIT
//
// std::lock_guard, std::unique_lock and std::scoped_lock for our locks, so that a Record bears the user's line and not
// one of <mutex>. (std::lock and std::try_lock are in several_locks.hpp, std::shared_lock in shared_guard.hpp.)
//
// The classes are specialized, which the standard allows for program-defined types; each meets the requirements of its
// original and takes a Site as a last, defaulted parameter.
//
// std::condition_variable_any unlocks and locks from within <condition_variable>. Under a std::unique_lock its Records
// bear the line where that lock was last locked; under a bare lock, the line where the hold began.
#pragma once

#include <spool/sync/annotations.hpp>
#include <spool/sync/guard_state.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/several_locks.hpp>

#include <chrono>
#include <mutex>
#include <tuple>
#include <utility>

namespace spool {

/// A lock of ours.
template <class L>
concept SitedLock = SitedLockable<L> && requires(L& lockable) {
  lockable.log_object();
};

}  // namespace spool

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::lock_guard<L> {
 public:
  using mutex_type = L;

  explicit lock_guard(L& lockable, const spool::Site& site = spool::Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{lockable}, site_{site} {
    lock_.lock(site);
  }
  lock_guard(L& lockable, std::adopt_lock_t /*held*/, const spool::Site& site = spool::Site::current())
      SPOOL_REQUIRES(lockable)
      : lock_{lockable}, site_{site} {}
  ~lock_guard() SPOOL_RELEASE() { lock_.unlock(site_); }
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;

 private:
  L& lock_;
  spool::Site site_;
};

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::unique_lock<L> : public spool::sync::GuardState<L> {
  using State = spool::sync::GuardState<L>;
  using State::lock_, State::owns_, State::site_;

 public:
  using mutex_type = L;
  using Site = spool::Site;

  unique_lock() noexcept = default;
  explicit unique_lock(L& lockable, const Site& site = Site::current()) SPOOL_ACQUIRE(lockable)
      : State{lockable, site} {
    lockable.lock(site);
    owns_ = true;
  }
  unique_lock(L& lockable, std::defer_lock_t /*not now*/, const Site& site = Site::current()) noexcept
      SPOOL_EXCLUDES(lockable)
      : State{lockable, site} {}
  unique_lock(L& lockable, std::try_to_lock_t /*if free*/, const Site& site = Site::current()) SPOOL_ACQUIRE(lockable)
      : State{lockable, site, lockable.try_lock(site)} {}
  unique_lock(L& lockable, std::adopt_lock_t /*held*/, const Site& site = Site::current()) SPOOL_REQUIRES(lockable)
      : State{lockable, site, true} {}
  template <class Clock, class Duration>
  unique_lock(L& lockable, const std::chrono::time_point<Clock, Duration>& time, const Site& site = Site::current())
      SPOOL_ACQUIRE(lockable)
      : State{lockable, site, lockable.try_lock_until(time, site)} {}
  template <class Rep, class Period>
  unique_lock(L& lockable, const std::chrono::duration<Rep, Period>& span, const Site& site = Site::current())
      SPOOL_ACQUIRE(lockable)
      : State{lockable, site, lockable.try_lock_for(span, site)} {}
  ~unique_lock() SPOOL_RELEASE() {
    if (owns_) lock_->unlock(site_);
  }
  unique_lock(const unique_lock&) = delete;
  unique_lock& operator=(const unique_lock&) = delete;
  unique_lock(unique_lock&& other) noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS { swap(other); }
  unique_lock& operator=(unique_lock&& other) noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    unique_lock{std::move(other)}.swap(*this);
    return *this;
  }

  void lock(const Site& site = Site::current()) SPOOL_ACQUIRE() {
    this->begin(site);
    lock_->lock(site_);
    owns_ = true;
  }
  bool try_lock(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    this->begin(site);
    return owns_ = lock_->try_lock(site_);
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    this->begin(site);
    return owns_ = lock_->try_lock_for(span, site_);
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    this->begin(site);
    return owns_ = lock_->try_lock_until(time, site_);
  }
  void unlock(const Site& site = Site::current()) SPOOL_RELEASE() { lock_->unlock(this->end(site)); }

  void swap(unique_lock& other) noexcept { State::swap(other); }
  L* release() noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS { return this->let_go(); }
};

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::scoped_lock<L> {
 public:
  using mutex_type = L;

  explicit scoped_lock(L& lockable, const spool::Site& site = spool::Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{lockable}, site_{site} {
    lock_.lock(site);
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L& lockable, const spool::Site& site = spool::Site::current())
      SPOOL_REQUIRES(lockable)
      : lock_{lockable}, site_{site} {}
  ~scoped_lock() SPOOL_RELEASE() { lock_.unlock(site_); }
  scoped_lock(const scoped_lock&) = delete;
  scoped_lock& operator=(const scoped_lock&) = delete;

 private:
  L& lock_;
  spool::Site site_;
};

/// Several at once, as by std::lock; at least one of them ours. (clang's annotations take no packs: it knows of the
/// first two only.)
template <class L1, class L2, class... Rest>
requires(spool::SitedLock<L1> || spool::SitedLock<L2> || (spool::SitedLock<Rest> || ...))  //
    class SPOOL_SCOPED_CAPABILITY std::scoped_lock<L1, L2, Rest...> {
 public:
  explicit scoped_lock(L1& first, L2& second, Rest&... rest, const spool::Site& site = spool::Site::current())
      SPOOL_ACQUIRE(first, second)
      : locks_{first, second, rest...}, site_{site} {
    spool::sync::SeveralLocks{site_, first, second, rest...}.lock();
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L1& first, L2& second, Rest&... rest,
                       const spool::Site& site = spool::Site::current()) SPOOL_REQUIRES(first, second)
      : locks_{first, second, rest...}, site_{site} {}
  ~scoped_lock() SPOOL_RELEASE() {
    std::apply([this](auto&... lock) { (spool::sync::unlock_at(lock, site_), ...); }, locks_);
  }
  scoped_lock(const scoped_lock&) = delete;
  scoped_lock& operator=(const scoped_lock&) = delete;

 private:
  std::tuple<L1&, L2&, Rest&...> locks_;
  spool::Site site_;
};
