// SPDX-License-Identifier: MIT
//
// Memory that one thread fills and another reads, in turns. Owns the asking for it ahead.
#pragma once

#include <cstddef>

namespace unspool {

/// What stands so many bytes behind `memory` is stored to soon, and the cache of another processor has it: it is taken
/// from there now, since a store that has to wait for it costs more than reading the Record did. Any address will do;
/// nothing is read or written.
inline void claim(const void* memory, std::size_t ahead) {
  __builtin_prefetch(static_cast<const std::byte*>(memory) + ahead, 1);
}

}  // namespace unspool
