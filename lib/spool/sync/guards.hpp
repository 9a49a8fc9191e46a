// SPDX-License-Identifier: MIT
//
// std::lock_guard, std::unique_lock and std::scoped_lock for our locks, so that a Record bears the user's line and not
// one of <mutex>. The standard allows these specializations for program-defined types; each meets the requirements of
// its original and takes a Site as a last, defaulted parameter.
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

/// A lock of ours: its calls take a Site.
template <class L>
concept SitedLock = requires(L& lock, Site site) {
  lock.lock(site);
  lock.unlock(site);
  { lock.try_lock(site) } -> std::same_as<bool>;
  lock.log_object();
};

}  // namespace spool

template <spool::SitedLock L>
class SPOOL_SCOPED_CAPABILITY std::lock_guard<L> {
 public:
  using mutex_type = L;

  explicit lock_guard(L& lock, spool::Site site = spool::Site::current()) SPOOL_ACQUIRE(lock)
      : lock_{lock}, site_{site} {
    lock_.lock(site);
  }
  lock_guard(L& lock, std::adopt_lock_t /*held*/, spool::Site site = spool::Site::current()) SPOOL_REQUIRES(lock)
      : lock_{lock}, site_{site} {}
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
  explicit unique_lock(L& lock, Site site = Site::current()) SPOOL_ACQUIRE(lock) : lock_{&lock}, site_{site} {
    lock.lock(site);
    owns_ = true;
  }
  unique_lock(L& lock, std::defer_lock_t /*not now*/, Site site = Site::current()) noexcept SPOOL_EXCLUDES(lock)
      : lock_{&lock}, site_{site} {}
  unique_lock(L& lock, std::try_to_lock_t /*if free*/, Site site = Site::current()) SPOOL_ACQUIRE(lock)
      : lock_{&lock}, site_{site}, owns_{lock.try_lock(site)} {}
  unique_lock(L& lock, std::adopt_lock_t /*held*/, Site site = Site::current()) SPOOL_REQUIRES(lock)
      : lock_{&lock}, site_{site}, owns_{true} {}
  template <class Clock, class Duration>
  unique_lock(L& lock, const std::chrono::time_point<Clock, Duration>& time, Site site = Site::current())
      SPOOL_ACQUIRE(lock)
      : lock_{&lock}, site_{site}, owns_{lock.try_lock_until(time, site)} {}
  template <class Rep, class Period>
  unique_lock(L& lock, const std::chrono::duration<Rep, Period>& span, Site site = Site::current()) SPOOL_ACQUIRE(lock)
      : lock_{&lock}, site_{site}, owns_{lock.try_lock_for(span, site)} {}
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
    lock_->lock(site);
    site_ = site;
    owns_ = true;
  }
  bool try_lock(Site site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    site_ = site;
    return owns_ = lock_->try_lock(site);
  }
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& span, Site site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    site_ = site;
    return owns_ = lock_->try_lock_for(span, site);
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time, Site site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    check_lockable();
    site_ = site;
    return owns_ = lock_->try_lock_until(time, site);
  }
  void unlock(Site site = Site::current()) SPOOL_RELEASE() {
    if (!owns_) throw std::system_error{std::make_error_code(std::errc::operation_not_permitted)};
    owns_ = false;
    lock_->unlock(site);
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

  explicit scoped_lock(L& lock, spool::Site site = spool::Site::current()) SPOOL_ACQUIRE(lock)
      : lock_{lock}, site_{site} {
    lock_.lock(site);
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L& lock, spool::Site site = spool::Site::current())
      SPOOL_REQUIRES(lock)
      : lock_{lock}, site_{site} {}
  ~scoped_lock() SPOOL_RELEASE() { lock_.unlock(site_); }
  scoped_lock(const scoped_lock&) = delete;
  scoped_lock& operator=(const scoped_lock&) = delete;

 private:
  L& lock_;
  spool::Site site_;
};

/// Several at once, without a deadlock whatever order others take them in: wait for one, try the rest, on failure let
/// all go and wait for the one that failed. (clang's annotations take no packs: it knows of the first two only.)
template <spool::SitedLock L1, spool::SitedLock L2, spool::SitedLock... Rest>
class SPOOL_SCOPED_CAPABILITY std::scoped_lock<L1, L2, Rest...> {
 public:
  explicit scoped_lock(L1& first, L2& second, Rest&... rest, spool::Site site = spool::Site::current())
      SPOOL_ACQUIRE(first, second)
      : locks_{first, second, rest...}, site_{site} {
    lock_all(std::index_sequence_for<L1, L2, Rest...>{});
  }
  explicit scoped_lock(std::adopt_lock_t /*held*/, L1& first, L2& second, Rest&... rest,
                       spool::Site site = spool::Site::current()) SPOOL_REQUIRES(first, second)
      : locks_{first, second, rest...}, site_{site} {}
  ~scoped_lock() SPOOL_RELEASE() {
    std::apply([this](auto&... lock) SPOOL_NO_THREAD_SAFETY_ANALYSIS { (lock.unlock(site_), ...); }, locks_);
  }
  scoped_lock(const scoped_lock&) = delete;
  scoped_lock& operator=(const scoped_lock&) = delete;

 private:
  static constexpr std::size_t count = 2 + sizeof...(Rest);

  template <std::size_t... I>
  void lock_all(std::index_sequence<I...> /*all*/) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    std::size_t waited = 0;
    for (;;) {
      std::array<bool, count> held{};
      std::size_t failed = count;
      ((I == waited ? (std::get<I>(locks_).lock(site_), held[I] = true) : false), ...);
      (try_one<I>(held, failed), ...);
      if (failed == count) return;
      ((held[I] ? std::get<I>(locks_).unlock(site_) : void()), ...);
      waited = failed;
    }
  }

  template <std::size_t I>
  void try_one(std::array<bool, count>& held, std::size_t& failed) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    if (failed != count || held[I]) return;
    held[I] = std::get<I>(locks_).try_lock(site_);
    if (!held[I]) failed = I;
  }

  std::tuple<L1&, L2&, Rest&...> locks_;
  spool::Site site_;
};
