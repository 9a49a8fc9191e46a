// SPDX-License-Identifier: MIT
//
// One segment: its chunk files and its metadata, mapped. Owns building, reusing and handing out chunks; which segment
// is current, and who may write, is the recorder's.
#pragma once

#include <spool/os/mapped_file.hpp>
#include <spool/trace/ctf.hpp>
#include <spool/trace/metadata.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spool::log {

/// Sizes of a segment.
struct Geometry {
  std::size_t chunks = 64;
  std::size_t chunk_bytes = std::size_t{128} * 1024;
  std::size_t metadata_bytes = std::size_t{256} * 1024;
  bool operator==(const Geometry&) const = default;
};

/// How far a chunk has been counted (tally.hpp).
struct Counted {
  std::uint64_t packet = 0;    ///< offset of the packet in the chunk
  std::uint64_t position = 0;  ///< bytes of the packet
};

/// How far the archive of a segment has come.
enum class Packing : std::uint8_t { none, ordered, whole };

struct Segment {
  std::uint32_t number = 0;
  trace::Uuid uuid{};
  Geometry geometry;
  std::filesystem::path directory;  ///< empty: in memory only
  std::vector<os::MappedFile> chunks;
  os::MappedFile metadata;
  std::size_t next_chunk = 0;          ///< under m: the first one not yet handed out
  std::uint64_t begin = 0;             ///< ticks: when it became the current one; known once it is closed
  std::uint64_t records_end = 0;       ///< ticks: when it was closed, 0 while it is not
  std::size_t private_writers = 0;     ///< under m: threads that have a chunk to themselves
  std::byte* shared_packet = nullptr;  ///< under m, both: the last packet of the chunk that the others share
  std::size_t shared_chunk = 0;
  std::vector<std::uint64_t> ends;  ///< of the chunks: bytes with Records where the last writer left it; 0: not known
  bool loss_counted = false;        ///< under fm: count_truncated has seen it
  std::vector<Counted> counted;     ///< under fm, by chunk
  bool counted_whole = false;       ///< under fm: counted after it was closed
  int readers = 0;                  ///< under m: a drain copies from it, so it must not be recycled now
  bool recycled = false;            ///< under m: has been taken for reuse
  Packing packing = Packing::none;  ///< under m
  bool told = false;                ///< under m: the user's callback is looking at it

  /// Another process has truncated a file of it, and a thread has met that: what is written to it is lost.
  bool is_damaged() const;
  bool is_mapped() const { return !chunks.empty(); }
  /// Bytes of all its files.
  std::size_t bytes() const { return geometry.chunks * geometry.chunk_bytes + geometry.metadata_bytes; }

  trace::PacketHeader& header(std::size_t chunk) const { return header_at(chunks[chunk].data()); }
  static trace::PacketHeader& header_at(std::byte* packet);

  /// In the child of a fork, where nothing of it is mapped.
  void forget_mappings() noexcept;

  /// Appends to the metadata text and commits it. False: it does not fit.
  bool append_metadata(std::string_view text) const;
};

/// Builds a segment in `parent` under a hidden name and renames it to its number; in memory where `parent` is empty.
/// nullptr on failure, with errno set and nothing left behind.
std::unique_ptr<Segment> build_segment(const std::filesystem::path& parent, std::uint32_t number,
                                       const Geometry& geometry, const trace::Process& process);

/// Makes a closed segment a new, empty one: hidden while its headers are reset, so that every visible directory is a
/// valid trace at every instant (I1). False (errno): it is gone, or somebody else has moved, linked or locked it;
/// then it must not be reused.
bool recycle_segment(Segment& segment, std::uint32_t number, const trace::Process& process);

/// Removes the segment's directory; for what was never used, or is older than what `keep` allows.
void remove_segment(const Segment& segment);

}  // namespace spool::log
