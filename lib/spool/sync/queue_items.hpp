// SPDX-License-Identifier: MIT
//
// How a queue keeps its items, and which of them is next. Each call is under the queue's inner lock.
//
//   push(value)   adds an item; when it throws nothing has changed
//   next()        the item whose turn it is; when it throws nothing has changed
//   drop_next()   removes the item that the last next() gave; no other call came between
//   swap(other)   exchanges all items
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace spool::sync {

/// First in, first out. (A deque neither moves items that it has nor loses any when one cannot be added.)
template <class T>
class OldestFirst {
 public:
  using Items = std::deque<T>;

  template <class U>
  void push(U&& value) {
    items_.emplace_back(std::forward<U>(value));
  }
  T& next() noexcept { return items_.front(); }
  void drop_next() noexcept { items_.pop_front(); }
  void swap(Items& other) noexcept { items_.swap(other); }

 private:
  Items items_;
};

/// Last in, first out.
template <class T>
class NewestFirst {
 public:
  using Items = std::deque<T>;

  template <class U>
  void push(U&& value) {
    items_.emplace_back(std::forward<U>(value));
  }
  T& next() noexcept { return items_.back(); }
  void drop_next() noexcept { items_.pop_back(); }
  void swap(Items& other) noexcept { items_.swap(other); }

 private:
  Items items_;
};

/// A binary heap of pointers: all comparing, which may throw, is done before the first pointer moves. Of equal items
/// the oldest is next.
template <class T, class Compare>
class BestFirst {
  struct Entry {
    template <class U>
    Entry(U&& given, std::uint64_t number)
        : value(std::make_from_tuple<T>(std::forward_as_tuple(std::forward<U>(given)))), order{number} {}
    T value;
    std::uint64_t order;  ///< in which it was put
  };

 public:
  using Items = std::vector<std::unique_ptr<Entry>>;

  explicit BestFirst(Compare compare) : compare_{std::move(compare)} {}

  template <class U>
  void push(U&& value) {
    auto entry = std::make_unique<Entry>(std::forward<U>(value), order_);
    const std::size_t at = place_of(*entry);
    heap_.emplace_back();
    for (std::size_t hole = heap_.size() - 1; hole != at; hole = parent(hole))
      heap_[hole] = std::move(heap_[parent(hole)]);
    heap_[at] = std::move(entry);
    ++order_;
  }

  T& next() {
    way_ = 1;
    const std::size_t last = heap_.size() - 1;
    for (std::size_t hole = 0; 2 * hole + 1 < last;) {
      std::size_t child = 2 * hole + 1;
      if (child + 1 < last && is_before(*heap_[child + 1], *heap_[child])) ++child;
      if (!is_before(*heap_[child], *heap_[last])) break;
      way_ = way_ << 1U | static_cast<std::uint64_t>(child % 2 == 0);
      hole = child;
    }
    return heap_[0]->value;
  }

  void drop_next() noexcept {
    std::size_t hole = 0;
    for (unsigned bit = static_cast<unsigned>(std::bit_width(way_)) - 1; bit-- > 0;) {
      const std::size_t child = 2 * hole + 1 + (way_ >> bit & 1U);
      heap_[hole] = std::move(heap_[child]);
      hole = child;
    }
    std::unique_ptr<Entry> last = std::move(heap_.back());
    heap_.pop_back();
    if (hole < heap_.size()) heap_[hole] = std::move(last);
  }

  void swap(Items& other) noexcept { heap_.swap(other); }

 private:
  static std::size_t parent(std::size_t at) { return (at - 1) / 2; }

  bool is_before(const Entry& left, const Entry& right) {
    if (compare_(left.value, right.value)) return true;
    return left.order < right.order && !compare_(right.value, left.value);
  }

  std::size_t place_of(const Entry& entry) {
    std::size_t at = heap_.size();
    while (at != 0 && is_before(entry, *heap_[parent(at)]))
      at = parent(at);
    return at;
  }

  Items heap_;
  Compare compare_;
  std::uint64_t order_ = 0;
  std::uint64_t way_ = 1;  ///< of the hole that next() planned: behind the leading 1, a bit a level, 0 left and 1 right
};

}  // namespace spool::sync
