// SPDX-License-Identifier: MIT
//
// `unspool why THREAD`: why it did not get on, in words.
#include <fmt/format.h>
#include <unspool/analyze/why.hpp>
#include <unspool/render/blame.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/table.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

using Role = BlameStep::Role;

constexpr std::size_t most_threads = 5;
constexpr std::size_t most_waits = 5;
constexpr std::size_t most_chains = 4;

struct Context : Scene {
  const Why& why;

  Context(const Process& a_process, const Analysis& an_analysis, const Why& a_why, const Options& some_options)
      : Scene{a_process, an_analysis, some_options}, why{a_why} {}
};

/// From the thread whose wait it is on; that one itself is left out.
std::vector<BlameStep> steps_behind(const Why& why, std::size_t node) {
  std::vector<BlameStep> steps;
  const auto& nodes = why.nodes();
  for (; node != 0; node = nodes[node].parent)
    steps.push_back(nodes[node].step);
  if (!steps.empty() && steps.back().role == Role::waits) steps.pop_back();
  std::ranges::reverse(steps);
  return steps;
}

/// Time by chain, most first; a chain that came again is one.
Why::Chains by_time(const Why::Chains& chains) {
  Why::Chains out;
  for (const auto& [node, ticks] : chains) {
    const auto same = std::ranges::find(out, node, &Why::Chains::value_type::first);
    if (same == out.end()) {
      if (ticks != 0) out.emplace_back(node, ticks);
    } else {
      same->second += ticks;
    }
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

std::string unknown_words(trace::Kind awaited) {
  return can_be_held(awaited) ? "who had it is not known" : "who ended it is not known";
}

/// Who had, or gave, what the step before it (the first: the wait that is told) waited for.
std::string step_words(const Context& context, const BlameStep& step, trace::Kind awaited, bool first) {
  const Names& names = context.names;
  const std::string who = names.thread(step.thread);
  const bool owned = can_be_held(awaited);
  // A writer keeps out readers that come after it.
  const bool queued = awaited == trace::Kind::shared_lock && step.kind == awaited && step.role == Role::waits;
  const std::string_view held = queued ? "had, or asked for before," : "had,";
  const std::string had = !owned   ? (first ? who : "where " + who)
                          : !first ? fmt::format("which {} {} and", who, held)
                          : queued ? who + " had it, or asked for it before, and"
                                   : who + " had it, and";
  const std::string at = step.site == 0 ? "" : " at " + names.site_and_function(step.site);
  switch (step.role) {
    case Role::waits:
    case Role::signal:
      return fmt::format("{} waited for {}{}", had, names.object(step.object, step.kind), at);
    case Role::runs:
      return fmt::format("{} ran{}", had, step.site == 0 ? "" : ", having taken it" + at);
    case Role::gives:
      return fmt::format("{} ran, and {}{}", had, letting_go(awaited), at);
    case Role::limit:
      return "nobody ended it before its time limit";
    case Role::woken:
      return fmt::format("it was over, and {} did not run yet", first ? "the thread" : "that thread");
    case Role::ended:
      return fmt::format("{} has ended", had);
    case Role::hand_over:
      return first ? "nobody had it: released, and not yet taken (hand-over)"
                   : "which nobody had just then (hand-over)";
    case Role::readers:
      return (first ? "several readers had it" : "which several readers had") + (step.site == 0 ? "" : ", taken" + at);
    case Role::cycle:
      return fmt::format("{} is in this chain already: a circle", had);
    case Role::rest:
      return "chains past the number that is kept apart";
    case Role::unknown:
      break;
  }
  return unknown_words(awaited);
}

std::string chain_words(const Context& context, const Why::Told& told, std::size_t node) {
  std::string out;
  trace::Kind awaited = told.wait.kind;
  for (const BlameStep& step : steps_behind(context.why, node)) {
    out += (out.empty() ? "" : ", ") + step_words(context, step, awaited, out.empty());
    awaited = step.kind;
  }
  return out.empty() ? unknown_words(told.wait.kind) : out;
}

std::string chain_lines(const Context& context, const Why::Told& told) {
  const Why::Chains chains = by_time(told.chains);
  std::string out;
  for (std::size_t i = 0; i < std::min(chains.size(), most_chains); ++i) {
    const auto& [node, ticks] = chains[i];
    out += wrapped(fmt::format("    for {} ({}) {}", context.times.span(ticks),
                               percent(static_cast<double>(ticks), static_cast<double>(told.wait.ticks())),
                               chain_words(context, told, node)),
                   context.options.width, 6);
  }
  trace::Ticks rest = 0;
  for (std::size_t i = most_chains; i < chains.size(); ++i)
    rest = add_saturated(rest, chains[i].second);
  if (chains.size() > most_chains) {
    out += fmt::format("    for {} {} (all of them: --format json)\n", context.times.span(rest),
                       counted(chains.size() - most_chains, "other chain", "other chains"));
  }
  return out;
}

std::string ending_words(const Context& context, const Wait& wait) {
  if (wait.ending == Ending::unended) return "It has not ended.";
  if (wait.ending == Ending::timeout) return "It timed out.";
  if (wait.ending == Ending::cancel) return "It was cancelled.";
  if (wait.ending == Ending::refused) return "It was refused.";
  if (wait.waker == 0) return {};
  const std::string at =
      wait.waker_site == 0 ? "" : fmt::format(" at {}", context.names.site_and_function(wait.waker_site));
  return fmt::format("{} ended it{}.", context.names.thread(wait.waker), at);
}

std::string wait_lines(const Context& context, const Why::Told& told) {
  const Wait& wait = told.wait;
  const std::string what = wait.kind == trace::Kind::thread ? "for the end of" : "for";
  std::string out = wrapped(
      fmt::format("  {} from {} on {} {} at {}", context.times.span(wait.ticks()), context.times.offset(wait.since),
                  what, context.names.object(wait.object, wait.kind), context.names.site_and_function(wait.site)),
      context.options.width, 4);
  out += call_lines(context.names, wait.stack, context.options.width, 4) + chain_lines(context, told);
  if (const std::string end = ending_words(context, wait); !end.empty()) {
    out += wrapped("    " + end, context.options.width, 6);
  }
  return out;
}

std::string balance(const Context& context, const Why::Thread& thread) {
  const trace::Ticks since = context.why.since(thread);
  const trace::Ticks until = context.why.until(thread);
  const auto whole = static_cast<double>(until > since ? until - since : 0);
  Table table{{{"", Table::Align::left, true}, {"for"}, {"share"}, {"waits"}}};
  const auto row = [&](std::string what, trace::Ticks ticks, std::string times) {
    table.row({{std::move(what)},
               {context.times.span(ticks)},
               {percent(static_cast<double>(ticks), whole)},
               {std::move(times)}});
  };
  row("ran, or was not seen waiting", context.why.ran(thread), "");
  std::vector<std::pair<trace::Kind, Why::Sum>> sums{thread.waited.begin(), thread.waited.end()};
  std::ranges::stable_sort(sums, [](const auto& a, const auto& b) { return a.second.ticks > b.second.ticks; });
  for (const auto& [kind, sum] : sums) {
    const std::string what =
        kind == trace::Kind::thread
            ? "waited for the end of threads"
            : fmt::format("waited for {} {}", kind == trace::Kind::event ? "an" : "a", trace::name_of(kind));
    row(what, sum.ticks, count(sum.waits));
  }
  return table.text(context.options.width, context.options.color, 2);
}

std::string thread_text(const Context& context, trace::ThreadNumber number, const Why::Thread& thread) {
  const trace::Ticks since = context.why.since(thread);
  const trace::Ticks until = context.why.until(thread);
  std::string out = "\n" + toned(context.names.thread(number), Tone::strong, context.options.color);
  if (until <= since) return out + ": it did nothing in that time.\n";
  const std::string calendar = context.times.calendar(since);
  out += fmt::format(", {} from {}{} to {}\n", context.times.span(until - since), context.times.offset(since),
                     calendar.empty() ? "" : fmt::format(" ({})", calendar), context.times.offset(until));
  out += balance(context, thread);
  if (thread.longest.empty()) {
    return out + (thread.waited.empty() ? "  No wait of it is in the trace.\n" : "  No wait passes the filter.\n");
  }
  out += "\n  Its longest waits\n";
  for (std::size_t i = 0; i < std::min(thread.longest.size(), most_waits); ++i)
    out += wait_lines(context, thread.longest[i]);
  Why::Sum rest = thread.rest;
  for (std::size_t i = most_waits; i < thread.longest.size(); ++i) {
    ++rest.waits;
    rest.ticks = add_saturated(rest.ticks, thread.longest[i].own);
  }
  if (rest.waits != 0) {
    out += fmt::format("  and {} of {} in all (more of them: --format json)\n", counted(rest.waits, "wait", "waits"),
                       context.times.span(rest.ticks));
  }
  return out;
}

std::string why_text(const Context& context) {
  std::string out = heading(context.process, context.analysis, context.options) +
                    reservations(context.process, context.analysis, context.options);
  const auto& threads = context.why.threads();
  if (threads.empty()) return out + "\nThe thread made no Record in that time.\n";
  std::size_t shown = 0;
  for (const auto& [number, thread] : threads) {
    if (++shown <= most_threads) out += thread_text(context, number, thread);
  }
  if (shown > most_threads)
    out += fmt::format("\nand {} more threads (all of them: --format json)\n", shown - most_threads);
  return out;
}

Json steps_json(const ProcessJson& json, const Why& why, std::size_t node) {
  Json out = Json::array();
  for (const BlameStep& step : steps_behind(why, node)) {
    const bool has_object = step.role == Role::waits || step.role == Role::signal;
    out.push_back({{"role", name_of(step.role)},
                   {"thread", json.thread(step.thread)},
                   {"site", json.site(step.site)},
                   {"object", has_object ? json.object(step.object, step.kind) : Json{}}});
  }
  return out;
}

Json wait_json(const ProcessJson& json, const Why& why, const Why::Told& told) {
  const Wait& wait = told.wait;
  Json out{{"thread", json.thread(wait.thread)}, {"object", json.object(wait.object, wait.kind)},
           {"site", json.site(wait.site)},       {"stack", json.stack(wait.stack)},
           {"since", json.offset(wait.since)},   {"waited", json.span(wait.ticks())},
           {"counted", json.span(told.own)},     {"ending", name_of(wait.ending)},
           {"waker", json.thread(wait.waker)},   {"waker_site", json.site(wait.waker_site)}};
  out["chains"] = Json::array();
  for (const auto& [node, ticks] : by_time(told.chains))
    out["chains"].push_back({{"steps", steps_json(json, why, node)}, {"time", json.span(ticks)}});
  return out;
}

Json why_json(const Context& context) {
  const ProcessJson json{context.process, context.analysis};
  Json out = json.process();
  out["threads"] = Json::array();
  out["waits"] = Json::array();
  for (const auto& [number, thread] : context.why.threads()) {
    const trace::Ticks since = context.why.since(thread);
    const trace::Ticks until = context.why.until(thread);
    Json each{{"thread", json.thread(number)},
              {"from", json.offset(since)},
              {"to", json.offset(until)},
              {"span", json.span(until > since ? until - since : 0)},
              {"ran", json.span(context.why.ran(thread))}};
    each["waited"] = Json::array();
    for (const auto& [kind, sum] : thread.waited)
      each["waited"].push_back({{"kind", trace::name_of(kind)}, {"waits", sum.waits}, {"time", json.span(sum.ticks)}});
    each["left_out"] = {{"waits", thread.rest.waits}, {"time", json.span(thread.rest.ticks)}};
    out["threads"].push_back(std::move(each));
    for (const Why::Told& told : thread.longest)
      out["waits"].push_back(wait_json(json, context.why, told));
  }
  return out;
}

}  // namespace

bool run_why(std::span<Input> inputs, const Options& options, std::FILE* out) {
  Answers answers{"why", options, out};
  for (const Input& input : inputs) {
    Wanted wanted = options.wanted;
    wanted.own_waits = true;
    const Filter filter{wanted, input.process, input.last};
    Why why{input.process, filter};
    const Analysis analysis{input.process, input.source, &why, filter};
    const Context context{input.process, analysis, why, options};
    answers.add([&] { return why_text(context); }, [&] { return why_json(context); });
  }
  answers.finish();
  return false;  // a thread that waits is no fault
}

}  // namespace unspool
