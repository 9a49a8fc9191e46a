// SPDX-License-Identifier: MIT
//
// An archive that can be read at any place (spool/trace/seekable.hpp): where its frames are, and what its index says at
// once. Owns what is believed of the two: what does not fit the file makes it an archive like any other, which is
// unpacked as a whole.
#pragma once

#include <spool/trace/seekable.hpp>

#include <unspool/read/log_bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct ZSTD_DCtx_s;

namespace unspool {

namespace trace = spool::trace;

/// The frames of one archive. Thread-safe: nothing changes.
class StoredFrames {
 public:
  struct Place {
    std::uint64_t stored = 0;  ///< offset of the frame in the file
    std::uint64_t plain = 0;   ///< offset of its bytes in what the archive unpacks to
    std::uint32_t stored_size = 0;
    std::uint32_t plain_size = 0;
  };

  /// nullptr: it has no seek table, or none that fits it; then `archive` stays where it is.
  static std::shared_ptr<const StoredFrames> open(std::unique_ptr<LogFile>& archive);

  const std::string& path() const { return archive_->name; }
  /// Of what the archive unpacks to.
  std::uint64_t size() const { return size_; }
  const std::vector<Place>& places() const { return places_; }
  /// Which frame holds the byte; `offset` is below size().
  std::uint32_t at(std::uint64_t offset) const;
  /// What the index repeats, as it is in it: extents and their bytes. Empty: there is none.
  std::vector<std::byte> index() const;

 private:
  friend class FrameDecoder;

  bool read_table(const LogFile& archive);

  std::unique_ptr<LogFile> archive_;
  std::vector<Place> places_;
  Place index_;
  std::uint64_t size_ = 0;
};

/// A frame, unpacked.
struct PlainFrame {
  std::vector<std::byte> bytes;
  std::string fault;  ///< why it could not be unpacked; then there are no bytes
};

/// Unpacks one frame after the other. Thread-bound.
class FrameDecoder {
 public:
  FrameDecoder();
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;
  ~FrameDecoder();

  void unpack(const StoredFrames& frames, std::uint32_t number, PlainFrame& into);

 private:
  friend class StoredFrames;

  std::string unpack(const StoredFrames& frames, const StoredFrames::Place& place, std::vector<std::byte>& into);

  ZSTD_DCtx_s* context_;
  std::vector<std::byte> stored_;
};

/// The bytes that an archive's index repeats. Thread-bound.
class ArchiveIndex {
 public:
  /// Without what does not fit the archive.
  explicit ArchiveIndex(const StoredFrames& frames);

  /// Whether it has them all.
  bool read(std::uint64_t offset, std::span<std::byte> into) const;

 private:
  struct Part {
    std::uint64_t offset = 0;  ///< in what the archive unpacks to
    std::uint64_t size = 0;
    std::uint64_t at = 0;  ///< in `bytes_`
  };
  std::vector<std::byte> bytes_;
  std::vector<Part> parts_;  ///< by offset
};

}  // namespace unspool
