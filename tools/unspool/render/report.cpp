// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/advice.hpp>
#include <unspool/render/at_rest.hpp>
#include <unspool/render/blame.hpp>
#include <unspool/render/cost.hpp>
#include <unspool/render/deadlocks.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/joins.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/misuse.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/order.hpp>
#include <unspool/render/report.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/waits.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t worst = 5;
constexpr std::size_t most_threads_told = 6;

std::string section(std::string_view title, const Options& options) {
  return "\n" + toned(title, Tone::strong, options.color) + "\n";
}

/// As other times are told. "2026-11-29T05:30:31.893393139Z": ".893Z"
std::string to_milliseconds(std::string text) {
  constexpr std::size_t kept = 4;
  const std::size_t point = text.find('.');
  const std::size_t end = point == std::string::npos ? point : text.find_first_not_of("0123456789", point + 1);
  if (end != std::string::npos && end > point + kept) text.erase(point + kept, end - point - kept);
  return text;
}

/// Who, where and when: what one wants to be sure of before reading on.
std::string head(const Process& process, const Analysis& analysis, const Options& options) {
  const Replay& replay = analysis.replay;
  const Times times{process, replay.first_time()};
  const std::string calendar = times.calendar(replay.first_time());
  std::string out = heading(process, analysis, options);
  std::string more =
      fmt::format("  on {}, started {}", trace::escaped(process.hostname.empty() ? "?" : process.hostname),
                  trace::escaped(process.started.empty() ? "?" : to_milliseconds(process.started)));
  if (process.parent_pid != 0) more += fmt::format(", forked from process {}", process.parent_pid);
  if (!calendar.empty() && replay.records() != 0) more += fmt::format(", first Record {}", calendar);
  more += fmt::format(", mode {}, clock {}", trace::name_of(process.mode),
                      trace::escaped(process.clock_source.empty() ? "?" : process.clock_source));
  more += fmt::format(", {}", counted(std::max(process.lost, replay.lost_records()), "Record lost", "Records lost"));
  out += wrapped(more, options.width, 2);
  if (!process.logs.empty()) out += "  Read from a log: times are whole nanoseconds.\n";
  return out;
}

/// The share of the waits' time that one line, or hand-over, is to blame for.
std::string blame(const Names& names, const LockFigures& lock) {
  const auto whole = static_cast<double>(lock.waits.sum());
  std::string out;
  if (const std::vector<Part> sites = lock.holders.by_site(); !sites.empty()) {
    const Part& most = sites.front();
    const bool several = most.actor.thread == other_threads;
    out = fmt::format("{} of it because of holds taken at {} by {}", percent(static_cast<double>(most.ticks), whole),
                      names.site_and_function(most.actor.site),
                      several ? "several threads" : names.thread(most.actor.thread));
  }
  if (const double part = static_cast<double>(lock.hand_over); part > 0.05 * whole) {
    out += fmt::format("{}{} in hand-over", out.empty() ? "" : ", ", percent(part, whole));
  }
  return out;
}

std::string lock_sentence(const Process& process, const Analysis& analysis, const LockFigures& lock) {
  const Names names{process};
  const Times times{process, analysis.replay.first_time()};
  const bool complete = analysis.replay.complete();
  const std::uint64_t waits = lock.waits.count();
  std::vector<std::string> parts;
  if (waits != 0) {
    parts.push_back(fmt::format("{}, {} in all, {} at most", counted(waits, "wait", "waits"),
                                times.span(lock.waits.sum()), times.span(lock.waits.max())));
  }
  if (complete && lock.contended != 0) {
    parts.back() +=
        fmt::format(" ({} of {})", percent(static_cast<double>(lock.contended), static_cast<double>(lock.acquisitions)),
                    counted(lock.acquisitions, "acquisition", "acquisitions"));
  }
  if (const std::string who = waits == 0 ? "" : blame(names, lock); !who.empty()) parts.push_back(who);
  if (lock.unended != 0) {
    parts.push_back(counted(lock.unended, "thread still waits", "threads still wait") + " at the end" +
                    waited_so_far(process, analysis, lock.unended, lock.unended_ticks));
  }
  return fmt::format("  {}: {}", lock_name(names, lock), fmt::join(parts, "; "));
}

std::string worst_locks(const Process& process, const Analysis& analysis, const Options& options) {
  const auto& figures = analysis.locks.figures();
  const auto waited = static_cast<std::size_t>(
      std::ranges::count_if(figures, [](const LockFigures& each) { return each.waits.count() + each.unended != 0; }));
  if (waited == 0 && !analysis.replay.complete()) return "\nNo wait for a lock is recorded.\n";
  if (figures.empty()) return "\nNo lock was used.\n";
  if (waited == 0)
    return fmt::format("\nNo thread waited for a lock ({} used).\n", counted(figures.size(), "lock", "locks"));
  std::string out = section("Locks that were waited for most", options);
  for (std::size_t i = 0, shown = 0; i < figures.size() && shown < worst; ++i) {
    if (figures[i].waits.count() + figures[i].unended == 0) continue;
    ++shown;
    out += wrapped(lock_sentence(process, analysis, figures[i]), options.width, 4);
  }
  if (waited > worst) out += fmt::format("  and {} more: unspool locks\n", waited - worst);
  return out;
}

std::string worst_joins(const Process& process, const Analysis& analysis, const Options& options) {
  const auto waited = [](const Join& each) { return each.waited != 0 || each.ending == Ending::unended; };
  const auto those = static_cast<std::size_t>(std::ranges::count_if(analysis.joins.longest(), waited));
  if (those == 0) return {};
  return section("Joins that waited longest", options) +
         joins_table(process, analysis, options, std::min(worst, those));
}

std::string threads_sentence(const Process& process, const Analysis& analysis) {
  const Summary::Threads& threads = analysis.summary.threads();
  const bool orderly = analysis.replay.ended_orderly();
  std::string out = fmt::format("Threads: {}, {} ended", count(threads.all), count(threads.ended));
  if (threads.exceptions != 0) out += fmt::format(" ({} by an exception)", count(threads.exceptions));
  out += fmt::format(", {} alive at the end", count(threads.alive));
  // Main has no Record of its end.
  const auto is_main = [&](const auto& each) {
    const auto defined = process.threads.find(each.first);
    return each.second.life == ThreadState::Life::alive && defined != process.threads.end() &&
           defined->second.origin == trace::Origin::main;
  };
  const bool main_is = orderly && std::ranges::any_of(analysis.replay.threads(), is_main);
  std::vector<std::string> who;
  if (main_is) who.emplace_back(threads.alive == 1 ? "main" : "main among them");
  if (threads.daemons_alive != 0) who.push_back(counted(threads.daemons_alive, "daemon", "daemons"));
  if (process.unknown_threads != 0) {
    who.push_back(fmt::format("besides {} that spool does not know", count(process.unknown_threads)));
  }
  if (!who.empty()) out += fmt::format(" ({})", fmt::join(who, ", "));
  if (threads.silent != 0) out += fmt::format(", {} without a Record of their own", count(threads.silent));
  return out + (orderly ? "; the process ended in order." : "; the recording is cut off.");
}

std::string messages_sentence(const Summary& summary) {
  std::string out;
  for (std::size_t i = Summary::levels; i-- > 0;) {
    if (summary.messages()[i] == 0) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count(summary.messages()[i]),
                       trace::name_of(static_cast<trace::Level>(i)));
  }
  return fmt::format("Messages: {}.\n", out.empty() ? "none" : out);
}

std::string problems_sentence(const Process& process, const Options& options) {
  constexpr std::size_t most = 3;
  const std::size_t all = process.problems.size();
  if (all == 0) return {};
  std::string out = toned(fmt::format("Problems with the input: {}", count(all)), Tone::bad, options.color) + "\n";
  for (std::size_t i = 0; i < std::min(all, most); ++i) {
    out += wrapped("  " + trace::escaped(process.problems[i].text), options.width, 4);
  }
  return all > most ? out + fmt::format("  and {} more (all of them: --format json)\n", all - most) : out;
}

}  // namespace

std::string report_text(const Process& process, const Analysis& analysis, const Blame& blame, const Options& options) {
  std::string out =
      head(process, analysis, options) + "\n" + verdict_text(process, analysis, options, 2, most_threads_told);
  if (const std::string others = others_sentence(process, analysis); !others.empty())
    out += wrapped(others, options.width, 2);
  if (const std::string order = order_sentence(process, analysis); !order.empty())
    out += wrapped(order, options.width, 2);
  out += worst_locks(process, analysis, options) + worst_joins(process, analysis, options);
  if (const std::string lines = all_advice({process, analysis, options}); !lines.empty())
    out += section("What could be done about it", options) + lines;
  if (const std::string lines = blame_lines({process, analysis, options}, blame); !lines.empty())
    out += section("Whose doing the waiting was in the end (more: unspool blame)", options) + lines;
  out += "\n";
  out += waits_sentence(process, analysis, options);
  out += wrapped(threads_sentence(process, analysis), options.width, 2);
  out += messages_sentence(analysis.summary);
  if (const std::string misuse = misuse_sentence(analysis); !misuse.empty()) out += wrapped(misuse, options.width, 2);
  if (const std::string cost = cost_sentence(process); !cost.empty()) out += wrapped(cost, options.width, 2);
  out += reservations(process, analysis, options);
  return out + problems_sentence(process, options);
}

Json report_json(const Process& process, const Analysis& analysis, const Blame& blame) {
  const Summary::Threads& threads = analysis.summary.threads();
  Json out = deadlocks_json(process, analysis);
  out["threads"] = {{"all", threads.all},     {"ended", threads.ended},           {"exceptions", threads.exceptions},
                    {"alive", threads.alive}, {"daemons", threads.daemons_alive}, {"silent", threads.silent}};
  Json& messages = out["messages"] = Json::object();
  for (std::size_t i = 0; i < Summary::levels; ++i) {
    messages[std::string{trace::name_of(static_cast<trace::Level>(i))}] = analysis.summary.messages()[i];
  }
  out["locks"] = locks_json(process, analysis)["locks"];
  const Json joins = joins_json(process, analysis);
  const Options plain;
  out["misuses"] = misuse_json(process, analysis)["misuses"];
  const Json order = order_json(process, analysis);
  out["order_known"] = order["order_known"];
  out["inversions"] = order["inversions"];
  out["waits"] = waits_json(process, analysis)["waits"];
  out["blame"] = blame_sums_json({process, analysis, plain}, blame);
  out["join_totals"] = joins["totals"];
  out["joins"] = joins["joins"];
  out["cost"] = cost_json(process);
  return out;
}

bool run_report(std::span<Input> inputs, const Options& options, std::FILE* out) {
  bool findings = false;
  Answers answers{"report", options, out};
  for (const Input& input : inputs) {
    const Filter filter{options.wanted, input.process, input.last};
    Blame blame{input.process, filter, Blame::Effort::little};
    Analysis analysis{input.process, input.source, nullptr, filter, {options.messages, false, &blame}};
    settle(input.process, analysis, options);
    findings = findings || !analysis.deadlocks.cycles().empty();
    answers.join(input.process, analysis, analysis.replay.last_sign_of_life());
    answers.add([&] { return report_text(input.process, analysis, blame, options); },
                [&] { return report_json(input.process, analysis, blame); });
  }
  answers.finish();
  return findings;
}

}  // namespace unspool
