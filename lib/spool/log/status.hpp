// SPDX-License-Identifier: MIT
//
// A thread's last state: what it holds and what it waits for, kept in its entry of the mapped `.status` file by the
// thread itself. Survives SIGKILL; read by the watchdog and by the tools, who never touch an object.
//
// A reader copies an entry between two looks at `version`. Adding needs no version: what is added is written before the
// store that makes it count (`depth`, `wait_record`), and nothing that counted is overwritten. Taking away advances the
// version first, so that a reader who sees a place reused sees the new version too. Only a wait that goes on with
// another owner is overwritten in place; then the version is odd meanwhile. All stores are release and all loads
// acquire, so that they are seen in this order; on x86 both are plain moves.
#pragma once

#include <spool/log/writer.hpp>
#include <spool/os/park.hpp>

#include <chrono>

namespace spool::log {

namespace detail {

template <class T>
inline void put(T& field, T value) noexcept {
  std::atomic_ref{field}.store(value, std::memory_order_release);  // release: partner is `get` (see the head)
}

template <class T>
inline T get(const T& field) noexcept {
  // const_cast: C++20's atomic_ref wants it, a load does not write
  return std::atomic_ref{const_cast<T&>(field)}.load(std::memory_order_acquire);  // acquire: partner is `put`
}

/// Something that counts is about to go.
inline void advance_version(trace::StatusEntry& entry) noexcept {
  put(entry.version, entry.version + 2);
}

}  // namespace detail

/// A hold begins. Owner only, as all below.
inline void push_hold(Writer& writer, const Object& object, const Emitted& at, std::uint32_t mode = 0) noexcept {
  trace::StatusEntry& entry = writer.current_status();
  const std::uint32_t depth = entry.depth;
  if (depth < trace::status_holds) [[likely]] {
    trace::StatusHold& hold = entry.holds[depth];
    detail::put(hold.object, object.known_number());
    detail::put(hold.since, at.time);
    detail::put(hold.site, at.site);
    detail::put(hold.mode, mode);
    // release: partner is the acquire in snapshot
    writer.held[depth].store(object.shared_class(), std::memory_order_release);
  }
  detail::put(entry.depth, depth + 1);
}

/// Removes a hold that is not the newest one, or that nobody knows: the entry had no room for it when it began.
void pop_hold_below(Writer& writer, trace::ObjectNumber object) noexcept;

/// The newest hold ends; false, and nothing has happened, when that is not of the object: then pop_hold_below is due.
[[gnu::always_inline]] inline bool try_pop_hold(Writer& writer, trace::ObjectNumber object) noexcept {
  trace::StatusEntry& entry = writer.current_status();
  const std::uint32_t top = entry.depth - 1;  // of an empty stack: huge, so not below status_holds
  if (top >= trace::status_holds || entry.holds[top].object != object) [[unlikely]] {
    return false;
  }
  detail::advance_version(entry);
  detail::put(entry.depth, top);
  return true;
}

/// A hold ends. Nothing happens when the thread does not hold the object: a Lock may be released by another.
inline void pop_hold(Writer& writer, trace::ObjectNumber object) noexcept {
  if (!try_pop_hold(writer, object)) pop_hold_below(writer, object);
}

/// What is known of a shared hold that the calling thread is about to give back. Of holds beyond the entry's room
/// nothing is known: such a one counts as recorded while everything is.
enum class SharedHold : std::uint8_t {
  none,        ///< it surely has none: it holds nothing at all, or all that it holds is recorded and something else
  unrecorded,  ///< it may have one
  recorded,
};
SharedHold shared_hold(const Writer& writer, const Object& object) noexcept;

/// What else than its object can end a wait, and when that is sure to.
struct WaitEnd {
  trace::WaitLimit limit = trace::WaitLimit::none;
  std::uint64_t deadline = 0;  ///< as in trace::StatusEntry
};

inline WaitEnd limit_of(os::Deadline deadline, bool can_be_stopped) noexcept {
  using std::chrono::nanoseconds;
  if (deadline == os::never) return {can_be_stopped ? trace::WaitLimit::stop : trace::WaitLimit::none};
  const auto since_boot = std::chrono::duration_cast<nanoseconds>(deadline.time_since_epoch()).count();
  return {trace::WaitLimit::deadline, since_boot > 0 ? static_cast<std::uint64_t>(since_boot) : 1};
}

/// What the entry keeps of a wait beside its place.
struct WaitState {
  trace::ThreadNumber owner = 0;
  trace::SiteNumber owner_site = 0;
  std::uint32_t a = 0;  ///< of the block Record
  std::uint32_t b = 0;
  WaitEnd end = {};
};

/// A wait begins, or goes on with another owner.
void begin_wait(Writer& writer, std::uint16_t record, Object& object, const Emitted& at,
                const WaitState& wait) noexcept;
/// As a wait is told that is recorded late: its owner only where it is who had the object when the wait began. Whoever has
/// it by now is not known to have had it then.
inline WaitState since_its_begin(WaitState wait, const Quoted& then) noexcept {
  const bool same = wait.owner == then.thread && (wait.owner_site == then.site || then.site == 0);
  if (!same) wait.owner = wait.owner_site = 0;
  return wait;
}

/// A wait that began at `since` and is recorded only now. Records: status.wait, which says since when; the block
/// follows.
void tell_late_wait(Writer& writer, std::uint16_t record, Object& object, const Site& site, trace::Ticks since,
                    const WaitState& wait) noexcept;
void end_wait(Writer& writer) noexcept;

/// A consistent copy of another thread's entry; false if its owner was writing all the time.
struct StatusSnapshot {
  trace::StatusEntry entry;
  std::array<const ObjectClass*, trace::status_holds> held;
  const ObjectClass* waited;
  trace::ObjectNumber waited_parent;
};
bool snapshot(const Writer& writer, StatusSnapshot& out) noexcept;

}  // namespace spool::log
