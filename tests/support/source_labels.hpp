// SPDX-License-Identifier: MIT
//
// Finds the label of a line in a test's own source: the word behind `// @` at its end.
#pragma once

#include <cstdint>
#include <string>

namespace spool::test {

/// "@word", or "file:line" where the line has no label or the source is not there. Thread-safe.
std::string source_label(const std::string& file, std::uint32_t line);

}  // namespace spool::test
