// SPDX-License-Identifier: MIT
//
// A Record as a test sees it, and the words it is compared in. Owns neither reading (record_tap.hpp) nor judging
// (legality.hpp).
#pragma once

#include <spool/trace/ids.hpp>
#include <spool/trace/schema.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace spool::test {

/// A place in a test's source. Its label is the word behind `// @` at the end of that line, "@first" for example, so
/// that an expected Record can name the line that made it; without one it is "file:line".
struct TappedSite {
  std::string file;
  std::string function;
  std::uint32_t line = 0;
  std::string label;
};

struct TappedRecord {
  trace::Kind kind{};
  trace::Verb verb{};
  const trace::Row* row = nullptr;  ///< that of `message` for messages
  trace::Ticks time = 0;
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Sequence sequence = 0;
  std::uint32_t a = 0;  ///< a transition's third and fourth field
  std::uint32_t b = 0;
  trace::Level level{};  ///< a message's, and its text
  std::string text;
};

/// One a line, as expected and found lists are compared and printed.
using Story = std::vector<std::string>;

}  // namespace spool::test
