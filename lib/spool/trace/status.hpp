// SPDX-License-Identifier: MIT
//
// The bytes of `.status`: each live thread's last state, written by the thread itself and left behind by any death.
//
//   | StatusHeader, 64 bytes | StatusEntry, 512 bytes | StatusEntry | ...
//
// `depth` holds count, and a wait counts while `wait_record` is not 0; each is stored after what it makes count. So an
// entry that a killed writer left is whole, but for one case: an odd `version` says that a wait was just going on with
// another owner, whose thread and site may then not belong together.
#pragma once

#include <spool/trace/ctf.hpp>
#include <spool/trace/schema.hpp>

#include <array>
#include <cstdint>

namespace spool::trace {

inline constexpr std::array<char, 8> status_magic{'S', 'P', 'O', 'O', 'L', 'S', 'T', '1'};

struct StatusHeader {
  std::array<char, 8> magic;
  std::uint32_t entry_size;
  std::uint32_t entry_count;     ///< how many entries the file holds; an unused one has thread 0
  std::uint32_t entries_missed;  ///< threads that found no free entry
  std::uint32_t mode;            ///< trace::Mode; holds are complete only in Mode::all
  std::uint32_t pid;
  std::uint32_t unknown_threads;  ///< of the process that have no number and are none of ours, and one; 0: not counted
  std::uint64_t frequency;        ///< ticks a second
  std::uint64_t lost;             ///< Records lost so far, whether or not a trace.loss Record has told
  std::array<std::uint64_t, 2> reserved_b;
};
static_assert(sizeof(StatusHeader) == 64);

/// One hold of a thread, oldest first.
struct StatusHold {
  std::uint64_t object;  ///< 0: not known, one that the entry had no room for when it began
  std::uint64_t since;   ///< ticks
  std::uint32_t site;
  std::uint32_t mode;  ///< 0 exclusive, 1 shared
};
static_assert(sizeof(StatusHold) == 24);

inline constexpr std::size_t status_holds = 18;

struct StatusEntry {
  std::uint32_t version;      ///< advanced before anything that counts goes; odd: see above
  std::uint32_t thread;       ///< ThreadNumber; 0: unused
  std::uint32_t depth;        ///< holds; more than status_holds means that the newest are missing
  std::uint32_t wait_record;  ///< id of the block Record of the wait, 0: not waiting
  std::uint64_t wait_object;
  std::uint64_t wait_since;  ///< ticks
  std::uint32_t wait_site;
  std::uint32_t wait_owner;       ///< ThreadNumber seen when it blocked, 0: none
  std::uint32_t wait_owner_site;  ///< where the owner acquired, 0: not known
  std::uint32_t wait_limit;       ///< WaitLimit
  std::uint32_t wait_a;           ///< the third field of the block Record, and
  std::uint32_t wait_b;           ///< the fourth: a Queue's call, a pool's task, ...
  std::uint64_t wait_deadline;    ///< CLOCK_MONOTONIC, ns, at which the wait ends by itself; 0: not known, or never
  std::uint32_t wait_stack;       ///< its call stack, by number; 0: not known
  std::uint32_t reserved_a;
  std::uint64_t reserved_b;
  std::array<StatusHold, status_holds> holds;
};
static_assert(sizeof(StatusEntry) == 512);

}  // namespace spool::trace
