// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/log_bytes.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace unspool {
namespace {

constexpr std::size_t piece = 256 << 10;

std::span<std::byte> bytes_of(std::span<char> text) {
  return std::as_writable_bytes(text);
}

class PlainBytes final : public LogBytes {
 public:
  PlainBytes(const File& file, std::uint64_t offset) : file_{file} { used_ = offset; }
  std::size_t read(std::span<char> into) override {
    const std::size_t got = file_.read(used_, bytes_of(into));
    used_ += got;
    return got;
  }

 private:
  const File& file_;
};

/// What gzip and zstd have in common: stored bytes come in by pieces, plain ones go out.
class UnpackedBytes : public LogBytes {
 public:
  UnpackedBytes(const File& file, std::string_view kind) : file_{file}, kind_{kind}, stored_(piece) {}

  std::size_t read(std::span<char> into) override {
    std::size_t made = 0;
    while (made == 0 && problem_.empty()) {
      if (at_ == filled_ && !refill()) {
        if (inside()) stop("breaks off");
        break;
      }
      made = unpack({stored_.data() + at_, filled_ - at_}, into);
    }
    plain_ += made;
    return made;
  }

 protected:
  /// Stored bytes that unpack has used.
  void use(std::size_t count) {
    at_ += count;
    used_ += count;
  }
  void stop(std::string_view what) {
    problem_ = fmt::format("the {} data {} at byte {}; the {} bytes of text before it are used", kind_, what, used_,
                           plain_ + made_now_);
  }
  /// How much the running unpack has made, for `stop`.
  std::size_t made_now_ = 0;

 private:
  /// Uses up some of `stored` and fills some of `into`; how much of the latter.
  virtual std::size_t unpack(std::span<const char> stored, std::span<char> into) = 0;
  /// A member or frame has begun that has not ended.
  virtual bool inside() const = 0;

  bool refill() {
    at_ = 0;
    filled_ = file_.read(used_, bytes_of(stored_));
    return filled_ > 0;
  }

  const File& file_;
  std::string_view kind_;
  std::vector<char> stored_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t plain_ = 0;
};

class GzipBytes final : public UnpackedBytes {
 public:
  explicit GzipBytes(const File& file) : UnpackedBytes{file, "gzip"} {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
  }
  ~GzipBytes() override { inflateEnd(&stream_); }

 private:
  std::size_t unpack(std::span<const char> stored, std::span<char> into) override {
    made_now_ = 0;
    if (!inside_ && ended_ && stored[0] == '\0') {  // gzip pads with zeros on tapes, and passes over them
      use(1);
      return 0;
    }
    inside_ = true;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast): zlib's interface
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
    stream_.avail_in = static_cast<uInt>(stored.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(into.size(), 1U << 30U));
    const uInt room = stream_.avail_out;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    use(stored.size() - stream_.avail_in);
    made_now_ = room - stream_.avail_out;
    if (result == Z_STREAM_END) {
      inside_ = false;
      ended_ = true;
      inflateReset(&stream_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      stop(ended_ && stream_.total_out == 0 ? "is followed by something else" : "is damaged");
    }
    return made_now_;
  }
  bool inside() const override { return inside_; }

  z_stream stream_{};
  bool inside_ = false;
  bool ended_ = false;  ///< a member has ended
};

class ZstdBytes final : public UnpackedBytes {
 public:
  explicit ZstdBytes(const File& file) : UnpackedBytes{file, "zstd"}, stream_{ZSTD_createDStream()} {
    if (stream_ == nullptr) throw std::bad_alloc{};
  }
  ~ZstdBytes() override { ZSTD_freeDStream(stream_); }

 private:
  std::size_t unpack(std::span<const char> stored, std::span<char> into) override {
    ZSTD_inBuffer in{stored.data(), stored.size(), 0};
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    const std::size_t result = ZSTD_decompressStream(stream_, &out, &in);
    use(in.pos);
    made_now_ = out.pos;
    if (ZSTD_isError(result) != 0U) {
      stop(fmt::format("is damaged ({})", ZSTD_getErrorName(result)));
      return out.pos;
    }
    inside_ = result != 0;
    return out.pos;
  }
  bool inside() const override { return inside_; }

  ZSTD_DStream* stream_;
  bool inside_ = false;
};

/// The file, if there is something to be read in it at random; a pipe is copied.
std::string copy_stream(int from, File& to) {
  to = File::temporary();
  if (!to) return fmt::format("no copy can be made ({})", to.error());
  std::vector<char> buffer(piece);
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fmt::format("cannot be read ({})", std::strerror(errno));
    if (got == 0) return {};
    if (!to.append(std::as_bytes(std::span{buffer.data(), static_cast<std::size_t>(got)})))
      return fmt::format("its temporary copy cannot be written ({})", std::strerror(errno));
  }
}

}  // namespace

std::unique_ptr<LogFile> open_log(const std::string& path, std::string& refusal) {
  auto log = std::make_unique<LogFile>();
  const bool standard = path == "-";
  log->name = standard ? "standard input" : path;
  log->file = standard ? File::adopt(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : File::open_path(path);
  std::string why = log->file ? std::string{} : fmt::format("cannot be opened ({})", log->file.error());
  if (why.empty() && !log->file.is_regular()) {
    File copy;
    why = copy_stream(log->file.descriptor(), copy);
    log->file = std::move(copy);
  }
  if (!why.empty()) {
    refusal = fmt::format("{}: {}", log->name, why);
    return nullptr;
  }
  log->size = log->file.size();
  return log;
}

std::unique_ptr<LogBytes> LogBytes::open(const LogFile& log, std::uint64_t offset) {
  std::array<char, 4> begin{};
  const std::size_t got = log.file.read(0, bytes_of(begin));
  const std::string_view magic{begin.data(), got};
  const bool zstd_skippable = got == 4 && (magic[0] & '\xf0') == '\x50' && magic.substr(1) == "\x2a\x4d\x18";
  if (magic.starts_with("\x1f\x8b")) return std::make_unique<GzipBytes>(log.file);
  if (magic == "\x28\xb5\x2f\xfd" || zstd_skippable) return std::make_unique<ZstdBytes>(log.file);
  return std::make_unique<PlainBytes>(log.file, offset);
}

}  // namespace unspool
