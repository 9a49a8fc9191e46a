// SPDX-License-Identifier: MIT
#include <spool/log/segment.hpp>
#include <spool/os/clock.hpp>
#include <spool/trace/ids.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace spool::log {
namespace {

trace::Uuid fresh_uuid() {
  trace::Uuid uuid{};
  // Only equality matters; where the kernel has no entropy yet, the clock will do.
  if (getrandom(uuid.data(), uuid.size(), GRND_NONBLOCK) != static_cast<ssize_t>(uuid.size())) {
    const os::ClockReading now = os::read_clocks();
    std::memcpy(uuid.data(), &now, uuid.size());
  }
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0fU) | 0x40U);  // version 4, variant 1
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3fU) | 0x80U);
  return uuid;
}

std::string chunk_name(std::size_t index) {
  return fmt::format("stream-{:04}", index);
}
std::string segment_name(std::uint32_t number) {
  return fmt::format("{:06}", number);
}

/// One empty packet that reaches to the end of the file.
void reset_chunk(const Segment& segment, std::size_t index, trace::Ticks now) {
  trace::PacketHeader& header = segment.header(index);
  // release: partner is the acquire of a drain or reader; nothing of the last use is valid any more
  std::atomic_ref{header.content_size}.store(sizeof header * 8, std::memory_order_release);
  header.magic = trace::packet_magic;
  header.uuid = segment.uuid;
  header.stream_id = trace::record_stream;
  header.packet_size = segment.chunks[index].size() * 8;
  header.timestamp_begin = now;
  header.events_discarded = 0;
  header.closed = 0;
  header.thread_id = 0;
  header.segment = segment.number;
  header.mixed = 0;
  header.reserved = {};
}

void reset_metadata(const Segment& segment, std::string_view text) {
  const trace::MetadataHeader header{.magic = trace::metadata_magic,
                                     .uuid = segment.uuid,
                                     .checksum = 0,
                                     .content_size = static_cast<std::uint32_t>((sizeof header + text.size()) * 8),
                                     .packet_size = static_cast<std::uint32_t>(segment.metadata.size() * 8),
                                     .compression = 0,
                                     .encryption = 0,
                                     .checksum_scheme = 0,
                                     .major = 1,
                                     .minor = 8};
  std::memcpy(segment.metadata.data() + sizeof header, text.data(), text.size());
  std::memcpy(segment.metadata.data(), &header, sizeof header);
}

/// What needs memory comes first: where there is none, the segment is still what it was.
void reset(Segment& segment, std::uint32_t number, const trace::Process& process) {
  const trace::Uuid uuid = fresh_uuid();
  const std::string metadata = trace::metadata_text(process, uuid, number);
  segment.ends.reserve(segment.chunks.size());
  segment.counted.reserve(segment.chunks.size());
  segment.number = number;
  segment.uuid = uuid;
  segment.next_chunk = 0;
  segment.private_writers = 0;
  segment.shared_packet = nullptr;
  segment.records_end = 0;
  segment.ends.assign(segment.chunks.size(), 0);
  segment.loss_counted = false;
  segment.counted.assign(segment.chunks.size(), {});
  segment.counted_whole = false;
  segment.recycled = false;
  segment.packing = Packing::none;
  segment.told = false;
  const trace::Ticks now = os::ticks();
  for (std::size_t i = 0; i < segment.chunks.size(); ++i)
    reset_chunk(segment, i, now);
  reset_metadata(segment, metadata);
}

bool map_files(Segment& segment, const std::filesystem::path& directory) {
  const bool in_memory = directory.empty();
  const Geometry& geometry = segment.geometry;
  const auto make = [&](const std::string& name, std::size_t size) {
    return in_memory ? os::MappedFile::anonymous(size) : os::MappedFile::create(directory / name, size);
  };
  segment.metadata = make("metadata", geometry.metadata_bytes);
  if (!segment.metadata) return false;
  for (std::size_t i = 0; i < geometry.chunks; ++i) {
    segment.chunks.push_back(make(chunk_name(i), geometry.chunk_bytes));
    if (!segment.chunks.back()) return false;
  }
  return true;
}

void remove_directory(const std::filesystem::path& directory) {
  const int why = errno;
  std::error_code ignored;  // best effort: what cannot be removed is seen in the directory
  std::filesystem::remove_all(directory, ignored);
  errno = why;
}

/// Is the directory still the one we made, unlinked elsewhere, with nobody reading?
bool is_ours_alone(const Segment& segment, const std::filesystem::path& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return false;
  bool ours = flock(file, LOCK_EX | LOCK_NB) == 0;
  const auto is_ours = [&](const std::string& name, const os::MappedFile& mapped) {
    struct stat info {};
    return fstatat(file, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_nlink == 1 &&
           static_cast<std::size_t>(info.st_size) == mapped.size();
  };
  ours = ours && is_ours("metadata", segment.metadata);
  for (std::size_t i = 0; ours && i < segment.chunks.size(); ++i)
    ours = is_ours(chunk_name(i), segment.chunks[i]);
  close(file);
  return ours;
}

}  // namespace

trace::PacketHeader& Segment::header_at(std::byte* packet) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file
  return *reinterpret_cast<trace::PacketHeader*>(packet);
}

bool Segment::is_damaged() const {
  const auto is_cut = [](const os::MappedFile& file) { return file.spare_pages() != 0; };
  return is_cut(metadata) || std::ranges::any_of(chunks, is_cut);
}

void Segment::forget_mappings() noexcept {
  metadata.forget();
  for (os::MappedFile& chunk : chunks)
    chunk.forget();
}

bool Segment::append_metadata(std::string_view text) const {
  constexpr std::size_t at = offsetof(trace::MetadataHeader, content_size);
  static_assert(at % alignof(std::uint32_t) == 0);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): a mapped file; the field is aligned
  std::atomic_ref content{*reinterpret_cast<std::uint32_t*>(metadata.data() + at)};
  const std::size_t used = content.load(std::memory_order_relaxed) / 8;  // relaxed: written under m only
  if (used + text.size() > metadata.size()) return false;
  std::memcpy(metadata.data() + used, text.data(), text.size());
  // release: partner is a reader's acquire; the declaration is whole before it counts
  content.store(static_cast<std::uint32_t>((used + text.size()) * 8), std::memory_order_release);
  return true;
}

std::unique_ptr<Segment> build_segment(const std::filesystem::path& parent, std::uint32_t number,
                                       const Geometry& geometry, const trace::Process& process) {
  auto segment = std::make_unique<Segment>();
  segment->geometry = geometry;
  segment->chunks.reserve(geometry.chunks);
  if (parent.empty()) {
    if (!map_files(*segment, {})) return nullptr;
    reset(*segment, number, process);
    return segment;
  }
  const std::filesystem::path hidden = parent / ".new";
  segment->directory = parent / segment_name(number);
  std::error_code failure;
  std::filesystem::remove_all(hidden, failure);  // what an earlier failure left
  if (mkdir(hidden.c_str(), 0700) != 0) {
    if (errno == EEXIST && failure) errno = failure.value();  // why it is still there is the trouble
    return nullptr;
  }
  bool made = map_files(*segment, hidden);
  if (made) reset(*segment, number, process);
  made = made && rename(hidden.c_str(), segment->directory.c_str()) == 0;
  if (made) return segment;
  remove_directory(hidden);
  return nullptr;
}

bool recycle_segment(Segment& segment, std::uint32_t number, const trace::Process& process) {
  if (segment.directory.empty()) {
    reset(segment, number, process);
    return true;
  }
  const std::filesystem::path parent = segment.directory.parent_path();
  const std::filesystem::path hidden = parent / ".old";
  std::filesystem::path next = parent / segment_name(number);
  if (rename(segment.directory.c_str(), hidden.c_str()) != 0) return false;
  // The kernel lets a page rest for a while before it writes it back and protects it again: a quick lap need not look.
  const bool rested = os::ticks() - segment.records_end > process.frequency;
  if (!is_ours_alone(segment, hidden) || (rested && !std::ranges::all_of(segment.chunks, &os::MappedFile::touch))) {
    // Somebody reads or keeps it, or the disk fails: it goes back under its name and is let go.
    (void)rename(hidden.c_str(), segment.directory.c_str());
    errno = EBUSY;
    return false;
  }
  try {
    reset(segment, number, process);
  } catch (...) {  // no memory
    (void)rename(hidden.c_str(), segment.directory.c_str());
    throw;
  }
  if (segment.is_damaged()) {
    remove_directory(hidden);
    errno = EBUSY;
    return false;
  }
  segment.directory = std::move(next);
  return rename(hidden.c_str(), segment.directory.c_str()) == 0;
}

/// Out of sight first: a kill in the middle must leave no visible directory without its metadata (I1).
void remove_segment(const Segment& segment) {
  if (segment.directory.empty()) return;
  const std::filesystem::path hidden =
      segment.directory.parent_path() / ("." + segment.directory.filename().string() + ".gone");
  if (rename(segment.directory.c_str(), hidden.c_str()) == 0) remove_directory(hidden);
}

}  // namespace spool::log
