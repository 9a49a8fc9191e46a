// SPDX-License-Identifier: MIT
//
// The key that the line before had at a place: mostly this one has the same.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace unspool {

/// Eight bytes are compared at a time, with the character that ends the key. `Key` says what it means.
template <class Key>
class ExpectedKey {
 public:
  static constexpr std::size_t longest = 24;

  /// Requires: `longest` bytes at `text` may be read.
  bool is(const char* text) const {
    std::array<std::uint64_t, 3> words;
    std::memcpy(words.data(), text, longest);
    return size_ != 0 && ((words[0] ^ words_[0]) & masks_[0]) == 0 && ((words[1] ^ words_[1]) & masks_[1]) == 0 &&
           ((words[2] ^ words_[2]) & masks_[2]) == 0;
  }
  /// A longer one than `longest` is not expected again.
  /// Requires: behind `name` stands what ends a key: in JSON a quote, in text an equals sign.
  void set(std::string_view name, Key key) {
    key_ = key;
    size_ = static_cast<std::uint8_t>(name.size() < longest ? name.size() : 0);
    if (size_ == 0) return;
    std::array<char, longest> text{};
    std::array<char, longest> mask{};
    std::memcpy(text.data(), name.data(), size_ + 1U);
    std::memset(mask.data(), 0xff, size_ + 1U);
    std::memcpy(words_.data(), text.data(), longest);
    std::memcpy(masks_.data(), mask.data(), longest);
  }
  std::size_t size() const { return size_; }
  Key key() const { return key_; }

 private:
  std::array<std::uint64_t, 3> words_{};
  std::array<std::uint64_t, 3> masks_{};
  std::uint8_t size_ = 0;  ///< 0: nothing is expected
  Key key_{};
};

}  // namespace unspool
