// SPDX-License-Identifier: MIT
#include <spool/log/fork.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/spin.hpp>
#include <spool/sync/state_word.hpp>

#include <mutex>

namespace spool::sync {
namespace {

/// One for all words: taken once for each in each child.
std::mutex& adoption() {
  static std::mutex& made = []() -> std::mutex& {
    auto* const mutex = new std::mutex;  // leaked: primitives are used in static destructors
    log::guard_across_fork(*mutex, log::ForkOrder::innermost);
    return *mutex;
  }();
  return made;
}

}  // namespace

/// Nobody of this process locks the word before it is adopted, so who has it locked now is of another.
void StateWord::adopt(log::Object& object, const Site& site) {
  const std::uint32_t here = log::fork_depth();
  {
    const std::lock_guard guard{adoption()};
    // relaxed, all: under the mutex; the word was locked before the fork, or is not
    if (process_.load(std::memory_order_relaxed) == here) return;
    if ((word_.load(std::memory_order_relaxed) & locked) == 0) {
      process_.store(here, std::memory_order_relaxed);
      return;
    }
  }
  log::throw_left_midway(object, site);
}

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
