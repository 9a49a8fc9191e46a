// SPDX-License-Identifier: MIT
//
// `unspool blame`: whose doing the waiting was in the end, as a table, a tree, folded stacks or JSON.
#include <fmt/format.h>
#include <unspool/analyze/blame.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace unspool {
namespace {

using Role = BlameStep::Role;
using Node = Blame::Node;

constexpr std::size_t most_roots = 10;
constexpr std::size_t most_lines = 24;

/// What the renderings of one process share.
struct Context : Scene {
  const Blame& blame;
  std::vector<trace::Ticks> sums;  ///< by node, with all below it
  std::vector<std::vector<std::size_t>> children;

  Context(const Process& a_process, const Analysis& an_analysis, const Blame& a_blame, const Options& some_options)
      : Scene{a_process, an_analysis, some_options},
        blame{a_blame},
        sums(a_blame.nodes().size()),
        children(a_blame.nodes().size()) {
    const auto& nodes = blame.nodes();
    for (std::size_t i = nodes.size(); i-- > 1;) {
      sums[i] += nodes[i].ticks;
      sums[nodes[i].parent] += sums[i];
      if (sums[i] != 0) children[nodes[i].parent].push_back(i);
    }
    for (auto& each : children)
      std::ranges::stable_sort(each, [this](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  }
};

std::string words(const Context& context, const BlameStep& step) {
  const Names& names = context.names;
  switch (step.role) {
    case Role::waits:
      return fmt::format("{} waits for {} at {}", names.thread(step.thread), names.object(step.object, step.kind),
                         names.site_and_function(step.site));
    case Role::signal:
      return fmt::format("{}, which itself waits for {} at {}", names.thread(step.thread),
                         names.object(step.object, step.kind), names.site_and_function(step.site));
    case Role::runs:
      if (step.site == 0) return fmt::format("{} runs", names.thread(step.thread));
      return fmt::format("{} runs, and took it at {}", names.thread(step.thread), names.site_and_function(step.site));
    case Role::ended:
      return fmt::format("{} has ended", names.thread(step.thread));
    case Role::hand_over:
      return "hand-over: released, and not yet taken by anybody";
    case Role::readers:
      return "several readers";
    case Role::cycle:
      return fmt::format("{} again: a circle of waits", names.thread(step.thread));
    case Role::rest:
      return "chains past the number that is kept apart";
    case Role::unknown:
      break;
  }
  return "not known who";
}

/// By what stands at the chains' ends, the most time first.
std::vector<std::pair<BlameStep, trace::Ticks>> roots(const Blame& blame) {
  std::map<BlameStep, trace::Ticks> sums;
  for (const Node& node : blame.nodes()) {
    if (node.ticks != 0) sums[node.step] += node.ticks;
  }
  std::vector<std::pair<BlameStep, trace::Ticks>> out{sums.begin(), sums.end()};
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

/// What several threads did at one line is one row: with many alike, the line says more than the thread does.
struct Root {
  BlameStep step;
  std::uint64_t threads = 0;
  trace::Ticks ticks = 0;
};

std::vector<Root> roots_by_line(const Blame& blame) {
  std::map<BlameStep, Root> lines;
  for (const auto& [step, ticks] : roots(blame)) {
    BlameStep line = step;
    if (step.site != 0) line.thread = 0;
    Root& root = lines[line];
    if (root.threads++ == 0) root.step = step;
    root.ticks += ticks;
  }
  std::vector<Root> out;
  for (const auto& [line, root] : lines)
    out.push_back(root);
  std::ranges::stable_sort(out, [](const Root& a, const Root& b) { return a.ticks > b.ticks; });
  return out;
}

std::string root_words(const Context& context, const Root& root) {
  if (root.threads < 2) return words(context, root.step);
  const std::string at = context.names.site_and_function(root.step.site);
  if (root.step.role == Role::runs) return fmt::format("{} threads that run, and took it at {}", root.threads, at);
  if (root.step.role == Role::signal) {
    return fmt::format("{} threads, which themselves wait for {} at {}", root.threads,
                       context.names.object(root.step.object, root.step.kind), at);
  }
  return fmt::format("{} threads: {}", root.threads, words(context, root.step));
}

std::string roots_table(const Context& context) {
  Table table{{{"in the end because of", Table::Align::left, true, "", Table::Cut::end}, {"for"}, {"share"}}};
  const std::vector<Root> all = roots_by_line(context.blame);
  for (std::size_t i = 0; i < std::min(all.size(), most_roots); ++i) {
    table.row({{root_words(context, all[i])},
               {context.times.span(all[i].ticks)},
               {percent(static_cast<double>(all[i].ticks), static_cast<double>(context.blame.total()))}});
  }
  std::string out = table.text(context.options.width, context.options.color);
  if (all.size() > most_roots) out += fmt::format("and {} more\n", all.size() - most_roots);
  return out;
}

/// What is less than this part of the whole stands in no tree.
constexpr trace::Ticks least_part = 100;

/// The heaviest branches first, no more lines than one reads.
void add_branch(const Context& context, std::size_t node, std::size_t depth, std::size_t& lines, std::string& out) {
  if (lines == most_lines || context.sums[node] < context.blame.total() / least_part) return;
  ++lines;
  const std::string line =
      fmt::format("{:>8}  {:>8}  {}{}",
                  percent(static_cast<double>(context.sums[node]), static_cast<double>(context.blame.total())),
                  context.times.span(context.sums[node]), std::string(2 * depth, ' '),
                  words(context, context.blame.nodes()[node].step));
  out += wrapped(line, std::max<std::size_t>(context.options.width, 60), 24 + 2 * depth);
  for (const std::size_t child : context.children[node])
    add_branch(context, child, depth + 1, lines, out);
}

std::string blame_text(const Context& context) {
  std::string out = heading(context.process, context.analysis, context.options) +
                    reservations(context.process, context.analysis, context.options) + "\n";
  if (context.blame.total() == 0) return out + "No thread waited for a lock or for another thread's end.\n";
  out += fmt::format("Threads waited {} in all for locks and joins.\n\n", context.times.span(context.blame.total()));
  out += roots_table(context) + "\n" + toned("Who waited for whom", Tone::strong, context.options.color) + "\n";
  std::size_t lines = 0;
  for (const std::size_t child : context.children[0])
    add_branch(context, child, 0, lines, out);
  out += "(the heaviest branches, of 1 % or more; all of them: --folded or --format json)\n";
  return out;
}

/// Frames are parted by semicolons, and the figure stands behind the last blank.
std::string frame(std::string text) {
  std::ranges::replace(text, ';', ',');
  return text;
}

std::string blame_folded(const Context& context, bool several) {
  std::string out;
  const auto& nodes = context.blame.nodes();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].ticks == 0) continue;
    std::string line = frame(words(context, nodes[i].step));
    for (std::size_t at = nodes[i].parent; at != 0; at = nodes[at].parent)
      line = frame(words(context, nodes[at].step)) + ";" + line;
    if (several) line = fmt::format("process {};", context.process.pid) + line;
    out += fmt::format("{} {:.0f}\n", line, context.times.nanoseconds(nodes[i].ticks));
  }
  return out;
}

Json step_json(const ProcessJson& json, const BlameStep& step) {
  const bool has_object = step.role == Role::waits || step.role == Role::signal;
  return {{"role", name_of(step.role)},
          {"thread", json.thread(step.thread)},
          {"site", json.site(step.site)},
          {"object", has_object ? json.object(step.object, step.kind) : Json{}}};
}

Json blame_json(const Context& context) {
  const ProcessJson json{context.process, context.analysis};
  Json out = json.process();
  out["total"] = json.span(context.blame.total());
  out["roots"] = Json::array();
  for (const auto& [step, ticks] : roots(context.blame)) {
    Json root = step_json(json, step);
    root["time"] = json.span(ticks);
    out["roots"].push_back(std::move(root));
  }
  out["chains"] = Json::array();
  const auto& nodes = context.blame.nodes();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].ticks == 0) continue;
    std::vector<Json> steps;
    for (std::size_t at = i; at != 0; at = nodes[at].parent)
      steps.push_back(step_json(json, nodes[at].step));
    std::ranges::reverse(steps);
    out["chains"].push_back({{"steps", steps}, {"time", json.span(nodes[i].ticks)}});
  }
  return out;
}

}  // namespace

bool run_blame(std::span<Input> inputs, const Options& options, bool folded, std::FILE* out) {
  Options asked = options;
  if (folded) asked.format = Options::Format::table;
  Answers answers{"blame", asked, out};
  for (const Input& input : inputs) {
    const Filter filter{options.wanted, input.process, input.last};
    Blame blame{input.process, filter};
    const Analysis analysis{input.process, input.source, &blame, filter};
    const Context context{input.process, analysis, blame, asked};
    if (folded) {
      const std::string lines = blame_folded(context, inputs.size() > 1);
      std::fwrite(lines.data(), 1, lines.size(), out);
      continue;
    }
    answers.add([&] { return blame_text(context); }, [&] { return blame_json(context); });
  }
  answers.finish();
  return false;  // that threads wait for each other is no fault
}

}  // namespace unspool
