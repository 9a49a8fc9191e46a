// SPDX-License-Identifier: MIT
//
// What replay tells the analyses while it goes over the Records. Owns the calls, not what is made of them.
#pragma once

#include <unspool/replay/state.hpp>

#include <cstdint>
#include <span>

namespace unspool {

class Replay;

/// A plain hold, and whose.
struct HoldOfObject {
  const ObjectState* object = nullptr;
  const PlainHold* hold = nullptr;
};
struct HoldsOfObjects {
  std::span<const HoldOfObject> all;
  trace::Ticks longest = 0;  ///< of them

  auto begin() const { return all.begin(); }
  auto end() const { return all.end(); }
};

/// Each analysis overrides what it needs. Calls come in the order of the Records. An ObjectState's slot is valid
/// between born() and destroyed(), then used again for another object.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// Before the first Record. The replay outlives the calls.
  virtual void began(const Replay&) {}
  /// Each Record of the rows that it hears, before its effect.
  virtual void record(const Record&) {}
  virtual bool hears(const trace::Row&) const { return true; }
  virtual void born(const ObjectState&) {}
  virtual void destroyed(const ObjectState&) {}
  /// A hold begins. `spun`: ticks, as the Record says; `waited`: it ended a wait.
  virtual void acquired(const ObjectState&, const Record&, trace::Ticks /*spun*/, bool /*waited*/) {}
  /// A hold ended whose begin is known.
  virtual void held(const ObjectState&, const Hold&) {}
  /// In place of acquired(), held() and the two Records of each, where all who hear of these also hear of this: holds
  /// that follow one another, at least one. An object is free before its hold and afterwards, and nobody waits for it;
  /// its state is that after the last of them.
  virtual void held_plainly(HoldsOfObjects) {}
  /// Another thread than the owner released it.
  virtual void released_by_other(const ObjectState&, const Record&) {}
  /// A wait has ended, or the Records have (Ending::unended). `object` is null for a join.
  virtual void waited(const ObjectState* /*object*/, const Wait&) {}
  /// A try, or a wait of no length, failed: busy, timeout, cancel without a block. `object` is null for a join.
  virtual void failed(const ObjectState* /*object*/, const Record&) {}
  /// A continue without a wait: what was to be waited for had happened already. `object` is null for a join.
  virtual void passed(const ObjectState* /*object*/, const Record&) {}
  /// So many Records of an object are missing before this one.
  virtual void missing(const Record&, std::uint64_t /*records*/) {}
  /// After the last Record and all unended waits.
  virtual void finished(const Replay&) {}
};

}  // namespace unspool
