// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/samples.hpp>
#include <unspool/render/clock_changes.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/style.hpp>

#include <algorithm>
#include <optional>

namespace unspool {

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  std::string out{text.substr(0, begin)};
  std::size_t used = begin;
  text.remove_prefix(begin);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const std::size_t wide = columns(word);
    const bool first = out.size() == begin;
    if (!first && used + 1 + wide > width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += wide;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return out + "\n";
}

std::string how_it_ended(const Analysis& analysis) {
  return analysis.replay.ended_orderly() ? "ended in order" : "cut off (killed or still running)";
}

trace::Ticks quiet_at_end(const Process& process, const Replay& replay) {
  // Of a trace that is read while it is written the Records are read a little before the clocks, or after.
  const trace::Ticks pause = process.frequency / 2;
  const trace::Ticks quiet = replay.last_sign_of_life() - replay.last_time();
  return quiet >= pause ? quiet : 0;
}

std::string waited_so_far(const Process& process, const Analysis& analysis, std::uint64_t threads, trace::Ticks ticks) {
  const Times times{process, 0};
  const bool lived_on = analysis.replay.last_sign_of_life() > analysis.replay.last_time();
  if (!lived_on) return ticks == 0 ? "" : fmt::format(", {} up to the last Record", times.span(ticks));
  return fmt::format(", for {}{} at least", times.span(ticks), threads == 1 ? "" : " in all");
}

namespace {

/// A server that hangs makes no Records, but its recorder goes on.
std::string quiet_words(const Process& process, const Analysis& analysis) {
  const Times times{process, analysis.replay.first_time()};
  const trace::Ticks quiet = quiet_at_end(process, analysis.replay);
  if (quiet == 0) return {};
  const trace::Ticks alive = analysis.replay.last_time() + quiet;
  const std::string calendar = times.calendar(alive);
  return fmt::format("  The process lived on for {} without a Record, until {} at least.", times.span(quiet),
                     calendar.empty() ? times.offset(alive) : calendar);
}

}  // namespace

std::string heading(const Process& process, const Analysis& analysis, const Options& options) {
  const Replay& replay = analysis.replay;
  const std::string program = process.program.empty() ? process.path : process.program;
  const Times times{process, replay.first_time()};
  const std::string line =
      fmt::format("{}, pid {}: {} in {}, {}, {}", trace::escaped(program), process.pid,
                  counted(replay.records(), "Record", "Records"), times.span(replay.last_time() - replay.first_time()),
                  counted(analysis.summary.threads_in_all(), "thread", "threads"), how_it_ended(analysis));
  const std::string quiet = quiet_words(process, analysis);
  const std::string lines = wrapped(line, options.width, 2);
  return toned(std::string_view{lines}.substr(0, lines.size() - 1), Tone::strong, options.color) + "\n" +
         (quiet.empty() ? "" : wrapped(quiet, options.width, 2)) + restrictions(process, analysis, options);
}

namespace {

/// "threads a, b* (3 of 41)"
std::string chosen(std::string_view what, const std::vector<std::string>& patterns,
                   std::optional<Filter::Count> count) {
  const std::string names = trace::escaped(fmt::format("{}", fmt::join(patterns, ", ")));
  const bool one = patterns.size() == 1 &&
                   (count ? count->passing == 1 : patterns.front().find_first_of("*?[") == std::string::npos);
  if (one) what = what == "processes" ? "process" : what.substr(0, what.size() - 1);
  if (!count) return fmt::format("{} {}", what, names);
  return fmt::format("{} {} ({} of {})", what, names, unspool::count(count->passing), unspool::count(count->all));
}

std::string filter_words(const Process& process, const Analysis& analysis, const Options& options) {
  const Filter& filter = analysis.filter;
  const Wanted& wanted = filter.wanted();
  const Times times{process, analysis.replay.first_time()};
  std::vector<std::string> parts;
  if (!wanted.processes.empty())
    parts.push_back(chosen("processes", wanted.processes, std::nullopt) +
                    fmt::format(" ({} left out)", count(options.processes_left_out)));
  if (!wanted.threads.empty()) parts.push_back(chosen("threads", wanted.threads, filter.threads()));
  if (!wanted.objects.empty()) parts.push_back(chosen("objects", wanted.objects, filter.objects()));
  if (!wanted.kinds.empty()) parts.push_back(chosen("kinds", wanted.kinds, std::nullopt));
  if (wanted.from) parts.push_back("from " + times.offset(filter.from()));
  if (wanted.to && filter.to() == ~trace::Ticks{0}) parts.emplace_back("to the end");
  if (wanted.to && filter.to() != ~trace::Ticks{0}) parts.push_back("to " + times.offset(filter.to()));
  if (wanted.min_wait != 0)
    parts.push_back(fmt::format("waits of {} or more", duration(static_cast<double>(wanted.min_wait))));
  const Filter::Count waits = analysis.summary.waits();
  return fmt::format("  Only {}: {} of {}.", fmt::join(parts, "; "), count(waits.passing),
                     counted(waits.all, "wait", "waits"));
}

}  // namespace

namespace {

/// Old segments were deleted to keep to the space given.
std::string cut_words(const Process& process, const Analysis& analysis) {
  if (!process.cut) return {};
  const trace::Ticks first = process.first_time != 0 ? process.first_time : analysis.replay.first_time();
  const std::string calendar = Times{process, first}.calendar(first);
  return fmt::format("  {}: it is known what came {}.",
                     process.parent_pid == 0
                         ? "Older Records are gone, or some in between"
                         : fmt::format("It was forked from pid {}, or older Records are gone", process.parent_pid),
                     calendar.empty() ? "later" : "from " + calendar + " on");
}

}  // namespace

std::string restrictions(const Process& process, const Analysis& analysis, const Options& options) {
  std::string out;
  if (const std::string cut = cut_words(process, analysis); !cut.empty()) out += wrapped(cut, options.width, 2);
  if (analysis.filter.is_on()) out += wrapped(filter_words(process, analysis, options), options.width, 4);
  const Analysis::Known& known = analysis.known;
  if (known.deadlocks + known.inversions + known.misuses != 0) {
    out += wrapped(fmt::format("  Known and not told, as the baseline has them: {}, {}, {}.",
                               counted(known.deadlocks, "deadlock", "deadlocks"),
                               counted(known.inversions, "lock order", "lock orders"),
                               counted(known.misuses, "misuse", "misuses")),
                   options.width, 4);
  }
  return out;
}

namespace {

/// "1 ms", "1.5 s": as it was set.
std::string set_span(std::uint64_t nanoseconds) {
  const auto number = static_cast<double>(nanoseconds);
  if (nanoseconds >= 1'000'000'000) return fmt::format("{:g} s", number / 1e9);
  if (nanoseconds >= 1'000'000) return fmt::format("{:g} ms", number / 1e6);
  return nanoseconds >= 1'000 ? fmt::format("{:g} us", number / 1e3) : fmt::format("{} ns", nanoseconds);
}

/// What is not in the trace because it was not to be; empty in mode `all`.
std::string mode_reservation(const Process& process, bool complete) {
  if (complete) return {};
  std::string short_waits;
  if (process.mode == trace::Mode::long_waits) short_waits = "short waits are not in this trace";
  if (process.long_wait != 0)
    short_waits = fmt::format("waits under {} are not in this trace", set_span(process.long_wait));
  const bool mixed = process.mode_changed || process.own_modes;
  if (mixed && !short_waits.empty()) short_waits = " Where it was `long`, " + short_waits + ".";
  if (process.mode_changed) {
    return fmt::format(
        "The recording mode changed on the way{}: figures that need every acquisition are not known ({}).{}",
        process.own_modes ? ", and is another for some objects" : "", unknown_figure, short_waits);
  }
  if (process.own_modes) {
    return fmt::format(
        "Recorded in mode `{}`, and in another for some objects: figures that need every acquisition are not "
        "known ({}).{}",
        trace::name_of(process.mode), unknown_figure, short_waits);
  }
  if (process.mode == trace::Mode::off) {
    return fmt::format("Recorded in mode `off`: what threads did with locks and each other is not there ({}).",
                       unknown_figure);
  }
  if (process.mode == trace::Mode::long_waits) {
    return fmt::format(
        "Recorded in mode `long`: {}, so counts and sums of waits leave them out, and figures that need every "
        "acquisition are not known ({}).",
        short_waits, unknown_figure);
  }
  return fmt::format(
      "Recorded in mode `{}`: only what had to wait is there, so figures that need every acquisition are "
      "not known ({}).",
      trace::name_of(process.mode), unknown_figure);
}

}  // namespace

std::string reservations(const Process& process, const Analysis& analysis, const Options& options) {
  const Replay& replay = analysis.replay;
  const Doubts& doubts = replay.doubts();
  const std::uint64_t lost = std::max(process.lost, replay.lost_records());
  std::string out;
  const auto say = [&](const std::string& text) { out += wrapped(text, options.width, 2); };
  if (const std::string mode = mode_reservation(process, replay.complete()); !mode.empty()) say(mode);
  if (lost != 0) {
    say(
        fmt::format("{} lost while recording: counts can be too low by that many, and waits and holds that they cut "
                    "are left out.",
                    counted(lost, "Record was", "Records were")));
  }
  if (doubts.missing + doubts.disordered != 0) {
    say(fmt::format("{} missing or out of order: who held what there counts as unknown.",
                    counted(add_saturated(doubts.missing, doubts.disordered), "Record is", "Records are")));
  }
  if (doubts.lost_ends != 0) {
    say(fmt::format("{} no end in the trace and {} left out of the figures.",
                    counted(doubts.lost_ends, "wait or hold has", "waits or holds have"),
                    doubts.lost_ends == 1 ? "is" : "are"));
  }
  if (doubts.untracked != 0) {
    say(fmt::format("{} left out: too many objects or threads are not defined in the trace.",
                    counted(doubts.untracked, "Record is", "Records are")));
  }
  for (const std::string& each : clock_sentences(process, Times{process, replay.first_time()}))
    say(each);
  return out.empty() ? out : toned(out.substr(0, out.size() - 1), Tone::faint, options.color) + "\n";
}

}  // namespace unspool
