// SPDX-License-Identifier: MIT
//
// A file of a trace, read piece by piece into memory of our own. Owns the descriptor, not what the bytes mean.
//
// Not mapped: a trace may belong to a running process, or to a copy that is still under way, and a file that shrinks
// under a mapping kills its reader with SIGBUS. pread answers with fewer bytes instead, and costs 0.2 ns a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace unspool {

/// What can be read at any offset.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// The bytes from `offset` on into `into`; how many there were. Fewer than asked for: it ends there.
  virtual std::size_t read(std::uint64_t offset, std::span<std::byte> into) const = 0;
};

/// An open file or directory, or none. Move-only.
class File final : public ByteSource {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File() override;

  /// Only regular files: a FIFO or a device in a trace directory would block. `error()` says why there is none.
  static File open(const File& directory, const std::string& name);
  static File open_directory(const std::string& path);
  /// Anything that can be read, from the command line: opening a FIFO waits for its writer.
  static File open_path(const std::string& path);
  /// Takes an open descriptor over; one below 0 is none.
  static File adopt(int descriptor);

  /// Some bytes of something else, as a file of their own.
  static File part_of(std::shared_ptr<const ByteSource> whole, std::uint64_t offset, std::uint64_t size);
  /// A file without a name in TMPDIR or /tmp, to be written to and read.
  static File temporary();
  static File failed(std::string error);

  explicit operator bool() const { return whole_ != nullptr || descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::string& error() const { return error_; }  ///< "Permission denied"
  std::uint64_t size() const override;
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const override;
  bool is_regular() const;  ///< can be read at any offset

  /// At the end. False: `errno` says why.
  bool append(std::span<const std::byte> bytes) const;

 private:
  int descriptor_ = -1;
  std::shared_ptr<const ByteSource> whole_;  ///< of a part
  std::uint64_t offset_ = 0;                 ///< of a part
  std::uint64_t size_ = 0;                   ///< of a part
  std::string error_;
};

/// Lets this process have as many files open as the system allows: a chunk of every live thread is open at once.
void raise_file_limit();

}  // namespace unspool
