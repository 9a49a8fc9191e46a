// SPDX-License-Identifier: MIT
#include <spool/sync/spin.hpp>
#include <spool/sync/state_word.hpp>

namespace spool::sync {

std::uint32_t StateWord::lock_slowly() noexcept {
  constexpr int most_tries = 100;
  std::uint32_t mine = locked;
  for (int tries = 0;;) {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);  // relaxed: the CAS below acquires
    if ((seen & locked) == 0) {
      // acquire: partner is the release in unlock; relaxed: the loop looks again
      if (word_.compare_exchange_weak(seen, (seen & ~flags) | mine, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return seen >> shift;
      }
      continue;
    }
    if (tries < most_tries && can_spin()) {
      ++tries;
      pause_cpu();
      continue;
    }
    // relaxed, both: nothing is read under the mark
    if ((seen & crowded) == 0 &&
        !word_.compare_exchange_weak(seen, seen | crowded, std::memory_order_relaxed, std::memory_order_relaxed)) {
      continue;
    }
    os::park(word_, seen | crowded);
    mine = flags;  // others may sleep still
  }
}

}  // namespace spool::sync
