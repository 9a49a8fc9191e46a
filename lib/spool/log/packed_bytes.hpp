// SPDX-License-Identifier: MIT
//
// Takes the fields of a Record off the front of its bytes. What is cut off reads as 0.
#pragma once

#include <spool/trace/schema.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace spool::log {

template <class T>
T take(std::span<const std::byte>& bytes) {
  T value{};
  if (bytes.size() < sizeof value) return bytes = {}, value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return value;
}

/// Valid as long as the bytes.
inline std::string_view take_text(std::span<const std::byte>& bytes) {
  const std::size_t length = std::min<std::size_t>(take<std::uint32_t>(bytes), bytes.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of text
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), length};
  bytes = bytes.subspan(length);
  return text;
}

/// The rows of the table have no other types than these and texts.
inline std::uint64_t take_number(trace::Type type, std::span<const std::byte>& bytes) {
  if (type == trace::Type::u8) return take<std::uint8_t>(bytes);
  if (type == trace::Type::u64) return take<std::uint64_t>(bytes);
  return take<std::uint32_t>(bytes);
}

}  // namespace spool::log
