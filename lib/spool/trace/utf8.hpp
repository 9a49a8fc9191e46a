// SPDX-License-Identifier: MIT
//
// Characters of texts that may be any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spool::trace {

/// The length of the valid UTF-8 sequence at the front of `text`, or 0. Requires that it is not empty.
inline std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = at(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool out_of_range = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || out_of_range ? 0 : length;
}

/// The length of the front of `text` that is printable ASCII without quotes and backslashes: what every escape leaves
/// alone.
inline std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  constexpr std::uint64_t tops = 0x8080'8080'8080'8080;
  const auto holds = [](std::uint64_t word, std::uint64_t byte) {
    const std::uint64_t apart = word ^ (ones * byte);
    return (apart - ones) & ~apart & tops;
  };
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t low = (word - ones * 0x20) & ~word & tops;
    if ((low | (word & tops) | holds(word, '"') | holds(word, '\\') | holds(word, 0x7f)) != 0) break;
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') break;
  }
  return at;
}

}  // namespace spool::trace
