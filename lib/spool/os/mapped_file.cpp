// SPDX-License-Identifier: MIT
#include <spool/os/mapped_file.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace spool::os {
namespace {

/// Pages for all of it now, so that no store faults later. EFAULT says that a store would have been a SIGBUS.
bool populate(void* memory, std::size_t size) {
#ifndef MADV_POPULATE_WRITE
  constexpr int MADV_POPULATE_WRITE = 23;
#endif
  if (madvise(memory, size, MADV_POPULATE_WRITE) == 0) return true;
  return errno == EINVAL;  // a kernel before 5.14: pages come at the first store
}

/// Of what is there. A hypervisor that keeps page tables of its own learns of a page at the first store from user mode,
/// and takes microseconds then, though the kernel has the page. Requires: nobody else writes there, and of a file that
/// the range is guarded.
void store_into_each_page(std::byte* memory, std::size_t size) {
  constexpr std::size_t smallest_page = 4096;
  for (std::size_t at = 0; at < size; at += smallest_page) {
    volatile std::byte& first = memory[at];
    const std::byte there = first;
    first = there;
  }
}

/// Reserves so much of the file; an errno. Beyond `ulimit -f` the kernel would kill the process (SIGXFSZ).
int reserve(int file, std::size_t size) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur) return EFBIG;
  return posix_fallocate(file, 0, static_cast<off_t>(size));
}

std::byte* map(int file, std::size_t size, std::size_t most) {
  const int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* memory = mmap(nullptr, most, PROT_READ | PROT_WRITE, flags, file, 0);
  if (memory == MAP_FAILED) return nullptr;
  (void)madvise(memory, most, MADV_DONTFORK);  // a kernel that does not know it copies the mapping, nothing worse
  if (populate(memory, size)) return static_cast<std::byte*>(memory);
  const int why = errno;
  munmap(memory, most);
  errno = why == EFAULT ? ENOSPC : why;
  return nullptr;
}

}  // namespace

MappedFile::MappedFile(MappedFile&& other) noexcept
    : guarded_{std::exchange(other.guarded_, {})},
      data_{std::exchange(other.data_, nullptr)},
      size_{std::exchange(other.size_, 0)},
      mapped_{std::exchange(other.mapped_, 0)} {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(guarded_, other.guarded_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

MappedFile::~MappedFile() {
  guarded_.release();
  if (data_ != nullptr) munmap(data_, mapped_);
}

bool MappedFile::touch() const noexcept {
  if (!populate(data_, size_)) return false;
  store_into_each_page(data_, size_);
  return true;
}

MappedFile MappedFile::create(const std::filesystem::path& path, std::size_t size, std::size_t most) noexcept {
  most = std::max(size, most);
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return {};
  int why = reserve(file, size);
  std::byte* data = nullptr;
  if (why == 0) {
    data = map(file, size, most);
    why = errno;
  }
  close(file);
  if (data != nullptr) {
    MappedFile made{data, size, most};
    made.guarded_ = GuardedRange{data, most};
    store_into_each_page(data, size);
    return made;
  }
  unlink(path.c_str());  // ext4 keeps what a failed reservation got
  errno = why;
  return {};
}

MappedFile MappedFile::anonymous(std::size_t size, std::size_t most) noexcept {
  most = std::max(size, most);
  std::byte* data = map(-1, size, most);
  if (data == nullptr) return {};
  store_into_each_page(data, size);
  return MappedFile{data, size, most};
}

bool MappedFile::grow(const std::filesystem::path& path, std::size_t size) noexcept {
  if (size > mapped_) return false;
  if (!path.empty()) {
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return false;
    const int why = reserve(file, size);
    close(file);
    errno = why;
    if (why != 0) return false;
  }
  if (!populate(data_, size)) return false;
  size_ = size;
  return true;
}

}  // namespace spool::os
