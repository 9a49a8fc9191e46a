// SPDX-License-Identifier: MIT
//
// Whether files in memory would be missed by others. Owns the asking of the system.
#pragma once

#include <cstdint>

namespace unspool {

/// A tmpfs; not in every container.
inline constexpr const char* memory_directory = "/dev/shm";

/// Whether `bytes` more of files in `memory_directory` leave half of the machine's memory available, and half of that
/// directory empty. Never where a control group limits this process: what it allows is not what the machine has.
/// Thread-safe.
bool memory_has_room_for(std::uint64_t bytes);

}  // namespace unspool
