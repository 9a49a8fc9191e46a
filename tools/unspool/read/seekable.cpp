// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/seekable.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <zstd.h>

namespace unspool {
namespace {

// The format has no such bounds; ours are far above what an archiver of spool's makes.
constexpr std::uint64_t most_plain = std::uint64_t{256} << 20;
constexpr std::uint32_t most_frames = 1U << 16U;
constexpr std::uint32_t most_of_a_frame = 1U << 20U;
constexpr std::uint32_t most_of_an_index = 16U << 20U;
constexpr std::uint32_t checksum_size = 4;
constexpr std::uint8_t has_checksums = 0x80;
constexpr std::uint8_t reserved = 0x7C;

template <class T>
bool read_at(const File& file, std::uint64_t offset, T& into) {
  return file.read(offset, std::as_writable_bytes(std::span{&into, 1})) == sizeof into;
}

}  // namespace

std::shared_ptr<const StoredFrames> StoredFrames::open(std::unique_ptr<LogFile>& archive) {
  auto frames = std::make_shared<StoredFrames>();
  if (!frames->read_table(*archive)) return nullptr;
  frames->archive_ = std::move(archive);
  return frames;
}

bool StoredFrames::read_table(const LogFile& archive) {
  trace::SeekFooter footer{};
  trace::SkippableHeader header{};
  if (archive.size < sizeof header + sizeof footer) return false;
  if (!read_at(archive.file, archive.size - sizeof footer, footer)) return false;
  if (footer.magic != trace::seekable_magic || (footer.descriptor & reserved) != 0) return false;
  if (footer.frames > most_frames) return false;
  const std::size_t entry_size =
      sizeof(trace::SeekEntry) + ((footer.descriptor & has_checksums) != 0 ? checksum_size : 0);
  const std::uint64_t table = footer.frames * std::uint64_t{entry_size};
  if (table > archive.size - sizeof header - sizeof footer) return false;
  const std::uint64_t begin = archive.size - sizeof footer - table - sizeof header;
  if (!read_at(archive.file, begin, header)) return false;
  if (header.magic != trace::skippable_seek_table || header.size != table + sizeof footer) return false;
  std::vector<std::byte> entries(table);
  if (archive.file.read(begin + sizeof header, entries) < table) return false;
  std::uint64_t stored = 0;
  for (std::size_t at = 0; at < table; at += entry_size) {
    trace::SeekEntry entry{};
    std::memcpy(&entry, entries.data() + at, sizeof entry);
    const Place place{stored, size_, entry.stored, entry.plain};
    stored += entry.stored;
    size_ += entry.plain;
    const std::uint32_t most = entry.plain == 0 ? most_of_an_index : entry.plain;
    if (stored > begin || entry.stored == 0 || entry.stored > ZSTD_compressBound(most)) return false;
    if (entry.plain > most_of_a_frame || size_ > most_plain) return false;
    (entry.plain == 0 ? index_ : places_.emplace_back()) = place;
  }
  return stored == begin && !places_.empty();
}

std::uint32_t StoredFrames::at(std::uint64_t offset) const {
  const auto behind = std::ranges::upper_bound(places_, offset, {}, &Place::plain);
  return static_cast<std::uint32_t>(behind - places_.begin() - 1);
}

std::vector<std::byte> StoredFrames::index() const {
  std::vector<std::byte> bytes;
  trace::SkippableHeader header{};
  if (index_.stored_size <= sizeof header || !read_at(archive_->file, index_.stored, header)) return bytes;
  if (header.magic != trace::skippable_index || header.size != index_.stored_size - sizeof header) return bytes;
  Place place = index_;
  place.stored += sizeof header;
  place.stored_size = header.size;
  if (!FrameDecoder{}.unpack(*this, place, bytes).empty()) bytes.clear();
  return bytes;
}

FrameDecoder::FrameDecoder() : context_{ZSTD_createDCtx()} {
  if (context_ == nullptr) throw std::bad_alloc{};
}

FrameDecoder::~FrameDecoder() {
  ZSTD_freeDCtx(context_);
}

void FrameDecoder::unpack(const StoredFrames& frames, std::uint32_t number, PlainFrame& into) {
  const StoredFrames::Place& place = frames.places_[number];
  into.bytes.resize(place.plain_size);
  const std::string why = unpack(frames, place, into.bytes);
  if (why.empty()) return;
  into.bytes = {};
  into.fault = fmt::format(
      "the zstd data {} in the bytes {} to {}; the {} bytes of the segment in them are left out; copy the archive "
      "again",
      why, place.stored, place.stored + place.stored_size, place.plain_size);
}

/// Why it failed. `into` has the size that is expected; empty: any that is not too large.
std::string FrameDecoder::unpack(const StoredFrames& frames, const StoredFrames::Place& place,
                                 std::vector<std::byte>& into) {
  stored_.resize(place.stored_size);
  if (frames.archive_->file.read(place.stored, stored_) < stored_.size()) return "cannot be read";
  if (into.empty()) {
    const unsigned long long size = ZSTD_getFrameContentSize(stored_.data(), stored_.size());
    if (size > most_of_an_index) return "is damaged";  // or unknown
    into.resize(size);
  }
  const std::size_t got = ZSTD_decompressDCtx(context_, into.data(), into.size(), stored_.data(), stored_.size());
  if (ZSTD_isError(got) != 0U) return fmt::format("is damaged ({})", ZSTD_getErrorName(got));
  return got == into.size() ? std::string{} : "does not fit its seek table";
}

ArchiveIndex::ArchiveIndex(const StoredFrames& frames) : bytes_{frames.index()} {
  std::uint64_t end = 0;
  for (std::size_t at = 0; bytes_.size() - at >= sizeof(trace::Extent);) {
    trace::Extent extent{};
    std::memcpy(&extent, bytes_.data() + at, sizeof extent);
    at += sizeof extent;
    const bool fits = extent.offset >= end && extent.offset <= frames.size() && extent.size <= bytes_.size() - at &&
                      extent.size <= frames.size() - extent.offset;
    if (!fits) return;
    parts_.push_back({extent.offset, extent.size, at});
    at += extent.size;
    end = extent.offset + extent.size;
  }
}

bool ArchiveIndex::read(std::uint64_t offset, std::span<std::byte> into) const {
  const auto behind = std::ranges::upper_bound(parts_, offset, {}, &Part::offset);
  if (behind == parts_.begin()) return false;
  const Part& part = *std::prev(behind);
  const std::uint64_t in = offset - part.offset;
  if (in > part.size || into.size() > part.size - in) return false;
  std::memcpy(into.data(), bytes_.data() + part.at + in, into.size());
  return true;
}

}  // namespace unspool
