// SPDX-License-Identifier: MIT
//
// RLock: mutual exclusion that its holder may enter again. Python's threading.RLock with std::recursive_timed_mutex's
// names. Owns the re-entry; all else is basic_lock.hpp's.
//
//   spool::RLock tree{"tree"};
//   void insert(int key) { std::lock_guard guard{tree}; ... }
//   void insert_both(int a, int b) { std::lock_guard guard{tree}; insert(a); insert(b); }
#pragma once

#include <spool/sync/basic_lock.hpp>

namespace spool {

/// Satisfies TimedLockable; its calls stand in basic_lock.hpp. Thread-safe, and not fair, like Lock. Whoever holds it
/// acquires it once more with any of the calls, at once (also with a stop that was asked for, or no time left), and
/// must release it as often. Only the holder may unlock it: from another thread that is a MisuseError, which names the
/// holder.
///
/// (clang's analysis knows of re-entry since clang 21. An older one takes a second lock() within one function for a
/// mistake; across functions it sees none.)
///
/// Memory ordering: the last unlock of a holder happens before the first lock of the next.
/// Requires: not destroyed while held (logged, then abort, unless the process is ending). It may be destroyed as soon
/// as it is unlocked for the last time, also by the thread that acquires it next.
/// Records: the first acquire and the last release of a hold are those of a Lock. In between: enter and leave, each
/// with how often it is held afterwards, if the hold began in mode `all`. All with the caller's line.
class SPOOL_REENTRANT_CAPABILITY("mutex") RLock final : public sync::BasicLock<trace::Kind::rlock> {
 public:
  constexpr RLock(const Site& site = Site::current()) : BasicLock{{}, site} {}  // NOLINT(google-explicit-constructor)
  constexpr explicit RLock(Name name, const Site& site = Site::current()) : BasicLock{name, site} {}

  /// How often the calling thread holds it; 0 when it does not.
  std::uint32_t depth() const { return is_owned() ? nested() + 1 : 0; }

 private:
  friend class Condition;

  /// Python's _release_save: lets a re-entered lock go at once. Requires: the calling thread holds it. Records:
  /// release.
  void unlock_wholly(const Site& site) SPOOL_RELEASE() {
    nested() = 0;
    unlock(site);
  }
  /// Python's _acquire_restore. Records: as lock(); the depth comes back without one.
  void lock_again(std::uint32_t depth, const Site& site) SPOOL_ACQUIRE() {
    lock(site);
    nested() = depth - 1;
  }
};

}  // namespace spool
