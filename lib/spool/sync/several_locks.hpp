// SPDX-License-Identifier: MIT
//
// std::lock and std::try_lock for our locks, so that a Record bears the user's line and not one of <mutex>. Owns the
// algorithm, which std::scoped_lock of several uses too (guards.hpp).
//
// The two are OVERLOADED in namespace std, for two to eight locks of which at least one is ours. That goes beyond what
// the standard grants a program ([namespace.std]: it may specialize class templates there, it may not add functions).
// There is no other way to the caller's line: the standard's own functions take no argument that could carry it, they
// call us from within <mutex>, and a qualified call finds nothing but what is in std. It is harmless in effect: the
// overloads take part only where a type of ours is given, and do what the originals do. (One for any number cannot be:
// a parameter with a default, as the line is, cannot follow a pack that is to be deduced.) Nine locks or more are left
// to the originals and recorded with a line of <mutex>; std::scoped_lock takes any number.
#pragma once

#include <spool/log/site.hpp>
#include <spool/sync/annotations.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <mutex>
#include <tuple>
#include <utility>

namespace spool {

/// Its calls take a Site: a lock of ours, or a std::unique_lock over one.
template <class L>
concept SitedLockable = requires(L& lockable, const Site& site) {
  lockable.lock(site);
  lockable.unlock(site);
  { lockable.try_lock(site) } -> std::same_as<bool>;
};

/// At least one of several is.
template <class... L>
concept SomeSitedLockable = (SitedLockable<L> || ...);

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
requires spool::SomeSitedLockable<L1, L2>
void lock(L1& first, L2& second, const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second}.lock();
}
template <class L1, class L2, class L3>
requires spool::SomeSitedLockable<L1, L2, L3>
void lock(L1& first, L2& second, L3& third, const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third}.lock();
}
template <class L1, class L2, class L3, class L4>
requires spool::SomeSitedLockable<L1, L2, L3, L4>
void lock(L1& first, L2& second, L3& third, L4& fourth, const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third, fourth) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth}.lock();
}
template <class L1, class L2, class L3, class L4, class L5>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5>
void lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third, fourth, fifth) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth, fifth}.lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6>
void lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth,
          const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third, fourth, fifth, sixth) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth}.lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6, class L7>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6, L7>
void lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth, L7& seventh,
          const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third, fourth, fifth, sixth, seventh) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth, seventh}.lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6, class L7, class L8>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6, L7, L8>
void lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth, L7& seventh, L8& eighth,
          const spool::Site& site = spool::Site::current())
    SPOOL_ACQUIRE(first, second, third, fourth, fifth, sixth, seventh, eighth) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth, seventh, eighth}.lock();
}

/// std::try_lock, likewise. (Clang's analysis cannot follow a try whose success is -1.)
template <class L1, class L2>
requires spool::SomeSitedLockable<L1, L2>
[[nodiscard]] int try_lock(L1& first, L2& second, const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second}.try_lock();
}
template <class L1, class L2, class L3>
requires spool::SomeSitedLockable<L1, L2, L3>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third}.try_lock();
}
template <class L1, class L2, class L3, class L4>
requires spool::SomeSitedLockable<L1, L2, L3, L4>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth,
                           const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth}.try_lock();
}
template <class L1, class L2, class L3, class L4, class L5>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth,
                           const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth, fifth}.try_lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth,
                           const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth}.try_lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6, class L7>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6, L7>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth, L7& seventh,
                           const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth, seventh}.try_lock();
}
template <class L1, class L2, class L3, class L4, class L5, class L6, class L7, class L8>
requires spool::SomeSitedLockable<L1, L2, L3, L4, L5, L6, L7, L8>
[[nodiscard]] int try_lock(L1& first, L2& second, L3& third, L4& fourth, L5& fifth, L6& sixth, L7& seventh, L8& eighth,
                           const spool::Site& site = spool::Site::current()) {
  return spool::sync::SeveralLocks{site, first, second, third, fourth, fifth, sixth, seventh, eighth}.try_lock();
}

}  // namespace std
