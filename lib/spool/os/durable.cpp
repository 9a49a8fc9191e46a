// SPDX-License-Identifier: MIT
#include <spool/os/durable.hpp>

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace spool::os {
namespace {

/// A file descriptor of our own.
class Opened {
 public:
  Opened(int directory, const char* name, int flags) noexcept
      : number_{openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags)} {}
  ~Opened() {
    const int kept = errno;
    if (number_ >= 0) (void)close(number_);
    errno = kept;
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

bool sync_files(int directory) noexcept {
  DIR* const entries = fdopendir(dup(directory));
  if (entries == nullptr) return false;
  bool all = true;
  while (const dirent* each = readdir(entries)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (each->d_type != DT_REG) continue;
    const Opened file{directory, each->d_name, 0};
    if (!file || fdatasync(file.number()) != 0) all = false;
  }
  const int kept = errno;
  (void)closedir(entries);
  errno = kept;
  return all;
}

bool sync_path(const std::filesystem::path& path) {
  const Opened file{AT_FDCWD, path.c_str(), 0};
  if (!file) return false;
  const bool is_directory = std::filesystem::is_directory(path);
  if (is_directory && !sync_files(file.number())) return false;
  if (fsync(file.number()) != 0) return false;
  const std::filesystem::path parent = path.parent_path();
  const Opened above{AT_FDCWD, parent.empty() ? "." : parent.c_str(), O_DIRECTORY};
  return above && fsync(above.number()) == 0;
}

}  // namespace

bool make_durable(const std::filesystem::path& path) noexcept {
  try {
    return sync_path(path);
  } catch (const std::exception&) {
    errno = ENOMEM;
    return false;
  }
}

}  // namespace spool::os
