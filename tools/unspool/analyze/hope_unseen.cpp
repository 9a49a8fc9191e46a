// SPDX-License-Identifier: MIT
#include <unspool/analyze/components.hpp>
#include <unspool/analyze/hope_unseen.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>

namespace unspool {
namespace {

using trace::Kind;

constexpr std::size_t nowhere = Waiting::no_cycle;

std::size_t index_of(const std::vector<Waiting>& waiting, trace::ThreadNumber thread) {
  const auto found =
      std::ranges::lower_bound(waiting, thread, {}, [](const Waiting& each) { return each.wait.thread; });
  return found == waiting.end() || found->wait.thread != thread ? nowhere
                                                                : static_cast<std::size_t>(found - waiting.begin());
}

/// Those that do not wait, then those whose wait has an end of its own.
std::vector<trace::ThreadNumber> going_on(const std::vector<Waiting>& waiting, const Process& process,
                                          const Replay& replay) {
  std::vector<trace::ThreadNumber> running;
  std::vector<trace::ThreadNumber> limited;
  for (const auto& [number, thread] : process.threads) {
    const auto state = replay.threads().find(number);
    const bool lives = state != replay.threads().end() && state->second.life == ThreadState::Life::alive;
    if (thread.origin == trace::Origin::internal || !lives) continue;
    const std::size_t index = index_of(waiting, number);
    if (index == nowhere) running.push_back(number);
    if (index != nowhere && waiting[index].hope == Hope::open) limited.push_back(number);
  }
  std::ranges::sort(running);
  std::ranges::sort(limited);
  running.insert(running.end(), limited.begin(), limited.end());
  return running;
}

/// A pool's tasks are ended by its workers, and those are known. So are in mode contended all who ever came to a
/// Barrier: all but the last had to wait.
bool may_be_ended_unseen(const Waiting& waiting, const Process& process, const Replay& replay) {
  if (waiting.edge != Edge::candidate || waiting.has_owner() || waiting.needs_all) return false;
  const auto object = replay.objects().find(waiting.wait.object);
  if (object != replay.objects().end() && object->second.complete) return false;
  if (waiting.wait.kind == Kind::pool) return waiting.idle;
  const bool all_waits = process.mode == trace::Mode::contended && !process.mode_changed && !process.own_modes;
  return waiting.wait.kind != Kind::barrier || !all_waits;
}

std::vector<std::vector<std::size_t>> edges_of(const std::vector<Waiting>& waiting) {
  std::vector<std::vector<std::size_t>> edges(waiting.size());
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (!waiting[i].stuck) continue;
    for (const Suspect& each : waiting[i].suspects) {
      const std::size_t to = each.ended || each.answers == 0 ? nowhere : index_of(waiting, each.thread);
      if (to != nowhere && waiting[to].stuck) edges[i].push_back(to);
    }
  }
  return edges;
}

/// As many as it takes.
bool add(Waiting& waiting, const std::vector<trace::ThreadNumber>& threads) {
  std::size_t added = 0;
  for (const trace::ThreadNumber each : threads) {
    if (added >= waiting.needs) break;
    const bool known = std::ranges::find(waiting.kin, each) != waiting.kin.end() ||
                       std::ranges::find(waiting.suspects, each, &Suspect::answers) != waiting.suspects.end();
    if (known) continue;
    waiting.kin.push_back(each);
    ++added;
  }
  return added != 0;
}

}  // namespace

bool hope_for_unseen(std::vector<Waiting>& waiting, const Process& process, const Replay& replay) {
  if (replay.complete()) return false;
  const std::vector<trace::ThreadNumber> threads = going_on(waiting, process, replay);
  if (threads.empty() && process.unknown_threads == 0) return false;
  const std::vector<std::vector<std::size_t>> edges = edges_of(waiting);
  bool changed = false;
  for (const std::vector<std::size_t>& component : components(edges)) {
    const std::size_t first = component.front();
    const bool alone = component.size() == 1 && std::ranges::find(edges[first], first) == edges[first].end();
    if (!waiting[first].stuck || (alone && !edges[first].empty())) continue;  // the latter hangs behind others
    const auto may_end = [&](std::size_t each) { return may_be_ended_unseen(waiting[each], process, replay); };
    if (!std::ranges::all_of(component, may_end)) continue;
    for (const std::size_t each : component) {
      const bool added = add(waiting[each], threads);
      const bool by_unknown = !added && process.unknown_threads != 0;
      if (by_unknown) waiting[each].hope = Hope::open;
      changed |= added || by_unknown;
    }
  }
  return changed;
}

}  // namespace unspool
