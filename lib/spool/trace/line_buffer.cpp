// SPDX-License-Identifier: MIT
#include <spool/trace/line_buffer.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace spool::trace {
namespace {

constexpr std::uint64_t billion = 1'000'000'000;

constexpr auto two_digits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

constexpr std::size_t most_digits = 20;
constexpr std::size_t longest_float = 64;

/// `to` again.
char* put_pair(char* to, std::uint64_t below_hundred) {
  std::memcpy(to, two_digits.data() + 2 * below_hundred, 2);
  return to;
}

template <class T>
char* put_shortest(T value, char* to) {
  const auto [end, error] = std::to_chars(to, to + longest_float, value);
  return error == std::errc{} ? end : to;
}

}  // namespace

void LineBuffer::grow(std::size_t more) {
  const std::size_t used = size();
  const std::size_t wanted = std::max<std::size_t>({512, 2 * used, used + more});
  auto larger = std::make_unique_for_overwrite<char[]>(wanted);
  if (used != 0) std::memcpy(larger.get(), bytes_.get(), used);
  bytes_ = std::move(larger);
  end_ = bytes_.get() + used;
  limit_ = bytes_.get() + wanted;
}

void LineBuffer::number(std::uint64_t value) {
  reserve(most_digits);
  if (value < 10) {
    *end_++ = static_cast<char>('0' + value);
    return;
  }
  char digits[most_digits];
  char* front = digits + most_digits;
  for (; value >= 100; value /= 100)
    front = put_pair(front - 2, value % 100);
  if (value >= 10) {
    front = put_pair(front - 2, value);
  } else {
    *--front = static_cast<char>('0' + value);
  }
  const auto count = static_cast<std::size_t>(digits + most_digits - front);
  copy(end_, front, count);
  end_ += count;
}

void LineBuffer::number(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value < 0) put('-');
  number(value < 0 ? 0 - bits : bits);
}

void LineBuffer::number(double value) {
  reserve(longest_float);
  end_ = put_shortest(value, end_);
}

void LineBuffer::number(float value) {
  reserve(longest_float);
  end_ = put_shortest(value, end_);
}

void LineBuffer::nine_digits(std::uint32_t value) {
  reserve(9);
  const std::uint32_t high = value / 10'000;
  const std::uint32_t low = value % 10'000;
  end_[0] = static_cast<char>('0' + high / 10'000);
  put_pair(end_ + 1, high / 100 % 100);
  put_pair(end_ + 3, high % 100);
  put_pair(end_ + 5, low / 100);
  put_pair(end_ + 7, low % 100);
  end_ += 9;
}

void LineBuffer::hex(unsigned byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  put(digits[byte >> 4U & 15U]);
  put(digits[byte & 15U]);
}

void TimeText::put(std::uint64_t time, LineBuffer& out) {
  const std::uint64_t second = time / billion;
  if (second != second_) {
    const auto wall = static_cast<std::time_t>(second);
    std::tm parts{};
    gmtime_r(&wall, &parts);
    fmt::format_to_n(text_.data(), text_.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    second_ = second;
  }
  out.put(std::string_view{text_.data(), text_.size()});
  out.nine_digits(static_cast<std::uint32_t>(time % billion));
}

}  // namespace spool::trace
