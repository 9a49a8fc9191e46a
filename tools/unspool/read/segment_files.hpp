// SPDX-License-Identifier: MIT
//
// The files of a segment, wherever they are: in its directory, or in an archive of it (spool/trace/ustar.hpp). Owns what is
// open; what the files hold is not looked at.
#pragma once

#include <unspool/read/file.hpp>
#include <unspool/read/problems.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace unspool {

/// Thread-bound.
class SegmentFiles {
 public:
  /// A directory is locked (flock), so that a process that still writes does not recycle it meanwhile. nullptr: `refusal`
  /// says why.
  static std::unique_ptr<SegmentFiles> open_directory(const std::string& path, std::string& refusal);

  SegmentFiles() = default;
  SegmentFiles(const SegmentFiles&) = delete;
  SegmentFiles& operator=(const SegmentFiles&) = delete;
  virtual ~SegmentFiles() = default;

  /// Not those that begin with a dot; sorted.
  virtual std::vector<std::string> names() = 0;
  /// None: its error() says why.
  virtual File open(const std::string& name) = 0;
};

/// Archives unpacked into temporary files. Owns how many of them there are at once: those that somebody has a file of, and
/// the two that were asked for last.
class Unpacker {
 public:
  struct Contents;

  /// Tells problems of archives there. Both outlive the SegmentFiles.
  explicit Unpacker(Problems& problems) : problems_(problems) {}

  /// nullptr: `refusal` says why. What is damaged in the archive is a problem, and the rest of it is there. Unpacked anew
  /// where it is needed again later.
  std::unique_ptr<SegmentFiles> open(const std::string& path, std::string& refusal);

 private:
  friend class ArchivedFiles;
  std::shared_ptr<const Contents> unpack(const std::string& path, const struct LogFile& archive, std::string& refusal);

  Problems& problems_;
  std::deque<std::shared_ptr<const Contents>> recent_;
};

/// Is this file an archive? By its content: the first file in it is that of a tar archive, compressed or not.
bool is_archive(const std::string& path);

/// Not those that begin with a dot, sorted; as far as the directory can be read.
std::vector<std::string> visible_names(const std::string& directory);

}  // namespace unspool
