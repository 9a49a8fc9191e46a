// SPDX-License-Identifier: MIT
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>
#include <unspool/read/segment_files.hpp>
#include <unspool/read/tar.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace unspool {
namespace {

namespace fs = std::filesystem;

// A segment has some MiB, with very many threads some ten. A few KiB of zstd can make terabytes of zeros.
constexpr std::uint64_t largest_unpacked = std::uint64_t{256} << 20;
constexpr std::size_t piece = 256 << 10;
constexpr std::size_t most_recent = 2;
// Of what is kept unpacked: a few hundred files, and not so much that others miss the space.
constexpr std::size_t most_kept = 512;
constexpr std::uint64_t most_kept_bytes = std::uint64_t{8} << 30;
constexpr std::uint64_t free_share = 4;
constexpr unsigned most_at_once = 4;

/// What is free where the file lies.
std::uint64_t free_bytes(const File& file) {
  struct statvfs about {};
  if (::fstatvfs(file.descriptor(), &about) != 0) return 0;
  return std::uint64_t{about.f_bavail} * about.f_frsize;
}

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

std::string no_files(const std::string& path, const std::string& fault) {
  return fmt::format("{}: has no files of a segment in it: {}", path,
                     fault.empty() ? "it is damaged, or was not made by spool" : fault);
}

std::vector<std::string> names_of(const std::vector<TarMember>& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const TarMember& each : members)
    names.push_back(each.name);
  return names;
}

/// nullptr: there is none.
const TarMember* find_member(const std::vector<TarMember>& members, const std::string& name) {
  const auto found = std::ranges::lower_bound(members, name, {}, &TarMember::name);
  return found == members.end() || found->name != name ? nullptr : &*found;
}

File open_member(const std::shared_ptr<const ByteSource>& archive, const std::vector<TarMember>& members,
                 const std::string& name) {
  const TarMember* const found = find_member(members, name);
  if (found == nullptr) return File::failed("it is not in the archive");
  return File::part_of(archive, found->offset, found->size);
}

}  // namespace

struct Unpacker::Contents {
  std::string path;
  std::shared_ptr<const File> file;  ///< the tar archive, plain
  std::vector<TarMember> members;    ///< by name
};

/// Holds the compressed file open: the process that wrote it may remove it meanwhile.
class ArchivedFiles final : public SegmentFiles {
 public:
  ArchivedFiles(Unpacker& unpacker, std::string path, std::unique_ptr<LogFile> archive,
                const std::shared_ptr<const Unpacker::Contents>& contents)
      : unpacker_{unpacker}, path_{std::move(path)}, archive_{std::move(archive)}, contents_{contents} {}

  std::shared_ptr<const Unpacker::Contents> contents(std::string& refusal) {
    auto now = contents_.lock();
    if (now == nullptr) {
      Unpacker::Unpacked again;
      again.archive = std::move(archive_);
      Unpacker::unpack(path_, again);
      now = unpacker_.contents_of(path_, again, refusal);
      archive_ = std::move(again.archive);
    }
    contents_ = now;
    return now;
  }

  std::vector<std::string> names() override {
    std::string refusal;
    const auto now = contents(refusal);
    return now == nullptr ? std::vector<std::string>{} : names_of(now->members);
  }

  File open(const std::string& name) override {
    std::string refusal;
    const auto now = contents(refusal);
    if (now == nullptr) return File::failed(refusal);
    return open_member(now->file, now->members, name);
  }

 private:
  Unpacker& unpacker_;
  std::string path_;
  std::unique_ptr<LogFile> archive_;
  std::weak_ptr<const Unpacker::Contents> contents_;
};

/// What an archive with a seek table unpacks to.
class SeekableBytes final : public ByteSource {
 public:
  SeekableBytes(std::shared_ptr<const StoredFrames> frames, FrameCache& cache, Problems& problems)
      : frames_{std::move(frames)},
        index_{std::make_unique<ArchiveIndex>(*frames_)},
        cache_{cache},
        problems_{problems} {}

  std::uint64_t size() const override { return frames_->size(); }

  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const override {
    if (index_ != nullptr && index_->read(offset, into)) return into.size();
    std::size_t got = 0;
    while (got < into.size() && offset + got < size()) {
      const std::size_t more = read_frame(offset + got, into.subspan(got));
      if (more == 0) break;
      got += more;
    }
    return got;
  }

  void expect(std::uint64_t offset) const {
    if (offset < size()) cache_.expect(frames_, frames_->at(offset));
  }

  void forget_index() { index_.reset(); }

 private:
  std::size_t read_frame(std::uint64_t offset, std::span<std::byte> into) const {
    const std::uint32_t number = frames_->at(offset);
    const auto frame = cache_.get(frames_, number);
    if (!frame->fault.empty()) {
      problems_.damage(fmt::format("{}: {}", frames_->path(), frame->fault));
      return 0;
    }
    const StoredFrames::Place& place = frames_->places()[number];
    const std::uint64_t in = offset - place.plain;
    const std::size_t count = std::min<std::uint64_t>(into.size(), place.plain_size - in);
    // Whoever reads Records of it goes on behind its end.
    if (index_ == nullptr) expect(place.plain + place.plain_size);
    std::memcpy(into.data(), frame->bytes.data() + in, count);
    return count;
  }

  std::shared_ptr<const StoredFrames> frames_;
  std::unique_ptr<const ArchiveIndex> index_;  ///< while headers are read
  FrameCache& cache_;
  Problems& problems_;
};

/// Files in a tar archive.
class SeekableFiles final : public SegmentFiles {
 public:
  SeekableFiles(std::shared_ptr<SeekableBytes> bytes, std::vector<TarMember> members)
      : bytes_{std::move(bytes)}, members_{std::move(members)} {}

  std::vector<std::string> names() override { return names_of(members_); }
  File open(const std::string& name) override { return open_member(bytes_, members_, name); }
  bool are_final() const override { return true; }
  void end_of_headers() override { bytes_->forget_index(); }
  void expect(const std::string& name, std::uint64_t offset) override {
    const TarMember* const found = find_member(members_, name);
    if (found != nullptr) bytes_->expect(found->offset + offset);
  }

 private:
  std::shared_ptr<SeekableBytes> bytes_;
  std::vector<TarMember> members_;
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

void Unpacker::expect(std::vector<std::string> paths) {
  expected_.assign(std::make_move_iterator(paths.begin()), std::make_move_iterator(paths.end()));
}

/// As many at once as there are processors for.
void Unpacker::begin_next() {
  const std::size_t at_once = std::clamp(std::thread::hardware_concurrency(), 1U, most_at_once);
  while (begun_.size() < at_once && !expected_.empty()) {
    const std::string path = std::move(expected_.front());
    expected_.pop_front();
    begun_.emplace_back(path, std::async(std::launch::async, [path] { return unpack(path); }));
  }
}

Unpacker::Unpacked Unpacker::take(const std::string& path) {
  begin_next();
  const auto found = std::ranges::find(begun_, path, [](const auto& each) { return each.first; });
  if (found == begun_.end()) return unpack(path);
  Unpacked unpacked = found->second.get();
  begun_.erase(found);
  begin_next();
  return unpacked;
}

std::unique_ptr<SegmentFiles> Unpacker::open(const std::string& path, std::string& refusal) {
  Unpacked unpacked = take(path);
  if (unpacked.frames != nullptr) return open_frames(std::move(unpacked.frames), refusal);
  const auto contents = contents_of(path, unpacked, refusal);
  if (contents == nullptr) return nullptr;
  return std::make_unique<ArchivedFiles>(*this, path, std::move(unpacked.archive), contents);
}

Unpacker::Unpacked Unpacker::unpack(const std::string& path) {
  Unpacked made;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    made.refusal = fmt::format("{}: {}", path, error ? error.message() : "is no file");
    return made;
  }
  made.archive = open_log(path, made.refusal);
  if (made.archive == nullptr) return made;
  made.frames = StoredFrames::open(made.archive);
  if (made.frames == nullptr) unpack(path, made);
  return made;
}

void Unpacker::unpack(const std::string& path, Unpacked& into) {
  auto file = std::make_shared<File>(File::temporary());
  if (!*file) {
    into.refusal = fmt::format("{}: cannot be unpacked ({}); TMPDIR names a directory with room", path, file->error());
    return;
  }
  const auto bytes = LogBytes::open(*into.archive);
  std::vector<char> buffer(piece);
  while (const std::size_t got = bytes->read(buffer)) {
    if (into.size + got > largest_unpacked) {
      into.fault = "unpacks to more than 256 MiB, which no segment does; the rest is left out";
      break;
    }
    if (!file->append(std::as_bytes(std::span{buffer.data(), got}))) {
      into.refusal =
          fmt::format("{}: cannot be unpacked into a temporary file ({}); TMPDIR names a directory with room", path,
                      std::strerror(errno));
      return;
    }
    into.size += got;
  }
  if (!bytes->problem().empty()) into.fault = bytes->problem() + "; copy the archive again";
  into.plain = std::move(file);
}

std::unique_ptr<SegmentFiles> Unpacker::open_frames(std::shared_ptr<const StoredFrames> frames, std::string& refusal) {
  const std::string path = frames->path();
  auto bytes = std::make_shared<SeekableBytes>(std::move(frames), cache_, problems_);
  auto members = read_tar(*bytes, path, true, problems_);
  if (members.empty()) {
    refusal = no_files(path, {});
    return nullptr;
  }
  return std::make_unique<SeekableFiles>(std::move(bytes), std::move(members));
}

std::shared_ptr<const Unpacker::Contents> Unpacker::contents_of(const std::string& path, Unpacked& unpacked,
                                                                std::string& refusal) {
  if (unpacked.plain == nullptr) {
    refusal = unpacked.refusal;
    return nullptr;
  }
  const auto made = std::make_shared<Contents>();
  const std::string& fault = unpacked.fault;
  made->path = path;
  made->members = read_tar(*unpacked.plain, path, fault.empty(), problems_);
  made->file = std::move(unpacked.plain);
  if (made->members.empty()) {
    refusal = no_files(path, fault);
    return nullptr;
  }
  if (!fault.empty()) problems_.damage(fmt::format("{}: {}", path, fault));
  keep(made, unpacked.size);
  return made;
}

void Unpacker::keep(std::shared_ptr<const Contents> made, std::uint64_t size) {
  const std::uint64_t room = std::min(most_kept_bytes, (free_bytes(*made->file) + kept_bytes_) / free_share);
  if (kept_.size() < most_kept && kept_bytes_ + size <= room) {
    kept_bytes_ += size;
    kept_.push_back(std::move(made));
    return;
  }
  recent_.push_back(std::move(made));
  if (recent_.size() > most_recent) recent_.pop_front();
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
