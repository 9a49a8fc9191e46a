// SPDX-License-Identifier: MIT
//
// The end of the program: non-daemon threads are joined, daemon threads are left behind.
#pragma once

namespace spool::thread {

/// Has exit() wait for the non-daemon threads. Called at each start: a hook that is registered later runs before the
/// destructors of statics that were made before it, so that these outlive the threads that use them.
void join_at_exit() noexcept;

/// Shuts down all pools whose workers are no daemons, and joins all non-daemon threads but the caller; also those that
/// are made meanwhile.
void join_all();

}  // namespace spool::thread
