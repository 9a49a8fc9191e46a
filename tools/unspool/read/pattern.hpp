// SPDX-License-Identifier: MIT
//
// A spdlog pattern, read backwards: from the line that it made to what it was made of. Owns which patterns can be read
// back, and the sentence that says why one cannot.
#pragma once

#include <unspool/read/line.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {

/// What a pattern found in a line. Texts point into the line and are still escaped.
struct Matched {
  std::uint64_t time = 0;
  trace::Level level = trace::Level::info;
  std::string_view thread_name;
  std::string_view logger;
  std::string_view words;  ///< %v
  std::string_view pairs;  ///< %J, behind its tab
  std::string_view file;
  std::string_view function;
  std::uint64_t lineno = 0;
  std::uint64_t pid = 0;
  std::uint64_t thread = 0;     ///< %K
  std::uint64_t native_id = 0;  ///< %t
  bool has_pairs = false;
};

/// Immutable.
class Pattern {
 public:
  /// What spool writes if not told otherwise.
  static constexpr std::string_view standard = "%Y-%m-%dT%H:%M:%S.%F%z [%l] (%N) %v%J";

  /// nullopt: lines of this pattern cannot be read back, and `refusal` says why.
  static std::optional<Pattern> compile(std::string_view text, std::string& refusal);

  /// false: the line was not made by this pattern.
  bool match(std::string_view line, TimeParser& times, Matched& out) const;

  bool has_pairs() const { return has_pairs_; }  ///< %J
  bool has_zone() const { return has_zone_; }    ///< %z, or an %E, which needs none
  bool has_pid() const { return has_pid_; }      ///< %P
  bool has_date() const { return has_date_; }
  bool has_time() const { return has_time_; }
  /// Its lines can begin as JSON's do.
  bool begins_with_brace() const;

 private:
  enum class What : std::uint8_t {
    literal,
    stamp,  ///< what `standard` begins with, at once
    year,
    short_year,
    month,
    month_name,
    day,
    hour,
    hour_12,
    minute,
    second,
    milliseconds,
    microseconds,
    nanoseconds,
    half,  ///< AM or PM
    zone,
    epoch,
    level,
    short_level,
    logger,
    words,
    thread_name,
    thread,
    daemon,
    native_id,
    pid,
    file,
    lineno,
    function,
    number,  ///< of no use here
    word,    ///< of no use here: a day's name
    pairs,
    maybe_logger,  ///< "[http] ", or nothing, as %+ has it
    maybe_place,   ///< "[server.cpp:31] ", or nothing
  };
  struct Item {
    What what;
    std::size_t width = 0;  ///< padded with blanks to so many characters
    std::string text;       ///< of a literal
  };
  struct Parts;

  void parse(std::string_view text, std::string& refusal);
  bool add_flag(char flag, std::size_t width);
  void add(What what, std::size_t width = 0) { items_.push_back({what, width, {}}); }
  void add_literal(std::string_view text);
  void join_stamp();
  bool has(What what) const;
  std::string why_not() const;

  bool match_item(std::size_t index, std::string_view& line, Parts& parts, TimeParser& times, Matched& out) const;
  bool match_open(std::size_t index, std::string_view& line, Matched& out) const;
  static bool is_open(What what);
  static std::size_t digits_of(What what);
  static bool match_number(What what, std::string_view& line, Parts& parts, Matched& out);
  static bool match_word(What what, std::string_view& line, Parts& parts, Matched& out);
  static void match_maybe(What what, std::string_view& line, Matched& out);
  static void keep(What what, std::uint64_t number, Parts& parts, Matched& out);
  static void keep(What what, std::string_view text, Matched& out);

  std::vector<Item> items_;
  bool has_pairs_ = false;
  bool has_zone_ = false;
  bool has_pid_ = false;
  bool has_date_ = false;
  bool has_time_ = false;
};

}  // namespace unspool
