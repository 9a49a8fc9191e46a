// SPDX-License-Identifier: MIT
#include <spool/sinks/safe_files.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace spool::sinks {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

[[noreturn]] void refuse(int error, const std::string& what) {
  throw std::system_error{error, std::generic_category(), what};
}

/// Those that are missing on the way; those that are there keep their mode.
void make_directories(const std::filesystem::path& directory) {
  if (directory.empty() || std::filesystem::exists(directory)) return;
  make_directories(directory.parent_path());
  if (::mkdir(directory.c_str(), directory_mode) != 0 && errno != EEXIST) {
    refuse(errno, "the directory of a log cannot be made: " + directory.string());
  }
}

/// The file exists with our mode before spdlog opens it.
void before_open(const std::string& path) {
  make_directories(std::filesystem::path{path}.parent_path());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, file_mode);
  if (file < 0 && errno == ELOOP) refuse(errno, "a symbolic link is in a log's place: " + path);
  if (file < 0) refuse(errno, "a log cannot be opened: " + path);
  ::close(file);
}

/// spdlog follows links. Whoever put one there in the meantime is found out by what was opened.
void after_open(const std::string& path, std::FILE* stream) {
  struct stat opened {};
  struct stat named {};
  const bool same = ::fstat(::fileno(stream), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
                    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  if (!same) refuse(ELOOP, "something else was put in a log's place as it was opened: " + path);
}

}  // namespace

spdlog::file_event_handlers safe_files() {
  spdlog::file_event_handlers handlers;
  handlers.before_open = before_open;
  handlers.after_open = after_open;
  return handlers;
}

}  // namespace spool::sinks
