// SPDX-License-Identifier: MIT
//
// One text line into a Line: the pattern for what stands before the pairs, and the pairs.
#pragma once

#include <unspool/read/expected_key.hpp>
#include <unspool/read/line.hpp>
#include <unspool/read/pattern.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// Thread-bound.
class TextLog {
 public:
  /// The pattern outlives it.
  explicit TextLog(const Pattern& pattern) : pattern_{pattern}, places_(trace::rows().size()) {}
  TextLog(const TextLog&) = delete;
  TextLog& operator=(const TextLog&) = delete;

  /// `out` is whole where the answer is Fault::none; its texts are valid until the next call.
  Fault parse(std::string_view text, Want want, Line& out);

  /// Of a line whose pairs stand in the page's order; false: of any other, which has to be parsed. Looks at the first
  /// and the last pairs only.
  static bool glance(std::string_view text, Glance& out);

 private:
  enum class Key : std::uint8_t { other, record, object, seq, site, thread, pid, at, object_name, logger };
  /// The key that a row's last line had at a place, and which of the row's fields it is.
  struct Place {
    ExpectedKey<Key> key;
    std::uint8_t field = no_field;
  };
  using Places = std::array<Place, 16>;
  struct Pair {
    std::string_view key;
    std::string_view value;  ///< without quotes, still escaped
    bool quoted = false;
  };

  static Key key_of(std::string_view name);
  static bool take_name(std::string_view& pairs, Pair& pair);
  static bool take_known(std::string_view& pairs, Pair& pair, const Place& place);
  static bool take_value(std::string_view& pairs, Pair& pair);
  bool take_placed(std::string_view& pairs, Pair& pair, Place& place, const Line& line);
  bool read_pairs(std::string_view pairs, Want want, Line& out);
  bool read_pair(const Pair& pair, const Place& place, Want want, Line& out);
  bool read_row(std::string_view name, Line& out);
  bool read_field(const Pair& pair, std::size_t index, Line& out);
  void read_arguments(std::string_view pairs, Line& out);
  void read_names(const Matched& matched, Want want, Line& out);
  /// Without escapes, in memory of our own where it has any.
  std::string_view plain(std::string_view text);

  const Pattern& pattern_;
  TimeParser times_;
  std::vector<std::unique_ptr<std::string>> texts_;  ///< of this line; kept for the next ones
  std::size_t used_ = 0;
  RowNames rows_;
  Places head_;                                  ///< before the Record is known, and of messages
  std::vector<std::unique_ptr<Places>> places_;  ///< by row
  Places* now_ = &head_;
  bool newer_ = false;
  bool has_pid_ = false;
  bool has_thread_ = false;
};

}  // namespace unspool
