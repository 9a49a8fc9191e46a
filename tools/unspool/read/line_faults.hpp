// SPDX-License-Identifier: MIT
//
// What was wrong with the lines of a log: how many of each kind, and where the first one stands. Owns the sentences.
#pragma once

#include <unspool/read/line.hpp>
#include <unspool/read/line_reader.hpp>
#include <unspool/read/problems.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace unspool {

/// Of one file.
class LineFaults {
 public:
  void add(Fault fault, const RawLine& line);
  /// One sentence a kind into `problems`.
  void tell(const std::string& file, Problems& problems) const;
  /// "line 1, at byte 0": where the first of the lines that could not be used stands; empty where there is none.
  std::string first() const;

 private:
  struct Kind {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t line = 0;
    std::uint64_t offset = 0;
  };
  std::array<Kind, fault_count> kinds_{};
};

}  // namespace unspool
