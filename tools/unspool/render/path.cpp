// SPDX-License-Identifier: MIT
//
// `unspool path`: the critical path, in words.
#include <fmt/format.h>
#include <unspool/analyze/path.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

using Role = Path::Role;

constexpr std::size_t most_parts = 12;
constexpr std::size_t most_locks = 5;
constexpr std::size_t most_steps = 8;

struct Context : Scene {
  const Path& path;

  Context(const Process& a_process, const Analysis& an_analysis, const Path& a_path, const Options& some_options)
      : Scene{a_process, an_analysis, some_options}, path{a_path} {}
};

using Parts = std::vector<std::pair<Path::What, Path::Part>>;

/// Most time first.
Parts sorted(Parts parts) {
  std::ranges::stable_sort(parts, [](const auto& a, const auto& b) { return a.second.ticks > b.second.ticks; });
  return parts;
}

/// What holding half as long would gain at most.
trace::Ticks gain_of(const Path::Part& part) {
  return part.ticks / 2;
}

/// Lines that took a lock, over all threads.
Parts lock_sites(const Path& path) {
  std::map<Path::What, Path::Part> sums;
  for (const auto& [what, part] : path.parts()) {
    if (what.role != Role::holds) continue;
    Path::Part& sum = sums[{Role::holds, 0, what.object, what.kind, what.site}];
    sum.ticks = add_saturated(sum.ticks, part.ticks);
    sum.steps += part.steps;
  }
  return sorted({sums.begin(), sums.end()});
}

std::string at(const Context& context, trace::SiteNumber site) {
  return site == 0 ? "" : " at " + context.names.site_and_function(site);
}

std::string still_words(const Context& context, const Path::What& what, const std::string& who,
                        const std::string& object) {
  const Deadlocks& deadlocks = context.analysis.deadlocks;
  const Waiting* const now = deadlocks.waiting_of(what.thread);
  const std::string whose = now == nullptr ? "" : whose_it_is(context.names, deadlocks, *now);
  const bool stuck = now != nullptr && now->cycle < Waiting::left_out;
  return fmt::format("{} waits for {}{} to the end{}{}", who, object, at(context, what.site),
                     whose.empty() ? "" : ", " + whose, stuck ? ": a deadlock" : "");
}

std::string words(const Context& context, const Path::What& what) {
  const std::string who = context.names.thread(what.thread);
  const std::string object = what.object == 0 ? "" : context.names.object(what.object, what.kind);
  switch (what.role) {
    case Role::runs:
      return fmt::format("{} ran", who);
    case Role::holds:
      return fmt::format("{} held {}, taken{}", who, object, at(context, what.site));
    case Role::waits:
      if (what.kind == trace::Kind::timer) return fmt::format("{} waited for its time to come, {}", who, object);
      return fmt::format("{} waited for {}{}; nobody is known to have ended that", who, object, at(context, what.site));
    case Role::still:
      return still_words(context, what, who, object);
    case Role::hand_over:
      if (what.kind == trace::Kind::thread)
        return fmt::format("{} was woken by the end of {}, and did not run yet", who, object);
      if (can_be_held(what.kind)) return fmt::format("{} was free, and {} did not run yet", object, who);
      return fmt::format("{} was woken from {}{}, and did not run yet", who, object, at(context, what.site));
    case Role::starts:
      return fmt::format("{} had been started{}, and did not run yet", who, at(context, what.site));
    case Role::left_out:
      break;
  }
  return "parts past the number that is kept apart";
}

std::string share(const Path& path, trace::Ticks ticks) {
  return percent(static_cast<double>(ticks), static_cast<double>(path.until() - path.since()));
}

std::string title(const Context& context) {
  const Path& path = context.path;
  std::string out =
      wrapped(fmt::format("The critical path to where {} was at {}: {} from {} on.",
                          context.names.thread(path.thread()), context.times.offset(path.until()),
                          context.times.span(path.until() - path.since()), context.times.offset(path.since())),
              context.options.width, 2);
  if (path.cut()) {
    out += wrapped(
        fmt::format("It goes on before that, where more than {} wake-ups are behind it: --to and --from tell of "
                    "earlier times.",
                    count(Path::most_wakes)),
        context.options.width, 2);
  }
  return "\n" + out;
}

std::string part_lines(const Context& context) {
  const Parts parts = sorted({context.path.parts().begin(), context.path.parts().end()});
  Table table{{{"what it is made of", Table::Align::left, true, {}, Table::Cut::wrap}, {"for"}, {"share"}, {"times"}}};
  for (std::size_t i = 0; i < std::min(parts.size(), most_parts); ++i) {
    const auto& [what, part] = parts[i];
    table.row({{words(context, what)},
               {context.times.span(part.ticks)},
               {share(context.path, part.ticks)},
               {count(part.steps)}});
  }
  std::string out = "\n" + table.text(context.options.width, context.options.color, 2);
  if (parts.size() > most_parts) {
    trace::Ticks rest = 0;
    for (std::size_t i = most_parts; i < parts.size(); ++i)
      rest = add_saturated(rest, parts[i].second.ticks);
    out += fmt::format("  and {} more of {} in all (all of them: --format json)\n", parts.size() - most_parts,
                       context.times.span(rest));
  }
  return out;
}

std::string lock_lines(const Context& context) {
  const Parts locks = lock_sites(context.path);
  if (locks.empty()) {
    return context.analysis.replay.complete()
               ? "\n  No lock is on it: nothing on it waited for one that somebody held.\n"
               : "\n  Which locks were held on it is not known: not every acquisition was recorded.\n";
  }
  Table table{{{"locks held on it", Table::Align::left, true, {}, Table::Cut::end},
               {"for"},
               {"share"},
               {"halving these gains at most"}}};
  for (std::size_t i = 0; i < std::min(locks.size(), most_locks); ++i) {
    const auto& [what, part] = locks[i];
    table.row({{context.names.object(what.object, what.kind) + ", taken" + at(context, what.site)},
               {context.times.span(part.ticks)},
               {share(context.path, part.ticks)},
               {context.times.span(gain_of(part))}});
  }
  std::string out = "\n" + table.text(context.options.width, context.options.color, 2);
  if (locks.size() > most_locks)
    out += fmt::format("  and {} more (all of them: --format json)\n", locks.size() - most_locks);
  return out;
}

std::string step_lines(const Context& context) {
  std::vector<Path::Step> steps = context.path.steps();
  std::ranges::stable_sort(steps, [](const auto& a, const auto& b) { return a.ticks() > b.ticks(); });
  if (steps.size() > most_steps) steps.resize(most_steps);
  std::ranges::sort(steps, {}, &Path::Step::since);
  Table table{{{"at"}, {"for"}, {"its longest steps, by time", Table::Align::left, true, {}, Table::Cut::wrap}}};
  for (const Path::Step& step : steps)
    table.row({{context.times.offset(step.since)}, {context.times.span(step.ticks())}, {words(context, step.what)}});
  std::string out = "\n" + table.text(context.options.width, context.options.color, 2);
  const std::uint64_t others = context.path.all_steps() - steps.size();
  if (others != 0)
    out += fmt::format("  and {} (the longest of them: --format json)\n", counted(others, "shorter", "shorter"));
  return out;
}

std::string path_text(const Context& context) {
  const Path& path = context.path;
  std::string out = heading(context.process, context.analysis, context.options) +
                    reservations(context.process, context.analysis, context.options);
  if (!path.from_met()) return out + "\nNo message there has the text of --from-message.\n";
  if (!path.to_met()) return out + "\nNo message there (behind that of --from-message) has the text of --to-message.\n";
  if (!path.found()) return out + "\nNo thread made a Record in that time.\n";
  out += title(context);
  if (path.until() <= path.since()) return out + "  No time is between its ends.\n";
  return out + part_lines(context) + wrapped(fmt::format("  {}", what_ran_means), context.options.width, 2) +
         lock_lines(context) + step_lines(context);
}

Json what_json(const ProcessJson& json, const Path::What& what) {
  return {{"role", name_of(what.role)},
          {"thread", json.thread(what.thread)},
          {"object", what.object == 0 ? Json{} : json.object(what.object, what.kind)},
          {"site", json.site(what.site)}};
}

Json part_json(const ProcessJson& json, const Path& path, const Path::What& what, const Path::Part& part) {
  const auto whole = static_cast<double>(path.until() - path.since());
  Json out = what_json(json, what);
  out["time"] = json.span(part.ticks);
  out["share"] = whole == 0 ? 0 : static_cast<double>(part.ticks) / whole;
  out["steps"] = part.steps;
  out["gain"] = what.role == Role::holds ? json.span(gain_of(part)) : Json{};
  return out;
}

Json path_json(const Context& context) {
  const Path& path = context.path;
  const ProcessJson json{context.process, context.analysis};
  Json out = json.process();
  out["thread"] = json.thread(path.thread());
  out["from"] = path.found() ? json.offset(path.since()) : Json{};
  out["to"] = path.found() ? json.offset(path.until()) : Json{};
  out["span"] = json.span(path.until() - path.since());
  out["cut"] = path.cut();
  out["messages_found"] = path.from_met() && path.to_met();
  out["parts"] = Json::array();
  for (const auto& [what, part] : sorted({path.parts().begin(), path.parts().end()}))
    out["parts"].push_back(part_json(json, path, what, part));
  out["locks"] = Json::array();
  for (const auto& [what, part] : lock_sites(path))
    out["locks"].push_back(part_json(json, path, what, part));
  out["steps"] = Json::array();
  for (const Path::Step& step : path.steps()) {
    Json each = what_json(json, step.what);
    each["since"] = json.offset(step.since);
    each["time"] = json.span(step.ticks());
    out["steps"].push_back(std::move(each));
  }
  out["all_steps"] = path.all_steps();
  return out;
}

}  // namespace

bool run_path(std::span<Input> inputs, const Options& options, const PathOptions& wanted, std::FILE* out) {
  Answers answers{"path", options, out};
  for (const Input& input : inputs) {
    const Filter filter{options.wanted, input.process, input.last};
    Path path{input.process, filter, {wanted.from_message, wanted.to_message}};
    const Analysis analysis{input.process, input.source, &path, filter};
    const Context context{input.process, analysis, path, options};
    answers.add([&] { return path_text(context); }, [&] { return path_json(context); });
  }
  answers.finish();
  return false;
}

}  // namespace unspool
