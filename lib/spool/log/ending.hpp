// SPDX-License-Identifier: MIT
//
// The orderly end of the recording, and what a fork leaves of it.
#pragma once

namespace spool::log {

/// Writes the end Record, delivers everything to the sinks and closes the last segment. Nothing is recorded after it.
/// Once; also a no-op where nothing is recorded.
void end_recording() noexcept;

/// Has fork() leave a sane child: it records nothing (the mappings are its parent's), its locks work.
void prepare_for_fork();

}  // namespace spool::log
