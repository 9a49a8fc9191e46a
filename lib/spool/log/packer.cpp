// SPDX-License-Identifier: MIT
#include <spool/log/packer.hpp>
#include <spool/trace/ctf.hpp>
#include <spool/trace/seekable.hpp>
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

namespace spool::log {
namespace {

// docs/performance.md says what levels cost and bring.
constexpr int level = 3;
// A segment's files are made by us and have a few hundred KiB; what is larger was made by somebody else.
constexpr std::size_t largest_file = std::size_t{64} << 20U;
// Some KiB are usual. What is not in it is looked for by whoever reads the archive.
constexpr std::size_t largest_index = std::size_t{8} << 20U;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

/// Ends a file where its last packet's content ends: what lies behind is not yet written.
template <class Header>
std::size_t shrink_packet(std::span<std::byte> file, std::size_t at, Header header) {
  const std::size_t content = header.content_size / 8;
  const std::size_t end = std::min<std::size_t>(at + trace::align_record(content), file.size());
  std::fill(file.begin() + static_cast<std::ptrdiff_t>(std::min(at + content, end)),
            file.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
  header.packet_size = static_cast<decltype(header.packet_size)>((end - at) * 8);
  std::memcpy(file.data() + at, &header, sizeof header);
  return end;
}

/// A chunk is a chain of packets. One that breaks is copied as it is: whoever reads it says what is wrong. `packets`:
/// where their headers stand.
std::size_t shrink_chunk(std::span<std::byte> chunk, std::vector<std::size_t>& packets) {
  for (std::size_t at = 0; at + sizeof(trace::PacketHeader) <= chunk.size();) {
    trace::PacketHeader header{};
    std::memcpy(&header, chunk.data() + at, sizeof header);
    const std::uint64_t packet = header.packet_size / 8;
    const bool sound = header.magic == trace::packet_magic && packet >= sizeof header && packet <= chunk.size() - at &&
                       header.content_size / 8 >= sizeof header && header.content_size <= header.packet_size;
    if (!sound) break;
    packets.push_back(at);
    if (at + packet == chunk.size()) return shrink_packet(chunk, at, header);
    at += packet;
  }
  return chunk.size();
}

std::size_t shrink_metadata(std::span<std::byte> file) {
  trace::MetadataHeader header{};
  if (file.size() < sizeof header) return file.size();
  std::memcpy(&header, file.data(), sizeof header);
  const bool sound = header.magic == trace::metadata_magic && header.content_size / 8 >= sizeof header &&
                     header.content_size / 8 <= file.size() && header.packet_size / 8 == file.size();
  return sound ? shrink_packet(file, 0, header) : file.size();
}

int read_all(int directory, const char* name, std::vector<std::byte>& into) {
  const Descriptor file{openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) return errno;
  if (!S_ISREG(about.st_mode) || static_cast<std::uint64_t>(about.st_size) > largest_file) return EINVAL;
  into.resize(static_cast<std::size_t>(about.st_size));
  std::size_t got = 0;
  while (got < into.size()) {
    const ssize_t count = pread(file.get(), into.data() + got, into.size() - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) break;  // cut since
    got += static_cast<std::size_t>(count);
  }
  into.resize(got);
  return 0;
}

int write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

template <std::size_t N>
void put_octal(std::array<char, N>& field, std::uint64_t value) {
  (void)fmt::format_to_n(field.data(), N - 1, "{:0{}o}", value, N - 1);
}

}  // namespace

struct Packer::Compressor {
  Compressor() : context{ZSTD_createCCtx()} {
    if (context == nullptr) throw std::bad_alloc{};
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  }
  ~Compressor() { ZSTD_freeCCtx(context); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  ZSTD_CCtx* context;
};

Packer::Packer() : compressor_{std::make_unique<Compressor>()} {}

Packer::~Packer() = default;

Packed Packer::pack(const PackOrder& order, const std::atomic<bool>& stop) {
  Packed result;
  result.number = order.number;
  (void)unlink(order.target.c_str());  // of an attempt that failed
  {
    const Descriptor target{open(order.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    written_ = 0;
    if (target.get() < 0) {
      result.error = errno;
      return result;
    }
    result.error = pack_files(order, target.get(), stop);
    result.moved = result.error == ENOENT || result.error == ENOTDIR;
    // Its data before its name: a name that survives a loss of power must not stand for an empty file.
    if (result.error == 0 && fsync(target.get()) != 0) result.error = errno;
  }
  result.bytes = written_;
  if (result.error != 0) (void)unlink(order.target.c_str());
  return result;
}

int Packer::pack_files(const PackOrder& order, int target, const std::atomic<bool>& stop) {
  const Descriptor directory{open(order.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
  if (directory.get() < 0) return errno;
  plain_ = 0;
  frame_.clear();
  index_.clear();
  entries_.clear();
  put_header(order, "", 0, trace::ustar_directory);
  int error = pack_file(directory.get(), order, "metadata", target);
  for (std::size_t i = 0; error == 0 && i < order.chunks; ++i) {
    if (stop.load(std::memory_order_relaxed)) return ECANCELED;  // relaxed: a hint
    error = pack_file(directory.get(), order, fmt::format("stream-{:04}", i).c_str(), target);
  }
  if (error != 0) return error;
  constexpr std::array<std::byte, 2 * trace::tar_block> end{};
  repeat(end, plain_);
  put(end);
  error = end_frame(target);
  if (error == 0) error = put_index(target);
  return error == 0 ? put_seek_table(target) : error;
}

int Packer::pack_file(int directory, const PackOrder& order, const char* name, int target) {
  if (const int error = read_all(directory, name, file_); error != 0) return error;
  packets_.clear();
  const bool is_metadata = std::strcmp(name, "metadata") == 0;
  const std::size_t size = is_metadata ? shrink_metadata(file_) : shrink_chunk(file_, packets_);
  file_.resize((size + trace::tar_block - 1) / trace::tar_block * trace::tar_block);
  std::fill(file_.begin() + static_cast<std::ptrdiff_t>(size), file_.end(), std::byte{0});
  put_header(order, name, size, trace::ustar_file);
  for (const std::size_t at : packets_)
    repeat({file_.data() + at, sizeof(trace::PacketHeader)}, plain_ + at);
  int error = 0;
  for (std::span<const std::byte> rest{file_}; error == 0 && !rest.empty();) {
    const std::size_t piece = std::min(rest.size(), trace::largest_piece);
    put(rest.first(piece));
    rest = rest.subspan(piece);
    if (frame_.size() >= trace::frame_ends_at) error = end_frame(target);
  }
  return error;
}

void Packer::put_header(const PackOrder& order, const char* name, std::size_t size, char type) {
  trace::UstarHeader header{};
  (void)fmt::format_to_n(header.name.data(), header.name.size() - 1, "{:06}/{}", order.number, name);
  put_octal(header.mode, type == trace::ustar_directory ? 0700 : 0600);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, size);
  put_octal(header.mtime, static_cast<std::uint64_t>(std::max<std::time_t>(0, std::time(nullptr))));
  header.type = type;
  std::ranges::copy(trace::ustar_magic, header.magic.begin());
  header.version = {'0', '0'};
  put_octal(header.device_major, 0);
  put_octal(header.device_minor, 0);
  header.checksum[7] = ' ';
  (void)fmt::format_to_n(header.checksum.data(), 6, "{:06o}", trace::ustar_checksum(header));
  const auto bytes = std::as_bytes(std::span{&header, 1});
  repeat(bytes, plain_);
  put(bytes);
}

void Packer::put(std::span<const std::byte> bytes) {
  frame_.insert(frame_.end(), bytes.begin(), bytes.end());
  plain_ += bytes.size();
}

/// In the index.
void Packer::repeat(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (index_.size() >= largest_index) return;
  const trace::Extent extent{offset, bytes.size()};
  const auto head = std::as_bytes(std::span{&extent, 1});
  index_.insert(index_.end(), head.begin(), head.end());
  index_.insert(index_.end(), bytes.begin(), bytes.end());
}

int Packer::end_frame(int target) {
  if (frame_.empty()) return 0;
  if (!compress(frame_)) return ENOMEM;
  entries_.push_back({static_cast<std::uint32_t>(out_.size()), static_cast<std::uint32_t>(frame_.size())});
  frame_.clear();
  return write(out_, target);
}

int Packer::put_index(int target) {
  if (!compress(index_)) return ENOMEM;
  const trace::SkippableHeader header{trace::skippable_index, static_cast<std::uint32_t>(out_.size())};
  entries_.push_back({static_cast<std::uint32_t>(sizeof header + out_.size()), 0});
  const int error = write(std::as_bytes(std::span{&header, 1}), target);
  return error == 0 ? write(out_, target) : error;
}

int Packer::put_seek_table(int target) {
  const auto entries = std::as_bytes(std::span{entries_});
  const trace::SeekFooter footer{static_cast<std::uint32_t>(entries_.size()), 0, trace::seekable_magic};
  const trace::SkippableHeader header{trace::skippable_seek_table,
                                      static_cast<std::uint32_t>(entries.size() + sizeof footer)};
  int error = write(std::as_bytes(std::span{&header, 1}), target);
  if (error == 0) error = write(entries, target);
  return error == 0 ? write(std::as_bytes(std::span{&footer, 1}), target) : error;
}

/// Into `out_`, as one frame.
bool Packer::compress(std::span<const std::byte> bytes) {
  out_.resize(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress2(compressor_->context, out_.data(), out_.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0U) return false;
  out_.resize(size);
  return true;
}

int Packer::write(std::span<const std::byte> bytes, int target) {
  written_ += bytes.size();
  return write_all(target, bytes);
}

}  // namespace spool::log
