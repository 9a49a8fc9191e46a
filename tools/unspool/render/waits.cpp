// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/waits.hpp>

#include <algorithm>
#include <map>

namespace unspool {
namespace {

constexpr std::size_t most_rows = 20;
constexpr std::size_t most_blocks = 5;
constexpr std::size_t most_parts = 3;

using Align = Table::Align;
using Column = Table::Column;
using Context = Scene;
using trace::Kind;

std::string name_of(const Context& context, const SignalFigures& each) {
  const std::string_view kind = trace::name_of(each.kind);
  std::string name;
  if (!each.name.empty()) {
    name = fmt::format("{} \"{}\"", kind, trace::escaped(each.name));
  } else if (each.site != 0) {
    name = fmt::format("{} of {}", kind, context.names.site(each.site));
  } else {
    name = fmt::format("{} {}", kind, object_number(each.example));
  }
  return each.instances > 1 ? fmt::format("{} ×{}", name, short_count(each.instances)) : name;
}

std::string table_of(const Context& context) {
  Table table{{{"what", Align::left, true},
               {"waits"},
               {"at once"},
               {"timeouts"},
               {"total", Align::right, false, "waited"},
               {"p50", Align::right, false, "waited"},
               {"p99", Align::right, false, "waited"},
               {"max", Align::right, false, "waited"},
               {"p50", Align::right, false, "woken, ran after"},
               {"p99", Align::right, false, "woken, ran after"}}};
  const auto& figures = context.analysis.signals.figures();
  for (std::size_t i = 0; i < std::min(figures.size(), most_rows); ++i) {
    const SignalFigures& each = figures[i];
    const bool complete = context.analysis.replay.complete();
    const auto figure = [&](const Samples& samples, trace::Ticks ticks) {
      return samples.count() == 0 ? Table::Cell{"-", Tone::faint} : Table::Cell{context.narrow(ticks)};
    };
    table.row({{name_of(context, each)},
               {short_count(each.waits.count())},
               {complete ? short_count(each.passed) : std::string{unknown_figure}},
               {short_count(each.timeouts)},
               figure(each.waits, each.waits.sum()),
               figure(each.waits, each.waits.percentile(0.5)),
               figure(each.waits, each.waits.percentile(0.99)),
               figure(each.waits, each.waits.max()),
               figure(each.latency, each.latency.percentile(0.5)),
               figure(each.latency, each.latency.percentile(0.99))});
  }
  std::string out = table.text(context.options.width, context.options.color, 0, true);
  if (figures.size() <= most_rows) return out;
  return out + fmt::format("and {} more (all of them: --format json)\n", count(figures.size() - most_rows));
}

/// Who, where, how often, how long, and the share of `whole`.
std::string parts_table(const Context& context, const Tally& tally, std::string_view who, std::string_view time,
                        double whole) {
  const std::vector<Part> parts = tally.parts();
  if (parts.empty()) return {};
  Table table{{{std::string{who}, Align::left, true},
               {"at", Align::left, true, "", Table::Cut::end},
               {"times"},
               {std::string{time}},
               {"share"}}};
  for (std::size_t i = 0; i < std::min(parts.size(), most_parts); ++i) {
    const Part& part = parts[i];
    table.row({{part.actor.thread == 0 ? "not recorded" : context.names.thread(part.actor.thread)},
               {part.actor.site == 0 ? "" : context.names.site_and_function(part.actor.site)},
               {count(part.count)},
               {context.times.span(part.ticks)},
               {percent(static_cast<double>(part.ticks), whole)}});
  }
  std::string out = table.text(context.options.width, context.options.color, 2);
  if (parts.size() > most_parts) out += fmt::format("  and {} more\n", parts.size() - most_parts);
  return out;
}

std::string spread(const Context& context, const Samples& samples) {
  return fmt::format("p50 {}, p99 {}, {} at most", context.times.span(samples.percentile(0.5)),
                     context.times.span(samples.percentile(0.99)), context.times.span(samples.max()));
}

std::string timeouts_words(const Context& context, const SignalFigures& each) {
  if (each.timeouts == 0) return {};
  std::string out = fmt::format("{} timed out", counted(each.timeouts, "wait", "waits"));
  const std::vector<Part> sites = each.timed_out.by_site();
  for (std::size_t i = 0; i < std::min(sites.size(), most_parts); ++i) {
    out +=
        fmt::format("{}{} at {}", i == 0 ? ": " : ", ", count(sites[i].count), context.names.site(sites[i].actor.site));
  }
  return out;
}

std::string side_words(const Context& context, const Samples& samples, std::string_view what) {
  if (samples.count() == 0) return {};
  return fmt::format("{} {} in all for {}", counted(samples.count(), "wait of", "waits of"),
                     context.times.span(samples.sum()), what);
}

std::vector<std::string> queue_words(const Context& context, const SignalFigures& each) {
  const bool depth_known = context.analysis.replay.complete() && each.depth.span != 0;
  return {!depth_known
              ? ""
              : fmt::format("it held {:.3g} items in mean, {} at most", each.depth.mean(), count(each.depth.max)),
          side_words(context, each.sides[1], "an item (it was empty)"),
          side_words(context, each.sides[0], "room (it was full)"),
          side_words(context, each.sides[2], "the last item to be done")};
}

std::vector<std::string> pool_words(const Context& context, const SignalFigures& each) {
  std::vector<std::string> out;
  const bool complete = context.analysis.replay.complete();
  if (complete && each.task_waits.count() != 0)
    out.push_back("tasks waited in the queue: " + spread(context, each.task_waits));
  if (complete && each.tasks.count() != 0)
    out.push_back(fmt::format("{} ran: {}", counted(each.tasks.count(), "task", "tasks"), spread(context, each.tasks)));
  if (complete)
    out.push_back(
        fmt::format("its queue held {:.3g} tasks in mean, {} at most", each.depth.mean(), count(each.depth.max)));
  out.push_back(side_words(context, each.sides[0], "room in the queue"));
  out.push_back(side_words(context, each.sides[1], "results"));
  out.push_back(side_words(context, each.sides[2], "work (idle workers)"));
  if (complete && each.starvations != 0) {
    out.push_back(fmt::format("starved for {} in {}: tasks were queued while all workers waited inside their own",
                              context.times.span(each.starved), counted(each.starvations, "time", "times")));
  }
  return out;
}

/// What is particular to the kind, in phrases.
std::vector<std::string> kind_words(const Context& context, const SignalFigures& each) {
  const auto calls = [&](std::string_view called) {
    if (each.signals == 0 || !context.analysis.replay.complete()) return std::string{};
    std::string out = fmt::format("{} {}", called, counted(each.signals, "time", "times"));
    return each.in_vain == 0 ? out : out + fmt::format(", {} of them with nobody to wake", count(each.in_vain));
  };
  switch (each.kind) {
    case Kind::condition:
      return {calls("notified")};
    case Kind::event:
      return {calls("set")};
    case Kind::barrier:
      if (!context.analysis.replay.complete()) return {};
      return {counted(each.signals, "generation", "generations")};
    case Kind::queue:
      return queue_words(context, each);
    case Kind::pool:
      return pool_words(context, each);
    case Kind::timer:
      return {each.late.count() == 0
                  ? ""
                  : fmt::format("{} fired, late by {}", count(each.late.count()), spread(context, each.late))};
    default:
      return {};
  }
}

/// Who had permits while others waited. Outside of mode `all` one that was taken without a wait is not recorded.
std::string holders_of(const Context& context, const SignalFigures& each) {
  if (each.kind != Kind::semaphore && each.kind != Kind::bounded_semaphore) return {};
  if (!context.analysis.replay.complete()) {
    return wrapped(
        "  who had its permits meanwhile is not known: in this mode one that was taken without a wait is not recorded",
        context.options.width, 2);
  }
  if (each.holders.parts().empty() || each.waited_for_permits == 0) return {};
  return parts_table(context, each.holders, "had a permit meanwhile", "while waited",
                     static_cast<double>(each.waited_for_permits));
}

std::string block_of(const Context& context, const SignalFigures& each) {
  std::string out =
      "\n" + toned(name_of(context, each), Tone::strong, context.options.color) +
      (each.site == 0 ? "\n" : fmt::format(", created at {}\n", context.names.site_and_function(each.site)));
  std::vector<std::string> words = kind_words(context, each);
  words.push_back(timeouts_words(context, each));
  if (each.cancels != 0) words.push_back(counted(each.cancels, "wait was cancelled", "waits were cancelled"));
  if (each.refused != 0) words.push_back(counted(each.refused, "call was refused", "calls were refused"));
  if (each.busy != 0) words.push_back(counted(each.busy, "try failed at once", "tries failed at once"));
  if (each.unended != 0) {
    words.push_back(counted(each.unended, "thread still waits", "threads still wait") + " at the end" +
                    waited_so_far(context.process, context.analysis, each.unended, each.unended_ticks));
  }
  std::erase(words, "");
  if (!words.empty()) out += wrapped(fmt::format("  {}", fmt::join(words, "; ")), context.options.width, 2);
  const auto waited = static_cast<double>(each.waits.sum());
  if (each.kind == Kind::barrier) {
    const std::vector<Part> last = each.last.parts();
    double all = 0;
    for (const Part& part : last)
      all += static_cast<double>(part.ticks);
    return out + parts_table(context, each.last, "came last", "the others waited", all);
  }
  out += holders_of(context, each);
  if (each.kind != Kind::timer) {
    out += parts_table(context, each.wakers, "let waiters go on", "after waits of", waited);
  }
  return out + parts_table(context, each.waiters, "who waited", "for", waited);
}

bool is_interesting(const SignalFigures& each) {
  return each.waits.count() + each.unended + each.timeouts + each.task_waits.count() != 0;
}

}  // namespace

std::string waits_sentence(const Process& process, const Analysis& analysis, const Options& options) {
  std::map<Kind, std::pair<std::uint64_t, trace::Ticks>> kinds;
  std::uint64_t waiting = 0;
  std::string out;
  const Context context{process, analysis, options};
  for (const SignalFigures& each : analysis.signals.figures()) {
    waiting += each.unended;
    if (each.waits.count() == 0) continue;
    auto& [waits, ticks] = kinds[each.kind];
    waits += each.waits.count();
    ticks = add_saturated(ticks, each.waits.sum());
  }
  for (const auto& [kind, sum] : kinds) {
    out += fmt::format("{}{} {} ({})", out.empty() ? "Other waits: " : ", ", trace::name_of(kind),
                       context.times.span(sum.second), counted(sum.first, "wait", "waits"));
  }
  if (waiting != 0) {
    out += fmt::format("{}{} at the end", out.empty() ? "Other waits: " : "; ",
                       counted(waiting, "thread still waits", "threads still wait"));
  }
  if (!out.empty()) out = wrapped(out + ": unspool waits", options.width, 2);
  for (const SignalFigures& each : analysis.signals.figures()) {
    if (each.starvations == 0 || !analysis.replay.complete()) continue;
    out += wrapped(fmt::format("{} starved for {}: tasks were queued while all its workers waited",
                               name_of(context, each), context.times.span(each.starved)),
                   options.width, 2);
  }
  return out;
}

std::string waits_text(const Process& process, const Analysis& analysis, const Options& options) {
  const Context context{process, analysis, options};
  std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n";
  const auto& figures = analysis.signals.figures();
  if (figures.empty()) {
    if (analysis.filter.is_on())
      return out + "Nothing that threads wait for, but locks and threads, passes the filter.\n";
    if (!analysis.replay.complete()) return out + "No wait for anything but locks and threads is recorded.\n";
    return out + "No condition, event, semaphore, barrier, queue, pool or timer was used.\n";
  }
  out += table_of(context);
  std::size_t shown = 0;
  for (const SignalFigures& each : figures) {
    if (is_interesting(each) && shown++ < most_blocks) out += block_of(context, each);
  }
  return out;
}

bool run_waits(std::span<Input> inputs, const Options& options, std::FILE* out) {
  for_each_process(
      inputs, options, out, "waits",
      [&](const Process& process, const Analysis& analysis) { return waits_text(process, analysis, options); },
      waits_json);
  return false;  // to wait is what these are for
}

}  // namespace unspool
