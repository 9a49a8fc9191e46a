// SPDX-License-Identifier: MIT
//
// A segment as one file: NNNNNN.tar.zst, a tar archive (POSIX ustar) compressed by zstd. Owns the bytes of a tar header
// and the names; who writes and who reads one does not stand here.
//
//   000012.tar.zst = zstd( | header "000012/" | header "000012/metadata" | bytes, padded to 512 | header ... | 1024 zeros | )
//
// The files are those of the segment's directory with the empty space at their ends left out: chunks that nobody wrote
// to are not there, and a chunk's last packet, like that of the metadata, ends with its content (rounded up to 8
// bytes).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spool::trace {

inline constexpr std::string_view archive_suffix = ".tar.zst";
inline constexpr std::size_t tar_block = 512;

/// Numbers are octal digits, with a NUL or blank behind them where there is room.
struct UstarHeader {
  std::array<char, 100> name;
  std::array<char, 8> mode;
  std::array<char, 8> uid;
  std::array<char, 8> gid;
  std::array<char, 12> size;
  std::array<char, 12> mtime;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link;
  std::array<char, 6> magic;
  std::array<char, 2> version;
  std::array<char, 32> user;
  std::array<char, 32> group;
  std::array<char, 8> device_major;
  std::array<char, 8> device_minor;
  std::array<char, 155> prefix;
  std::array<char, 12> unused;
};
static_assert(sizeof(UstarHeader) == tar_block);

inline constexpr std::string_view ustar_magic{"ustar\0", 6};
inline constexpr char ustar_file = '0';
inline constexpr char ustar_directory = '5';

/// What `checksum` has to say: the sum of all bytes, with blanks in its own place.
inline std::uint32_t ustar_checksum(const UstarHeader& header) {
  UstarHeader blank = header;
  blank.checksum.fill(' ');
  std::array<unsigned char, sizeof blank> bytes{};
  std::memcpy(bytes.data(), &blank, sizeof blank);
  std::uint32_t sum = 0;
  for (const unsigned char each : bytes)
    sum += each;
  return sum;
}

}  // namespace spool::trace
