// SPDX-License-Identifier: MIT
//
// A place in the user's source, taken as a default argument of every call that makes a Record.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace spool {

namespace detail {

/// Whether a file is the standard library's: both libstdc++ and libc++ live in .../include/c++/. Folds to a constant
/// for a literal.
[[gnu::always_inline]] constexpr bool is_of_standard_library(const char* file) {
  constexpr const char* folder = "include/c++/";
  if (std::is_constant_evaluated()) return std::string_view{file}.find(folder) != std::string_view::npos;
  return __builtin_strstr(file, folder) != nullptr;
}

}  // namespace detail

/// Where a call stands. `Site::current()` as a default argument is the caller's line. (clang 14 has no
/// std::source_location with libstdc++ 12, and a return address lies inside std::scoped_lock.)
struct Site {
  const char* file = nullptr;      ///< static storage
  const char* function = nullptr;  ///< of a line of the standard library: nullptr
  std::uint32_t line = 0;

  [[gnu::always_inline]] static constexpr Site current(const char* file = __builtin_FILE(),
                                                       const char* function = __builtin_FUNCTION(),
                                                       int line = __builtin_LINE()) {
    return {file, detail::is_of_standard_library(file) ? nullptr : function, static_cast<std::uint32_t>(line)};
  }

  /// Where a template of the standard library calls us, its own line is the caller's: no user wants to read that. The
  /// answer is kept in `function`, so that asking costs a hot path one test of a pointer at most.
  constexpr bool is_of_standard_library() const { return function == nullptr && file != nullptr; }
};

}  // namespace spool
