// SPDX-License-Identifier: MIT
//
// std::lock_guard, std::unique_lock, std::scoped_lock, std::lock and std::try_lock for our locks, so that a Record bears
// the user's line and not one of <mutex>.
//
// The classes are specialized, which the standard allows for program-defined types; each meets the requirements of its
// original and takes a Site as a last, defaulted parameter.
//
// The functions std::lock and std::try_lock are OVERLOADED in namespace std, for two to four locks of which at least one
// is ours. That goes beyond what the standard grants a program ([namespace.std]: it may specialize class templates there,
// it may not add functions). There is no other way to the caller's line: the standard's own functions take no argument
// that could carry it, they call us from within <mutex>, and a qualified call finds nothing but what is in std. It is
// harmless in effect: the overloads take part only where a type of ours is given, and do what the originals do. Five
// locks or more are left to the originals and recorded with a line of <mutex>; std::scoped_lock takes any number.
//
// std::condition_variable_any unlocks and locks from within <condition_variable>. Under a std::unique_lock its Records
// bear the line where that lock was last locked; under a bare lock, the line where the hold began.
#pragma once

#include <spool/sync/annotations.hpp>
#include <spool/sync/lock.hpp>

#include <array>
#include <concepts>
#include <mutex>
#include <system_error>
#include <tuple>
#include <utility>

namespace spool {

/// Its calls take a Site: a lock of ours, or a std::unique_lock over one.
template <class L>
concept SitedLockable = requires(L& lockable, Site site) {
  lockable.lock(site);
  lockable.unlock(site);
  { lockable.try_lock(site) } -> std::same_as<bool>;
};

/// A lock of ours.
template <class L>
concept SitedLock = SitedLockable<L> && requires(L& lockable) {
  lockable.log_object();
};

namespace sync {

// A call to any lock, with the site where it takes one.
template <class L>
void lock_at(L& lockable, const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (SitedLockable<L>) {
    lockable.lock(site);
  } else {
    lockable.lock();
  }
}
template <class L>
[[nodiscard]] bool try_lock_at(L& lockable, const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (SitedLockable<L>) {
    return lockable.try_lock(site);
  } else {
    return lockable.try_lock();
  }
}
template <class L>
void unlock_at(L& lockable, const Site& site) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  if constexpr (SitedLockable<L>) {
    lockable.unlock(site);
  } else {
    lockable.unlock();
  }
}

/// What a call that locks several holds so far; lets it go if that call fails.
template <class... L>
class SeveralLocks {
 public:
  static constexpr std::size_t count = sizeof...(L);

  SeveralLocks(const Site& site, L&... locks) : locks_{locks...}, site_{site} {}
  ~SeveralLocks() {
    if (!kept_) let_go();
  }
  SeveralLocks(const SeveralLocks&) = delete;
  SeveralLocks& operator=(const SeveralLocks&) = delete;

  /// Without a deadlock whatever order others take them in: wait for one, try the rest, on failure let all go and wait
  /// for the one that failed.
  void lock() {
    for (std::size_t waited = 0;;) {
      on(waited, [&](auto& lock) { lock_at(lock, site_); });
      held_[waited] = true;
      const std::size_t failed = first_not_to_be_had();
      if (failed == count) break;
      let_go();
      waited = failed;
    }
    kept_ = true;
  }

  /// Tries them in their order. -1: all are held; else the index of the one that failed, and none is.
  int try_lock() {
    const std::size_t failed = first_not_to_be_had();
    kept_ = failed == count;
    return kept_ ? -1 : static_cast<int>(failed);
  }

 private:
  template <class F>
  void on(std::size_t index, F call) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((I == index ? call(std::get<I>(locks_)) : void()), ...);
    }
    (std::index_sequence_for<L...>{});
  }

  /// Tries those that are not held; `count` if all are now.
  std::size_t first_not_to_be_had() {
    for (std::size_t i = 0; i < count; ++i) {
      if (held_[i]) continue;
      on(i, [&](auto& lock) { held_[i] = try_lock_at(lock, site_); });
      if (!held_[i]) return i;
    }
    return count;
  }

  void let_go() {
    for (std::size_t i = count; i-- > 0;) {
      if (std::exchange(held_[i], false)) on(i, [&](auto& lock) { unlock_at(lock, site_); });
    }
  }

  std::tuple<L&...> locks_;
  const Site& site_;
  std::array<bool, count> held_{};
  bool kept_ = false;
};

}  // namespace sync
}  // namespace spool

namespace std {

/// std::lock with the caller's line; see the head of this file.
template <class L1, class L2>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2>)  //
    void lock(L1& first, L2& second, spool::Site site = spool::Site::current())
        SPOOL_ACQUIRE(first, second) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second}.lock();
}
template <class L1, class L2, class L3>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2> || spool::SitedLockable<L3>)  //
    void lock(L1& first, L2& second, L3& third, spool::Site site = spool::Site::current())
        SPOOL_ACQUIRE(first, second, third) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third}.lock();
}
template <class L1, class L2, class L3, class L4>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2> || spool::SitedLockable<L3> ||
         spool::SitedLockable<L4>)  //
    void lock(L1& first, L2& second, L3& third, L4& fourth, spool::Site site = spool::Site::current())
        SPOOL_ACQUIRE(first, second, third, fourth) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth}.lock();
}

/// std::try_lock, likewise. (Clang's analysis cannot follow a try whose success is -1.)
template <class L1, class L2>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2>)  //
    [[nodiscard]] int try_lock(L1& first, L2& second, spool::Site site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second}.try_lock();
}
template <class L1, class L2, class L3>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2> || spool::SitedLockable<L3>)  //
    [[nodiscard]] int try_lock(L1& first, L2& second, L3& third, spool::Site site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third}.try_lock();
}
template <class L1, class L2, class L3, class L4>
requires(spool::SitedLockable<L1> || spool::SitedLockable<L2> || spool::SitedLockable<L3> ||
         spool::SitedLockable<L4>)  //
    [[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth,
                               spool::Site site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth}.try_lock();
}

}  // namespace std

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::lock_guard<L> {
 public:
  using mutex_type = L;

  explicit lock_guard(L& lockable, spool::Site site = spool::Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{lockable}, site_{site} {
    lock_.lock(site);
  }
  lock_guard(L& lockable, std::adopt_lock_t /*held*/, spool::Site site = spool::Site::current())
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
class SPOOL_SCOPED_CAPABILITY std::unique_lock<L> {
 public:
  using mutex_type = L;
  using Site = spool::Site;

  unique_lock() noexcept = default;
  explicit unique_lock(L& lockable, Site site = Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{&lockable}, site_{site} {
    lockable.lock(site);
    owns_ = true;
  }
  unique_lock(L& lockable, std::defer_lock_t /*not now*/, Site site = Site::current()) noexcept SPOOL_EXCLUDES(lockable)
      : lock_{&lockable}, site_{site} {}
  unique_lock(L& lockable, std::try_to_lock_t /*if free*/, Site site = Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{&lockable}, site_{site}, owns_{lockable.try_lock(site)} {}
  unique_lock(L& lockable, std::adopt_lock_t /*held*/, Site site = Site::current()) SPOOL_REQUIRES(lockable)
      : lock_{&lockable}, site_{site}, owns_{true} {}
  template <class Clock, class Duration>
  unique_lock(L& lockable, const std::chrono::time_point<Clock, Duration>& time, Site site = Site::current())
      SPOOL_ACQUIRE(lockable)
      : lock_{&lockable}, site_{site}, owns_{lockable.try_lock_until(time, site)} {}
  template <class Rep, class Period>
  unique_lock(L& lockable, const std::chrono::duration<Rep, Period>& span, Site site = Site::current())
      SPOOL_ACQUIRE(lockable)
      : lock_{&lockable}, site_{site}, owns_{lockable.try_lock_for(span, site)} {}
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

  void lock(Site site = Site::current()) SPOOL_ACQUIRE() {
    check_lockable();
    lock_->lock(take_line(site));
    owns_ = true;
  }
  bool try_lock(Site site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    return owns_ = lock_->try_lock(take_line(site));
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& span, Site site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    return owns_ = lock_->try_lock_for(span, take_line(site));
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time, Site site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    return owns_ = lock_->try_lock_until(time, take_line(site));
  }
  void unlock(Site site = Site::current()) SPOOL_RELEASE() {
    if (!owns_) throw std::system_error{std::make_error_code(std::errc::operation_not_permitted)};
    owns_ = false;
    lock_->unlock(site.is_of_standard_library() ? site_ : site);
  }

  void swap(unique_lock& other) noexcept {
    std::swap(lock_, other.lock_);
    std::swap(site_, other.site_);
    std::swap(owns_, other.owns_);
  }
  L* release() noexcept SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    owns_ = false;
    return std::exchange(lock_, nullptr);
  }
  bool owns_lock() const noexcept { return owns_; }
  explicit operator bool() const noexcept { return owns_; }
  L* mutex() const noexcept { return lock_; }

 private:
  /// The line of this call is the one of the release to come, unless it is none of the user's.
  const Site& take_line(const Site& site) {
    if (!site.is_of_standard_library()) site_ = site;
    return site_;
  }

  void check_lockable() const {
    if (lock_ == nullptr) throw std::system_error{std::make_error_code(std::errc::operation_not_permitted)};
    if (owns_) throw std::system_error{std::make_error_code(std::errc::resource_deadlock_would_occur)};
  }

  L* lock_ = nullptr;
  Site site_;
  bool owns_ = false;
};

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::scoped_lock<L> {
 public:
  using mutex_type = L;

  explicit scoped_lock(L& lockable, spool::Site site = spool::Site::current()) SPOOL_ACQUIRE(lockable)
      : lock_{lockable}, site_{site} {
    lock_.lock(site);
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L& lockable, spool::Site site = spool::Site::current())
      SPOOL_REQUIRES(lockable)
      : lock_{lockable}, site_{site} {}
  ~scoped_lock() SPOOL_RELEASE() { lock_.unlock(site_); }
  scoped_lock(const scoped_lock&) = delete;
  scoped_lock& operator=(const scoped_lock&) = delete;

 private:
  L& lock_;
  spool::Site site_;
};

/// Several at once, as by std::lock; at least one of them ours. (clang's annotations take no packs: it knows of the first
/// two only.)
template <class L1, class L2, class... Rest>
requires(spool::SitedLock<L1> || spool::SitedLock<L2> || (spool::SitedLock<Rest> || ...))  //
    class SPOOL_SCOPED_CAPABILITY std::scoped_lock<L1, L2, Rest...> {
 public:
  explicit scoped_lock(L1& first, L2& second, Rest&... rest, spool::Site site = spool::Site::current())
      SPOOL_ACQUIRE(first, second)
      : locks_{first, second, rest...}, site_{site} {
    spool::sync::SeveralLocks{site_, first, second, rest...}.lock();
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L1& first, L2& second, Rest&... rest,
                       spool::Site site = spool::Site::current()) SPOOL_REQUIRES(first, second)
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
