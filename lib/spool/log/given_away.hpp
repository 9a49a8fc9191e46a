// SPDX-License-Identifier: MIT
//
// Locks that one thread acquired and another one released: a legal signal. Owns how many of a thread's holds went so,
// which the thread itself does not count.
#pragma once

#include <spool/trace/ids.hpp>

#include <cstdint>

namespace spool::log {

/// Before the release, by who makes it. Lock-free.
void note_given_away(trace::ThreadNumber owner) noexcept;

/// So many of the owner's holds were released by others, as far as it can know of that. Where there are a thousand such
/// threads at the same time, some may be told too few.
std::uint32_t given_away(trace::ThreadNumber owner) noexcept;

/// The same, and forgets them: the thread ends.
std::uint32_t take_given_away(trace::ThreadNumber owner) noexcept;

}  // namespace spool::log
