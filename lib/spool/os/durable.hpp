// SPDX-License-Identifier: MIT
//
// What has to survive a power loss: waits until the disk has it.
#pragma once

#include <filesystem>

namespace spool::os {

/// Returns when the disk has the bytes of the file, or of all files of the directory (not of directories in it), and
/// the names of both. As slow as the disk. False (errno): it is not there, or the disk has not taken it. Thread-safe.
bool make_durable(const std::filesystem::path& path) noexcept;

}  // namespace spool::os
