// SPDX-License-Identifier: MIT
//
// The Records of a wait, as the primitives with an inner lock make them: outside that lock, with the status entry kept in
// step. A Record that advances an object's sequence is made under the lock, by log::emit.
#pragma once

#include <spool/log/status.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

namespace spool::sync {

/// One call of one thread to one object.
class Notes {
 public:
  Notes(log::Writer& me, log::ObjectState& object, const Site& site) : me_{me}, object_{object}, site_{site} {}

  /// The thread is queued, and about to sleep.
  void block(trace::Verb verb, trace::Sequence quoted, std::uint32_t a, std::uint32_t b, const Patience& patience,
             const Waker& owner = {}) const noexcept {
    const log::Emitted at = log::emit_quoting(me_, id(verb), object_, site_, quoted, a, b, {owner.thread, owner.site});
    log::begin_wait(me_, id(verb), object_, at, {owner.thread, owner.site, a, b, patience.limit()});
  }

  /// Any other Record; `named` is the thread and site that `a` and `b` may stand for.
  void tell(trace::Verb verb, trace::Sequence sequence, std::uint32_t a, std::uint32_t b,
            const Waker& named = {}) const noexcept {
    log::emit_quoting(me_, id(verb), object_, site_, sequence, a, b, {named.thread, named.site});
  }

  /// Is the end of this wait to be recorded? What began recorded ends so, whatever the mode is by then: a thread whose
  /// last Record is a block would seem to wait for ever. Not when the whole recording is over.
  static bool ends_recorded(const Waiter& waiter) noexcept {
    return waiter.recorded && log::generation.load(std::memory_order_relaxed) != 0;  // relaxed: a hint
  }

  /// The wait of a thread that blocked is over.
  template <class Tell>
  void unblock(const Waiter& waiter, Tell tell_how) const noexcept {
    if (ends_recorded(waiter)) tell_how();
    log::end_wait(me_);
  }

  /// Its time is over, or it was stopped: takes it out of its queue. False: it was chosen in the meantime after all, and
  /// has been granted. `leave`, called under the lock, gives the state to leave behind.
  template <class Leave>
  bool give_up(StateWord& word, WaiterQueue& queue, Waiter& waiter, Leave leave) const {
    const std::uint32_t state = word.lock(object_, site_);
    const bool gives_up = !waiter.chosen;
    if (gives_up) queue.remove(waiter);
    word.unlock(gives_up ? leave(state) : state);
    if (!gives_up) waiter.await_grant();
    return gives_up;
  }
  bool give_up(StateWord& word, WaiterQueue& queue, Waiter& waiter) const {
    return give_up(word, queue, waiter, [](std::uint32_t state) { return state; });
  }

  /// The wait of one that has given up is over: a timeout, or a cancel where it was stopped.
  void gave_up(const Waiter& waiter, Waiter::Woken woken, trace::Sequence quoted, std::uint32_t a, std::uint32_t b = 0,
               const Waker& named = {}) const noexcept {
    const trace::Verb verb = woken == Waiter::Woken::stop ? trace::Verb::cancel : trace::Verb::timeout;
    unblock(waiter, [&] { tell(verb, quoted, a, b, named); });
  }

 private:
  std::uint16_t id(trace::Verb verb) const { return trace::record_id(object_.kind(), verb); }

  log::Writer& me_;
  log::ObjectState& object_;
  const Site& site_;
};

}  // namespace spool::sync
