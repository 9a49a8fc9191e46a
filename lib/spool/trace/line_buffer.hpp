// SPDX-License-Identifier: MIT
//
// A line under construction: bytes, numbers and times, without a call for each. Owns its memory and keeps it from line
// to line. Thread-bound.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spool::trace {

class LineBuffer {
 public:
  LineBuffer() = default;
  ~LineBuffer() = default;
  LineBuffer(LineBuffer&& other) noexcept { swap(other); }
  LineBuffer& operator=(LineBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  void clear() { end_ = bytes_.get(); }
  std::string_view text() const { return {bytes_.get(), size()}; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - bytes_.get()); }
  bool empty() const { return end_ == bytes_.get(); }
  /// Takes off what stands behind the first `size` bytes. Requires that there are so many.
  void cut(std::size_t size) { end_ = bytes_.get() + size; }
  /// Takes the first `size` bytes off. Requires that there are so many.
  void drop_front(std::size_t size) {
    if (size != 0) std::memmove(bytes_.get(), bytes_.get() + size, this->size() - size);
    end_ -= size;
  }
  /// Room for so many bytes more, so that adding them asks for no memory.
  void reserve(std::size_t more) {
    if (static_cast<std::size_t>(limit_ - end_) < more) [[unlikely]] {
      grow(more);
    }
  }

  void put(char each) {
    reserve(1);
    *end_++ = each;
  }
  void put(std::string_view text) {
    reserve(text.size());
    copy(end_, text.data(), text.size());
    end_ += text.size();
  }
  /// A literal: its length is known, so no call is made.
  template <std::size_t N>
  void literal(const char (&text)[N]) {
    reserve(N);
    std::memcpy(end_, text, N - 1);
    end_ += N - 1;
  }

  void number(std::uint64_t value);
  void number(std::int64_t value);
  /// As short as it can be read back: "12.5", "1e+300", "nan".
  void number(double value);
  void number(float value);
  /// Exactly nine digits, of which the first may be 0. Requires value < 10^9.
  void nine_digits(std::uint32_t value);
  /// Two digits of `byte`.
  void hex(unsigned byte);

 private:
  void grow(std::size_t more);
  void swap(LineBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(end_, other.end_);
    std::swap(limit_, other.limit_);
  }

  template <std::size_t N>
  static void copy_both_ends(char* to, const char* from, std::size_t size) {
    char front[N];
    char back[N];
    std::memcpy(front, from, N);
    std::memcpy(back, from + size - N, N);
    std::memcpy(to, front, N);
    std::memcpy(to + size - N, back, N);
  }
  /// memcpy without the call: most of what is put here has less than a hundred bytes. `from` may be null if `size` is
  /// 0.
  static void copy(char* to, const char* from, std::size_t size) {
    constexpr std::size_t longest = 128;
    if (size > longest) {
      std::memcpy(to, from, size);
    } else if (size >= 16) {
      for (std::size_t at = 0; at + 16 < size; at += 16)
        std::memcpy(to + at, from + at, 16);
      std::memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
      copy_both_ends<8>(to, from, size);
    } else if (size >= 4) {
      copy_both_ends<4>(to, from, size);
    } else if (size >= 2) {
      copy_both_ends<2>(to, from, size);
    } else if (size == 1) {
      *to = *from;
    }
  }

  std::unique_ptr<char[]> bytes_;
  char* end_ = nullptr;
  char* limit_ = nullptr;
};

/// "2026-11-22T20:31:52.123456789": the part before the point is made once a second.
class TimeText {
 public:
  /// ns since 1970.
  void put(std::uint64_t time, LineBuffer& out);

 private:
  std::uint64_t second_ = ~std::uint64_t{0};
  std::array<char, 20> text_{};
};

/// What was made of names: of which number's, and when (NamedRecord::names).
struct Made {
  std::uint64_t number = 0;
  std::uint64_t names = 0;

  /// Can it be used again? `has_same_texts` is asked where the numbers do not tell.
  template <class F>
  bool is_of(std::uint64_t wanted, std::uint64_t wanted_names, F has_same_texts) {
    if (number != wanted) return false;
    if (names == wanted_names && names != 0) return true;
    names = wanted_names;
    return has_same_texts();
  }
};

/// What was made of a number and the texts that belong to it, to be used again. Direct-mapped: a fragment that falls
/// out is made anew.
template <class Fragment>
class FragmentCache {
 public:
  /// The place for `number`; whoever asks compares what stands there and makes it anew where it is another's.
  Fragment& place(std::uint64_t number) { return places_[number % most]; }

 private:
  static constexpr std::size_t most = 256;
  std::array<Fragment, most> places_{};
};

}  // namespace spool::trace
