// SPDX-License-Identifier: MIT
//
// A place in the user's source, taken as a default argument of every call that makes a Record.
#pragma once

#include <cstdint>

namespace spool {

/// Where a call stands. `Site::current()` as a default argument is the caller's line. (clang 14 has no
/// std::source_location with libstdc++ 12, and a return address lies inside std::scoped_lock.)
struct Site {
  const char* file = nullptr;  ///< static storage
  const char* function = nullptr;
  std::uint32_t line = 0;

  static constexpr Site current(const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
                                int line = __builtin_LINE()) {
    return {file, function, static_cast<std::uint32_t>(line)};
  }
};

}  // namespace spool
