// SPDX-License-Identifier: MIT
//
// A line under construction: bytes, numbers and times, without a call for each. Owns its memory and keeps it from line to
// line. Thread-bound.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace spool::trace {

class LineBuffer {
 public:
  void clear() { end_ = bytes_.get(); }
  std::string_view text() const { return {bytes_.get(), size()}; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - bytes_.get()); }

  void put(char each) {
    reserve(1);
    *end_++ = each;
  }
  void put(std::string_view text) {
    if (text.empty()) return;  // its pointer may be null
    reserve(text.size());
    std::memcpy(end_, text.data(), text.size());
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
  void reserve(std::size_t more) {
    if (static_cast<std::size_t>(limit_ - end_) < more) [[unlikely]] {
      grow(more);
    }
  }
  void grow(std::size_t more);

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

/// What was made of a number and the texts that belong to it, to be used again. Direct-mapped: a fragment that falls out is
/// made anew.
template <class Fragment>
class FragmentCache {
 public:
  /// The place for `number`; whoever asks compares what stands there and makes it anew where it is another's.
  Fragment& place(std::uint64_t number) { return places_[number % places_.size()]; }

 private:
  static constexpr std::size_t most = 256;
  std::array<Fragment, most> places_{};
};

}  // namespace spool::trace
