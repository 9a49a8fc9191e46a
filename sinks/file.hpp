// SPDX-License-Identifier: MIT
//
// The file that our own sinks write lines to. Owns its buffer and its name; what stands in a line is the sink's.
#pragma once

#include <spool/log/sink.hpp>
#include <spool/trace/line_buffer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace spool::sinks {

/// The descriptor of a log's file, for appending: made with mode 0600 in directories made with 0700. Throws
/// std::system_error where it cannot be opened, or where a symbolic link or no regular file is in its place.
int open_log(const std::filesystem::path& path);

/// A sink that writes to a file of its own.
class FileSink : public Sink {
 public:
  /// Closes the file and opens its name again before the next line, for logrotate. Thread-safe, also in a signal
  /// handler.
  virtual void reopen() noexcept = 0;
};

struct FileOptions {
  bool transitions =
      true;  ///< also transitions and definitions, so that unspool can answer from the file; else messages only
  SinkPolicy policy = {};
};

/// Lines, appended in large pieces. A line stands in the file whole or not at all: where the disk is full in the midst
/// of one, it is cut off again, or, where that cannot be, ended there and repeated as a whole later. A file that was
/// removed is made anew, with its directories. Two processes (a fork) may write to the same file.
///
///   file.add([&](spool::trace::LineBuffer& out) { out.put("a line\n"); });
///   file.flush();
///
/// Thread-bound but for reopen. Throws std::system_error, and can be called again then.
class File {
 public:
  /// Opens it, made with mode 0600 in directories made with 0700. A symbolic link in its place is refused, and what is
  /// no regular file.
  explicit File(const std::filesystem::path& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Has `put` append a line to the buffer. Where it throws, or the file takes no more, the line is not in it.
  template <class Put>
  void add(Put put) {
    make_room();
    const std::size_t whole = buffer_.size();
    try {
      put(buffer_);
    } catch (...) {
      buffer_.cut(whole);
      throw;
    }
  }
  void flush();

  /// What each file begins with that is opened from now on.
  void set_head(std::string line) { head_ = std::move(line); }
  void reopen() noexcept { reopen_asked_.store(true, std::memory_order_relaxed); }  // relaxed: a switch, seen soon

 private:
  void make_room();
  void put_in_front(std::string_view text);
  void write_out();
  [[noreturn]] void fail_in_line(std::size_t done, int why);
  bool cut_back(std::size_t bytes) const;
  void open_again();
  bool is_removed() const;

  const std::filesystem::path path_;
  int file_ = -1;
  trace::LineBuffer buffer_;  ///< whole lines, not yet written
  std::string head_;
  bool torn_ = false;  ///< half a line stands at the end of the file
  std::uint32_t fork_depth_ = 0;
  std::atomic<bool> reopen_asked_{false};
};

}  // namespace spool::sinks
