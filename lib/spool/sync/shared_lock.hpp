// SPDX-License-Identifier: MIT
//
// SharedLock: one writer, or many readers. std::shared_timed_mutex's names and requirements, with stops. Owns its state
// and the queue of those who wait; the guards are in guards.hpp (exclusive) and shared_guard.hpp (shared).
//
//   spool::SharedLock cache_lock{"cache"};
//   { const std::shared_lock reading{cache_lock}; ... }       // many at a time
//   { const std::lock_guard writing{cache_lock}; ... }        // alone
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/annotations.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <chrono>
#include <stop_token>

namespace spool {

namespace sync {
class Notes;
}

/// Satisfies SharedTimedLockable and TimedLockable. Thread-safe; a hold is thread-bound: who took it releases it.
///
/// First come, first served, in batches: a reader that comes while a writer waits waits behind it, so that readers who
/// keep coming starve no writer; a release lets in the writer that waits first, or all readers up to the next writer.
/// Who has to wait spins for some microseconds and then queues; nobody overtakes one that queues. So a thread that
/// holds it shared must not take it again: with a writer in between, each would wait for the other.
///
///   state   bit 0       queued    somebody waits
///           bit 1       written   a writer holds it
///           bits 2..29            of a writer the low bits of its thread's number, else how many readers hold it
///
/// Memory ordering: an unlock happens before each lock and lock_shared that follows it, an unlock_shared before the
/// next lock.
/// Requires: not destroyed while held or waited on (logged, then abort, unless the process is ending). It may be
/// destroyed as soon as it is unlocked, also by the thread that acquires it next.
/// In the child of a fork, one that a thread holds exclusively that stayed behind in the parent is orphaned, as a Lock
/// is: whoever would wait for it logs an error; lock() and lock_shared() then throw MisuseError with the same words,
/// the other forms return false. The same for writers where such a thread holds it shared, if that hold was recorded:
/// else nobody knows whose the shared hold is, and they wait.
/// Records: as each call says, and orphan in place of a wait that could not end; all with the caller's line. `owner` is
/// the writer that holds it, 0 while readers do. In mode `contended`: block, and acquire, timeout or cancel after it,
/// and each release that somebody waited for.
///
/// Which release is recorded when the mode changes in between: an exclusive hold remembers how it was acquired. Shared
/// holds have no place of their own in the lock: one is recorded if the releasing thread's status entry has a shared
/// hold of this lock, which only a recorded acquire puts there. An entry has room for so many holds (trace/status.hpp);
/// of those beyond it is not known, and they count as recorded while everything is.
class SPOOL_CAPABILITY("shared_mutex") SharedLock {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr SharedLock(const Site& site = Site::current()) : SharedLock{Name{}, site} {}
  constexpr explicit SharedLock(Name name, const Site& site = Site::current())
      : object_{trace::Kind::shared_lock, name, site} {}
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  /// Records: destroy, if it ever was recorded.
  ~SharedLock();

  /// Waits until it is the only one inside.
  /// Records: acquire; after a wait block, acquire, with who let it in: the last to release, or a writer that gave up.
  void lock(const Site& site = Site::current()) SPOOL_ACQUIRE() { (void)acquire(exclusive, {}, site); }

  /// Records: acquire, or busy. An acquire without a wait by this or a call with a limit names the caller as waker: it
  /// could not have got stuck.
  [[nodiscard]] bool try_lock(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return acquire(exclusive, sync::Patience::none(), site);
  }

  /// False after `span` of waiting. Zero or less tries once; a huge span waits without end.
  /// Records: as lock(), or block, timeout; of a mere try: acquire or busy.
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    return acquire(exclusive, sync::patience_for(span), site);
  }
  /// The same until a point in time of any clock; a clock that is set meanwhile does not matter.
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time,
                                    const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return acquire(exclusive, {os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as lock(), or block, cancel.
  [[nodiscard]] bool lock(const std::stop_token& stop, const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return acquire(exclusive, {os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                  const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    return acquire(exclusive, sync::patience_for(span, &stop), site);
  }

  /// Throws MisuseError if the calling thread does not hold it exclusively. Records: release.
  void unlock(const Site& site = Site::current()) SPOOL_RELEASE();

  /// Waits until no writer is inside, nor waits before it.
  /// Records: acquire_shared, with how many readers hold it then; after a wait block_shared, acquire_shared.
  void lock_shared(const Site& site = Site::current()) SPOOL_ACQUIRE_SHARED() { (void)acquire(shared, {}, site); }

  /// Records: acquire_shared, or busy_shared.
  [[nodiscard]] bool try_lock_shared(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE_SHARED(true) {
    return acquire(shared, sync::Patience::none(), site);
  }

  /// The timed and stoppable ones as those of lock(). Records: as lock_shared(), or block_shared, then timeout or
  /// cancel; of a mere try: acquire_shared or busy_shared.
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE_SHARED(true) {
    return acquire(shared, sync::patience_for(span), site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_shared_until(const std::chrono::time_point<Clock, Duration>& time,
                                           const Site& site = Site::current()) SPOOL_TRY_ACQUIRE_SHARED(true) {
    return acquire(shared, {os::deadline_at(time)}, site);
  }
  [[nodiscard]] bool lock_shared(const std::stop_token& stop, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE_SHARED(true) {
    return acquire(shared, {os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                         const Site& site = Site::current()) SPOOL_TRY_ACQUIRE_SHARED(true) {
    return acquire(shared, sync::patience_for(span, &stop), site);
  }

  /// Throws MisuseError if no reader holds it, or if the calling thread is surely none of them: it holds nothing of
  /// spool's at all, or all that it holds was recorded (mode `all`) and is something else.
  /// Requires: the calling thread is one of them. Else unnoticed where it holds something unrecorded: nobody keeps a
  /// list.
  /// Records: release_shared, with how many readers hold it still.
  void unlock_shared(const Site& site = Site::current()) SPOOL_RELEASE_SHARED();

  /// Does anybody hold it now? A hint.
  bool locked() const noexcept { return (word_.peek().state & ~queued) != 0; }
  /// How many readers hold it now: a hint.
  std::uint32_t readers() const noexcept { return readers_of(word_.peek().state); }
  /// Does the calling thread hold it exclusively?
  bool is_owned() const { return is_owner(word_.peek().state, log::self().number); }

  log::ObjectState& log_object() { return object_; }

 private:
  static constexpr std::uint32_t queued = 1;
  static constexpr std::uint32_t written = 2;
  static constexpr std::uint32_t one_reader = 4;
  static constexpr unsigned count_shift = 2;
  static constexpr std::uint32_t owner_mask = sync::StateWord::most >> count_shift;

  enum Want : std::uint8_t { exclusive = 0, shared = 1 };  // as a hold's mode in trace/status.hpp
  enum class Hold : std::uint8_t { unrecorded, contended, recorded };
  struct Request;
  /// What a Record of a wait, or of a failed try, quotes.
  struct Quote {
    trace::Sequence sequence = 0;
    sync::Waker owner;
  };

  static constexpr std::uint32_t readers_of(std::uint32_t state) {
    return (state & written) != 0 ? 0 : state >> count_shift;
  }
  static constexpr bool is_owner(std::uint32_t state, trace::ThreadNumber thread) {
    return (state & written) != 0 && state >> count_shift == (thread & owner_mask);
  }
  static constexpr std::uint32_t entered(std::uint32_t state, Want want, trace::ThreadNumber thread) {
    return want == shared ? state + one_reader : written | (thread & owner_mask) << count_shift;
  }
  static constexpr bool admits(std::uint32_t state, Want want);

  bool acquire(Want want, const sync::Patience& patience, const Site& site);
  void await_change(Want want) const;
  bool try_enter(const log::Writer& me, Want want);
  bool acquire_slowly(log::Writer& me, Want want, const sync::Patience& patience, Mode mode, const Site& site);
  std::uint32_t lock_word(const Site& site);
  bool wait(const sync::Notes& notes, log::Writer& me, Request& request, Quote quote, const sync::Patience& patience,
            const Site& site);
  sync::Waker holder_left_behind(Want want);
  bool give_up_orphan(const sync::Notes& notes, const sync::Waker& left, const sync::Patience& patience, Mode mode,
                      const Site& site);
  void enter(log::Writer& me, Want want, std::uint32_t state, Mode mode, const Site& site, trace::ThreadNumber waker);
  void enter_recorded(log::Writer& me, Want want, std::uint32_t state, const Site& site, trace::ThreadNumber waker);
  void begin_unrecorded_hold(log::Writer& me, Mode mode, const Site& site);
  void begin_granted_hold(log::Writer& me, const Request& request, const Site& site);
  void release_slowly(log::Writer& me, const Site& site);
  void release_shared_slowly(log::Writer& me, bool recorded, const Site& site);
  std::uint32_t grant(std::uint32_t state, const sync::Waker& waker, sync::Chosen& chosen);
  Quote quote_of(std::uint32_t state) const;
  trace::Sequence advance_sequence();

  sync::StateWord word_;
  Hold hold_ = Hold::unrecorded;              ///< in the exclusive hold: its acquire decides about its release
  sync::WaiterQueue waiters_;                 ///< under the word's lock: each a Request
  std::atomic<trace::Sequence> sequence_{0};  ///< advanced under the word's lock
  std::atomic<std::uint64_t> owner_site_{0};  ///< {writer, site}, believed only where the writer matches
  log::ObjectState object_;
};

}  // namespace spool
