// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/calendar.hpp>
#include <unspool/render/style.hpp>

#include <array>
#include <cmath>

namespace unspool {
namespace {

struct Unit {
  double size;
  std::string_view name;
};

std::string three_digits(double value) {
  if (value < 9.995) return fmt::format("{:.2f}", value);
  if (value < 99.95) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

}  // namespace

std::string toned(std::string_view text, Tone tone, bool color) {
  static constexpr std::array<std::string_view, 5> codes{"", "1", "2", "1;31", "32"};
  if (!color || tone == Tone::plain) return std::string{text};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(tone)], text);
}

namespace {

/// "16 min 40 s", "5 h 47 min", "3 d 4 h": of a server that hung all night. What is left is cut off, as it has lasted
/// so long for sure.
std::string long_duration(double nanoseconds, std::string_view gap) {
  struct Pair {
    std::uint64_t seconds;  ///< in one
    std::uint64_t parts;    ///< of the smaller unit in one
    std::uint64_t least;    ///< parts from which on it is used
    std::string_view name;
    std::string_view part;
  };
  static constexpr std::array pairs{Pair{86'400, 24, 48, "d", "h"}, Pair{3'600, 60, 60, "h", "min"},
                                    Pair{60, 60, 60, "min", "s"}};
  const auto seconds = static_cast<std::uint64_t>(nanoseconds / 1e9);
  for (const Pair& each : pairs) {
    const std::uint64_t parts = seconds / (each.seconds / each.parts);
    if (parts >= each.least || &each == &pairs.back())
      return fmt::format("{1}{0}{2}{0}{3}{0}{4}", gap, parts / each.parts, each.name, parts % each.parts, each.part);
  }
  return {};
}

}  // namespace

std::string duration(double nanoseconds, std::string_view gap) {
  static constexpr std::array units{Unit{1, "ns"}, Unit{1e3, "µs"}, Unit{1e6, "ms"}, Unit{1e9, "s"}};
  if (nanoseconds < 0.5) return fmt::format("0{}ns", gap);
  if (nanoseconds < 999.5) return fmt::format("{:.0f}{}ns", nanoseconds, gap);
  constexpr double most_seconds = 999.5e9;
  constexpr double believable = 1e18;  // 30 years; what is longer comes of a damaged number
  if (nanoseconds >= most_seconds && nanoseconds < believable) return long_duration(nanoseconds, gap);
  for (const Unit& unit : units) {
    const double value = nanoseconds / unit.size;
    if (value < 999.5 || unit.size == units.back().size)
      return fmt::format("{}{}{}", three_digits(value), gap, unit.name);
  }
  return std::string{unknown_figure};
}

std::string count(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::size_t at = text.size(); at > 3;)
    text.insert(at -= 3, 1, ',');
  return text;
}

std::string short_count(std::uint64_t number) {
  static constexpr std::array units{Unit{1e3, "k"}, Unit{1e6, "M"}, Unit{1e9, "G"}, Unit{1e12, "T"}, Unit{1e15, "P"}};
  if (number < 100'000) return fmt::format("{}", number);
  for (const Unit& unit : units) {
    const double value = static_cast<double>(number) / unit.size;
    if (value < 999.5) return three_digits(value) + std::string{unit.name};
  }
  return fmt::format("{:.0f}P", static_cast<double>(number) / 1e15);
}

std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", count(number), number == 1 ? singular : plural);
}

std::string percent(double part, double whole, std::string_view gap) {
  const double value = whole > 0 ? 100 * part / whole : 0;
  if (value == 0) return fmt::format("0{}%", gap);
  if (value < 0.05) return fmt::format("<0.1{}%", gap);
  // All but everything is not everything.
  if (value < 100 && value >= 99.95) return fmt::format("99.9{}%", gap);
  return fmt::format("{:.{}f}{}%", value, value >= 100 ? 0 : 1, gap);
}

std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  for (const char each : text)
    n += continues(each) ? 0 : 1;
  return n;
}

namespace {

/// The first `front` and the last `back` columns, and a sign that something is missing between.
std::string ends_of(std::string_view text, std::size_t front, std::size_t back) {
  const std::size_t all = columns(text);
  std::string out;
  std::size_t column = 0;
  for (const char each : text) {
    column += continues(each) ? 0 : 1;
    if (column == front + 1 && !continues(each)) out += "…";
    if (column <= front || column > all - back) out += each;
  }
  return out;
}

}  // namespace

std::string elided(std::string_view text, std::size_t most) {
  if (columns(text) <= most) return std::string{text};
  return most == 0 ? std::string{} : ends_of(text, most / 2, most - 1 - most / 2);
}

std::string cut_at_end(std::string_view text, std::size_t most) {
  if (columns(text) <= most) return std::string{text};
  return most == 0 ? std::string{} : ends_of(text, most - 1, 0);
}

std::string hexadecimal(std::uint64_t number) {
  return fmt::format("{:016x}", number);
}

double Times::nanoseconds(trace::Ticks span) const {
  return process_.frequency == 0 ? static_cast<double>(span) : process_.nanoseconds(span);
}

double Times::offset_nanoseconds(trace::Ticks time) const {
  return time >= start_ ? nanoseconds(time - start_) : -nanoseconds(start_ - time);
}

std::string Times::offset(trace::Ticks time) const {
  return fmt::format("{:+.6f} s", offset_nanoseconds(time) / 1e9);
}

std::string Times::calendar(trace::Ticks time) const {
  const Calendar calendar{process_};
  return calendar.is_known() ? utc(calendar.realtime(time), 3) : std::string{};
}

}  // namespace unspool
