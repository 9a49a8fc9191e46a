// SPDX-License-Identifier: MIT
//
// Packs a closed segment into an archive (trace/ustar.hpp, trace/seekable.hpp). Owns the bytes of the file; when a
// segment is packed, and when the file gets its final name, is decided elsewhere.
//
// Reads files and not mappings: another process may have cut or taken them, which must be no more than an error here.
#pragma once

#include <spool/trace/seekable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace spool::log {

/// What is to be packed: `chunks` files of the directory have been used.
struct PackOrder {
  std::filesystem::path directory;
  std::filesystem::path target;  ///< must not be what a reader takes for an archive
  std::uint32_t number = 0;
  std::size_t chunks = 0;
};

struct Packed {
  std::uint32_t number = 0;
  std::uint64_t bytes = 0;  ///< of the archive
  int error = 0;            ///< an errno; ECANCELED: told to stop
  bool moved = false;       ///< it failed because somebody has taken the segment away, or a file of it
};

/// Thread-bound. Memory of a file of the segment, some hundred KiB; with those that others made 64 MiB at most.
class Packer {
 public:
  Packer();  ///< throws std::bad_alloc
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  /// Writes `order.target` (mode 0600, flushed to the disk), which is not there where it fails. Looks at `stop` before
  /// each chunk.
  Packed pack(const PackOrder& order, const std::atomic<bool>& stop);

 private:
  struct Compressor;

  int pack_files(const PackOrder& order, int target, const std::atomic<bool>& stop);
  int pack_file(int directory, const PackOrder& order, const char* name, int target);
  void put_header(const PackOrder& order, const char* name, std::size_t size, char type);
  void put(std::span<const std::byte> bytes);
  void repeat(std::span<const std::byte> bytes, std::uint64_t offset);
  int end_frame(int target);
  int put_index(int target);
  int put_seek_table(int target);
  bool compress(std::span<const std::byte> bytes);
  int write(std::span<const std::byte> bytes, int target);

  std::unique_ptr<Compressor> compressor_;
  std::vector<std::byte> file_;       ///< one file of the segment
  std::vector<std::size_t> packets_;  ///< where they begin in it
  std::vector<std::byte> frame_;      ///< plain bytes that are not compressed yet
  std::vector<std::byte> out_;        ///< compressed ones
  std::vector<std::byte> index_;      ///< plain
  std::vector<trace::SeekEntry> entries_;
  std::uint64_t plain_ = 0;  ///< how much of the archive was put, before compression
  std::uint64_t written_ = 0;
};

}  // namespace spool::log
