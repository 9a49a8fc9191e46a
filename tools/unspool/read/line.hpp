// SPDX-License-Identifier: MIT
//
// A log line, read: what JSON and text have in common. docs/lines.md is the format of both. Owns which key is which
// field; the readers of JSON and text only find keys and values.
#pragma once

#include <spool/trace/message.hpp>
#include <spool/trace/schema.hpp>

#include <unspool/model/model.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unspool {

/// What can be wrong with a line. All but `newer` are damage.
enum class Fault : std::uint8_t {
  none,
  foreign,      ///< none of spool's lines
  broken,       ///< begins as one, and does not go on as one
  incomplete,   ///< lacks what every line has, or a number in it is out of its range
  interleaved,  ///< another line begins inside it: two programs wrote into one file
  cut,          ///< the log ends inside it
  enormous,     ///< longer than what is kept of a line
  newer,        ///< a Record that this unspool does not know
  crowded,      ///< of one process too many in one log
};
inline constexpr std::size_t fault_count = 9;

/// What a reader is asked for beside what every analysis needs.
enum class Want : std::uint8_t {
  record,  ///< no names, no message's text but an error's
  texts,   ///< also messages' logger, text and arguments
  names,   ///< also the names that the line carries
};

/// Texts are unescaped, and valid as long as the reader says.
struct Line {
  struct Argument {
    std::string_view name;
    trace::Value value;
  };

  const trace::Row* row = nullptr;
  trace::Level level = trace::Level::info;
  trace::Ticks time = 0;  ///< ns since 1970
  std::uint32_t pid = 0;
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Sequence seq = 0;
  std::uint32_t lineno = 0;
  std::array<std::uint64_t, trace::max_fields> numbers{};  ///< the row's own fields, by their index
  std::array<std::string_view, trace::max_fields> words{};
  std::string_view thread_name;
  std::string_view object_kind;
  std::string_view object_name;
  std::string_view file;
  std::string_view function;
  std::string_view logger;
  std::string_view text;
  std::string_view format;
  std::vector<Argument> arguments;
  bool typed = false;     ///< it has `format` and `arguments`
  bool has_pairs = true;  ///< false: text that says nothing but a message's words

  void clear();
};

/// The least that tells whose line it is and whether it has news for the definitions.
struct Glance {
  std::uint32_t pid = 0;
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  bool definition = false;
};

/// The decimal number at the front of `text`, which it takes away; false: there is none, or it is over 2^64-1.
bool take_number(std::string_view& text, std::uint64_t& number);

/// Takes `what` from the front of `text`; false: something else stands there.
inline bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

/// Takes a text up to its closing quote, that too. Where it mostly has `likely` bytes, that is tried first.
bool take_text(std::string_view& text, std::size_t likely = 0);

/// Takes a key and the number behind it; false: they do not stand there, or it does not fit.
template <class T>
bool take_key(std::string_view& text, std::string_view key, T& number) {
  std::uint64_t wide = 0;
  if (!take(text, key) || !take_number(text, wide)) return false;
  number = static_cast<T>(wide);
  return number == wide;
}

/// RFC 3339 with any number of digits, "Z" or an offset, to ns since 1970; false: it is none. 'T' may be a blank.
bool parse_time(std::string_view text, std::uint64_t& time);
/// The same, quicker where minute and offset are those of the call before and there are nine digits.
class TimeParser {
 public:
  bool parse(std::string_view text, std::uint64_t& time);

 private:
  std::array<char, 17> minute_{};  ///< "2026-11-22T20:31:"
  std::array<char, 6> zone_{};
  std::size_t zone_size_ = 0;
  std::uint64_t begin_ = 0;  ///< of that minute
};

/// Days since 1970 of a date of the Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

/// Whether its text and arguments are taken. Requires: the level has been read.
inline bool wants_texts(Want want, const Line& line) {
  return want == Want::texts ||
         (want == Want::record && line.level >= trace::Level::error && line.level < trace::Level::off);
}

/// "warning" and spdlog's other names of it; false: none of them.
bool parse_level(std::string_view word, trace::Level& level);

/// The fields of a row that are its own, not every line's: neither `site` nor `seq`. `most` where there is none of that
/// name.
inline constexpr std::size_t no_field = trace::max_fields;
std::size_t own_field(const trace::Row& row, std::string_view name);

/// trace::row_named, quicker for the names that come again and again.
class RowNames {
 public:
  const trace::Row* find(std::string_view name) {
    const trace::Row*& known = known_[place(name)];
    if (known == nullptr || known->name != name) {
      const trace::Row* const found = trace::row_named(name);
      if (found == nullptr) return nullptr;
      known = found;
    }
    return known;
  }

 private:
  static std::size_t place(std::string_view name) {
    if (name.empty()) return 0;
    const std::size_t last = static_cast<unsigned char>(name.back());
    const std::size_t middle = static_cast<unsigned char>(name[name.size() / 2]);
    return (name.size() * 31 + last * 7 + middle) % 128;
  }
  std::array<const trace::Row*, 128> known_{};
};

/// Whether every number fits the field that it belongs to; unknown numbers are 0.
bool in_range(const Line& line);

}  // namespace unspool
