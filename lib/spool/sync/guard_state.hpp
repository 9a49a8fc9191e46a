// SPDX-License-Identifier: MIT
//
// What the guards that can be moved, unlocked and locked again have in common: std::unique_lock (guards.hpp) and
// std::shared_lock (shared_guard.hpp).
#pragma once

#include <spool/log/site.hpp>

#include <system_error>
#include <utility>

namespace spool::sync {

/// The lock, whether it is held, and the line that the release will bear. Thread-bound.
template <class L>
class GuardState {
 public:
  GuardState(const GuardState&) = delete;
  GuardState& operator=(const GuardState&) = delete;

  bool owns_lock() const noexcept { return owns_; }
  explicit operator bool() const noexcept { return owns_; }
  L* mutex() const noexcept { return lock_; }

 protected:
  GuardState() noexcept = default;
  explicit GuardState(L& lockable, const Site& site, bool owns = false) noexcept
      : lock_{&lockable}, site_{site}, owns_{owns} {}
  ~GuardState() = default;

  /// Before it is locked: throws as the standard says. The line of this call is the one of the release to come, unless
  /// it is none of the user's.
  void begin(const Site& site) {
    if (lock_ == nullptr) throw std::system_error{std::make_error_code(std::errc::operation_not_permitted)};
    if (owns_) throw std::system_error{std::make_error_code(std::errc::resource_deadlock_would_occur)};
    if (!site.is_of_standard_library()) site_ = site;
  }
  /// Before it is unlocked; gives the line.
  Site end(const Site& site) {
    if (!owns_) throw std::system_error{std::make_error_code(std::errc::operation_not_permitted)};
    owns_ = false;
    return site.is_of_standard_library() ? site_ : site;
  }
  void swap(GuardState& other) noexcept {
    std::swap(lock_, other.lock_);
    std::swap(site_, other.site_);
    std::swap(owns_, other.owns_);
  }
  L* let_go() noexcept {
    owns_ = false;
    return std::exchange(lock_, nullptr);
  }

  L* lock_ = nullptr;
  Site site_;
  bool owns_ = false;
};

}  // namespace spool::sync
