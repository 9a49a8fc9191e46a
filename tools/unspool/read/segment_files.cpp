// SPDX-License-Identifier: MIT
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>
#include <unspool/read/log_bytes.hpp>
#include <unspool/read/segment_files.hpp>
#include <unspool/read/tar.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>

namespace unspool {
namespace {

namespace fs = std::filesystem;

// A segment has some MiB, with very many threads some ten. A few KiB of zstd can make terabytes of zeros.
constexpr std::uint64_t largest_unpacked = std::uint64_t{256} << 20;
constexpr std::size_t piece = 256 << 10;
constexpr std::size_t most_recent = 2;

/// A process that still writes recycles its oldest segment only where nobody has this lock. The segment may have been
/// recycled between the opening and the locking: then its path leads to another directory, or to none.
bool lock_against_recycling(const File& directory, const std::string& path) {
  if (::flock(directory.descriptor(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat opened {};
  struct stat named {};
  if (::fstat(directory.descriptor(), &opened) != 0 || ::stat(path.c_str(), &named) != 0) return false;
  return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

class DirectoryFiles final : public SegmentFiles {
 public:
  DirectoryFiles(std::string path, File directory) : path_{std::move(path)}, directory_{std::move(directory)} {}
  std::vector<std::string> names() override { return visible_names(path_); }
  File open(const std::string& name) override { return File::open(directory_, name); }

 private:
  std::string path_;
  File directory_;
};

}  // namespace

struct Unpacker::Contents {
  std::string path;
  std::shared_ptr<const File> file;  ///< the tar archive, plain
  std::vector<TarMember> members;    ///< by name
};

/// Holds the compressed file open: the process that wrote it may remove it meanwhile.
class ArchivedFiles final : public SegmentFiles {
 public:
  ArchivedFiles(Unpacker& unpacker, std::string path, std::unique_ptr<LogFile> archive)
      : unpacker_{unpacker}, path_{std::move(path)}, archive_{std::move(archive)} {}

  std::shared_ptr<const Unpacker::Contents> contents(std::string& refusal) {
    auto now = contents_.lock();
    if (now == nullptr) now = unpacker_.unpack(path_, *archive_, refusal);
    contents_ = now;
    return now;
  }

  std::vector<std::string> names() override {
    std::string refusal;
    const auto now = contents(refusal);
    std::vector<std::string> names;
    if (now == nullptr) return names;
    for (const TarMember& each : now->members)
      names.push_back(each.name);
    return names;
  }

  File open(const std::string& name) override {
    std::string refusal;
    const auto now = contents(refusal);
    if (now == nullptr) return File::failed(refusal);
    const auto found = std::ranges::find(now->members, name, &TarMember::name);
    if (found == now->members.end()) return File::failed("it is not in the archive");
    return File::part_of(now->file, found->offset, found->size);
  }

 private:
  Unpacker& unpacker_;
  std::string path_;
  std::unique_ptr<LogFile> archive_;
  std::weak_ptr<const Unpacker::Contents> contents_;
};

std::vector<std::string> visible_names(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator each{directory, error}, end; !error && each != end; each.increment(error)) {
    std::string name = each->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

std::unique_ptr<SegmentFiles> SegmentFiles::open_directory(const std::string& path, std::string& refusal) {
  File directory = File::open_directory(path);
  if (!directory) {
    refusal = fmt::format("{}: cannot be opened ({})", path, directory.error());
    return nullptr;
  }
  if (!lock_against_recycling(directory, path)) {
    refusal = fmt::format("{}: was just taken back by the process, which still runs, for new Records", path);
    return nullptr;
  }
  return std::make_unique<DirectoryFiles>(path, std::move(directory));
}

std::unique_ptr<SegmentFiles> Unpacker::open(const std::string& path, std::string& refusal) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    refusal = fmt::format("{}: {}", path, error ? error.message() : "is no file");
    return nullptr;
  }
  auto archive = open_log(path, refusal);
  if (archive == nullptr) return nullptr;
  auto files = std::make_unique<ArchivedFiles>(*this, path, std::move(archive));
  return files->contents(refusal) == nullptr ? nullptr : std::move(files);
}

std::shared_ptr<const Unpacker::Contents> Unpacker::unpack(const std::string& path, const LogFile& archive,
                                                           std::string& refusal) {
  const auto made = std::make_shared<Contents>();
  auto file = std::make_shared<File>(File::temporary());
  if (!*file) {
    refusal = fmt::format("{}: cannot be unpacked ({}); TMPDIR names a directory with room", path, file->error());
    return nullptr;
  }
  const auto bytes = LogBytes::open(archive);
  std::vector<char> buffer(piece);
  std::uint64_t size = 0;
  std::string fault;
  while (const std::size_t got = bytes->read(buffer)) {
    if (size + got > largest_unpacked) {
      fault = "unpacks to more than 256 MiB, which no segment does; the rest is left out";
      break;
    }
    if (!file->append(std::as_bytes(std::span{buffer.data(), got}))) {
      refusal = fmt::format("{}: cannot be unpacked into a temporary file ({}); TMPDIR names a directory with room",
                            path, std::strerror(errno));
      return nullptr;
    }
    size += got;
  }
  if (!bytes->problem().empty()) fault = bytes->problem() + "; copy the archive again";
  made->path = path;
  made->members = read_tar(*file, path, fault.empty(), problems_);
  made->file = std::move(file);
  if (made->members.empty()) {
    refusal = fmt::format("{}: has no files of a segment in it: {}", path,
                          fault.empty() ? "it is damaged, or was not made by spool" : fault);
    return nullptr;
  }
  if (!fault.empty()) problems_.damage(fmt::format("{}: {}", path, fault));
  recent_.push_back(made);
  if (recent_.size() > most_recent) recent_.pop_front();
  return made;
}

bool is_archive(const std::string& path) {
  std::error_code error;
  std::string refusal;
  if (!fs::is_regular_file(path, error)) return false;
  if (path.ends_with(trace::archive_suffix)) return true;
  const auto file = open_log(path, refusal);
  if (file == nullptr) return false;
  std::array<char, trace::tar_block> begin{};
  const auto bytes = LogBytes::open(*file);
  std::size_t got = 0;
  while (got < begin.size()) {
    const std::size_t more = bytes->read(std::span{begin}.subspan(got));
    if (more == 0) return false;
    got += more;
  }
  trace::UstarHeader header{};
  std::memcpy(&header, begin.data(), sizeof header);
  return is_tar(header);
}

}  // namespace unspool
