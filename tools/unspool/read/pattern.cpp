// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/pattern.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace unspool {
namespace {

bool is_digit(char each) {
  return each >= '0' && each <= '9';
}
bool is_letter(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
}

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string_view take_word(std::string_view& line) {
  const auto* const end = std::ranges::find_if_not(line, is_letter);
  const std::string_view word = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  line.remove_prefix(word.size());
  return word;
}

std::size_t take_blanks(std::string_view& line, std::size_t most) {
  std::size_t count = 0;
  while (count < most && count < line.size() && line[count] == ' ')
    ++count;
  line.remove_prefix(count);
  return count;
}

}  // namespace

/// A time that comes in pieces.
struct Pattern::Parts {
  std::uint64_t year = 1970;
  std::uint64_t month = 1;
  std::uint64_t day = 1;
  std::uint64_t hour = 0;
  std::uint64_t minute = 0;
  std::uint64_t second = 0;
  std::uint64_t ns = 0;
  std::int64_t zone = 0;
  std::uint64_t epoch = 0;
  bool has_epoch = false;
  bool twelve = false;
  bool afternoon = false;

  bool time(std::uint64_t& out) const {
    if (year < 1970 || year > 2500 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23) return false;
    if (minute > 59 || second > 60 || epoch > 16'000'000'000) return false;
    const std::uint64_t of_day = twelve ? hour % 12 + (afternoon ? 12 : 0) : hour;
    const std::int64_t days =
        days_from_civil(static_cast<std::int64_t>(year), static_cast<unsigned>(month), static_cast<unsigned>(day));
    const std::int64_t seconds =
        has_epoch ? static_cast<std::int64_t>(epoch)
                  : days * 86400 + static_cast<std::int64_t>(of_day * 3600 + minute * 60 + second) - zone;
    if (seconds < 0) return false;
    out = static_cast<std::uint64_t>(seconds) * 1'000'000'000 + ns;
    return true;
  }
};

std::optional<Pattern> Pattern::compile(std::string_view text, std::string& refusal) {
  Pattern pattern;
  pattern.parse(text, refusal);
  if (refusal.empty()) refusal = pattern.why_not();
  if (!refusal.empty()) {
    refusal = fmt::format("the pattern '{}' cannot be read back: {}", text, refusal);
    return std::nullopt;
  }
  pattern.join_stamp();
  pattern.has_pairs_ = pattern.has(What::pairs);
  pattern.has_zone_ = pattern.has(What::zone) || pattern.has(What::epoch) || pattern.has(What::stamp);
  pattern.has_pid_ = pattern.has(What::pid) || pattern.has_pairs_;
  pattern.has_date_ = pattern.has(What::day) || pattern.has(What::epoch) || pattern.has(What::stamp);
  pattern.has_time_ = pattern.has_date_ || pattern.has(What::second);
  return pattern;
}

bool Pattern::has(What what) const {
  return std::ranges::find(items_, what, &Item::what) != items_.end();
}

bool Pattern::begins_with_brace() const {
  return !items_.empty() && items_[0].what == What::literal && items_[0].text.starts_with('{');
}

void Pattern::parse(std::string_view text, std::string& refusal) {
  while (!text.empty() && refusal.empty()) {
    const std::size_t percent = std::min(text.find('%'), text.size());
    add_literal(text.substr(0, percent));
    text.remove_prefix(percent);
    if (text.empty()) return;
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('=')) text.remove_prefix(1);
    std::uint64_t width = 0;
    if (!text.empty() && is_digit(text[0])) take_number(text, width);
    if (text.starts_with('!') && width > 0 && text.size() > 1) {
      refusal = "%!N cuts texts off, and what was cut is gone: leave the '!' out";
    } else if (text.empty()) {
      refusal = "it ends with a single '%'";
    } else if (!add_flag(text[0], std::min<std::size_t>(width, 128))) {
      refusal = fmt::format("unspool does not know the flag %{}", text[0]);
    }
    if (!text.empty()) text.remove_prefix(1);
  }
}

void Pattern::add_literal(std::string_view text) {
  if (text.empty()) return;
  if (items_.empty() || items_.back().what != What::literal) add(What::literal);
  items_.back().text += text;
}

bool Pattern::add_flag(char flag, std::size_t width) {
  constexpr std::array<std::pair<char, What>, 40> simple{
      {{'Y', What::year},         {'C', What::short_year},   {'m', What::month},       {'d', What::day},
       {'H', What::hour},         {'I', What::hour_12},      {'M', What::minute},      {'S', What::second},
       {'e', What::milliseconds}, {'f', What::microseconds}, {'F', What::nanoseconds}, {'p', What::half},
       {'z', What::zone},         {'E', What::epoch},        {'l', What::level},       {'L', What::short_level},
       {'n', What::logger},       {'v', What::words},        {'N', What::thread_name}, {'K', What::thread},
       {'Q', What::daemon},       {'t', What::native_id},    {'P', What::pid},         {'s', What::file},
       {'g', What::file},         {'#', What::lineno},       {'!', What::function},    {'i', What::number},
       {'u', What::number},       {'o', What::number},       {'O', What::number},      {'a', What::word},
       {'A', What::word},         {'b', What::month_name},   {'h', What::month_name},  {'B', What::month_name},
       {'J', What::pairs},        {'^', What::literal},      {'$', What::literal},     {'%', What::literal}}};
  // What stands for several flags.
  constexpr std::array<std::pair<char, std::string_view>, 8> several{{{'T', "%H:%M:%S"},
                                                                      {'X', "%H:%M:%S"},
                                                                      {'R', "%H:%M"},
                                                                      {'D', "%m/%d/%C"},
                                                                      {'x', "%m/%d/%C"},
                                                                      {'r', "%I:%M:%S %p"},
                                                                      {'c', "%a %b %d %H:%M:%S %Y"},
                                                                      {'@', "%s:%#"}}};
  if (flag == '+') {
    std::string none;
    parse("[%Y-%m-%d %H:%M:%S.%e] ", none);
    add(What::maybe_logger);
    parse("[%l] ", none);
    add(What::maybe_place);
    parse("%v", none);
    return true;
  }
  if (flag == '%') add_literal("%");
  const auto* const found = std::ranges::find(simple, flag, &std::pair<char, What>::first);
  if (found != simple.end()) {
    if (found->second != What::literal) add(found->second, width);
    return true;
  }
  const auto* const parts = std::ranges::find(several, flag, &std::pair<char, std::string_view>::first);
  if (parts == several.end()) return false;
  std::string none;
  parse(parts->second, none);
  return true;
}

/// Whether only what follows says where it ends.
bool Pattern::is_open(What what) {
  return what == What::logger || what == What::words || what == What::thread_name || what == What::file ||
         what == What::function;
}

std::string Pattern::why_not() const {
  if (!has(What::words)) return "without %v there are no words in its lines";
  for (std::size_t i = 0; i + 1 < items_.size(); ++i) {
    if (!is_open(items_[i].what)) continue;
    const What next = items_[i + 1].what;
    if (next == What::literal || next == What::pairs) continue;
    return "two texts side by side have no border: put something between them, such as a blank or brackets";
  }
  if (has(What::pairs) && items_.back().what != What::pairs) return "%J has to be its end";
  return {};
}

/// The time that the standard pattern begins with is read at once.
void Pattern::join_stamp() {
  static const std::array<std::pair<What, std::string_view>, 14> parts{{{What::year, ""},
                                                                        {What::literal, "-"},
                                                                        {What::month, ""},
                                                                        {What::literal, "-"},
                                                                        {What::day, ""},
                                                                        {What::literal, "T"},
                                                                        {What::hour, ""},
                                                                        {What::literal, ":"},
                                                                        {What::minute, ""},
                                                                        {What::literal, ":"},
                                                                        {What::second, ""},
                                                                        {What::literal, "."},
                                                                        {What::nanoseconds, ""},
                                                                        {What::zone, ""}}};
  const auto same = [](const Item& item, const auto& part) {
    return item.what == part.first && item.text == part.second && item.width == 0;
  };
  if (items_.size() < parts.size() ||
      !std::equal(parts.begin(), parts.end(), items_.begin(), [&](auto& a, auto& b) { return same(b, a); })) {
    return;
  }
  items_.erase(items_.begin(), items_.begin() + parts.size() - 1);
  items_[0].what = What::stamp;
}

bool Pattern::match(std::string_view line, TimeParser& times, Matched& out) const {
  out = {};
  Parts parts;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.width == 0) {
      if (!match_item(i, line, parts, times, out)) return false;
      continue;
    }
    const std::size_t before = line.size();
    if (!is_open(item.what)) take_blanks(line, item.width);
    if (!match_item(i, line, parts, times, out)) return false;
    const std::size_t taken = before - line.size();
    if (taken < item.width) take_blanks(line, item.width - taken);
  }
  return line.empty() && (items_[0].what == What::stamp || parts.time(out.time));
}

bool Pattern::match_item(std::size_t index, std::string_view& line, Parts& parts, TimeParser& times,
                         Matched& out) const {
  const Item& item = items_[index];
  switch (item.what) {
    case What::literal:
      if (!line.starts_with(item.text)) return false;
      line.remove_prefix(item.text.size());
      return true;
    case What::stamp: {
      const std::size_t size = line.size() > 29 && line[29] == 'Z' ? 30 : 35;
      if (line.size() < size || !times.parse(line.substr(0, size), out.time)) return false;
      line.remove_prefix(size);
      return true;
    }
    case What::pairs:
      out.has_pairs = line.starts_with('\t');
      if (out.has_pairs) out.pairs = line.substr(1);
      line = {};
      return out.has_pairs;
    case What::maybe_logger:
    case What::maybe_place:
      match_maybe(item.what, line, out);
      return true;
    default:
      if (is_open(item.what)) return match_open(index, line, out);
      return match_number(item.what, line, parts, out) || match_word(item.what, line, parts, out);
  }
}

/// Up to what follows; %v, which may hold anything, to where that comes last.
bool Pattern::match_open(std::size_t index, std::string_view& line, Matched& out) const {
  const Item& item = items_[index];
  std::size_t end = line.size();
  if (index + 1 < items_.size()) {
    const Item& next = items_[index + 1];
    const std::string_view border = next.what == What::pairs ? std::string_view{"\t"} : std::string_view{next.text};
    const bool last = item.what == What::words && next.what != What::pairs;
    end = last ? line.rfind(border) : line.find(border);
    if (end == std::string_view::npos) return false;
  }
  std::string_view text = line.substr(0, end);
  line.remove_prefix(end);
  if (item.width > 0) {
    take_blanks(text, item.width);
    while (text.ends_with(' '))
      text.remove_suffix(1);
  }
  keep(item.what, text, out);
  return true;
}

std::size_t Pattern::digits_of(What what) {
  switch (what) {
    case What::year:
      return 4;
    case What::milliseconds:
      return 3;
    case What::microseconds:
      return 6;
    case What::nanoseconds:
      return 9;
    case What::short_year:
    case What::month:
    case What::day:
    case What::hour:
    case What::hour_12:
    case What::minute:
    case What::second:
      return 2;
    default:
      return 0;
  }
}

bool Pattern::match_number(What what, std::string_view& line, Parts& parts, Matched& out) {
  const std::size_t count = digits_of(what);
  const bool free = what == What::epoch || what == What::thread || what == What::native_id || what == What::pid ||
                    what == What::lineno || what == What::number;
  if (count == 0 && !free) return false;
  std::uint64_t number = 0;
  std::string_view text = free ? line : line.substr(0, count);
  if (!take_number(text, number) || (!free && (!text.empty() || line.size() < count))) return false;
  line.remove_prefix(free ? line.size() - text.size() : count);
  keep(what, number, parts, out);
  return true;
}

void Pattern::keep(What what, std::uint64_t number, Parts& parts, Matched& out) {
  if (what == What::year) parts.year = number;
  if (what == What::short_year) parts.year = 2000 + number;
  if (what == What::month) parts.month = number;
  if (what == What::day) parts.day = number;
  if (what == What::hour || what == What::hour_12) parts.hour = number;
  if (what == What::hour_12) parts.twelve = true;
  if (what == What::minute) parts.minute = number;
  if (what == What::second) parts.second = number;
  if (what == What::milliseconds) parts.ns = number * 1'000'000;
  if (what == What::microseconds) parts.ns = number * 1000;
  if (what == What::nanoseconds) parts.ns = number;
  if (what == What::epoch) parts.epoch = number;
  if (what == What::epoch) parts.has_epoch = true;
  if (what == What::pid) out.pid = number;
  if (what == What::thread) out.thread = number;
  if (what == What::native_id) out.native_id = number;
  if (what == What::lineno) out.lineno = number;
}

bool Pattern::match_word(What what, std::string_view& line, Parts& parts, Matched& out) {
  if (what == What::zone) {
    const std::size_t size = line.starts_with('Z') ? 1 : 6;
    std::uint64_t hours = 0;
    std::uint64_t minutes = 0;
    if (line.size() < size) return false;
    std::string_view rest = line.substr(0, size);
    const bool west = rest[0] == '-';
    rest.remove_prefix(1);
    if (size == 6) {
      const bool signs = (line[0] == '+' || west) && take_number(rest, hours) && rest.starts_with(':');
      if (!signs || hours > 23 || (rest.remove_prefix(1), !take_number(rest, minutes)) || minutes > 59) return false;
    }
    parts.zone = static_cast<std::int64_t>(hours * 3600 + minutes * 60) * (west ? -1 : 1);
    line.remove_prefix(size);
    return true;
  }
  const std::string_view word = take_word(line);
  if (what == What::daemon) return word.empty() || word == "daemon";
  if (what == What::level || what == What::short_level) return parse_level(word, out.level);
  if (what == What::half) parts.afternoon = word == "PM";
  if (what == What::month_name) {
    const auto* const found = std::ranges::find(month_names, word.substr(0, 3));
    if (found == month_names.end()) return false;
    parts.month = static_cast<std::uint64_t>(found - month_names.begin()) + 1;
  }
  return !word.empty();
}

void Pattern::match_maybe(What what, std::string_view& line, Matched& out) {
  const std::size_t end = line.find("] ");
  if (!line.starts_with('[') || end == std::string_view::npos) return;
  const std::string_view inside = line.substr(1, end - 1);
  trace::Level level{};
  if (what == What::maybe_logger) {
    // The level comes next in any case: what stands before another bracket is a name.
    if (parse_level(inside, level) && !line.substr(end + 2).starts_with('[')) return;
    out.logger = inside;
  } else {
    const std::size_t colon = inside.rfind(':');
    if (colon == std::string_view::npos) return;
    std::string_view number = inside.substr(colon + 1);
    std::uint64_t lineno = 0;
    if (!take_number(number, lineno) || !number.empty()) return;
    out.file = inside.substr(0, colon);
    out.lineno = lineno;
  }
  line.remove_prefix(end + 2);
}

void Pattern::keep(What what, std::string_view text, Matched& out) {
  if (what == What::logger) out.logger = text;
  if (what == What::words) out.words = text;
  if (what == What::thread_name) out.thread_name = text;
  if (what == What::file) out.file = text;
  if (what == What::function) out.function = text;
}

}  // namespace unspool
