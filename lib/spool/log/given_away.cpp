// SPDX-License-Identifier: MIT
#include <spool/log/given_away.hpp>

#include <array>
#include <atomic>
#include <cstddef>

namespace spool::log {
namespace {

/// By number modulo the size: number and count in one word. Whoever comes last has the place.
std::array<std::atomic<std::uint64_t>, 1024> places;

std::atomic<std::uint64_t>& place_of(trace::ThreadNumber owner) {
  return places[owner % places.size()];
}

bool is_of(std::uint64_t word, trace::ThreadNumber owner) {
  return word >> 32U == owner;
}

}  // namespace

// relaxed, all: whoever knows of the release, by whatever orders it, sees what was noted before it.

void note_given_away(trace::ThreadNumber owner) noexcept {
  std::atomic<std::uint64_t>& place = place_of(owner);
  std::uint64_t before = place.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    after = is_of(before, owner) ? before + 1 : std::uint64_t{owner} << 32U | 1U;
  } while (!place.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

std::uint32_t take_given_away(trace::ThreadNumber owner) noexcept {
  std::atomic<std::uint64_t>& place = place_of(owner);
  std::uint64_t before = place.load(std::memory_order_relaxed);
  if (!is_of(before, owner)) return 0;
  if (!place.compare_exchange_strong(before, 0, std::memory_order_relaxed) && !is_of(before, owner)) return 0;
  return static_cast<std::uint32_t>(before);
}

}  // namespace spool::log
