// SPDX-License-Identifier: MIT
//
// What is recorded, switchable at run time, and the phase the process is in.
#pragma once

#include <spool/os/park.hpp>
#include <spool/trace/schema.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace spool {

using trace::Level;
using trace::Mode;

}  // namespace spool

namespace spool::log {

/// The mode in the low bits, and a bit once the process ends: one load tells a primitive that there is nothing to do
/// beside its own work (0).
inline std::atomic<std::uint8_t> state{0};
inline constexpr std::uint8_t ending_bit = 0x80;
/// Never in `state`: what an object with a mode of its own adds to it (Object::state), so that it is none of the values
/// that the fast paths look for.
inline constexpr std::uint8_t own_mode_bit = 0x40;

/// In mode long: how long a wait lasts before it is recorded, in nanoseconds.
inline std::atomic<std::int64_t> long_wait{1'000'000};

/// The general level, the least that is logged. Before anything is configured: warning. Loggers have levels of their
/// own (logger.hpp).
inline std::atomic<std::uint8_t> level_floor{static_cast<std::uint8_t>(Level::warning)};

/// The least level that the sinks get at once; above all levels while there are no sinks.
inline std::atomic<std::uint8_t> immediate_floor{0xff};

constexpr Mode mode_of(std::uint8_t bits) {
  return static_cast<Mode>(bits & ~ending_bit & 0xffU);
}

inline std::uint8_t current_state() noexcept {
  return state.load(std::memory_order_relaxed);  // relaxed: a switch, seen soon
}

inline Mode current_mode() noexcept {
  return mode_of(current_state());
}

/// Exactly this mode, contended or long, and nothing else to do: until a thread waits both are the same.
constexpr bool is_contended(std::uint8_t bits) {
  constexpr auto contended = static_cast<std::uint8_t>(Mode::contended);
  constexpr auto long_waits = static_cast<std::uint8_t>(Mode::long_waits);
  static_assert((contended & long_waits) == contended && contended != 0);
  return (bits | (contended ^ long_waits)) == long_waits;
}

/// When a wait that begins now is a long one.
inline os::Deadline late_deadline() {
  // relaxed: a switch, seen soon
  return os::deadline_after(std::chrono::nanoseconds{long_wait.load(std::memory_order_relaxed)});
}

inline bool is_logged(Level level) noexcept {
  return static_cast<std::uint8_t>(level) >= level_floor.load(std::memory_order_relaxed);  // relaxed: a switch
}

inline bool is_immediate(Level level) noexcept {
  return static_cast<std::uint8_t>(level) >= immediate_floor.load(std::memory_order_relaxed);  // relaxed: a switch
}

/// Has the sinks deliver what is there. No lock.
void wake_sinks() noexcept;

/// Which transitions are recorded from now on. Takes effect at each thread's next acquire; a hold that was recorded
/// is released as recorded. Thread-safe.
void set_mode(Mode mode);

/// How long a wait lasts before mode long records it, for waits that begin from now on; at least 1 ns. Thread-safe.
void set_long_wait(std::chrono::nanoseconds span);

/// The general level from now on; loggers that have none of their own follow. Thread-safe.
void set_level(Level level);

/// The process ends: from now on daemon threads stop at their next call of ours (while they hold nothing).
void begin_ending() noexcept;

/// Parks the calling thread for ever if it is a daemon, the process ends, and it holds nothing of ours. Its stack is
/// never unwound, so nothing it refers to is touched again.
void park_if_ending() noexcept;

}  // namespace spool::log
