// SPDX-License-Identifier: MIT
//
// Which number of a Record's field stands for which word. One table for the sinks and the tools.
#pragma once

#include <spool/trace/schema.hpp>

#include <cstdint>
#include <string_view>

namespace spool::trace {

/// The word that the number of a row's field stands for: "exclusive", "returned", "lock", "lock.block"; empty where it
/// stands for itself or is not known. Thread-safe.
std::string_view word_of(const Row& row, const Field& field, std::uint64_t number);

/// Whether a row's field of this name, which means ticks, is a point in time; else it is a span.
inline bool is_point_in_time(const Row& row, std::string_view field) {
  for (const Field& each : row.fields()) {
    if (each.name == field) return each.type == Type::u64;
  }
  return false;
}

}  // namespace spool::trace
