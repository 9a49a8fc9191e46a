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

template <class T>
std::string_view shortest(T value, std::array<char, 64>& room) {
  const auto [end, error] = std::to_chars(room.data(), room.data() + room.size(), value);
  return {room.data(), error == std::errc{} ? static_cast<std::size_t>(end - room.data()) : 0};
}

}  // namespace

void LineBuffer::grow(std::size_t more) {
  const std::size_t used = size();
  const std::size_t wanted = std::max<std::size_t>({512, 2 * used, used + more});
  auto larger = std::make_unique<char[]>(wanted);
  if (used != 0) std::memcpy(larger.get(), bytes_.get(), used);
  bytes_ = std::move(larger);
  end_ = bytes_.get() + used;
  limit_ = bytes_.get() + wanted;
}

void LineBuffer::number(std::uint64_t value) {
  reserve(20);
  if (value < 10) {
    *end_++ = static_cast<char>('0' + value);
    return;
  }
  const fmt::format_int digits{value};
  std::memcpy(end_, digits.data(), digits.size());
  end_ += digits.size();
}

void LineBuffer::number(std::int64_t value) {
  const fmt::format_int digits{value};
  put(std::string_view{digits.data(), digits.size()});
}

void LineBuffer::number(double value) {
  std::array<char, 64> room{};
  put(shortest(value, room));
}

void LineBuffer::number(float value) {
  std::array<char, 64> room{};
  put(shortest(value, room));
}

void LineBuffer::nine_digits(std::uint32_t value) {
  reserve(9);
  const std::uint32_t high = value / 10'000;
  const std::uint32_t low = value % 10'000;
  const std::uint32_t pairs[] = {high / 1000 % 100, high / 10 % 100, low / 100, low % 100};
  end_[0] = two_digits[2 * pairs[0]];
  end_[1] = two_digits[2 * pairs[0] + 1];
  end_[2] = two_digits[2 * pairs[1]];
  end_[3] = two_digits[2 * pairs[1] + 1];
  end_[4] = static_cast<char>('0' + high % 10);
  end_[5] = two_digits[2 * pairs[2]];
  end_[6] = two_digits[2 * pairs[2] + 1];
  end_[7] = two_digits[2 * pairs[3]];
  end_[8] = two_digits[2 * pairs[3] + 1];
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
