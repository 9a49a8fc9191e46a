// SPDX-License-Identifier: MIT
//
// The bytes of a log file, made plain: gzip and zstd are told by their first bytes and undone, members and frames one
// behind another too. Owns what is said of compressed data that breaks off or is damaged.
#pragma once

#include <unspool/read/file.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace unspool {

/// A log that can be read more than once: a regular file, or a copy of a stream in an unlinked temporary file.
struct LogFile {
  std::string name;  ///< as given; "standard input"
  File file;
  std::uint64_t size = 0;  ///< as stored
  bool listed = false;     ///< nobody has named it: it may be none of spool's
};

/// Opens what `path` names; "-" is standard input. A pipe is read to its end first. None: `refusal` says why.
std::unique_ptr<LogFile> open_log(const std::string& path, std::string& refusal);

/// Thread-bound. Each reading of a file is a stream of its own.
class LogBytes {
 public:
  /// From `offset` of the plain text on, which costs nothing where the file is not compressed. The file outlives it.
  static std::unique_ptr<LogBytes> open(const LogFile& file, std::uint64_t offset = 0);

  LogBytes() = default;
  LogBytes(const LogBytes&) = delete;
  LogBytes& operator=(const LogBytes&) = delete;
  virtual ~LogBytes() = default;

  /// How many bytes came; 0: the end, or what follows cannot be read, and `problem` says so.
  virtual std::size_t read(std::span<char> into) = 0;

  /// What is wrong with the compressed data, for people; empty: nothing so far.
  const std::string& problem() const { return problem_; }
  /// How much of the stored file has been used.
  std::uint64_t used() const { return used_; }

 protected:
  std::string problem_;
  std::uint64_t used_ = 0;
};

}  // namespace unspool
