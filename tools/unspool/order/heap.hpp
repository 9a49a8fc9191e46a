// SPDX-License-Identifier: MIT
//
// Chains by time: which one is earliest. A binary heap that can also take out a chain from its middle.
#pragma once

#include <spool/trace/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace unspool {

/// Of equal times the chain with the lower index is first. A chain is in at most one heap; all heaps over the same
/// chains share `places`, which has an element for each chain.
class Heap {
 public:
  using Places = std::vector<std::uint32_t>;
  explicit Heap(Places& places) : places_(places) {}

  bool empty() const { return items_.empty(); }
  spool::trace::Ticks first_time() const { return items_[0].time; }
  std::uint32_t first() const { return items_[0].chain; }

  void push(std::uint32_t chain, spool::trace::Ticks time) {
    items_.push_back({time, chain});
    rise(items_.size() - 1);
  }

  /// Requires: the chain is in this heap.
  void change(std::uint32_t chain, spool::trace::Ticks time) {
    const std::size_t at = places_[chain];
    const bool earlier = time < items_[at].time;
    items_[at].time = time;
    earlier ? rise(at) : sink(at);
  }

  /// Requires: the chain is in this heap.
  void erase(std::uint32_t chain) {
    const std::size_t at = places_[chain];
    const Item last = items_.back();
    items_.pop_back();
    if (at == items_.size()) return;
    items_[at] = last;
    places_[last.chain] = static_cast<std::uint32_t>(at);
    rise(at);
    sink(places_[last.chain]);
  }

 private:
  struct Item {
    spool::trace::Ticks time;
    std::uint32_t chain;
    bool operator<(const Item& other) const { return time != other.time ? time < other.time : chain < other.chain; }
  };

  void put(std::size_t at, const Item& item) {
    items_[at] = item;
    places_[item.chain] = static_cast<std::uint32_t>(at);
  }

  void rise(std::size_t at) {
    const Item item = items_[at];
    while (at > 0 && item < items_[(at - 1) / 2]) {
      put(at, items_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    put(at, item);
  }

  void sink(std::size_t at) {
    const Item item = items_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() && items_[child + 1] < items_[child]) ++child;
      if (!(items_[child] < item)) break;
      put(at, items_[child]);
      at = child;
    }
    put(at, item);
  }

  Places& places_;
  std::vector<Item> items_;
};

}  // namespace unspool
