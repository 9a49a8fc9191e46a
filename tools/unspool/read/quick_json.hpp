// SPDX-License-Identifier: MIT
//
// A JSON line of the form that spool's own writer gives it: no blanks, no escapes, whole numbers, keys that mostly
// stand where they stood in the last line of the same Record. Owns no error: what it does not take is left to a parser
// of all JSON, so that there is one judge of what a line is.
#pragma once

#include <unspool/read/expected_key.hpp>
#include <unspool/read/json_keys.hpp>
#include <unspool/read/line.hpp>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace unspool {

/// Thread-bound. Valid JSON only is taken, and for every line that is taken the parser of all JSON gives the same Line.
class QuickJson {
 public:
  /// How far behind a line it may look.
  static constexpr std::size_t padding = 64;

  QuickJson();
  QuickJson(const QuickJson&) = delete;
  QuickJson& operator=(const QuickJson&) = delete;

  /// true: `out` is whole, and its texts point into `text`. false: the line is of another form, or cannot be used, and
  /// what is in `out` is of no use.
  /// Requires: `padding` bytes behind `text` may be read.
  bool parse(std::string_view text, Want want, Line& out);

 private:
  /// One key of a row's lines, and which of the row's fields it is.
  struct Place {
    ExpectedKey<JsonKey> key;
    std::uint8_t field = no_field;
  };
  using Places = std::array<Place, 24>;

  /// Each takes what stands at `at` and answers where it ends; nullptr: something else stands there. By value, as a
  /// place that goes through memory from call to call costs more than all else.
  using At = const char*;
  At read_object(At at, Line& out);
  At read_key(At at, Place& place, const Line& line) const;
  At read_value(At at, const Place& place, Line& line);
  At read_row(At at, Line& line);
  At read_level(At at, Line& line) const;
  At read_text(At at, JsonKey key, Line& line) const;
  At read_field(At at, std::size_t index, Line& line);
  At take_text(At at, std::string_view& text) const;
  At take_time(At at, std::uint64_t& time);
  At skip(At at) const;
  At skip_object(At at) const;
  bool is_complete(const Line& line) const;

  const char* end_ = nullptr;
  Want want_ = Want::record;
  bool has_time_ = false;
  bool has_pid_ = false;
  bool has_thread_ = false;
  Places head_;  ///< before the Record is known
  Places* now_ = &head_;
  std::vector<std::unique_ptr<Places>> places_;  ///< by row
  RowNames rows_;
  TimeParser times_;
};

}  // namespace unspool
