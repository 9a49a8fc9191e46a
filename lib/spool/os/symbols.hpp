// SPDX-License-Identifier: MIT
//
// What the program's addresses are called: function, file and line, by the symbol tables and debug information of the
// files that are loaded (libdw). Owns what was read of them.
#pragma once

#include <spool/os/call_stack.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace spool::os {

/// A line of the source in a call stack. Whatever is not known is empty, or 0.
struct SourceLine {
  std::string function;  ///< demangled
  std::string file;      ///< as compiled
  std::uint32_t line = 0;
};

/// Thread-bound. The first question reads the program's debug information, which may take a second and some MB: nothing
/// for a thread that others wait for. No network is asked (debuginfod is not).
class Symbols {
 public:
  Symbols();
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  /// An address is in as many lines as the compiler put functions into each other there, innermost first. Empty where
  /// nothing is known. Throws std::bad_alloc.
  std::vector<SourceLine> lines_of(CodeAddress address);

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace spool::os
