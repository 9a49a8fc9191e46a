// SPDX-License-Identifier: MIT
#include <spool/log/identity.hpp>
#include <spool/sinks/file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace spool::sinks {
namespace {

/// Larger ones cost the kernel less a byte; much larger ones would not stay in the processor's cache until they are
/// written.
constexpr std::size_t piece = std::size_t{256} << 10U;
constexpr std::size_t usual_line = std::size_t{4} << 10U;

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what, int why) {
  throw std::system_error{why, std::generic_category(), fmt::format("{}: {}", path.string(), what)};
}

/// Like mkdir -p, for our eyes only. What cannot be made is told by the open that follows.
void make_directories(const std::filesystem::path& path) {
  std::filesystem::path so_far;
  for (const auto& part : path) {
    so_far /= part;
    (void)mkdir(so_far.c_str(), 0700);
  }
}

}  // namespace

int open_log(const std::filesystem::path& path) {
  make_directories(path.parent_path());
  // O_NONBLOCK: a pipe in its place must not make us wait; it is refused below.
  constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0) {
    const int why = errno;
    fail(path, why == ELOOP ? "a symbolic link is not followed; name the file itself" : "cannot be opened", why);
  }
  struct stat found {};
  if (fstat(file, &found) == 0 && S_ISREG(found.st_mode)) return file;
  close(file);
  fail(path, "is no regular file", EINVAL);
}

File::File(const std::filesystem::path& path)
    : path_{std::filesystem::absolute(path)}, file_{open_log(path_)}, fork_depth_{log::fork_depth()} {}

File::~File() {
  close(file_);
}

void File::make_room() {
  if (fork_depth_ != log::fork_depth()) {  // what the parent had not written is the parent's
    buffer_.clear();
    torn_ = false;
    fork_depth_ = log::fork_depth();
  }
  if (reopen_asked_.load(std::memory_order_relaxed)) open_again();  // relaxed: a switch
  if (buffer_.size() >= piece) write_out();
  if (buffer_.empty()) buffer_.reserve(piece + usual_line);
}

void File::put_in_front(std::string_view text) {
  trace::LineBuffer joined;
  joined.reserve(std::max(text.size() + buffer_.size(), piece + usual_line));
  joined.put(text);
  joined.put(buffer_.text());
  buffer_ = std::move(joined);
}

void File::flush() {
  make_room();
  write_out();
  if (is_removed()) open_again();
}

bool File::is_removed() const {
  struct stat found {};
  return fstat(file_, &found) == 0 && found.st_nlink == 0;
}

void File::open_again() {
  if (!is_removed()) {
    try {
      write_out();
    } catch (const std::system_error&) {  // the old one takes no more: what is left goes into the new one
    }
  }
  const int opened = open_log(path_);
  reopen_asked_.store(false, std::memory_order_relaxed);  // relaxed: a switch
  close(std::exchange(file_, opened));
  torn_ = false;
  put_in_front(head_);
}

void File::write_out() {
  if (buffer_.empty()) return;
  if (torn_) put_in_front("\n");
  torn_ = false;
  const std::string_view text = buffer_.text();
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(file_, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail_in_line(done, wrote < 0 ? errno : ENOSPC);
    done += static_cast<std::size_t>(wrote);
  }
  buffer_.clear();
}

/// So much of the buffer is in the file, perhaps up to the middle of a line.
void File::fail_in_line(std::size_t done, int why) {
  const std::string_view text = buffer_.text();
  const std::size_t line_end = done == 0 ? std::string_view::npos : text.rfind('\n', done - 1);
  const std::size_t whole = line_end == std::string_view::npos ? 0 : line_end + 1;
  if (done != whole) torn_ = !cut_back(done - whole);
  buffer_.drop_front(whole);
  fail(path_, "cannot be written", why);
}

/// Takes the last bytes off again, if nobody has written behind them.
bool File::cut_back(std::size_t bytes) const {
  const off_t here = lseek(file_, 0, SEEK_CUR);  // where our last write ended
  struct stat found {};
  if (here < 0 || fstat(file_, &found) != 0 || found.st_size != here) return false;
  return ftruncate(file_, here - static_cast<off_t>(bytes)) == 0;
}

}  // namespace spool::sinks
