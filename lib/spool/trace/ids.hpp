// SPDX-License-Identifier: MIT
//
// The numbers that name things in a trace. Owns the ranges, not their allocation (log does that).
#pragma once

#include <cstdint>

namespace spool::trace {

/// A thread's number: 1 to 2^31-1, never reused in a trace; 0 is "no thread" or "not known".
/// Bit 31 stays free because a lock word keeps its waiters bit there.
using ThreadNumber = std::uint32_t;
inline constexpr ThreadNumber max_thread_number = 0x7fff'ffff;

/// An object's number: 48 bits, never reused in a trace; 0 is "no object" (a message has none).
/// Threads are objects too: a number below 2^32 is the ThreadNumber of that thread.
using ObjectNumber = std::uint64_t;
inline constexpr ObjectNumber first_object_number = ObjectNumber{1} << 32;
inline constexpr ObjectNumber max_object_number = (ObjectNumber{1} << 48) - 1;

constexpr bool is_thread(ObjectNumber object) {
  return object < first_object_number;
}

/// The number of a place in the source, trace-wide; 0 is "not known".
using SiteNumber = std::uint32_t;

/// A call stack, and one call in it. Numbers from 1, trace-wide; 0 is none.
using StackNumber = std::uint32_t;
using FrameNumber = std::uint32_t;

/// The position of a Record on one object, compared serially (it may wrap); the first is 1.
using Sequence = std::uint32_t;

/// A point in time: ticks of the trace's clock (its `clock` definitions tell what a tick is).
using Ticks = std::uint64_t;

}  // namespace spool::trace
