// SPDX-License-Identifier: MIT
//
// The orderly end of the recording.
#pragma once

namespace spool::log {

/// Writes the end Record, delivers everything to the sinks and closes the last segment. Nothing is recorded after it.
/// Once; also a no-op where nothing is recorded.
void end_recording() noexcept;

}  // namespace spool::log
