// SPDX-License-Identifier: MIT
#include <spool/config/environment.hpp>
#include <spool/log/call_stacks.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace spool::config {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start-up and in basic_config
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>{value};
}

void complain(Environment& out, const char* name, const std::string& value, const char* known) {
  out.problems.push_back(
      fmt::format("{}={} is not understood and ignored; it takes {}", name, trace::escaped(value), known));
}

template <class E>
std::optional<E> named(const std::string& text, int count) {
  for (int i = 0; i < count; ++i) {
    if (trace::name_of(static_cast<E>(i)) == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

std::optional<Archive> archive_named(const std::string& text) {
  if (text == "zstd") return Archive::zstd;
  if (text == "off") return Archive::off;
  return std::nullopt;
}

std::optional<Sync> sync_named(const std::string& text) {
  if (text == "segments") return Sync::segments;
  if (text == "off") return Sync::off;
  return std::nullopt;
}

std::optional<os::ClockChoice> clock_named(const std::string& text) {
  if (text == "auto") return os::ClockChoice::automatic;
  if (text == "tsc") return os::ClockChoice::tsc;
  if (text == "monotonic") return os::ClockChoice::monotonic;
  return std::nullopt;
}

/// Reads one variable with `parse`.
template <class T, class Parse>
void take(Environment& out, std::optional<T>& field, const char* name, const char* known, Parse parse) {
  const auto value = variable(name);
  if (!value) return;
  field = parse(*value);
  if (!field) complain(out, name, *value, known);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// One part of SPOOL_LEVEL: "info" or "http=debug".
bool take_level(Environment& out, std::string_view part) {
  constexpr int levels = 7;
  const auto sign = part.rfind('=');
  const auto level =
      named<trace::Level>(std::string{trimmed(sign == std::string_view::npos ? part : part.substr(sign + 1))}, levels);
  if (!level) return false;
  if (sign == std::string_view::npos) {
    out.level = level;
    return true;
  }
  const std::string_view logger = trimmed(part.substr(0, sign));
  if (logger.empty()) return false;
  out.levels.insert_or_assign(std::string{logger}, *level);
  return true;
}

/// What is wrong in one part leaves the others as they are.
void take_levels(Environment& out) {
  const auto value = variable("SPOOL_LEVEL");
  if (!value) return;
  std::string_view rest = *value;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    more = comma != std::string_view::npos;
    const std::string_view part = rest.substr(0, comma);
    if (!take_level(out, part)) {
      complain(out, "SPOOL_LEVEL", std::string{part},
               "trace, debug, info, warning, error, critical or off, and LOGGER=LEVEL, with commas between them: "
               "info,http=debug");
    }
    if (more) rest.remove_prefix(comma + 1);
  }
}

/// "30s", "250ms", "500us", "2m"; more than nothing.
std::optional<std::chrono::nanoseconds> parse_span(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
  };
  constexpr std::array<Unit, 5> units{
      {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}}};
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number <= 0) return std::nullopt;
  const auto* const unit =
      std::ranges::find(units, text.substr(static_cast<std::size_t>(rest - text.data())), &Unit::name);
  if (unit == units.end() || number > std::numeric_limits<std::int64_t>::max() / unit->nanoseconds) return std::nullopt;
  return std::chrono::nanoseconds{number * unit->nanoseconds};
}

/// "30s", "30s,every", "30s,every,abort"
std::optional<Watchdog> parse_watchdog(std::string_view text) {
  const std::size_t end = std::min(text.find(','), text.size());
  const auto patience = parse_span(text.substr(0, end));
  if (!patience) return std::nullopt;
  Watchdog watchdog{.patience = *patience};
  for (std::string_view rest = text.substr(end); !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find(','));
    if (word != "every" && word != "abort") return std::nullopt;
    (word == "every" ? watchdog.every_wait : watchdog.abort) = true;
    rest.remove_prefix(word.size());
  }
  return watchdog;
}

/// "on", "off", "20"
std::optional<std::uint32_t> parse_depth(std::string_view text) {
  constexpr std::uint32_t usual = 32;
  if (text == "on") return usual;
  if (text == "off") return 0;
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end && number <= log::most_frames ? std::optional{number} : std::nullopt;
}

std::optional<int> signal_named(std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  if (text == "QUIT") return SIGQUIT;
  if (text == "USR1") return SIGUSR1;
  if (text == "USR2") return SIGUSR2;
  if (text == "HUP") return SIGHUP;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size(const std::string& text) {
  if (text == "all") return 0;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || number == 0) return std::nullopt;
  const std::string unit{rest, end};
  const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  if (shift == 0 && !unit.empty()) return std::nullopt;
  if (number > (~std::uint64_t{0} >> shift)) return std::nullopt;
  return number << shift;
}

Environment read_environment() {
  Environment out;
  out.directory = variable("SPOOL_DIR");
  take(out, out.keep, "SPOOL_KEEP", "a size such as 64M or 2G, or all", parse_size);
  take(out, out.sync, "SPOOL_SYNC", "segments or off", sync_named);
  take(out, out.archive, "SPOOL_ARCHIVE", "zstd or off", archive_named);
  take_levels(out);
  take(out, out.transitions, "SPOOL_TRANSITIONS", "all, contended, long or off",
       [](const std::string& text) { return named<trace::Mode>(text, trace::mode_count); });
  take(out, out.long_wait, "SPOOL_LONG_WAIT", "a time such as 500us, 5ms or 2s",
       [](const std::string& text) { return parse_span(text); });
  take(out, out.clock, "SPOOL_CLOCK", "auto, tsc or monotonic", clock_named);
  take(out, out.watchdog, "SPOOL_WATCHDOG", "a time such as 30s, 250ms or 2m, then ,every or ,abort or both",
       [](const std::string& text) { return parse_watchdog(text); });
  take(out, out.survive_truncation, "SPOOL_SIGBUS", "handle or off", [](const std::string& text) {
    return text == "handle" || text == "off" ? std::optional<bool>{text == "handle"} : std::nullopt;
  });
  take(out, out.call_stacks, "SPOOL_STACKS", "on, off or a number of calls up to 128",
       [](const std::string& text) { return parse_depth(text); });
  take(out, out.dump_on, "SPOOL_DUMP_ON", "QUIT, USR1, USR2 or HUP",
       [](const std::string& text) { return signal_named(text); });
  return out;
}

}  // namespace spool::config
