// SPDX-License-Identifier: MIT
#include <unspool/read/calendar.hpp>
#include <unspool/read/line.hpp>
#include <unspool/read/when.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace unspool {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t hour = 3600 * second;
constexpr std::uint64_t day = 24 * hour;

/// A decimal number without a sign, taken from the text.
bool take_decimal(std::string_view& text, double& number) {
  if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool parse_span(std::string_view text, std::uint64_t& nanoseconds) {
  static constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"m", 60e9}, {"h", 3600e9}}};
  double number = 0;
  if (!take_decimal(text, number)) return false;
  const auto unit = std::ranges::find(units, text, &std::pair<std::string_view, double>::first);
  if (unit == units.end() || number * unit->second > 9e18) return false;
  nanoseconds = static_cast<std::uint64_t>(std::llround(number * unit->second));
  return true;
}

/// "14:03" and "14:03:07.5" are read as on the first day of 1970.
bool parse_time_of_day(std::string_view text, std::uint64_t& nanoseconds) {
  if (text.size() < 5 || text[2] != ':') return false;
  const std::string seconds = text.size() == 5 ? ":00" : "";
  return parse_time("1970-01-01T" + std::string{text} + seconds + "Z", nanoseconds) && nanoseconds < day;
}

std::uint64_t in_ticks(std::uint64_t nanoseconds, std::uint64_t frequency) {
  const long double ticks = static_cast<long double>(nanoseconds) * static_cast<long double>(frequency) / second;
  return ticks >= 1.8e19L ? ~std::uint64_t{0} : static_cast<std::uint64_t>(ticks + 0.5L);
}

trace::Ticks moved(trace::Ticks from, std::uint64_t to, std::uint64_t reading, std::uint64_t frequency) {
  if (to < reading) return from - std::min(from, in_ticks(reading - to, frequency));
  const trace::Ticks forward = in_ticks(to - reading, frequency);
  return from + std::min(forward, ~trace::Ticks{0} - from);
}

}  // namespace

std::optional<std::uint64_t> parse_duration(std::string_view text) {
  std::uint64_t nanoseconds = 0;
  return parse_span(text, nanoseconds) ? std::optional{nanoseconds} : std::nullopt;
}

std::optional<When> When::parse(std::string_view text) {
  When when;
  if (text == "end") return when;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    when.from_ = text[0] == '+' ? From::start : From::last;
    return parse_span(text.substr(1), when.nanoseconds_) ? std::optional{when} : std::nullopt;
  }
  when.from_ = From::start;
  if (parse_span(text, when.nanoseconds_)) return when;
  when.from_ = From::day;
  if (parse_time_of_day(text, when.nanoseconds_)) return when;
  when.from_ = From::epoch;
  if (parse_time(text, when.nanoseconds_) || parse_time(std::string{text} + "Z", when.nanoseconds_)) return when;
  return std::nullopt;
}

trace::Ticks When::at(const Process& process, trace::Ticks first, trace::Ticks last) const {
  const std::uint64_t frequency = std::max<std::uint64_t>(process.frequency, 1);
  switch (from_) {
    case From::start:
      return moved(first, nanoseconds_, 0, frequency);
    case From::last:
      return moved(last, 0, nanoseconds_, frequency);
    case From::day: {
      const Calendar calendar{process};
      const std::uint64_t begin = calendar.realtime(first);
      std::uint64_t time = begin - begin % day + nanoseconds_;
      if (time >= day && time - day + hour > begin) time -= day;  // late in the evening before
      while (time + hour <= begin)
        time += day;
      return calendar.ticks(time);
    }
    case From::epoch:
      return Calendar{process}.ticks(nanoseconds_);
    case From::end:
      break;
  }
  return ~trace::Ticks{0};
}

}  // namespace unspool
