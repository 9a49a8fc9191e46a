// SPDX-License-Identifier: MIT
//
// What fork() does to a process that logs. The parent goes on as if nothing had happened. The child is a process of its
// own:
//
//   - The thread that forked is its main thread ("MainThread", no daemon) and the only one. It keeps its number, for what
//     it held it holds on. The others count as ended. Numbers of threads, objects and sites go on.
//   - It has a trace of its own, PROGRAM-PID.spool beside its parent's (one in memory stays in memory) with the mode, the
//     level and the sinks of its parent. It begins with the child's first Record: a child that only calls exec or _exit
//     leaves nothing behind. Its first segment is numbered after its parent's last one, as objects begin in their middle
//     there; `parent_pid` in its env tells whose child it is.
//   - What the vanished threads held is held for ever: a warning says so for each hold, first in the child's trace, and
//     whoever wants one of these locks gets an error (`lock.orphan`), not silence.
//
// vfork, posix_spawn and exec need nothing of this. Not supported are _Fork and a raw clone without CLONE_VM, which run
// no handlers, unless the child only calls exec or _exit: the trace is not mapped there, and the first Record is a
// crash. Nor is fork in a signal handler that may have interrupted a call of spool.
#pragma once

#include <cstdint>
#include <mutex>

namespace spool::log {

/// Has fork() leave a sane child. Done when the program is loaded, so that our handlers run outside everybody else's;
/// again is harmless.
void prepare_for_fork();

/// Taken before all our own mutexes, or after them.
enum class ForkOrder : std::uint8_t { outermost, innermost };

/// Has fork() wait until nobody is under `mutex`, so that the child never finds it locked by a thread that it does not
/// have. It must live for ever and not be held by who forks.
void guard_across_fork(std::mutex& mutex, ForkOrder order);

}  // namespace spool::log
