// SPDX-License-Identifier: MIT
//
// Where the calling thread is: the return addresses of its calls, and in which file of the program each lies. What they
// are called is os/symbols.hpp's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spool::os {

/// A place in a call instruction: a return address less one.
using CodeAddress = std::uintptr_t;

/// The callers of the calling function, innermost first; how many. By the unwind tables that exceptions use, so it
/// needs no frame pointers and no debug information. No lock, no allocation; about 100 ns to 1 us a frame. Thread-safe.
std::size_t call_stack(std::span<CodeAddress> into) noexcept;

/// What stays true of an address in another process of the same program.
struct CodePlace {
  std::string_view module;   ///< path of the executable or library; empty: not known. Valid while that is loaded
  std::uint64_t offset = 0;  ///< from where it is loaded; of an unknown module the address itself
};

/// No lock. Thread-safe.
CodePlace place_of(CodeAddress address) noexcept;

}  // namespace spool::os
