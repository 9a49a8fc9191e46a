// SPDX-License-Identifier: MIT
#include <unspool/read/file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unspool {

File::File(File&& other) noexcept
    : ByteSource(),
      descriptor_(std::exchange(other.descriptor_, -1)),
      whole_(std::move(other.whole_)),
      offset_(other.offset_),
      size_(other.size_),
      error_(std::move(other.error_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  whole_.swap(other.whole_);
  std::swap(offset_, other.offset_);
  std::swap(size_, other.size_);
  error_.swap(other.error_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File File::open(const File& directory, const std::string& name) {
  File file;
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  file.descriptor_ = ::openat(directory.descriptor_, name.c_str(), flags);
  struct stat about {};
  if (file.descriptor_ < 0) {
    file.error_ = std::strerror(errno);
  } else if (::fstat(file.descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) {
    file = File{};
    file.error_ = "Not a regular file";
  }
  return file;
}

File File::open_directory(const std::string& path) {
  File file;
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  if (file.descriptor_ < 0) file.error_ = std::strerror(errno);
  return file;
}

File File::open_path(const std::string& path) {
  return adopt(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

File File::adopt(int descriptor) {
  File file;
  file.descriptor_ = descriptor;
  if (descriptor < 0) file.error_ = std::strerror(errno);
  return file;
}

File File::part_of(std::shared_ptr<const ByteSource> whole, std::uint64_t offset, std::uint64_t size) {
  File file;
  file.whole_ = std::move(whole);
  file.offset_ = offset;
  file.size_ = size;
  return file;
}

File File::temporary() {
  const char* const parent = std::getenv("TMPDIR");
  std::string name = std::string{parent != nullptr && *parent != '\0' ? parent : "/tmp"} + "/unspool-XXXXXX";
  File file = adopt(::mkostemp(name.data(), O_CLOEXEC));
  if (file) {
    ::unlink(name.c_str());
  } else {
    file.error_ = name + ": " + file.error_;
  }
  return file;
}

File File::failed(std::string error) {
  File file;
  file.error_ = std::move(error);
  return file;
}

bool File::append(std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool File::is_regular() const {
  struct stat about {};
  return ::fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode);
}

std::uint64_t File::size() const {
  if (whole_ != nullptr) return size_;
  struct stat about {};
  if (::fstat(descriptor_, &about) != 0 || about.st_size < 0) return 0;
  return static_cast<std::uint64_t>(about.st_size);
}

std::size_t File::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (whole_ != nullptr) {
    if (offset >= size_) return 0;
    return whole_->read(offset_ + offset, into.first(std::min<std::uint64_t>(into.size(), size_ - offset)));
  }
  std::size_t got = 0;
  while (got < into.size()) {
    const auto at = static_cast<off_t>(offset + got);
    const ssize_t count = ::pread(descriptor_, into.data() + got, into.size() - got, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // an I/O error is a file that ends here: the caller reports the bytes as lost
    got += static_cast<std::size_t>(count);
  }
  return got;
}

void raise_file_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // refused: the old limit stays, and files that cannot be opened are reported
}

}  // namespace unspool
