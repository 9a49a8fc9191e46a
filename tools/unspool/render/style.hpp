// SPDX-License-Identifier: MIT
//
// How things are written for people: numbers with units, times, text that fits, colour. Owns no words of a report.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace unspool {

enum class Tone { plain, strong, faint, bad, good };

/// `text` in this tone; as it is when there is no colour.
std::string toned(std::string_view text, Tone tone, bool color);

/// What stands for a figure that cannot be known.
inline constexpr std::string_view unknown_figure = "—";

/// The footnote where threads are said to have run.
inline constexpr std::string_view what_ran_means =
    "\"ran\": or was blocked where spool does not see it, in a read or a sleep";

/// Three significant digits, "12.3 ms"; from 1000 s on two units, "16 min 40 s", "5 h 47 min". `gap` stands between
/// number and unit.
std::string duration(double nanoseconds, std::string_view gap = " ");
/// "1,234,567"
std::string count(std::uint64_t number);
/// At most six columns: "99999", "1.23M"
std::string short_count(std::uint64_t number);
/// "1 lock", "2 locks"
std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural);
/// "12.3 %"; "0 %" of nothing
std::string percent(double part, double whole, std::string_view gap = " ");

/// How many columns it takes: code points of UTF-8.
std::size_t columns(std::string_view text);
/// Cut in the middle to fit: "very-lo…ng-name".
std::string elided(std::string_view text, std::size_t most);

/// Cut at the end to fit: "a long stor…".
std::string cut_at_end(std::string_view text, std::size_t most);

/// A fixed number of hexadecimal digits.
std::string hexadecimal(std::uint64_t number);

/// Times of one process: spans in nanoseconds, points as seen from its first Record and on the calendar.
class Times {
 public:
  Times(const Process& process, trace::Ticks start) : process_{process}, start_{start} {}

  double nanoseconds(trace::Ticks span) const;
  std::string span(trace::Ticks span) const { return duration(nanoseconds(span)); }
  /// "+1.200345 s", or "-3.000000 s" before the first Record: fine enough to tell what came first.
  std::string offset(trace::Ticks time) const;
  double offset_nanoseconds(trace::Ticks time) const;
  /// RFC 3339, UTC, milliseconds; empty when nothing says what the time of day was.
  std::string calendar(trace::Ticks time) const;

 private:
  const Process& process_;
  trace::Ticks start_;
};

}  // namespace unspool
