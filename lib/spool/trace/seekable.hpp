// SPDX-License-Identifier: MIT
//
// What makes an archive (ustar.hpp) readable at any place without unpacking the rest: many zstd frames instead of one,
// the seek table of Zstandard's seekable format (0.1.0), and an index. Owns the bytes of those two; whatever unpacks
// zstd passes over both.
//
//   000012.tar.zst | zstd frame | zstd frame | ... | index | seek table |
//
//   index          | skippable_index u32 | size u32 | zstd( | Extent | bytes of it | Extent | bytes of it | ... ) |
//   seek table     | skippable_seek_table u32 | size u32 | SeekEntry for each frame and for the index | SeekFooter |
//
// The index says at once what else would have to be looked for all over the archive: the headers of the files and of
// the packets. It repeats bytes of the plain archive and adds none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spool::trace {

inline constexpr std::uint32_t skippable_index = 0x184D'2A50;
inline constexpr std::uint32_t skippable_seek_table = 0x184D'2A5E;
inline constexpr std::uint32_t seekable_magic = 0x8F92'EAB1;

/// Before the bytes of a skippable frame.
struct SkippableHeader {
  std::uint32_t magic;
  std::uint32_t size;  ///< of what follows
};
static_assert(sizeof(SkippableHeader) == 8);

struct SeekEntry {
  std::uint32_t stored;  ///< bytes of the frame
  std::uint32_t plain;   ///< bytes that it unpacks to; 0: none of the archive's
};
static_assert(sizeof(SeekEntry) == 8);

/// The last bytes of the file.
struct [[gnu::packed]] SeekFooter {
  std::uint32_t frames;
  std::uint8_t descriptor;  ///< 0: no checksums in the table, as each frame has its own
  std::uint32_t magic;
};
static_assert(sizeof(SeekFooter) == 9);

/// So many bytes of the plain archive, from `offset` on, stand behind it.
struct Extent {
  std::uint64_t offset;
  std::uint64_t size;
};
static_assert(sizeof(Extent) == 16);

// A frame ends with the file that fills it so far; a file is put into it in pieces of the latter size at most. So a chunk
// of the usual 128 KiB is a frame of its own.
inline constexpr std::size_t frame_ends_at = std::size_t{64} << 10;
inline constexpr std::size_t largest_piece = std::size_t{256} << 10;

}  // namespace spool::trace
