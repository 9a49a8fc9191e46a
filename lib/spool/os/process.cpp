// SPDX-License-Identifier: MIT
#include <spool/os/process.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace spool::os {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool has_sanitizer_thread = true;
#elif defined(__has_feature)
constexpr bool has_sanitizer_thread = __has_feature(thread_sanitizer);
#else
constexpr bool has_sanitizer_thread = false;
#endif

}  // namespace

std::uint32_t native_id() noexcept {
  return static_cast<std::uint32_t>(gettid());
}

std::uint32_t process_id() noexcept {
  return static_cast<std::uint32_t>(getpid());
}

std::string program_name() {
  return program_invocation_short_name;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{};
}

std::string boot_id() {
  constexpr std::size_t length = 36;
  std::array<char, length> id{};
  const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t got = ::read(file, id.data(), id.size());
  ::close(file);
  return got == static_cast<ssize_t>(length) ? std::string{id.data(), length} : std::string{};
}

std::uint32_t thread_count() noexcept {
  // "pid (name) state ppid ...": the name may have anything in it, and what is wanted is the 18th number behind it.
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 512> text{};
  const ssize_t size = read(file, text.data(), text.size() - 1);
  close(file);
  if (size <= 0) return 0;
  const char* at = std::strrchr(text.data(), ')');
  for (int i = 0; i < 18 && at != nullptr; ++i)
    at = std::strchr(at + 1, ' ');
  const unsigned long found = at == nullptr ? 0 : std::strtoul(at, nullptr, 10);
  const auto count = static_cast<std::uint32_t>(std::min(found, 1UL << 22U));
  return has_sanitizer_thread && count > 1 ? count - 1 : count;
}

std::string elided_name(std::string_view name) {
  constexpr std::size_t most = 15;
  constexpr std::size_t head = 7;
  if (name.size() <= most) return std::string{name};
  return std::string{name.substr(0, head)} + '~' + std::string{name.substr(name.size() - (most - head - 1))};
}

void name_thread(std::string_view name) noexcept {
  // A name with a NUL inside ends there for the kernel; a failure leaves the old name, which harms nobody.
  pthread_setname_np(pthread_self(), elided_name(name).c_str());
}

void lower_priority() noexcept {
  constexpr int lowest = 19;
  // Linux gives a nice value to a thread, not to the process. SCHED_IDLE would have a fifth of its share. Where it is
  // refused, the thread runs as it is.
  (void)setpriority(PRIO_PROCESS, native_id(), lowest);
}

void print_error(std::string_view text) noexcept {
  constexpr int patience = 1000;       // ms
  constexpr std::size_t piece = 4096;  // PIPE_BUF: a pipe that is ready takes so much without waiting
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    // EINVAL: the limit of descriptors is 0, and so no question how many are ready. Those that are open can be written
    // to.
    const int answer = poll(&ready, 1, patience);
    if (answer == 0 || (answer < 0 && errno != EINVAL)) return;
    const ssize_t done = write(STDERR_FILENO, text.data(), std::min(text.size(), piece));
    if (done <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
}

bool barrier_everywhere() noexcept {
  static const bool registered = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0U, 0) == 0;
  return registered && syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0U, 0) == 0;
}

}  // namespace spool::os
