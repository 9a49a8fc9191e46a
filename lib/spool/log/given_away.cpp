// SPDX-License-Identifier: MIT
#include <spool/log/given_away.hpp>

#include <array>
#include <atomic>
#include <cstddef>

namespace spool::log {
namespace {

/// Number and count in one word, at the number modulo the size or a few places behind. Where these are taken, whoever
/// comes last has the first of them.
std::array<std::atomic<std::uint64_t>, 1024> places;
constexpr std::size_t looked_at = 8;

bool is_of(std::uint64_t word, trace::ThreadNumber owner) {
  return word >> 32U == owner;
}

/// Its own, else a free one.
std::atomic<std::uint64_t>& place_of(trace::ThreadNumber owner) {
  std::atomic<std::uint64_t>* free = nullptr;
  for (std::size_t i = 0; i < looked_at; ++i) {
    std::atomic<std::uint64_t>& place = places[(owner + i) % places.size()];
    const std::uint64_t word = place.load(std::memory_order_relaxed);  // relaxed: as said below
    if (is_of(word, owner)) return place;
    if (word == 0 && free == nullptr) free = &place;
  }
  return free == nullptr ? places[owner % places.size()] : *free;
}

}  // namespace

// Whoever knows of the release, by whatever orders it, sees what was noted before it: by the release store of the lock's
// word in BasicLock, or by any other step of the program's after it. So all here is relaxed.

void note_given_away(trace::ThreadNumber owner) noexcept {
  std::atomic<std::uint64_t>& place = place_of(owner);
  std::uint64_t before = place.load(std::memory_order_relaxed);  // relaxed: checked by the exchange
  std::uint64_t after = 0;
  do {
    after = is_of(before, owner) ? before + 1 : std::uint64_t{owner} << 32U | 1U;
    // relaxed: as said above
  } while (!place.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

std::uint32_t given_away(trace::ThreadNumber owner) noexcept {
  const std::uint64_t word = place_of(owner).load(std::memory_order_relaxed);  // relaxed: as said above
  return is_of(word, owner) ? static_cast<std::uint32_t>(word) : 0;
}

std::uint32_t take_given_away(trace::ThreadNumber owner) noexcept {
  std::atomic<std::uint64_t>& place = place_of(owner);
  std::uint64_t before = place.load(std::memory_order_relaxed);  // relaxed: as said above, also of the exchange
  if (!is_of(before, owner)) return 0;
  if (!place.compare_exchange_strong(before, 0, std::memory_order_relaxed) && !is_of(before, owner)) return 0;
  return static_cast<std::uint32_t>(before);
}

}  // namespace spool::log
