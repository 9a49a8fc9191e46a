// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/snapshot.hpp>
#include <unspool/render/advice.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/messages.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most_rows = 20;
constexpr std::size_t most_blocks = 3;
constexpr std::size_t most_parts = 5;
constexpr std::uint64_t long_holds_a_second = 10;  // a tenth of a second is long
/// Held so much of its life, a lock that nobody waits for is told of; a few long holds are no traffic.
constexpr trace::Ticks busy_percent = 80;
constexpr std::uint64_t least_for_busy = 10;

using Align = Table::Align;
using Column = Table::Column;
using Cell = Table::Cell;
using Context = Scene;

/// "-" where there is nothing to take a figure of.
Cell figure(const Samples& samples, std::string text) {
  return samples.count() == 0 ? Cell{"-", Tone::faint} : Cell{std::move(text)};
}

/// For the column of names, where each letter counts.
std::string short_name(const Names& names, const LockFigures& lock) {
  std::string name = lock.name.empty() ? lock_name(names, lock) : trace::escaped(lock.name);
  if (lock.name.empty() && lock.site != 0) name = names.site(lock.site);
  const bool counts = lock.instances > 1 && (!lock.name.empty() || lock.site != 0);
  return counts ? fmt::format("{} ×{}", name, short_count(lock.instances)) : name;
}

/// Where there is no room for all, without means and the tails of holds.
template <class Each>
std::vector<Each> fitting(const Scene& scene, std::vector<Each> all) {
  constexpr unsigned room_for_all = 92;
  constexpr std::ptrdiff_t mean = 5;
  constexpr std::ptrdiff_t tail = 10;
  if (scene.options.width >= room_for_all) return all;
  all.erase(all.begin() + tail);
  all.erase(all.begin() + mean);
  return all;
}

std::vector<Cell> row_of(const Context& context, const LockFigures& lock) {
  const bool complete = context.analysis.replay.complete();
  const Samples& waits = lock.waits;
  const Samples& holds = lock.holds;
  const auto only_complete = [&](Cell cell) { return complete ? std::move(cell) : Cell{std::string{unknown_figure}}; };
  std::vector<Cell> cells = {
      {short_name(context.names, lock)},
      only_complete({short_count(lock.acquisitions)}),
      {short_count(lock.contended)},
      only_complete({percent(static_cast<double>(lock.contended), static_cast<double>(lock.acquisitions), "")}),
      figure(waits, context.narrow(waits.sum())),
      figure(waits, context.narrow(waits.mean())),
      figure(waits, context.narrow(waits.percentile(0.5))),
      figure(waits, context.narrow(waits.percentile(0.99))),
      figure(waits, context.narrow(waits.max())),
      only_complete(figure(holds, context.narrow(holds.sum()))),
      only_complete(figure(holds, context.narrow(holds.percentile(0.99)))),
      only_complete(figure(holds, context.narrow(holds.max())))};
  return fitting(context, std::move(cells));
}

}  // namespace

std::string locks_table(const Scene& context, const std::vector<LockFigures>& figures) {
  std::vector<Table::Column> columns{{"lock", Align::left, true},
                                     {"acquired"},
                                     {"contended"},
                                     {"share"},
                                     {"total", Align::right, false, "waited"},
                                     {"mean", Align::right, false, "waited"},
                                     {"p50", Align::right, false, "waited"},
                                     {"p99", Align::right, false, "waited"},
                                     {"max", Align::right, false, "waited"},
                                     {"total", Align::right, false, "held"},
                                     {"p99", Align::right, false, "held"},
                                     {"max", Align::right, false, "held"}};
  Table table{fitting(context, std::move(columns))};
  for (std::size_t i = 0; i < std::min(figures.size(), most_rows); ++i)
    table.row(row_of(context, figures[i]));
  std::string out = table.text(context.options.width, context.options.color, 0, true);
  if (figures.size() <= most_rows) return out;
  trace::Ticks rest = 0;
  for (std::size_t i = most_rows; i < figures.size(); ++i)
    rest = add_saturated(rest, figures[i].waits.sum());
  return out + fmt::format("and {} more, waited for {} in all (all of them: --format json)\n",
                           count(figures.size() - most_rows), context.times.span(rest));
}

namespace {

/// Time that nobody is to blame for, or nobody known, as a row of its own.
void apart(Table& table, const Context& context, const LockFigures& lock, trace::Ticks ticks, std::string_view what) {
  if (ticks == 0) return;
  table.row({{std::string{what}},
             {},
             {context.times.span(ticks)},
             {percent(static_cast<double>(ticks), static_cast<double>(lock.waits.sum()))}});
}

void rest_row(Table& table, const Context& context, const LockFigures& lock, const std::vector<Part>& parts) {
  trace::Ticks ticks = 0;
  for (std::size_t i = most_parts; i < parts.size(); ++i)
    ticks = add_saturated(ticks, parts[i].ticks);
  if (parts.size() > most_parts) {
    apart(table, context, lock, ticks, fmt::format("and {} more", parts.size() - most_parts));
  }
}

/// With many threads the line says more than the thread does.
std::string lines_of(const Context& context, const LockFigures& lock, const std::vector<Part>& parts) {
  Table table{{{"held meanwhile by those that took it at", Align::left, true, "", Table::Cut::end},
               {std::string{context.actors}},
               {"for"},
               {"share"}}};
  const std::vector<Part> sites = lock.holders.by_site();
  for (std::size_t i = 0; i < std::min(sites.size(), most_parts); ++i) {
    const auto at_site = [&](const Part& part) { return part.actor.site == sites[i].actor.site; };
    table.row({{context.names.site_and_function(sites[i].actor.site)},
               {count(static_cast<std::uint64_t>(std::ranges::count_if(parts, at_site)))},
               {context.times.span(sites[i].ticks)},
               {percent(static_cast<double>(sites[i].ticks), static_cast<double>(lock.waits.sum()))}});
  }
  rest_row(table, context, lock, sites);
  return table.text(context.options.width, context.options.color, 2);
}

/// Several who held it together are told with their line where it was the same.
std::string place_of(const Context& context, const Part& part) {
  if (part.actor.thread == other_threads && part.actor.site == 0) return "different lines";
  return context.names.site_and_function(part.actor.site);
}

std::string holders_of(const Context& context, const LockFigures& lock) {
  Table table{{{"held meanwhile by", Align::left, true},
               {"taken at", Align::left, true, "", Table::Cut::end},
               {"for"},
               {"share"}}};
  const std::vector<Part> parts = lock.holders.parts();
  for (std::size_t i = 0; i < std::min(parts.size(), most_parts); ++i) {
    table.row({{context.names.thread(parts[i].actor.thread)},
               {place_of(context, parts[i])},
               {context.times.span(parts[i].ticks)},
               {percent(static_cast<double>(parts[i].ticks), static_cast<double>(lock.waits.sum()))}});
  }
  rest_row(table, context, lock, parts);
  apart(table, context, lock, lock.hand_over, "nobody (hand-over)");
  apart(table, context, lock, lock.unknown_holder, "not known");
  const std::string by_thread = table.text(context.options.width, context.options.color, 2);
  return parts.size() > most_parts ? lines_of(context, lock, parts) + by_thread : by_thread;
}

std::string waiters_of(const Context& context, const LockFigures& lock) {
  Table table{{{"who waited", Align::left, true},
               {"at", Align::left, true, "", Table::Cut::end},
               {"times"},
               {"for"},
               {"share"}}};
  const std::vector<Part> parts = lock.waiters.parts();
  for (std::size_t i = 0; i < std::min(parts.size(), most_parts); ++i) {
    table.row({{context.names.thread(parts[i].actor.thread)},
               {context.names.site_and_function(parts[i].actor.site)},
               {count(parts[i].count)},
               {context.times.span(parts[i].ticks)},
               {percent(static_cast<double>(parts[i].ticks), static_cast<double>(lock.waits.sum()))}});
  }
  std::string out = table.text(context.options.width, context.options.color, 2);
  if (parts.size() > most_parts) out += fmt::format("  and {} more\n", parts.size() - most_parts);
  return out;
}

/// Where a wrapper has one line for all, these tell who called it.
std::string stacks_of(const Context& context, const LockFigures& lock) {
  constexpr std::size_t most_stacks = 3;
  std::string out;
  std::size_t shown = 0;
  for (const Part& part : lock.stacks.parts()) {
    const std::string calls = call_lines(context.names, part.actor.site, context.options.width, 4);
    if (calls.empty() || ++shown > most_stacks) continue;
    out += fmt::format("  waited for {} ({}, {}) in\n", context.times.span(part.ticks),
                       counted(part.count, "time", "times"),
                       percent(static_cast<double>(part.ticks), static_cast<double>(lock.waits.sum())));
    out += calls;
  }
  if (shown > most_stacks) out += fmt::format("  and in {} more call stacks\n", shown - most_stacks);
  return out;
}

/// What does not fit the table but matters when it is not zero.
std::string remarks(const Context& context, const LockFigures& lock) {
  std::string out;
  const auto say = [&](std::uint64_t times, std::string_view one, std::string_view many) {
    if (times != 0) out += fmt::format("{}{}", out.empty() ? "" : "; ", counted(times, one, many));
  };
  say(lock.timeouts, "wait timed out", "waits timed out");
  say(lock.cancels, "wait was cancelled", "waits were cancelled");
  say(lock.busy, "try failed at once", "tries failed at once");
  say(lock.futile, "wake-up in vain", "wake-ups in vain");
  if (context.analysis.replay.complete() && lock.spun != 0) {
    say(lock.spun, "acquisition only spun", "acquisitions only spun");
    out += fmt::format(", with other spinning {} in all", context.times.span(lock.spun_ticks));
  }
  say(lock.released_by_other, "release by another thread than the owner", "releases by another thread than the owner");
  say(lock.lost_waits, "wait without an end left out", "waits without an end left out");
  return out;
}

/// How it went from hand to hand, where every acquire is known.
std::string flow_of(const Context& context, const LockFigures& lock) {
  const Flow& flow = lock.flow;
  const auto share = [](trace::Ticks part, trace::Ticks whole) {
    return percent(static_cast<double>(part), static_cast<double>(whole));
  };
  std::string out = fmt::format(
      "held {} of its life; of the waits {} was queued, {} woken and not yet running", share(flow.held, flow.life),
      context.times.span(lock.waits.sum() - std::min(lock.waits.sum(), flow.woken)), context.times.span(flow.woken));
  if (flow.overtakes != 0) {
    out += fmt::format("; those who waited were overtaken {}, {} of them by the thread that had just released it",
                       counted(flow.overtakes, "time", "times"), count(flow.retakes));
  }
  if (flow.longest_convoy > 2) {
    out += fmt::format("; {} of its life in convoys, the longest of {} acquisitions with always somebody waiting",
                       share(flow.in_convoys, flow.life), count(flow.longest_convoy));
  }
  if (flow.behind_writers != 0) {
    out += fmt::format("; {} behind a waiting writer while readers held it",
                       counted(flow.behind_writers, "reader queued", "readers queued"));
  }
  return out;
}

/// Nobody waits for them yet, and there is little room left until somebody does.
std::string busy_of(const Context& context, const std::vector<LockFigures>& figures) {
  std::string out;
  if (!context.analysis.replay.complete()) return out;
  std::size_t shown = 0;
  for (const LockFigures& lock : figures) {
    const bool busy = lock.flow.held >= lock.flow.life / 100 * busy_percent && lock.acquisitions >= least_for_busy;
    if (!busy || lock.flow.life == 0 || lock.contended != 0 || lock.instances > 1 || ++shown > most_parts) continue;
    out +=
        wrapped(fmt::format("{} is not contended yet, but it was held {} of its life", lock_name(context.names, lock),
                            percent(static_cast<double>(lock.flow.held), static_cast<double>(lock.flow.life))),
                context.options.width, 2);
  }
  return out;
}

std::string block_of(const Context& context, const LockFigures& lock) {
  const std::string name = toned(lock_name(context.names, lock), Tone::strong, context.options.color);
  std::string out = fmt::format("\n{}, created at {}\n", name, context.names.site_and_function(lock.site));
  std::string waits = fmt::format("  {} for {} in all; the longest, {}, was {}'s at {}, from {} on",
                                  counted(lock.waits.count(), "wait", "waits"), context.times.span(lock.waits.sum()),
                                  context.times.span(lock.longest.ticks()), context.names.thread(lock.longest.thread),
                                  context.names.site(lock.longest.site), context.times.offset(lock.longest.since));
  if (lock.instances > 1 && lock.worst_ticks != 0) {
    waits += fmt::format("; the worst instance, {}, has {} of it", object_number(lock.worst),
                         percent(static_cast<double>(lock.worst_ticks), static_cast<double>(lock.all_waited())));
  }
  out += wrapped(waits, context.options.width, 2);
  if (const std::string more = remarks(context, lock); !more.empty()) {
    out += wrapped("  " + more, context.options.width, 2);
  }
  if (context.analysis.replay.complete()) out += wrapped("  " + flow_of(context, lock), context.options.width, 2);
  return out + advice_lines(context, lock) + holders_of(context, lock) + waiters_of(context, lock) +
         inside_table(context, lock) + stacks_of(context, lock);
}

/// Waits that go on at the end are in no total: they have no length yet.
std::string unended_of(const Context& context, const std::vector<LockFigures>& figures) {
  std::string out;
  std::size_t shown = 0;
  for (const LockFigures& lock : figures) {
    if (lock.unended == 0 || ++shown > most_parts) continue;
    out += wrapped(
        fmt::format("{} for {} at the end{} (not in the figures above; see `unspool deadlocks`)",
                    counted(lock.unended, "thread still waits", "threads still wait"), lock_name(context.names, lock),
                    waited_so_far(context.process, context.analysis, lock.unended, lock.unended_ticks)),
        context.options.width, 2);
  }
  return out;
}

}  // namespace

std::string lock_name(const Names& names, const LockFigures& lock) {
  std::string name;
  if (!lock.name.empty()) {
    name = fmt::format("\"{}\"", trace::escaped(lock.name));
    if (lock.kind != trace::Kind::lock) name = fmt::format("{} {}", trace::name_of(lock.kind), name);
  } else {
    name = fmt::format("{} of {}", trace::name_of(lock.kind), names.site(lock.site));
    if (lock.site == 0) name = fmt::format("{} {}", trace::name_of(lock.kind), object_number(lock.worst));
  }
  return lock.instances > 1 ? fmt::format("{} ×{}", name, short_count(lock.instances)) : name;
}

std::string locks_body(const Scene& scene, const std::vector<LockFigures>& figures) {
  if (figures.empty()) {
    if (scene.analysis.filter.is_on()) return "No lock passes the filter.\n";
    return scene.analysis.replay.complete() ? "No lock was used.\n" : "No wait for a lock is recorded.\n";
  }
  std::string out = locks_table(scene, figures) + unended_of(scene, figures) + busy_of(scene, figures);
  for (std::size_t i = 0; i < std::min(figures.size(), most_blocks); ++i) {
    if (figures[i].waits.count() != 0) out += block_of(scene, figures[i]);
  }
  return out;
}

namespace {

/// The longest waits with what was logged meanwhile.
std::string talked_of(const Scene& scene) {
  std::string out;
  for (const TalkedWait& each : scene.analysis.messages.waits()) {
    if (each.said.empty()) continue;
    const Wait& wait = each.wait;
    std::string line = fmt::format("  {} waited {} for {} at {}, up to {}", scene.names.thread(wait.thread),
                                   scene.times.span(wait.ticks()), scene.names.object(wait.object, wait.kind),
                                   scene.names.site(wait.site), scene.times.offset(wait.until));
    if (each.holder != 0) line += fmt::format("; {} had it meanwhile", scene.names.thread(each.holder));
    const Mark mark{wait.since, "the wait begins"};
    out += wrapped(line, scene.options.width, 4) +
           said_lines(scene.names, scene.times, each.said, scene.options.width, 4, &mark);
  }
  return out.empty() ? out : "\nWhat was logged around the longest waits\n" + out;
}

}  // namespace

namespace {

/// Long holds that go on at the end, and those that somebody waits for: in no total, as they have no length yet.
std::string still_held(const Scene& scene) {
  const Replay& replay = scene.analysis.replay;
  const trace::Ticks end = replay.last_sign_of_life();
  const trace::Ticks is_long = scene.process.frequency / long_holds_a_second;
  std::string out;
  std::size_t shown = 0;
  for (const auto& [thread, objects] : held_objects(replay)) {
    for (const HeldObject& each : objects) {
      const auto object = replay.objects().find(each.object);
      const bool waited_for = object != replay.objects().end() && object->second.history.waited_for();
      const trace::Ticks length = each.since_known && end > each.since ? end - each.since : 0;
      if (length == 0 || (length < is_long && !waited_for)) continue;
      const Hold hold{thread, each.object, each.site, each.since, end, 0};
      if (!scene.analysis.filter.passes(hold, each.kind) || ++shown > most_parts) continue;
      out += wrapped(fmt::format("{} holds {} at the end, taken at {}, for {} so far (not in the figures above)",
                                 scene.names.thread(thread), scene.names.object(each.object, each.kind),
                                 scene.names.site_and_function(each.site), scene.times.span(length)),
                     scene.options.width, 2);
    }
  }
  if (shown > most_parts) out += fmt::format("and {} more are held (unspool state)\n", count(shown - most_parts));
  return out;
}

}  // namespace

std::string locks_text(const Process& process, const Analysis& analysis, const Options& options) {
  return heading(process, analysis, options) + reservations(process, analysis, options) + "\n" +
         locks_body({process, analysis, options}, analysis.locks.figures()) + still_held({process, analysis, options}) +
         talked_of({process, analysis, options});
}

bool run_locks(std::span<Input> inputs, const Options& options, std::FILE* out) {
  for_each_process(
      inputs, options, out, "locks",
      [&](const Process& process, const Analysis& analysis) { return locks_text(process, analysis, options); },
      locks_json);
  return false;  // that threads wait for locks is no fault
}

}  // namespace unspool
