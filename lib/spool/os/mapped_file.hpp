// SPDX-License-Identifier: MIT
//
// A file, or plain memory, mapped for writing, with its pages already there: a store into it neither faults nor
// meets a full disk. Where another process truncates the file: spare_page.hpp. The child of a fork does not have it:
// nothing there can write into the parent's files.
#pragma once

#include <spool/os/spare_page.hpp>

#include <cstddef>
#include <filesystem>
#include <span>

namespace spool::os {

class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// Creates `path` (mode 0600; it must not exist; symbolic links are not followed), reserves `size` bytes on disk,
  /// maps and touches them. It may grow to `most` bytes without moving. Empty on failure, with errno set and nothing
  /// left behind.
  static MappedFile create(const std::filesystem::path& path, std::size_t size, std::size_t most = 0) noexcept;

  /// `size` bytes of memory without a file, touched likewise.
  static MappedFile anonymous(std::size_t size, std::size_t most = 0) noexcept;

  /// To `size` bytes, no more than `most` of its making; `path` is empty for one without a file. False (errno): it
  /// stays as it is.
  bool grow(const std::filesystem::path& path, std::size_t size) noexcept;

  /// Pages for all of it once more: the kernel protects each page again that it has written back to the disk, and the
  /// next store into it would fault. False (errno): a store would be a SIGBUS. Requires: nobody else writes there.
  bool touch() const noexcept;

  /// In the child of a fork, where the mapping is not: the address may be somebody else's by now.
  void forget() noexcept {
    guarded_.release();
    data_ = nullptr;
  }

  /// Pages of it that another process has cut off, and that are plain memory since.
  std::uint32_t spare_pages() const noexcept { return guarded_.spare_pages(); }

  explicit operator bool() const { return data_ != nullptr; }
  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  MappedFile(std::byte* data, std::size_t size, std::size_t mapped) : data_{data}, size_{size}, mapped_{mapped} {}

  GuardedRange guarded_;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;  ///< what lies behind `size_` must not be touched
};

}  // namespace spool::os
