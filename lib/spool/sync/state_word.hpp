// SPDX-License-Identifier: MIT
//
// The word that the primitives with an inner lock live on: 30 bits of state, and the lock over them and all else that
// the primitive owns. Short: a queue is changed and a Record is written under it, nothing sleeps. The kinds of state
// are the primitives' own.
#pragma once

#include <spool/log/identity.hpp>
#include <spool/log/object.hpp>
#include <spool/os/park.hpp>

#include <atomic>
#include <cstdint>

namespace spool::sync {

///   bit 0       locked      one thread is inside
///   bit 1       crowded     somebody may sleep for the lock; whoever unlocks wakes one
///   bits 2..31  state       written by unlock(), or by try_change() while unlocked
///
/// In the child of a fork the word is nobody's at first: whoever locks it first there adopts it. Locked at that moment,
/// it was by a thread that stayed behind in the parent, which never comes out and has left the object in the middle of
/// a change: that is a MisuseError, now and each time. (What goes unseen is a fork by the very thread that is inside.
/// Only the user's code in a Queue can do that; its queue is reported as left, until that thread has come out.)
///
/// Unlocking and publishing the new state are one store, and the last access that a call makes to its object. So
/// whoever sees that state, or locks after it, may destroy the object: the wake that may follow goes to an address,
/// dead or not.
/// Memory ordering: an unlock, or a successful try_change, happens before the lock() or peek() that sees its state.
class StateWord {
 public:
  static constexpr std::uint32_t most = 0x3fff'ffff;  ///< the greatest state

  constexpr explicit StateWord(std::uint32_t state = 0) : word_{state << shift} {}

  /// Waits until it has the lock; gives the state. `object`, whose word it is, and the caller's line are for the error.
  std::uint32_t lock(log::Object& object, const Site& site) {
    if (process_.load(std::memory_order_relaxed) != log::fork_depth())
        [[unlikely]] {  // relaxed: once ours, it stays so
      adopt(object, site);
    }
    // relaxed: the CAS acquires
    std::uint32_t seen = word_.load(std::memory_order_relaxed) & ~flags;
    // acquire: partner is the release in unlock; relaxed: lock_slowly looks again
    if (word_.compare_exchange_strong(seen, seen | locked, std::memory_order_acquire, std::memory_order_relaxed))
        [[likely]] {
      return seen >> shift;
    }
    return lock_slowly();
  }

  /// Leaves `state` behind.
  void unlock(std::uint32_t state) noexcept {
    os::Word* const address = &word_;  // after the exchange somebody else may destroy the object
    // release: partner is the acquire in lock, peek and try_change
    const std::uint32_t before = word_.exchange(state << shift, std::memory_order_release);
    if ((before & crowded) != 0) [[unlikely]] {
      os::unpark(address, 1);
    }
  }

  /// The state without the lock, which may be old by now; `is_locked` if somebody is about to change it.
  struct Glance {
    std::uint32_t state;
    bool is_locked;
  };
  Glance peek() const noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_acquire);  // acquire: partner is the release in unlock
    return {seen >> shift, (seen & locked) != 0};
  }

  /// From `from` to `to` in one step, unless it is locked or another state by now.
  bool try_change(std::uint32_t from, std::uint32_t to) noexcept {
    std::uint32_t seen = from << shift;
    // acq_rel: partners are the release and the acquire above; relaxed: the caller looks again
    return word_.compare_exchange_strong(seen, to << shift, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t locked = 1;
  static constexpr std::uint32_t crowded = 2;
  static constexpr std::uint32_t flags = locked | crowded;
  static constexpr unsigned shift = 2;

  void adopt(log::Object& object, const Site& site);
  std::uint32_t lock_slowly() noexcept;

  os::Word word_;
  std::atomic<std::uint32_t> process_{0};  ///< log::fork_depth() of the process that may lock it; under adoption()
};

}  // namespace spool::sync
