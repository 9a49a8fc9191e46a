// SPDX-License-Identifier: MIT
//
// The Records of a wait, as the primitives with an inner lock make them: outside that lock, with the status entry kept
// in step. A Record that advances an object's sequence is made under the lock, by log::emit.
#pragma once

#include <spool/log/status.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <algorithm>
#include <chrono>

namespace spool::sync {

/// One call of one thread to one object.
class Notes {
 public:
  Notes(log::Writer& me, log::ObjectState& object, const Site& site) : me_{me}, object_{object}, site_{site} {}

  /// The thread is queued, and about to sleep.
  void block(const BlockFields& fields, const Patience& patience) const noexcept {
    const std::uint16_t record = block_id(fields, patience);
    const log::Emitted at = log::emit_quoting(me_, record, object_, site_, fields.quoted, fields.a, fields.b,
                                              {fields.owner.thread, fields.owner.site});
    log::begin_wait(me_, record, object_, at, state_of(fields, patience));
  }

  /// Sleeps as long as `patience` lets it; the waiter stands in `queue`. Its block Record is made before, or, in mode
  /// long, once the wait has lasted long: then it stands behind a Record that says since when. Decided under the lock,
  /// as is all that ends a wait: who grants it sees whether it is in the trace. There `renew` brings the fields up to
  /// date.
  /// Records: block.
  template <class Renew>
  Waiter::Woken sleep(StateWord& word, WaiterQueue& queue, Waiter& waiter, const Patience& patience, BlockFields fields,
                      Renew renew) const {
    if (waiter.recorded) block(fields, patience);
    if (!waiter.late) return waiter.sleep(patience);
    const Patience first{std::min(patience.deadline, log::late_deadline()), patience.stop};
    const Waiter::Woken woken = waiter.sleep(first);
    if (woken != Waiter::Woken::deadline || patience.deadline <= first.deadline) return woken;
    const std::uint32_t state = word.lock(object_, site_);
    const bool lasts = !waiter.chosen;
    const log::Quoted then{fields.owner.thread, fields.owner.site};
    if (lasts) {
      queue.note_told(waiter);
      renew(fields, state);
    }
    word.unlock(state);
    if (lasts) {
      log::tell_late_wait(me_, block_id(fields, patience), object_, site_, waiter.since,
                          log::since_its_begin(state_of(fields, patience), then));
      block(fields, patience);
    }
    return waiter.sleep(patience);
  }

  /// The same where only the sequence changes.
  Waiter::Woken sleep(StateWord& word, WaiterQueue& queue, Waiter& waiter, const Patience& patience,
                      const BlockFields& fields, const std::atomic<trace::Sequence>& sequence) const {
    return sleep(word, queue, waiter, patience, fields, [&](BlockFields& now, std::uint32_t /*state*/) {
      now.quoted = sequence.load(std::memory_order_relaxed);  // relaxed: under the lock
    });
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

  /// Its time is over, or it was stopped: takes it out of its queue. False: it was chosen in the meantime after all,
  /// and has been granted. `leave`, called under the lock, gives the state to leave behind.
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
  static log::WaitState state_of(const BlockFields& fields, const Patience& patience) noexcept {
    return {fields.owner.thread, fields.owner.site, fields.a, fields.b, patience.limit()};
  }
  std::uint16_t id(trace::Verb verb) const { return trace::record_id(object_.kind(), verb); }
  std::uint16_t block_id(const BlockFields& fields, const Patience& patience) const noexcept {
    return trace::wait_id(object_.kind(), fields.verb, patience.limit().limit);
  }

  log::Writer& me_;
  log::ObjectState& object_;
  const Site& site_;
};

}  // namespace spool::sync
