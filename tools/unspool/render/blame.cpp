// SPDX-License-Identifier: MIT
//
// `unspool blame`: whose doing the waiting was in the end, as a table, a tree, folded stacks or JSON.
#include <fmt/format.h>
#include <unspool/analyze/samples.hpp>
#include <unspool/render/blame.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace unspool {
namespace {

using Role = BlameStep::Role;
using Node = Blame::Node;

constexpr std::size_t most_roots = 10;
constexpr std::size_t most_lines = 24;

/// What is less than this part of the whole is no chain for the report.
constexpr trace::Ticks least_told = 10;

/// What several threads did at one line in the same chain is one branch: with many alike, the line says more than the
/// thread does.
struct Branch {
  BlameStep step;  ///< of one of the threads
  std::size_t parent = 0;
  trace::Ticks own = 0;  ///< of the chains that end here
  trace::Ticks sum = 0;  ///< with all below it
  std::set<trace::ThreadNumber> threads;
  std::vector<std::size_t> children;  ///< the heaviest first
};

/// What the renderings of one process share.
struct Context : Scene {
  const Blame& blame;
  std::vector<bool> signals;     ///< by node: its chain begins with the wait for a signal
  std::vector<Branch> branches;  ///< the first is the root; parents stand before their children

  Context(const Process& a_process, const Analysis& an_analysis, const Blame& a_blame, const Options& some_options)
      : Scene{a_process, an_analysis, some_options}, blame{a_blame}, signals(a_blame.nodes().size()), branches(1) {
    add_branches();
    for (std::size_t i = branches.size(); i-- > 1;) {
      branches[i].sum += branches[i].own;
      branches[branches[i].parent].sum += branches[i].sum;
      if (branches[i].sum != 0) branches[branches[i].parent].children.push_back(i);
    }
    for (Branch& each : branches)
      std::ranges::stable_sort(each.children, [this](auto l, auto r) { return branches[l].sum > branches[r].sum; });
  }

  trace::Ticks total(bool of_signals) const { return of_signals ? blame.signal_total() : blame.total(); }
  /// Whether this branch of the root is of signals.
  bool is_of_signals(std::size_t branch) const { return is_signal(branches[branch].step.kind); }

 private:
  void add_branches() {
    const auto& nodes = blame.nodes();
    const std::vector<trace::Ticks> sums = sums_of(nodes);
    std::vector<std::size_t> branch_of(nodes.size());
    std::map<std::pair<std::size_t, BlameStep>, std::size_t> known;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      const BlameStep& step = nodes[i].step;
      const std::size_t parent = branch_of[nodes[i].parent];
      signals[i] = nodes[i].parent == 0 ? is_signal(step.kind) : signals[nodes[i].parent];
      if (sums[i] == 0) continue;  // what the filter leaves out
      BlameStep alike = step;
      if (step.site != 0 || step.role == Role::cycle) alike.thread = 0;
      if (step.role == Role::cycle) alike.site = 0;
      const auto [at, is_new] = known.try_emplace({parent, alike}, branches.size());
      if (is_new) branches.push_back({step, parent, 0, 0, {}, {}});
      branch_of[i] = at->second;
      branches[at->second].own += nodes[i].ticks;
      branches[at->second].threads.insert(step.thread);
    }
  }
  /// Of the chains that go through each node.
  static std::vector<trace::Ticks> sums_of(const std::vector<Node>& nodes) {
    std::vector<trace::Ticks> sums(nodes.size());
    for (std::size_t i = nodes.size(); i-- > 1;) {
      sums[i] = add_saturated(sums[i], nodes[i].ticks);
      sums[nodes[i].parent] = add_saturated(sums[nodes[i].parent], sums[i]);
    }
    return sums;
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
      if (step.site == 0) return fmt::format("{} ran", names.thread(step.thread));
      return fmt::format("{} ran, holding a lock taken at {}", names.thread(step.thread),
                         names.site_and_function(step.site));
    case Role::gives:
      return fmt::format("{} ran, and {}{}", names.thread(step.thread), letting_go(step.kind),
                         step.site == 0 ? "" : " at " + names.site_and_function(step.site));
    case Role::limit:
      return "nobody: the time limit was over";
    case Role::woken:
      return "woken, and not yet running";
    case Role::ended:
      return fmt::format("{} has ended", names.thread(step.thread));
    case Role::hand_over:
      return "hand-over: released, and not yet taken by anybody";
    case Role::readers:
      return "several readers" + (step.site == 0 ? "" : ", which took it at " + names.site_and_function(step.site));
    case Role::cycle:
      return fmt::format("{} again: a circle of waits, in which nobody runs", names.thread(step.thread));
    case Role::rest:
      return "chains past the number that is kept apart";
    case Role::unknown:
      break;
  }
  return "not known who";
}

/// By what stands at the chains' ends, the most time first.
std::vector<std::pair<BlameStep, trace::Ticks>> roots(const Context& context, bool of_signals) {
  std::map<BlameStep, trace::Ticks> sums;
  const auto& nodes = context.blame.nodes();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].ticks != 0 && context.signals[i] == of_signals) sums[nodes[i].step] += nodes[i].ticks;
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

std::vector<Root> roots_by_line(const Context& context, bool of_signals) {
  std::map<BlameStep, Root> lines;
  for (const auto& [step, ticks] : roots(context, of_signals)) {
    BlameStep line = step;
    if (step.site != 0 || step.role == Role::cycle) line.thread = 0;
    if (step.role == Role::cycle) line.site = 0;
    Root& root = lines[line];
    if (root.threads++ == 0) root.step = step;
    root.ticks += ticks;
  }
  std::vector<Root> out;
  std::ranges::transform(lines, std::back_inserter(out), [](const auto& each) { return each.second; });
  std::ranges::stable_sort(out, [](const Root& a, const Root& b) { return a.ticks > b.ticks; });
  return out;
}

std::string words_of_several(const Context& context, const BlameStep& step, std::size_t threads) {
  const std::string at = step.site == 0 ? "" : " at " + context.names.site_and_function(step.site);
  switch (step.role) {
    case Role::waits:
      return fmt::format("{} threads wait for {}{}", threads, context.names.object(step.object, step.kind), at);
    case Role::gives:
      return fmt::format("{} threads that ran, and {}{}", threads, letting_go(step.kind), at);
    case Role::runs:
      return fmt::format("{} threads that ran, holding a lock taken{}", threads, at);
    case Role::signal:
      return fmt::format("{} threads, which themselves wait for {}{}", threads,
                         context.names.object(step.object, step.kind), at);
    case Role::cycle:
      return "a circle of waits, in which nobody runs";
    default:
      return fmt::format("{} threads: {}", threads, words(context, step));
  }
}

std::string root_words(const Context& context, const Root& root) {
  return root.threads < 2 ? words(context, root.step) : words_of_several(context, root.step, root.threads);
}

std::string branch_words(const Context& context, const Branch& branch) {
  const std::size_t threads = branch.threads.size();
  return threads < 2 ? words(context, branch.step) : words_of_several(context, branch.step, threads);
}

std::string roots_table(const Context& context, bool of_signals, std::size_t most, std::size_t indent) {
  Table table{{{"in the end", Table::Align::left, true, "", Table::Cut::wrap}, {"for"}, {"share"}}};
  const std::vector<Root> all = roots_by_line(context, of_signals);
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
    table.row({{root_words(context, all[i])},
               {context.times.span(all[i].ticks)},
               {percent(static_cast<double>(all[i].ticks), static_cast<double>(context.total(of_signals)))}});
  }
  std::string out = table.text(context.options.width, context.options.color, indent);
  if (all.size() > most) out += fmt::format("{:{}}and {} more\n", "", indent, all.size() - most);
  return out;
}

/// What is less than this part of the whole stands in no tree.
constexpr trace::Ticks least_part = 100;

/// The heaviest branches first, no more lines than one reads.
void add_branch(const Context& context, std::size_t number, trace::Ticks whole, std::size_t depth, std::size_t& lines,
                std::string& out) {
  const Branch& branch = context.branches[number];
  if (lines == most_lines || branch.sum < whole / least_part) return;
  ++lines;
  const std::string line =
      fmt::format("{:>8}  {:>11}  {}{}", percent(static_cast<double>(branch.sum), static_cast<double>(whole)),
                  context.times.span(branch.sum), std::string(2 * depth, ' '), branch_words(context, branch));
  out += wrapped(line, std::max<std::size_t>(context.options.width, 60), 27 + 2 * depth);
  for (const std::size_t child : branch.children)
    add_branch(context, child, whole, depth + 1, lines, out);
}

/// Where threads are stuck, and nothing tells for how long.
std::string_view up_to_where(const Scene& scene) {
  const Replay& replay = scene.analysis.replay;
  const bool open = !scene.analysis.deadlocks.cycles().empty() && replay.last_sign_of_life() == replay.last_time();
  return open ? " up to the last Record" : "";
}

std::string blame_part(const Context& context, bool of_signals) {
  std::string out = roots_table(context, of_signals, most_roots, 0) + "\n" +
                    toned("Who waited for whom", Tone::strong, context.options.color) + "\n";
  std::size_t lines = 0;
  for (const std::size_t child : context.branches[0].children) {
    if (context.is_of_signals(child) == of_signals)
      add_branch(context, child, context.total(of_signals), 0, lines, out);
  }
  return out;
}

std::string blame_text(const Context& context) {
  std::string out = heading(context.process, context.analysis, context.options) +
                    reservations(context.process, context.analysis, context.options) + "\n";
  const trace::Ticks owned = context.blame.total();
  const trace::Ticks given = context.blame.signal_total();
  if (owned == 0) out += "No thread waited for a lock or for another thread's end.\n";
  if (owned != 0) {
    out += fmt::format("Threads waited {} in all for locks and joins{}.\n\n", context.times.span(owned),
                       up_to_where(context));
    out += blame_part(context, false);
  }
  if (given != 0) {
    out += wrapped(fmt::format("\nThreads waited {} in all for what others gave: conditions, events, semaphores, "
                               "barriers, queues, pools. Whoever gave it late may have waited itself.",
                               context.times.span(given)),
                   context.options.width, 0) +
           "\n" + blame_part(context, true);
  }
  if (owned + given != 0) {
    out += wrapped(fmt::format("({}; the heaviest branches, of 1 % or more: all of them by --folded or --format json)",
                               what_ran_means),
                   context.options.width, 1);
  }
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
    std::vector<std::string> frames;
    for (std::size_t at = i; at != 0; at = nodes[at].parent)
      frames.push_back(frame(words(context, nodes[at].step)));
    if (several) frames.push_back(fmt::format("process {}", context.process.pid));
    std::ranges::reverse(frames);
    out += fmt::format("{} {:.0f}\n", fmt::join(frames, ";"), context.times.nanoseconds(nodes[i].ticks));
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

/// How much in all, and because of whom in the end.
Json sums_json(const Context& context) {
  const ProcessJson json{context.process, context.analysis};
  Json out{{"total", json.span(context.blame.total())}, {"signal_total", json.span(context.blame.signal_total())}};
  Json& all = out["roots"] = Json::array();
  for (const bool of_signals : {false, true}) {
    for (const auto& [step, ticks] : roots(context, of_signals)) {
      Json root = step_json(json, step);
      root["of"] = of_signals ? "signals" : "locks and joins";
      root["time"] = json.span(ticks);
      all.push_back(std::move(root));
    }
  }
  return out;
}

Json blame_json(const Context& context) {
  const ProcessJson json{context.process, context.analysis};
  Json out = json.process();
  out.update(sums_json(context));
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

/// The heaviest chain that is longer than a wait and who ended it; empty where none of weight is.
std::string longest_chain(const Context& context, bool of_signals) {
  const auto whole = context.total(of_signals);
  for (const std::size_t top : context.branches[0].children) {
    if (context.is_of_signals(top) != of_signals) continue;
    std::string chain = branch_words(context, context.branches[top]);
    std::size_t steps = 1;
    std::size_t at = top;
    for (; !context.branches[at].children.empty(); ++steps) {
      const std::vector<std::size_t>& children = context.branches[at].children;
      const auto longer =
          std::ranges::find_if(children, [&](std::size_t child) { return !context.branches[child].children.empty(); });
      at = steps == 1 && longer != children.end() ? *longer : children.front();
      chain += "; " + branch_words(context, context.branches[at]);
    }
    if (steps < 3 || context.branches[at].sum < whole / least_told) continue;
    return fmt::format("{} of it: {}",
                       percent(static_cast<double>(context.branches[at].sum), static_cast<double>(whole)), chain);
  }
  return {};
}

/// Mostly circles, which the verdict tells; or signals that came as late as whoever gave them had them.
bool says_nothing(const Context& context, bool of_signals) {
  if (of_signals) return longest_chain(context, true).empty();
  trace::Ticks circles = 0;
  for (const auto& [step, ticks] : roots(context, false))
    circles += step.role == Role::cycle ? ticks : 0;
  return circles > context.total(false) / 2;
}

}  // namespace

std::string_view letting_go(trace::Kind kind) {
  switch (kind) {
    case trace::Kind::condition:
      return "notified it";
    case trace::Kind::event:
      return "set it";
    case trace::Kind::semaphore:
    case trace::Kind::bounded_semaphore:
      return "released it";
    case trace::Kind::barrier:
      return "came last";
    default:
      return "let it go on";
  }
}

std::string blame_lines(const Scene& scene, const Blame& blame) {
  constexpr std::size_t most = 3;
  if (blame.has_given_up()) return "  So much was waited that it takes a reading of its own: unspool blame\n";
  const Context context{scene.process, scene.analysis, blame, scene.options};
  std::string out;
  for (const bool of_signals : {false, true}) {
    if (context.total(of_signals) == 0 || says_nothing(context, of_signals)) continue;
    out += fmt::format("  {}: {} waited{}\n", of_signals ? "What others gave" : "Locks and joins",
                       context.times.span(context.total(of_signals)), of_signals ? "" : up_to_where(scene));
    out += roots_table(context, of_signals, most, 4);
    if (const std::string chain = longest_chain(context, of_signals); !chain.empty())
      out += wrapped("    " + chain, context.options.width, 6);
  }
  if (!out.empty()) out += wrapped(fmt::format("  ({})", what_ran_means), scene.options.width, 3);
  return out;
}

Json blame_sums_json(const Scene& scene, const Blame& blame) {
  if (blame.has_given_up()) return {};
  return sums_json(Context{scene.process, scene.analysis, blame, scene.options});
}

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
