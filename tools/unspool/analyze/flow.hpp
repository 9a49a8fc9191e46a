// SPDX-License-Identifier: MIT
//
// How a lock passes from hand to hand: how much of its life it is held, whether those who wait are overtaken, and how
// long its queue stays. Owns the figures of one lock and their sums; whose fault a wait is stands in locks.hpp.
//
// They need every acquire and release (mode `all`), and those of all threads: only `woken` goes by a filter.
#pragma once

#include <unspool/analyze/samples.hpp>
#include <unspool/replay/state.hpp>

#include <cstdint>

namespace unspool {

/// Of all instances of a class.
struct Flow {
  trace::Ticks held = 0;             ///< of `life`, by anybody; a SharedLock's readers together count once
  trace::Ticks life = 0;             ///< from the first Record to the destruction or the last Record
  trace::Ticks woken = 0;            ///< of the waits that acquired: after the last release before it
  std::uint64_t overtakes = 0;       ///< acquires without a wait while others waited
  std::uint64_t retakes = 0;         ///< thereof, by the thread that had released it last
  std::uint64_t most_futile = 0;     ///< wake-ups in vain of one wait
  std::uint64_t longest_convoy = 0;  ///< contended acquires one after another, during which the queue never got empty
  trace::Ticks in_convoys = 0;       ///< from the first to the last acquire of each of two or more
  std::uint64_t behind_writers = 0;  ///< readers that had to wait though readers held it: a writer waits before them

  void merge(const Flow& other);
};

/// One live lock.
class LockFlow {
 public:
  LockFlow() = default;
  explicit LockFlow(trace::Ticks since) : since_{since} {}

  /// What an uncontended acquire costs is the first lines.
  void acquired(Flow& flow, const ObjectState& object, const Record& record, bool waited) {
    if (object.readers.size() <= 1) {
      is_held_ = true;
      held_since_ = record.time;
    }
    if (waited || object.history.waited_for()) contended(flow, object, record, waited);
  }
  void held(Flow& flow, const ObjectState& object, const Hold& hold);
  /// The caller adds its length to Flow::held, at once or later.
  void held_plainly(const PlainHold& hold) {
    freed_ = hold.until;
    releaser_ = hold.thread;
  }
  /// Before the acquire that ends it has an effect.
  void waited(Flow& flow, const Wait& wait) const;
  /// A waiter has gone, with the lock or without.
  void left(Flow& flow, const ObjectState& object);
  void ended(Flow& flow, trace::Ticks now);

 private:
  void contended(Flow& flow, const ObjectState& object, const Record& record, bool waited);
  void end_convoy(Flow& flow);

  trace::Ticks since_ = 0;
  trace::Ticks held_since_ = 0;
  trace::Ticks freed_ = 0;
  trace::Ticks convoy_since_ = 0;
  trace::Ticks convoy_until_ = 0;
  std::uint64_t convoy_ = 0;
  trace::ThreadNumber releaser_ = 0;
  bool is_held_ = false;
};

}  // namespace unspool
