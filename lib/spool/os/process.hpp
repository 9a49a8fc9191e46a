// SPDX-License-Identifier: MIT
//
// What the kernel knows of this process and its threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spool::os {

/// The kernel's id of the calling thread.
std::uint32_t native_id() noexcept;

std::uint32_t process_id() noexcept;

/// The executable's file name.
std::string program_name();

std::string host_name();

/// The same for all processes of this machine until it starts anew, in containers too; they share CLOCK_MONOTONIC.
/// Empty where the kernel does not say.
std::string boot_id();

/// How many threads the process has, but for one that ThreadSanitizer may have made; 0: the kernel does not say.
std::uint32_t thread_count() noexcept;

/// Names the calling thread for top, gdb and perf. The kernel keeps 15 bytes: a longer name loses its middle.
void name_thread(std::string_view name) noexcept;

/// The lowest priority that still gets on where others want all processors: nice 19, for the calling thread.
void lower_priority() noexcept;

/// Writes to stderr, waiting a second at most for a reader that takes nothing; the rest of the text is dropped then.
void print_error(std::string_view text) noexcept;

/// What the kernel is given for `name`.
std::string elided_name(std::string_view name);

/// Makes every running thread of this process pass a full barrier (membarrier). False where it is forbidden.
bool barrier_everywhere() noexcept;

}  // namespace spool::os
