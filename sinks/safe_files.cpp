// SPDX-License-Identifier: MIT
#include <spool/sinks/file.hpp>
#include <spool/sinks/safe_files.hpp>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace spool::sinks {
namespace {

/// The file exists with our mode before spdlog opens it.
void before_open(const std::string& path) {
  ::close(open_log(path));
}

/// spdlog follows links. Whoever put one there in the meantime is found out by what was opened.
void after_open(const std::string& path, std::FILE* stream) {
  struct stat opened {};
  struct stat named {};
  const bool same = ::fstat(::fileno(stream), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
                    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
  if (same) return;
  throw std::system_error{ELOOP, std::generic_category(),
                          "something else was put in a log's place as it was opened: " + path};
}

}  // namespace

spdlog::file_event_handlers safe_files() {
  spdlog::file_event_handlers handlers;
  handlers.before_open = before_open;
  handlers.after_open = after_open;
  return handlers;
}

}  // namespace spool::sinks
