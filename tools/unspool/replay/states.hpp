// SPDX-License-Identifier: MIT
//
// States by number: what replay looks up several times for every Record. Owns the finding, not what a state means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace unspool {

/// Open addressing to cells in which the states stand and stay: a reference is valid until its number is erased. Its
/// place is used again after that, so that places are small numbers. Numbers can be any; they are spread by Fibonacci
/// hashing, since a program's are dense and a hostile file's are not.
template <class Number, class State>
class States {
  static constexpr std::size_t cache_line = 64;

 public:
  using Item = std::pair<const Number, State>;
  struct alignas(cache_line) Cell {
    std::optional<Item> item;
    std::uint32_t place = 0;
  };

  template <bool constant>
  class Iterator {
   public:
    using Cells = std::conditional_t<constant, const std::deque<Cell>, std::deque<Cell>>;
    using Value = std::conditional_t<constant, const Item, Item>;
    using difference_type = std::ptrdiff_t;
    using value_type = Item;
    using pointer = Value*;
    using reference = Value&;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(Cells& cells, std::size_t at) : cells_{&cells}, at_{at} { skip(); }
    Value& operator*() const { return *(*cells_)[at_].item; }
    Value* operator->() const { return &**this; }
    Iterator& operator++() {
      ++at_;
      skip();
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(const Iterator&) const = default;

   private:
    void skip() {
      while (at_ < cells_->size() && !(*cells_)[at_].item)
        ++at_;
    }
    Cells* cells_ = nullptr;
    std::size_t at_ = 0;
  };

  auto begin() { return Iterator<false>{cells_, 0}; }
  auto end() { return Iterator<false>{cells_, cells_.size()}; }
  auto begin() const { return Iterator<true>{cells_, 0}; }
  auto end() const { return Iterator<true>{cells_, cells_.size()}; }

  auto find(Number number) const { return Iterator<true>{cells_, place_of(number)}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool contains(Number number) const { return slots_[slot_of(number)].cell != nullptr; }

  /// Null when there is none.
  State* get(Number number) {
    Cell* const cell = slots_[slot_of(number)].cell;
    return cell == nullptr ? nullptr : &cell->item->second;
  }

  /// It is asked for before long: where it stands begins to be loaded, and does no harm if there is none.
  void expect(Number number) const { __builtin_prefetch(&slots_[home_of(number)]); }
  /// It is asked for soon, and has been expected: the first part of the state.
  void expect_soon(Number number) const {
    const auto* const cell = reinterpret_cast<const std::byte*>(slots_[home_of(number)].cell);
    if (cell == nullptr) return;
    __builtin_prefetch(cell, 1);
    __builtin_prefetch(cell + cache_line, 1);
  }

  /// A new one, and its place. Requires: there is none of this number.
  std::pair<std::uint32_t, State&> add(Number number) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    if (free_.empty()) {
      cells_.push_back({std::nullopt, static_cast<std::uint32_t>(cells_.size())});
      free_.push_back(&cells_.back());
    }
    Cell* const cell = free_.back();
    free_.pop_back();
    cell->item.emplace(number, State{});
    ++size_;
    slots_[slot_of(number)] = {number, cell};
    return {cell->place, cell->item->second};
  }

  State& operator[](Number number) {
    State* const known = get(number);
    return known != nullptr ? *known : add(number).second;
  }

  void erase(Number number) {
    std::size_t hole = slot_of(number);
    Cell* const cell = slots_[hole].cell;
    if (cell == nullptr) return;
    cell->item.reset();
    free_.push_back(cell);
    --size_;
    // What it had pushed on moves up, so that no search ends too early.
    for (std::size_t next = (hole + 1) & mask(); slots_[next].cell != nullptr; next = (next + 1) & mask()) {
      const std::size_t home = home_of(slots_[next].number);
      if (((next - home) & mask()) < ((next - hole) & mask())) continue;
      slots_[std::exchange(hole, next)] = slots_[next];
    }
    slots_[hole] = {};
  }

 private:
  struct Slot {
    Number number = 0;
    Cell* cell = nullptr;
  };

  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t home_of(Number number) const {
    // The top bits: numbers that follow one another then have places far apart, and hardly two the same.
    return static_cast<std::size_t>((std::uint64_t{number} * 0x9e37'79b9'7f4a'7c15) >> shift_);
  }
  /// Where it is, or would be.
  std::size_t slot_of(Number number) const {
    std::size_t at = home_of(number);
    while (slots_[at].cell != nullptr && slots_[at].number != number)
      at = (at + 1) & mask();
    return at;
  }
  std::size_t place_of(Number number) const {
    const Cell* const cell = slots_[slot_of(number)].cell;
    return cell == nullptr ? cells_.size() : cell->place;
  }
  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    --shift_;
    for (const Slot& each : old) {
      if (each.cell != nullptr) slots_[slot_of(each.number)] = each;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(16);
  unsigned shift_ = 60;  ///< 64 less the bits of a slot's index
  std::deque<Cell> cells_;
  std::vector<Cell*> free_;
  std::size_t size_ = 0;
};

}  // namespace unspool
