// SPDX-License-Identifier: MIT
//
// From a log's bytes to its lines, each with its place. Owns the memory that they stand in: it grows with the longest
// line, up to a limit, and no further.
#pragma once

#include <unspool/read/log_bytes.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace unspool {

/// One line without its end (LF or CR LF).
struct RawLine {
  std::string_view text;     ///< at least LineReader::padding bytes behind it may be read
  std::uint64_t number = 0;  ///< from 1
  std::uint64_t offset = 0;  ///< of its first byte, in the plain text
  bool ended = false;        ///< false: the log ends in it
  bool enormous = false;     ///< longer than the limit: `text` is empty
};

/// Thread-bound.
class LineReader {
 public:
  static constexpr std::size_t padding = 64;
  /// Far more than a message may have, even escaped; reading JSON takes seven times as much memory.
  static constexpr std::size_t longest = 32 << 20;

  /// `offset` and `number`: the place of the first line to be read.
  LineReader(std::unique_ptr<LogBytes> bytes, std::uint64_t offset, std::uint64_t number);

  /// The next line, valid until the next call; false at the end.
  bool next(RawLine& line);
  const LogBytes& bytes() const { return *bytes_; }

 private:
  bool fill();
  void grow();
  bool pass_over(RawLine& line);
  std::string_view rest() const { return {buffer_.get() + at_, filled_ - at_}; }

  std::unique_ptr<LogBytes> bytes_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::size_t at_ = 0;  ///< of the next line in the buffer
  std::size_t filled_ = 0;
  std::uint64_t offset_;  ///< of the next line in the text
  std::uint64_t number_;  ///< its number
};

}  // namespace unspool
