// SPDX-License-Identifier: MIT
#include <unspool/read/line.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace unspool {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// `count` digits at `at`; false: another character is among them.
bool digits(const char* at, std::size_t count, std::uint64_t& number) {
  number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = static_cast<unsigned char>(at[i] - '0');
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  return true;
}

/// "Z", "+02:00", "+0200" or nothing: seconds to be taken off.
bool zone(std::string_view text, std::int64_t& offset) {
  offset = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  std::uint64_t hours = 0;
  std::uint64_t minutes = 0;
  const std::size_t colon = text.size() == 6 && text[3] == ':' ? 1 : 0;
  if ((text[0] != '+' && text[0] != '-') || text.size() != 5 + colon) return false;
  if (!digits(text.data() + 1, 2, hours) || !digits(text.data() + 3 + colon, 2, minutes)) return false;
  offset = static_cast<std::int64_t>(hours * 3600 + minutes * 60);
  if (text[0] == '-') offset = -offset;
  return true;
}

/// ".123456789" at the front of `text`, as ns; more than nine digits are cut off.
bool fraction(std::string_view& text, std::uint64_t& ns) {
  ns = 0;
  if (!text.starts_with('.') && !text.starts_with(',')) return true;
  text.remove_prefix(1);
  std::uint64_t unit = second;
  std::size_t count = 0;
  for (; count < text.size() && static_cast<unsigned char>(text[count] - '0') <= 9; ++count) {
    unit /= 10;
    ns += static_cast<std::uint64_t>(text[count] - '0') * unit;
  }
  text.remove_prefix(count);
  return count > 0;
}

/// "2026-11-22T20:31": seconds since 1970.
bool minute(const char* at, std::int64_t& seconds) {
  std::uint64_t year = 0;
  std::uint64_t month = 0;
  std::uint64_t day = 0;
  std::uint64_t hour = 0;
  std::uint64_t minutes = 0;
  const bool good = digits(at, 4, year) && at[4] == '-' && digits(at + 5, 2, month) && at[7] == '-' &&
                    digits(at + 8, 2, day) && (at[10] == 'T' || at[10] == ' ') && digits(at + 11, 2, hour) &&
                    at[13] == ':' && digits(at + 14, 2, minutes);
  if (!good || year < 1970 || year > 2500 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
      minutes > 59) {
    return false;
  }
  static constexpr std::array<std::uint64_t, 12> most_days{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > most_days[month - 1] || (month == 2 && day == 29 && !leap)) return false;
  const auto days =
      days_from_civil(static_cast<std::int64_t>(year), static_cast<unsigned>(month), static_cast<unsigned>(day));
  seconds = days * 86400 + static_cast<std::int64_t>(hour * 3600 + minutes * 60);
  return true;
}

}  // namespace

// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400 years.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + static_cast<std::int64_t>(day) - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool parse_time(std::string_view text, std::uint64_t& time) {
  std::int64_t seconds = 0;
  std::uint64_t of_minute = 0;
  std::uint64_t ns = 0;
  std::int64_t offset = 0;
  if (text.size() < 19 || !minute(text.data(), seconds) || text[16] != ':') return false;
  if (!digits(text.data() + 17, 2, of_minute) || of_minute > 60) return false;
  text.remove_prefix(19);
  if (!fraction(text, ns) || !zone(text, offset)) return false;
  const std::int64_t all = seconds + static_cast<std::int64_t>(of_minute) - offset;
  if (all < 0) return false;
  time = static_cast<std::uint64_t>(all) * second + ns;
  return true;
}

bool TimeParser::parse(std::string_view text, std::uint64_t& time) {
  constexpr std::size_t to_zone = 29;  // 2026-11-22T20:31:52.123456789
  const std::size_t zone_size = text.size() - to_zone;
  const bool nine = text.size() > to_zone && zone_size <= zone_.size() && text[19] == '.';
  std::uint64_t of_minute = 0;
  std::uint64_t ns = 0;
  const bool known = nine && zone_size == zone_size_ && std::memcmp(text.data(), minute_.data(), minute_.size()) == 0 &&
                     std::memcmp(text.data() + to_zone, zone_.data(), zone_size) == 0;
  if (known) {
    if (!digits(text.data() + 17, 2, of_minute) || of_minute > 60 || !digits(text.data() + 20, 9, ns)) return false;
    time = begin_ + of_minute * second + ns;
    return true;
  }
  if (!parse_time(text, time)) return false;
  if (!nine || !digits(text.data() + 17, 2, of_minute)) return true;
  begin_ = time - time % second - of_minute * second;
  zone_size_ = zone_size;
  std::memcpy(minute_.data(), text.data(), minute_.size());
  std::memcpy(zone_.data(), text.data() + to_zone, zone_size);
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& number) {
  number = 0;
  std::size_t count = 0;
  for (; count < text.size(); ++count) {
    const auto digit = static_cast<unsigned char>(text[count] - '0');
    if (digit > 9) break;
    if (count >= 19 && (count > 19 || number > (~std::uint64_t{0} - digit) / 10)) return false;
    number = number * 10 + digit;
  }
  text.remove_prefix(count);
  return count > 0;
}

bool take_text(std::string_view& text, std::size_t likely) {
  if (likely != 0 && text.size() > likely && text[likely] == '"') {
    text.remove_prefix(likely + 1);
    return true;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool parse_level(std::string_view word, trace::Level& level) {
  static constexpr std::array<std::pair<std::string_view, trace::Level>, 13> words{
      {{"info", trace::Level::info},
       {"trace", trace::Level::trace},
       {"debug", trace::Level::debug},
       {"warning", trace::Level::warning},
       {"error", trace::Level::error},
       {"critical", trace::Level::critical},
       {"warn", trace::Level::warning},
       {"T", trace::Level::trace},
       {"D", trace::Level::debug},
       {"I", trace::Level::info},
       {"W", trace::Level::warning},
       {"E", trace::Level::error},
       {"C", trace::Level::critical}}};
  for (const auto& [name, value] : words) {
    if (name != word) continue;
    level = value;
    return true;
  }
  return false;
}

std::size_t own_field(const trace::Row& row, std::string_view name) {
  const auto fields = row.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name && name != "site" && name != "seq") return i;
  }
  return no_field;
}

bool in_range(const Line& line) {
  if (line.thread > trace::max_thread_number || line.object > trace::max_object_number) return false;
  const auto fields = line.row->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::uint64_t number = line.numbers[i];
    const bool narrow = fields[i].type == trace::Type::u32 && fields[i].means != trace::Means::ticks;
    if (narrow && number > 0xffff'ffff) return false;
    if (fields[i].type == trace::Type::u8 && number > 0xff) return false;
  }
  return true;
}

void Line::clear() {
  arguments.clear();
  std::vector<Argument> kept = std::move(arguments);
  *this = Line{};
  arguments = std::move(kept);
}

}  // namespace unspool
