// SPDX-License-Identifier: MIT
//
// Lock: mutual exclusion, not re-entrant. Python's threading.Lock with std::timed_mutex's names. Owns nothing beside
// what basic_lock.hpp has; the guards are in guards.hpp.
//
//   spool::Lock accounts{"accounts"};
//   { std::lock_guard guard{accounts}; ... }
#pragma once

#include <spool/sync/basic_lock.hpp>

namespace spool {

/// Satisfies TimedLockable; its calls stand in basic_lock.hpp. Thread-safe; as in Python, a thread other than the owner
/// may unlock it. Not fair: a running thread may overtake a woken one. Locking it twice in a thread is a deadlock, as
/// with Python's.
///
/// Memory ordering: an unlock happens before the lock that takes it next.
/// Requires: not destroyed while held (logged, then abort, unless the process is ending). It may be destroyed as soon
/// as it is unlocked, also by the thread that acquires it next.
/// In the child of a fork, a lock whose owner stayed behind in the parent is orphaned: nobody will release it. Whoever
/// would wait for it logs an error; lock() then throws MisuseError with the same words, the other forms return false.
/// Records: as each call says, and orphan in place of a wait that could not end; all with the caller's line; destroy,
/// if it ever was recorded. In mode `contended`: block, and acquire, timeout or cancel after it, and each release that
/// somebody waited for.
class SPOOL_CAPABILITY("mutex") Lock final : public sync::BasicLock<trace::Kind::lock> {
 public:
  /// Not explicit: `std::array<Lock, 4> locks{}` works as with std::mutex.
  constexpr Lock(const Site& site = Site::current()) : BasicLock{{}, site} {}  // NOLINT(google-explicit-constructor)
  constexpr explicit Lock(Name name, const Site& site = Site::current()) : BasicLock{name, site} {}
};

}  // namespace spool
