// SPDX-License-Identifier: MIT
//
// What is known of things by their numbers: a hash table behind a direct-mapped cache, as the same few are asked for
// again and again.
#pragma once

#include <array>
#include <cstddef>
#include <unordered_map>

namespace spool::log {

/// Thread-bound. Entries stay where they are until they are erased.
template <class Number, class Entry>
class Known {
 public:
  /// nullptr where there is none.
  Entry* find(Number number) {
    Slot& slot = slots_[number % slots_.size()];
    if (slot.entry != nullptr && slot.number == number) return slot.entry;
    const auto found = entries_.find(number);
    if (found == entries_.end()) return nullptr;
    slot = {number, &found->second};
    return slot.entry;
  }

  void set(Number number, Entry entry) { entries_[number] = std::move(entry); }

  void erase(Number number) {
    slots_[number % slots_.size()] = {};
    entries_.erase(number);
  }

  void clear() {
    slots_ = {};
    entries_.clear();
  }

 private:
  struct Slot {
    Number number{};
    Entry* entry = nullptr;
  };
  static constexpr std::size_t slots = 256;
  std::array<Slot, slots> slots_{};
  std::unordered_map<Number, Entry> entries_;
};

}  // namespace spool::log
