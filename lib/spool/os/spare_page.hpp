// SPDX-License-Identifier: MIT
//
// What happens where another process truncates a file that we have mapped: a page that is no longer in the file is a
// SIGBUS for whoever touches it. The handler puts a page of plain memory, full of zeros, in its place, and the thread
// goes on. Owns the table of mapped files and the handler; what is to be done about the file is its owner's.
//
//   os::survive_truncation(&wake_somebody);
//   ...
//   if (file.spare_pages() != 0) { /* what is written to it does not reach the file */ }
//
// A SIGBUS elsewhere goes to the handler that was there before, or kills the process as it would have. A thread that
// blocks SIGBUS is killed by the kernel, whatever handler there is.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace spool::os {

/// Where MappedFile stands in the table; none: it was full, a SIGBUS there is like any other.
class GuardedRange {
 public:
  GuardedRange() = default;
  /// `begin` has the alignment of a page.
  GuardedRange(const std::byte* begin, std::size_t size) noexcept;

  /// Before the range is unmapped, or given to somebody else.
  void release() noexcept;
  /// How often a page of plain memory had to stand in; two threads at the same page count twice. Thread-safe.
  std::uint32_t spare_pages() const noexcept;

 private:
  std::uint64_t word_ = 0;
  std::uint32_t index_ = 0;
};

/// Installs the handler, once in a process; `woken` is called in it after each page, and has to be async-signal-safe.
/// False (errno): it cannot be had. Thread-safe.
bool survive_truncation(void (*woken)() noexcept) noexcept;

/// The same of all ranges that there ever were. Thread-safe.
std::uint64_t spare_pages() noexcept;

/// In the child of a fork, where no mapped file is. Requires: no other thread.
void forget_guarded_ranges() noexcept;

}  // namespace spool::os
