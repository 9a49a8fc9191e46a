// SPDX-License-Identifier: MIT
//
// What Lock and RLock have in common: everything but the re-entry, which only RLock has. Owns the word, its queue of
// sleepers in the kernel, and what the log needs. What each promises stands in lock.hpp and rlock.hpp.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/log/status.hpp>
#include <spool/log/writer.hpp>
#include <spool/os/park.hpp>
#include <spool/sync/annotations.hpp>

#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>

namespace spool::sync {

///   state word   0                 free
///                owner             held, nobody sleeps
///                owner | waiters   held, somebody may sleep; the release wakes one
///
/// A call whose Site lies in the standard library is recorded with the user's line where that is known: what
/// std::condition_variable_any does to a bare lock has the line of the hold that it interrupts. Whether it does is
/// asked before all else, while the compiler still knows the answer.
template <trace::Kind kind>
class SPOOL_CAPABILITY("mutex") BasicLock {
 public:
  BasicLock(const BasicLock&) = delete;
  BasicLock& operator=(const BasicLock&) = delete;

  /// Waits without end.
  /// Records: acquire; after a wait block (again for each new owner that it meets), acquire.
  [[gnu::always_inline]] void lock(const Site& site = Site::current()) SPOOL_ACQUIRE() {
    if (site.is_of_standard_library()) [[unlikely]]
      return lock_at(line_before(site));
    lock_at(site);
  }

  /// Records: acquire, or busy. An acquire without a wait by this or a call with a limit names the caller as waker: it
  /// could not have got stuck.
  [[nodiscard]] bool try_lock(const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    log::Writer& me = log::self();
    return try_at_once(me, site) || try_acquire(me, site);
  }

  /// False after `span` of waiting. Zero or less tries once; a huge span waits without end.
  /// Records: acquire; after a wait block, then acquire or timeout; of a mere try: acquire or busy.
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current())
      SPOOL_TRY_ACQUIRE(true) {
    if (!(span > span.zero())) return try_lock(site);
    log::Writer& me = log::self();
    return try_at_once(me, site) || acquire(me, site, os::deadline_after(span), nullptr);
  }

  /// The same until a point in time of any clock; a clock that is set back or forth while we wait does not matter.
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration>& time,
                                    const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    log::Writer& me = log::self();
    return try_at_once(me, site) || acquire(me, site, os::deadline_at(time), nullptr);
  }

  /// False when `stop` asks to stop before the lock is had; a free one is had at once, also after the stop. Records: as
  /// lock(), or block, cancel.
  [[nodiscard]] bool lock(const std::stop_token& stop, const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    log::Writer& me = log::self();
    return try_at_once(me, site) || acquire_until_stop(me, site, stop, os::never);
  }

  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                  const Site& site = Site::current()) SPOOL_TRY_ACQUIRE(true) {
    if (!(span > span.zero())) return try_lock(site);
    log::Writer& me = log::self();
    return try_at_once(me, site) || acquire_until_stop(me, site, stop, os::deadline_after(span));
  }

  /// Throws MisuseError if nobody holds it. Records: release.
  [[gnu::always_inline]] void unlock(const Site& site = Site::current()) SPOOL_RELEASE() {
    if (site.is_of_standard_library()) [[unlikely]]
      return unlock_at(line_of_hold(site));
    unlock_at(site);
  }

  /// Does anybody hold it now? A hint, as in Python.
  bool locked() const { return word_.load(std::memory_order_relaxed) != 0; }  // relaxed: a hint

  /// Does the calling thread hold it?
  bool is_owned() const { return is_held_by(log::self()); }

  log::ObjectState& log_object() { return object_; }

 protected:
  static constexpr bool is_reentrant = kind == trace::Kind::rlock;

  constexpr BasicLock(Name name, const Site& site) : object_{kind, name, site} {}
  ~BasicLock() {
    // relaxed: nobody else may use it any more
    if (word_.load(std::memory_order_relaxed) != 0 || object_.known_number() != 0) [[unlikely]] {
      note_destroyed();
    }
  }

  /// Of the holder, and touched by nobody else: how often it has entered again.
  std::uint32_t& nested() requires is_reentrant { return nested_; }
  const std::uint32_t& nested() const requires is_reentrant { return nested_; }

 private:
  static constexpr std::uint32_t waiters_bit = 0x8000'0000;

  [[gnu::always_inline]] void lock_at(const Site& site) {
    log::Writer& me = log::self();
    if (!try_at_once(me, site)) acquire_for_ever(me, site.file, site.function, site.line);
  }

  [[gnu::always_inline]] void unlock_at(const Site& site) {
    log::Writer& me = log::self();
    if constexpr (is_reentrant) {
      if (leave(me, site)) return;
    }
    if (hold_ != Hold::recorded) [[likely]] {
      std::uint32_t mine = log::my_number;
      // release: partner is the acquire of the next lock; relaxed: somebody waits, and release() looks again
      if (word_.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed)) [[likely]] {
        --me.holds;
        return;
      }
    }
    release(me, site.file, site.function, site.line);
  }

  /// How the present hold is recorded: its acquire decides, whatever the mode is at its release. Written in the hold,
  /// where it is another than that of the hold before.
  enum class Hold : std::uint8_t { unrecorded, contended, recorded };

  struct Waited {
    bool blocked = false;
    bool recorded = false;             ///< its block is in the trace, so its end will be, whatever the mode is by then
    bool gives_up = false;             ///< the call has a limit, or is a mere try
    trace::Ticks since = 0;            ///< where it is recorded only once it lasts, in mode long: when it began
    os::Deadline late_at = os::never;  ///< and when it does
    log::Quoted owner = {};            ///< then: who had it when it began
    log::WaitEnd limit = {};
    std::uint32_t spun = 0;        ///< ticks, once it is over
    trace::Ticks spins_since = 0;  ///< it took the lock spinning: until the acquire's time; 0: it did not
  };

  static constexpr std::uint16_t id(trace::Verb verb) { return trace::record_id(kind, verb); }

  bool is_held_by(const log::Writer& me) const {
    return (word_.load(std::memory_order_relaxed) & ~waiters_bit) == me.number;  // relaxed: our own store
  }

  /// Without a Record, or entered again by its holder.
  [[gnu::always_inline]] bool try_at_once(log::Writer& me, const Site& site) {
    if constexpr (is_reentrant) {
      if (is_held_by(me)) {
        enter(me, site);
        return true;
      }
    }
    return try_unrecorded(me, site);
  }

  /// Takes a free lock where that makes no Record: in the modes off, contended and long.
  [[gnu::always_inline]] bool try_unrecorded(log::Writer& me, const Site& site) {
    const std::uint8_t state = object_.state();
    if (state == 0) [[likely]] {
      if (!take_counted(me)) [[unlikely]] {
        return false;
      }
      begin_hold(Hold::unrecorded);
      return true;
    }
    return log::is_contended(state) && try_quietly(me, site);
  }

  /// Modes contended and long: no Record, but the line is left for whoever comes to wait. False also where its number
  /// is not known yet.
  [[gnu::always_inline]] bool try_quietly(log::Writer& me, const Site& site) {
    const log::SiteSlot& slot = me.sites[log::site_slot(site)];
    if (!slot.is_of(site) || !take_counted(me)) return false;
    begin_hold(Hold::contended);
    name_owner(me, slot.number);
    return true;
  }

  void enter(log::Writer& me, const Site& site);
  bool leave(log::Writer& me, const Site& site);
  Site line_before(const Site& site) const;
  Site line_of_hold(const Site& site) const;
  void note_destroyed();
  // The hot calls take the parts of their Site, which go in registers: a Site goes over the stack. What they leave to
  // others is the last that they do, and no part of them, so that they need not save any register.
  void acquire_for_ever(log::Writer& me, const char* file, const char* function, std::uint32_t line);
  void release(log::Writer& me, const char* file, const char* function, std::uint32_t line);
  [[gnu::noinline]] void acquire_otherwise(log::Writer& me, const char* file, const char* function, std::uint32_t line);
  [[gnu::noinline]] void record_acquire_slowly(log::Writer& me, const char* file, const char* function,
                                               std::uint32_t line);
  [[gnu::noinline]] void release_slowly(log::Writer& me, const char* file, const char* function, std::uint32_t line);
  [[gnu::noinline]] void release_otherwise(log::Writer& me, const char* file, const char* function, std::uint32_t line);
  [[gnu::noinline]] void end_recorded_hold(log::Writer& me);
  bool try_acquire(log::Writer& me, const Site& site);
  bool acquire(log::Writer& me, const Site& site, os::Deadline deadline, os::Word* stopped);
  bool acquire_until_stop(log::Writer& me, const Site& site, const std::stop_token& stop, os::Deadline deadline);
  bool acquire_contended(log::Writer& me, const Site& site, os::Deadline deadline, os::Word* stopped);
  bool spin(Waited& waited);
  [[gnu::always_inline]] bool take_if_free(std::uint32_t flags) {
    std::uint32_t free = 0;
    // acquire: partner is the release in unlock or release; relaxed: the caller looks again
    return word_.compare_exchange_strong(free, log::my_number | flags, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  /// The hold is counted first: a store within it would have to be done before the release's operation may begin.
  [[gnu::always_inline]] bool take_counted(log::Writer& me) {
    ++me.holds;
    if (take_if_free(0)) [[likely]] {
      return true;
    }
    --me.holds;
    return false;
  }
  std::uint32_t register_waiter();
  void note_acquired(log::Writer& me, const Site& site, Mode mode, const Waited& waited);
  void begin_recorded_hold(log::Writer& me, const log::Emitted& at);
  log::Emitted emit_acquire(log::Writer& me, const Site& site, trace::ThreadNumber waker, const Waited& waited);
  void free_word();
  trace::Sequence next_sequence() const;
  trace::Sequence advance_sequence();
  // Both spare a store within the hold, which the release would have to wait for, where it would change nothing.
  [[gnu::always_inline]] void begin_hold(Hold hold) {
    if (hold_ != hold) hold_ = hold;
  }
  [[gnu::always_inline]] void name_owner(const log::Writer& me, trace::SiteNumber site) {
    const std::uint64_t both = log::two_words(site, me.number);
    // relaxed, both: a hint for waiters
    if (owner_site_.load(std::memory_order_relaxed) != both) owner_site_.store(both, std::memory_order_relaxed);
  }
  void begin_late(Waited& waited, trace::ThreadNumber owner) const;
  void end_wait(log::Writer& me, const Waited& waited);
  bool is_awaited() const;
  bool note_block(log::Writer& me, const Site& site, trace::ThreadNumber owner, const Waited& waited);
  void note_failed(log::Writer& me, const Site& site, trace::Verb verb, const Waited& waited);
  bool give_up(log::Writer& me, const Site& site, Waited& waited, trace::Verb verb);
  trace::ThreadNumber last_releaser() const;
  void note_releaser(const log::Writer& me);
  trace::SiteNumber site_of(trace::ThreadNumber owner) const;
  bool is_orphaned(trace::ThreadNumber owner) const;
  std::string give_up_orphan(log::Writer& me, const Site& site, const Waited& waited);

  os::Word word_{0};
  Hold hold_ = Hold::unrecorded;
  std::atomic<std::uint16_t> late_{0};        ///< waiters in mode long whose wait is in the trace
  std::atomic<trace::Sequence> sequence_{0};  ///< advanced in the hold, quoted by waiters
  /// {owner, site}, believed only where the owner matches. It outlives the hold: see last_releaser().
  std::atomic<std::uint64_t> owner_site_{0};
  std::uint32_t nested_ = 0;  ///< see nested()
  log::ObjectState object_;
};

extern template class BasicLock<trace::Kind::lock>;
extern template class BasicLock<trace::Kind::rlock>;

}  // namespace spool::sync
