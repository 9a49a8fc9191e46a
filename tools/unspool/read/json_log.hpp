// SPDX-License-Identifier: MIT
//
// One JSON line into a Line: keys in any order, foreign keys passed over. Owns simdjson and nothing of what the keys
// mean.
#pragma once

#include <unspool/read/line.hpp>

#include <memory>
#include <string_view>

namespace unspool {

/// Thread-bound.
class JsonLog {
 public:
  JsonLog();
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;
  ~JsonLog();

  /// `out` is whole where the answer is Fault::none; its texts are valid until the next call, and while `text` is.
  /// Requires: LineReader::padding bytes behind `text` may be read.
  Fault parse(std::string_view text, Want want, Line& out);
  /// The same answer without QuickJson.
  Fault parse_any(std::string_view text, Want want, Line& out);

  /// Of a line whose keys stand in the page's order; false: of any other, which has to be parsed. Looks at its first
  /// part and its last byte only.
  static bool glance(std::string_view text, Glance& out);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace unspool
