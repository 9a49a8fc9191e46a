// SPDX-License-Identifier: MIT
//
// Semaphore and BoundedSemaphore: permits that threads take and give. Python's threading.Semaphore with
// std::counting_semaphore's names. Owns the count and the queue of those who wait for a permit.
//
//   spool::BoundedSemaphore connections{10, "connections"};
//   const spool::Permit permit{connections};                            // Python's `with`
//   if (!connections.try_acquire_for(2s)) spool::warning("no connection for 2 s");
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <utility>

namespace spool {

namespace sync {
class Notes;
}

/// Thread-safe; any thread may release. First come, first served: a release hands its permits to those who wait first,
/// and nobody who comes later overtakes them. (Who has to wait spins for some microseconds first.) So there is never a
/// free permit while somebody waits.
///
///   state   0         no permit is free, nobody waits
///           n         so many are free
///           crowded   no permit is free, somebody waits
///
/// In the child of a fork nobody waits; permits that threads of the parent took stay taken, as nobody knows whose they
/// are.
///
/// Memory ordering: a release happens before the return of each acquire that takes one of its permits.
/// Requires: not destroyed while waited on (logged, then abort, unless the process is ending). A thread whose acquire
/// has returned may destroy it, though the release that gave the permit has not returned yet.
/// Records: as each call says; all with the caller's line. In mode `contended`: block, and acquire, timeout or cancel
/// after it, and each release that ended a wait.
class Semaphore {
 public:
  /// One permit.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Semaphore(const Site& site = Site::current()) : Semaphore{1, {}, site} {}
  /// `initial` permits are free at first. Throws MisuseError if that is negative or more than max().
  constexpr explicit Semaphore(std::ptrdiff_t initial, Name name = {}, const Site& site = Site::current())
      : Semaphore{trace::Kind::semaphore, initial, most, name, site} {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  /// Records: destroy, if it ever was recorded.
  ~Semaphore();

  /// The greatest number of free permits.
  static constexpr std::ptrdiff_t max() noexcept { return most; }

  /// Takes a permit; waits for one without end.
  /// Records: acquire; after a wait block, acquire, with who released.
  void acquire(const Site& site = Site::current()) { (void)acquire_with({}, site); }

  /// Records: acquire, or busy.
  [[nodiscard]] bool try_acquire(const Site& site = Site::current()) {
    return acquire_with(sync::Patience::none(), site);
  }

  /// False after `span` of waiting. Zero or less tries once; a huge span waits without end.
  /// Records: as acquire(), or block, timeout; of a mere try: acquire or busy.
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return acquire_with(sync::patience_for(span), site);
  }
  /// The same until a point in time of any clock; a clock that is set meanwhile does not matter.
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(const std::chrono::time_point<Clock, Duration>& time,
                                       const Site& site = Site::current()) {
    return acquire_with({os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as acquire(), or block, cancel.
  [[nodiscard]] bool acquire(const std::stop_token& stop, const Site& site = Site::current()) {
    return acquire_with({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                     const Site& site = Site::current()) {
    return acquire_with(sync::patience_for(span, &stop), site);
  }

  /// Gives `count` permits. Throws MisuseError, and changes nothing, if that is less than 1 or more than there is room
  /// for: max(), or what a BoundedSemaphore began with.
  /// Records: release, with how many it woke.
  void release(std::ptrdiff_t count = 1, const Site& site = Site::current());

  /// How many permits are free: a hint, others take and give meanwhile.
  std::ptrdiff_t value() const noexcept { return value_of(word_.peek().state); }

  log::ObjectState& log_object() { return object_; }

 protected:
  constexpr Semaphore(trace::Kind kind, std::ptrdiff_t initial, std::ptrdiff_t limit, Name name, const Site& site)
      : word_{static_cast<std::uint32_t>(std::clamp<std::ptrdiff_t>(initial, 0, most))},
        limit_{static_cast<std::uint32_t>(std::clamp<std::ptrdiff_t>(limit, 0, most))},
        object_{kind, name, site} {
    if (initial < 0 || initial > most) refuse_initial(initial, site);
  }

 private:
  static constexpr std::uint32_t crowded = sync::StateWord::most;
  static constexpr std::ptrdiff_t most = crowded - 1;

  static constexpr std::uint32_t value_of(std::uint32_t state) { return state == crowded ? 0 : state; }

  [[noreturn]] void refuse_initial(std::ptrdiff_t initial, const Site& site);
  bool try_take();
  bool try_give(std::ptrdiff_t count);
  bool acquire_with(const sync::Patience& patience, const Site& site);
  bool acquire_slowly(const sync::Patience& patience, Mode mode, const Site& site);
  /// What the queue was like when a thread had joined it.
  struct Queued {
    trace::Sequence sequence;
    std::uint32_t waiters;
  };
  bool wait_for_permit(const sync::Notes& notes, sync::Waiter& waiter, Queued queued, const sync::Patience& patience);
  void release_slowly(std::uint32_t count, Mode mode, const Site& site);
  std::uint32_t hand_over(std::uint32_t free, const sync::Waker& giver, sync::Chosen& chosen);
  trace::Sequence advance_sequence();

  sync::StateWord word_;
  const std::uint32_t limit_;                 ///< free permits there may be
  sync::WaiterQueue waiters_;                 ///< under the word's lock
  std::atomic<trace::Sequence> sequence_{0};  ///< advanced under the word's lock, quoted by who waits
  log::ObjectState object_;
};

/// A Semaphore that never has more free permits than it began with: releasing too often is a mistake that it finds.
class BoundedSemaphore : public Semaphore {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr BoundedSemaphore(const Site& site = Site::current()) : BoundedSemaphore{1, {}, site} {}
  constexpr explicit BoundedSemaphore(std::ptrdiff_t initial, Name name = {}, const Site& site = Site::current())
      : Semaphore{trace::Kind::bounded_semaphore, initial, initial, name, site} {}
};

/// One permit for the length of a scope. (A class of its own and not std::lock_guard: `lock` and `unlock` would promise
/// that one thread is inside and that the same one unlocks, neither of which a semaphore does; the standard's has no
/// such calls either.) Movable: the permit may travel with what it stands for, also to another thread.
/// Thread-bound. Records: the semaphore's acquire and release, both with the line of the Permit.
class [[nodiscard]] Permit {
 public:
  /// Waits for one.
  explicit Permit(Semaphore& semaphore, const Site& site = Site::current()) : semaphore_{&semaphore}, site_{site} {
    semaphore.acquire(site);
  }
  /// Takes charge of one that was acquired before, by a try for example.
  Permit(Semaphore& semaphore, std::adopt_lock_t /*acquired*/, const Site& site = Site::current())
      : semaphore_{&semaphore}, site_{site} {}
  Permit(Permit&& other) noexcept : semaphore_{std::exchange(other.semaphore_, nullptr)}, site_{other.site_} {}
  Permit& operator=(Permit&& other) noexcept {
    Permit taken{std::move(other)};
    std::swap(semaphore_, taken.semaphore_);
    std::swap(site_, taken.site_);
    return *this;
  }
  /// A permit too many for a BoundedSemaphore ends the program, as an exception of any destructor.
  ~Permit() {  // NOLINT(bugprone-exception-escape): so said
    if (semaphore_ != nullptr) semaphore_->release(1, site_);
  }

  /// Gives it back before the end of the scope; nothing if that was done already.
  void release(const Site& site = Site::current()) {
    if (semaphore_ != nullptr) std::exchange(semaphore_, nullptr)->release(1, site);
  }

 private:
  Semaphore* semaphore_;
  Site site_;
};

}  // namespace spool
