// SPDX-License-Identifier: MIT
#include <spool/os/park.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace spool::os {
namespace {

#ifndef SYS_futex_waitv
constexpr long futex_waitv_number = 449;
#else
constexpr long futex_waitv_number = SYS_futex_waitv;
#endif

constexpr auto cancel_poll = std::chrono::milliseconds{10};

timespec to_timespec(Deadline deadline) {
  const auto since_boot = std::max(deadline.time_since_epoch(), Deadline::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((since_boot - seconds).count())};
}

std::uint32_t* address_of(Word* word) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the kernel wants the bare word
  return reinterpret_cast<std::uint32_t*>(word);
}

/// futex_waitv's argument, as the kernel's header has had it since 5.16.
struct Waiter {
  std::uint64_t value;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};

Waiter waiter_on(Word& word, std::uint32_t expected) {
  constexpr std::uint32_t private_u32 = 2 | 128;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the kernel wants the address as a number
  return {expected, reinterpret_cast<std::uint64_t>(&word), private_u32, 0};
}

}  // namespace

bool park(Word& word, std::uint32_t expected, Deadline deadline) noexcept {
  const timespec until = to_timespec(deadline);
  const long result = syscall(SYS_futex, address_of(&word), FUTEX_WAIT_BITSET_PRIVATE, expected,
                              deadline == never ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return !(result == -1 && errno == ETIMEDOUT);
}

bool park_either(Word& word, std::uint32_t expected, Word& other, Deadline deadline) noexcept {
  std::array<Waiter, 2> waiters{waiter_on(word, expected), waiter_on(other, 0)};
  const timespec until = to_timespec(deadline);
  const long result = syscall(futex_waitv_number, waiters.data(), waiters.size(), 0U,
                              deadline == never ? nullptr : &until, CLOCK_MONOTONIC);
  if (result >= 0 || (errno != ENOSYS && errno != EPERM)) return !(result == -1 && errno == ETIMEDOUT);
  // An old kernel or a strict seccomp filter: look at the cancel word now and then.
  const Deadline soon = std::min(deadline, std::chrono::steady_clock::now() + cancel_poll);
  const bool woken = park(word, expected, soon);
  return woken || std::chrono::steady_clock::now() < deadline;
}

void unpark(Word* word, int count) noexcept {
  // EFAULT is the dead address that the contract allows.
  (void)syscall(SYS_futex, address_of(word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace spool::os
