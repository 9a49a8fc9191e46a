// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/alike_waits.hpp>
#include <unspool/render/at_rest.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/not_stuck.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace unspool {
namespace {

constexpr auto left = Table::Align::left;
constexpr auto at_end = Table::Cut::end;
constexpr auto wrap = Table::Cut::wrap;

/// The largest first.
std::vector<AlikeWaits> groups_of(const Deadlocks& deadlocks) {
  std::vector<const Waiting*> waits;
  for (const Waiting& each : deadlocks.waiting()) {
    if (each.cycle == Waiting::no_cycle) waits.push_back(&each);
  }
  std::vector<AlikeWaits> groups = alike_waits(waits);
  std::ranges::stable_sort(groups,
                           [](const AlikeWaits& a, const AlikeWaits& b) { return a.waits.size() > b.waits.size(); });
  return groups;
}

std::uint64_t threads_in(const std::vector<AlikeWaits>& groups) {
  std::uint64_t threads = 0;
  for (const AlikeWaits& each : groups)
    threads += each.waits.size();
  return threads;
}

/// "worker-0 and 31 more"
std::string who_of(const Names& names, const AlikeWaits& group) {
  const std::string first = names.thread(group.first().wait.thread);
  return group.waits.size() == 1 ? first : fmt::format("{} and {} more", first, group.waits.size() - 1);
}

/// Whom a wait outside a cycle depends on.
Table::Cell state_of(const Process& process, const Names& names, const Deadlocks& deadlocks, const Waiting& waiting) {
  const bool lost = can_be_held(waiting.wait.kind) && waiting.owner != 0 && waiting.owner_ended;
  const bool limited = waiting.wait.limit == trace::WaitLimit::deadline;
  const std::string why = why_not_stuck(process, names, deadlocks, waiting);
  return {why, lost && !limited && why == whose_it_is(names, deadlocks, waiting) ? Tone::bad : Tone::plain};
}

}  // namespace

std::string others_sentence(const Process& process, const Analysis& analysis) {
  const std::vector<AlikeWaits> groups = groups_of(analysis.deadlocks);
  if (groups.empty()) return {};
  Names names{process};
  tell_apart(names, analysis.deadlocks);
  const AlikeWaits& most = groups.front();
  return fmt::format("{} at the end, as part of no deadlock: {} for {} at {}{}; see unspool deadlocks",
                     counted(threads_in(groups), "thread waits", "threads wait"), who_of(names, most),
                     awaited(names, most.first(), most.for_one_task()), names.site(most.first().wait.site),
                     groups.size() == 1 ? "" : ", and others");
}

std::string others_text(const Process& process, const Analysis& analysis, const Options& options, std::size_t most) {
  const std::vector<AlikeWaits> groups = groups_of(analysis.deadlocks);
  if (groups.empty()) return {};
  Names names{process};
  tell_apart(names, analysis.deadlocks);
  const Times times{process, analysis.replay.first_time()};
  Table table{{{"who", left, true},
               {"waits for", left, true, "", wrap},
               {"at", left, true, "", at_end},
               {"since"},
               {"no deadlock, as", left, true, "", wrap}}};
  for (std::size_t i = 0; i < std::min(groups.size(), most); ++i) {
    const Waiting& first = groups[i].first();
    table.row({{who_of(names, groups[i])},
               {awaited(names, first, groups[i].for_one_task())},
               {names.site(first.wait.site)},
               {times.offset(groups[i].since())},
               state_of(process, names, analysis.deadlocks, first)});
  }
  std::string out = fmt::format("{} at the end, as part of no deadlock{}:\n",
                                counted(threads_in(groups), "thread waits", "threads wait"),
                                analysis.replay.ended_orderly() ? " (the process ended in order all the same)" : "");
  out += table.text(options.width, options.color, 2);
  if (groups.size() > most) out += fmt::format("  and {} more such groups\n", groups.size() - most);
  return out;
}

}  // namespace unspool
