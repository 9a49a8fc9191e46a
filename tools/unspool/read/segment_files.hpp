// SPDX-License-Identifier: MIT
//
// The files of a segment, wherever they are: in its directory, or in an archive of it (spool/trace/ustar.hpp). Owns
// what is open; what the files hold is not looked at.
//
//   what it is                            │ is read
//   a directory                           │ as it is
//   an archive with a seek table, as ours │ by frames, as they are asked for (frame_cache.hpp)
//   any other: tar, tar.gz, tar.zst       │ from a temporary file with all that is in it
#pragma once

#include <unspool/read/file.hpp>
#include <unspool/read/frame_cache.hpp>
#include <unspool/read/log_bytes.hpp>
#include <unspool/read/problems.hpp>

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unspool {

/// Thread-bound.
class SegmentFiles {
 public:
  /// A directory is locked (flock), so that a process that still writes does not recycle it meanwhile. nullptr:
  /// `refusal` says why.
  static std::unique_ptr<SegmentFiles> open_directory(const std::string& path, std::string& refusal);

  SegmentFiles() = default;
  SegmentFiles(const SegmentFiles&) = delete;
  SegmentFiles& operator=(const SegmentFiles&) = delete;
  virtual ~SegmentFiles() = default;

  /// Not those that begin with a dot; sorted.
  virtual std::vector<std::string> names() = 0;
  /// None: its error() says why.
  virtual File open(const std::string& name) = 0;

  /// Nobody writes to them any more.
  virtual bool are_final() const { return false; }
  /// What was asked for so far was the beginnings of packets here and there. From now on their Records are.
  virtual void end_of_headers() {}
  /// This place of a file will be read soon.
  virtual void expect(const std::string& /*name*/, std::uint64_t /*offset*/) {}
};

/// Archives. Those without a seek table are unpacked into temporary files, some ahead of being asked for, on threads of
/// their own. Owns how many of the files there are at once: as many as fit into a quarter of what is free where they
/// lie, and else those that somebody has a file of, and the two that were asked for last.
class Unpacker {
 public:
  struct Contents;

  /// Tells problems of archives there. Both outlive the SegmentFiles.
  explicit Unpacker(Problems& problems) : problems_(problems) {}

  /// These will be opened, in this order. Some are unpacked before that.
  void expect(std::vector<std::string> paths);

  /// nullptr: `refusal` says why. What is damaged in the archive is a problem, and the rest of it is there. Unpacked
  /// anew where it is needed again later.
  std::unique_ptr<SegmentFiles> open(const std::string& path, std::string& refusal);

 private:
  friend class ArchivedFiles;

  /// What unpacking came to; nothing of it is told yet.
  struct Unpacked {
    std::shared_ptr<const StoredFrames> frames;  ///< has a seek table: nothing is unpacked
    std::unique_ptr<LogFile> archive;            ///< none: `refusal` says why
    std::shared_ptr<File> plain;                 ///< none: `refusal` says why
    std::uint64_t size = 0;
    std::string refusal;
    std::string fault;  ///< not all of it could be unpacked
  };
  static Unpacked unpack(const std::string& path);
  static void unpack(const std::string& path, Unpacked& into);
  Unpacked take(const std::string& path);
  void begin_next();
  std::shared_ptr<const Contents> contents_of(const std::string& path, Unpacked& unpacked, std::string& refusal);
  void keep(std::shared_ptr<const Contents> made, std::uint64_t size);

  std::unique_ptr<SegmentFiles> open_frames(std::shared_ptr<const StoredFrames> frames, std::string& refusal);

  Problems& problems_;
  FrameCache cache_;
  std::deque<std::string> expected_;                                 ///< not begun yet
  std::deque<std::pair<std::string, std::future<Unpacked>>> begun_;  ///< ahead
  std::vector<std::shared_ptr<const Contents>> kept_;                ///< for good
  std::uint64_t kept_bytes_ = 0;
  std::deque<std::shared_ptr<const Contents>> recent_;
};

/// Is this file an archive? By its content: the first file in it is that of a tar archive, compressed or not.
bool is_archive(const std::string& path);

/// Not those that begin with a dot, sorted; as far as the directory can be read.
std::vector<std::string> visible_names(const std::string& directory);

}  // namespace unspool
