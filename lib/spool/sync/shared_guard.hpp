// SPDX-License-Identifier: MIT
//
// std::shared_lock for our locks, so that a Record bears the user's line and not one of <shared_mutex>: beside
// guards.hpp, which has the exclusive ones.
#pragma once

#include <spool/sync/annotations.hpp>
#include <spool/sync/guard_state.hpp>
#include <spool/sync/shared_lock.hpp>

#include <chrono>
#include <concepts>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace spool {

/// A lock of ours that can be shared: its calls take a Site.
template <class L>
concept SitedSharedLock = requires(L& lockable, const Site& site) {
  lockable.lock_shared(site);
  lockable.unlock_shared(site);
  { lockable.try_lock_shared(site) } -> std::same_as<bool>;
  lockable.log_object();
};

}  // namespace spool

template <spool::SitedSharedLock L>
class SPOOL_SCOPED_CAPABILITY std::shared_lock<L> : public spool::sync::GuardState<L> {
  using State = spool::sync::GuardState<L>;
  using State::lock_, State::owns_, State::site_;

 public:
  using mutex_type = L;
  using Site = spool::Site;

  shared_lock() noexcept = default;
  explicit shared_lock(L& lockable, const Site& site = Site::current()) SPOOL_ACQUIRE_SHARED(lockable)
      : State{lockable, site} {
    lockable.lock_shared(site);
    owns_ = true;
  }
  shared_lock(L& lockable, std::defer_lock_t /*not now*/, const Site& site = Site::current()) noexcept
      SPOOL_EXCLUDES(lockable)
      : State{lockable, site} {}
  shared_lock(L& lockable, std::try_to_lock_t /*if free*/, const Site& site = Site::current())
      SPOOL_ACQUIRE_SHARED(lockable)
      : State{lockable, site, lockable.try_lock_shared(site)} {}
  shared_lock(L& lockable, std::adopt_lock_t /*held*/, const Site& site = Site::current())
      SPOOL_REQUIRES_SHARED(lockable)
      : State{lockable, site, true} {}
  template <class Clock, class Duration>
  shared_lock(L& lockable, const std::chrono::time_point<Clock, Duration>& time, const Site& site = Site::current())
      SPOOL_ACQUIRE_SHARED(lockable)
      : State{lockable, site, lockable.try_lock_shared_until(time, site)} {}
  template <class Rep, class Period>
  shared_lock(L& lockable, const std::chrono::duration<Rep, Period>& span, const Site& site = Site::current())
      SPOOL_ACQUIRE_SHARED(lockable)
      : State{lockable, site, lockable.try_lock_shared_for(span, site)} {}
  ~shared_lock() SPOOL_RELEASE() {
    if (owns_) lock_->unlock_shared(site_);
  }
  shared_lock(const shared_lock&) = delete;
  shared_lock& operator=(const shared_lock&) = delete;
  shared_lock(shared_lock&& other) noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS { swap(other); }
  shared_lock& operator=(shared_lock&& other) noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    shared_lock{std::move(other)}.swap(*this);
    return *this;
  }

  void lock(const Site& site = Site::current()) SPOOL_ACQUIRE_SHARED() {
    this->begin(site);
    lock_->lock_shared(site_);
    owns_ = true;
  }
  bool try_lock(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE_SHARED(true) {
    this->begin(site);
    return owns_ = lock_->try_lock_shared(site_);
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE_SHARED(true) {
    this->begin(site);
    return owns_ = lock_->try_lock_shared_for(span, site_);
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE_SHARED(true) {
    this->begin(site);
    return owns_ = lock_->try_lock_shared_until(time, site_);
  }
  void unlock(const Site& site = Site::current()) SPOOL_RELEASE() { lock_->unlock_shared(this->end(site)); }

  void swap(shared_lock& other) noexcept { State::swap(other); }
  L* release() noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS { return this->let_go(); }
};
