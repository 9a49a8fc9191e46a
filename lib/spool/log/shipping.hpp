// SPDX-License-Identifier: MIT
//
// What becomes of a segment that is closed: whom it is told to, and whether it is compressed.
//
//   spool::basic_config({.directory = "/var/log/kvserver", .archive = spool::Archive::zstd,
//                        .on_segment = [](const spool::ClosedSegment& closed) { upload(closed.path); }});
//   $ SPOOL_DIR=/var/log/kvserver SPOOL_ARCHIVE=zstd kvserver
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace spool {

/// In which form closed segments stay. `zstd`: each becomes NNNNNN.tar.zst, beside or instead of its directory NNNNNN.
enum class Archive : std::uint8_t { off, zstd };

/// What survives a power loss. `off`: what the kernel has written back by itself. `segments`: each segment that is
/// closed, and each archive, is on the disk before it is announced; the one being written is not.
enum class Sync : std::uint8_t { off, segments };

/// A segment that nobody writes to any more.
struct ClosedSegment {
  std::filesystem::path path;  ///< its directory, or its archive
  std::uint32_t number = 0;
  std::uint64_t bytes = 0;                      ///< on disk: of all files of the directory, or of the archive
  std::chrono::system_clock::time_point first;  ///< when it was begun; no Record in it is older
  std::chrono::system_clock::time_point last;   ///< when it was closed; no Record in it is younger
  bool archived = false;
  bool durable = false;  ///< the disk has it: Sync::segments
  /// Segments closed since the last call that were not told: the calls before this one took too long.
  std::uint64_t missed = 0;
};

/// Called by a thread of spool's that does nothing else, once a segment: with an archive asked for as soon as that is
/// whole, else as soon as the segment is closed; at an orderly end also for what is left uncompressed. It may rename,
/// link or delete what `path` names, and may log.
///
/// Where it blocks, no Record waits and nothing else does: segments go on to be closed, compressed and recycled, the
/// next
/// 64 announcements are kept, and what is beyond is counted in `missed`. Without an archive, the directory that is told
/// is not recycled during the call until the ring has grown to twice its size. The end of the program waits for
/// 5 s. What it throws is ignored, and told on stderr the first time.
using OnSegment = std::function<void(const ClosedSegment&)>;

}  // namespace spool
