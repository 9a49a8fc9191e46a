// SPDX-License-Identifier: MIT
//
// A thread's last state: what it holds and what it waits for, kept in its entry of the mapped `.status` file by the
// thread itself. Survives SIGKILL; read by the watchdog and by the tools, who never touch an object.
//
// An entry is a seqlock: `version` is odd while its thread writes. Data is stored with release so that it is not seen
// before the odd version, and loaded with acquire so that the version is read again after it.
#pragma once

#include <spool/log/writer.hpp>

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

/// A write to an entry, from odd to even.
class StatusWrite {
 public:
  explicit StatusWrite(trace::StatusEntry& entry) noexcept : entry_{entry}, version_{entry.version} {
    put(entry_.version, version_ + 1);
  }
  ~StatusWrite() { put(entry_.version, version_ + 2); }
  StatusWrite(const StatusWrite&) = delete;
  StatusWrite& operator=(const StatusWrite&) = delete;

 private:
  trace::StatusEntry& entry_;
  std::uint32_t version_;
};

}  // namespace detail

/// A hold begins. Owner only, as all below.
inline void push_hold(Writer& writer, const Object& object, const Emitted& at, std::uint32_t mode = 0) noexcept {
  trace::StatusEntry& entry = *writer.status;
  const detail::StatusWrite write{entry};
  const std::uint32_t depth = entry.depth;
  if (depth < trace::status_holds) {
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

/// Removes a hold that is not the newest one.
void pop_hold_below(Writer& writer, trace::ObjectNumber object) noexcept;

/// A hold ends. Nothing happens when the thread does not hold the object: a Lock may be released by another.
inline void pop_hold(Writer& writer, trace::ObjectNumber object) noexcept {
  trace::StatusEntry& entry = *writer.status;
  const std::uint32_t depth = entry.depth;
  if (depth > 0 && depth <= trace::status_holds && entry.holds[depth - 1].object == object) [[likely]] {
    const detail::StatusWrite write{entry};
    detail::put(entry.depth, depth - 1);
    return;
  }
  pop_hold_below(writer, object);
}

/// A wait begins, or goes on with another owner.
void begin_wait(Writer& writer, std::uint16_t record, Object& object, const Emitted& at, trace::ThreadNumber owner,
                trace::SiteNumber owner_site) noexcept;
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
