// SPDX-License-Identifier: MIT
//
// Event: a flag that threads wait for. Python's threading.Event. Owns the flag and the queue of those who wait.
//
//   spool::Event ready{"ready"};
//   ready.wait();                                                       // one thread
//   ready.set();                                                        // another
//   if (!ready.wait_for(2s)) spool::warning("not ready after 2 s");
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <chrono>
#include <stop_token>

namespace spool {

namespace sync {
class Notes;
}

/// Thread-safe. set() wakes all who wait at that moment, also if clear() follows at once: who was waiting goes on.
///
///   state   0 clear   1 set
///
/// Memory ordering: a set() happens before the return of each wait that it ends or lets pass, and before an is_set()
/// that sees it.
/// Requires: not destroyed while waited on (logged, then abort, unless the process is ending). A thread whose wait has
/// returned may destroy it, though the set() that ended the wait has not returned yet.
/// Records: as each call says; all with the caller's line. In mode `contended`: waits that blocked, and each set() that
/// ended one.
class Event {
 public:
  constexpr Event(const Site& site = Site::current()) : Event{Name{}, site} {}  // NOLINT(google-explicit-constructor)
  constexpr explicit Event(Name name, const Site& site = Site::current()) : object_{trace::Kind::event, name, site} {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  /// Records: destroy, if it ever was recorded.
  ~Event();

  /// Records: set, with how many it woke and whether it was set before.
  void set(const Site& site = Site::current());
  /// Records: clear.
  void clear(const Site& site = Site::current());
  bool is_set() const noexcept { return word_.peek().state == is_set_state; }

  /// Waits until it is set.
  /// Records: continue, with who set it and where; after a wait block, continue.
  void wait(const Site& site = Site::current()) { (void)wait_with({}, site); }

  /// False when it is still not set after `span`. Zero or less looks once; a huge span waits without end.
  /// Records: as wait(); or block, timeout; of a mere look that fails busy.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return wait_with(sync::patience_for(span), site);
  }
  /// The same until a point in time of any clock; a clock that is set meanwhile does not matter.
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) {
    return wait_with({os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as wait(), or block, cancel.
  [[nodiscard]] bool wait(const std::stop_token& stop, const Site& site = Site::current()) {
    return wait_with({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) {
    return wait_with(sync::patience_for(span, &stop), site);
  }

  log::ObjectState& log_object() { return object_; }

 private:
  static constexpr std::uint32_t is_set_state = 1;

  bool wait_with(const sync::Patience& patience, const Site& site);
  bool wait_for_set(const sync::Notes& notes, sync::Waiter& waiter, const sync::BlockFields& fields,
                    const sync::Patience& patience);
  bool wait_slowly(const sync::Patience& patience, Mode mode, const Site& site);

  sync::StateWord word_;
  sync::WaiterQueue waiters_;                 ///< under the word's lock, as all below
  std::atomic<trace::Sequence> sequence_{0};  ///< quoted by who waits
  sync::Waker setter_;                        ///< of the last recorded set
  log::ObjectState object_;
};

}  // namespace spool
