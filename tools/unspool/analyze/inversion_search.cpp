// SPDX-License-Identifier: MIT
#include <unspool/analyze/components.hpp>
#include <unspool/analyze/inversion_search.hpp>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace unspool {
namespace {

constexpr std::size_t far = ~std::size_t{0};
constexpr std::uint64_t most_steps_for_one = 100'000;
constexpr std::uint64_t most_steps = 5'000'000;
constexpr std::size_t longest = 4096;

/// What happened is told rather than what could.
bool stuck_first(const Occurrence& a, const Occurrence& b) {
  return a.stuck && !b.stuck;
}

}  // namespace

InversionSearch::InversionSearch(const Links& links) : links_{links} {
  std::unordered_map<trace::ObjectNumber, std::size_t> nodes;
  const auto node = [&](trace::ObjectNumber lock) { return nodes.try_emplace(lock, nodes.size()).first->second; };
  for (const auto& [key, by] : links.all()) {
    if (key.outer == key.inner) continue;
    const std::size_t from = node(key.outer);
    arcs_.push_back({&key, &by, from, node(key.inner)});
  }
  out_.resize(nodes.size());
  in_.resize(nodes.size());
  size_.resize(nodes.size());
  threads_.resize(nodes.size());
  distance_.resize(nodes.size());
  on_path_.resize(nodes.size());
  covered_.resize(arcs_.size(), far);
  keep_cyclic();
}

/// What lies in no cycle of any kind is not looked at again.
void InversionSearch::keep_cyclic() {
  std::vector<std::vector<std::size_t>> edges(out_.size());
  for (const Arc& arc : arcs_)
    edges[arc.from].push_back(arc.to);
  std::vector<std::size_t> component(out_.size());
  const auto all = components(edges);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::size_t node : all[i]) {
      component[node] = i;
      size_[node] = all[i].size();
    }
  }
  std::vector<std::unordered_set<trace::ThreadNumber>> threads(all.size());
  for (std::size_t i = 0; i < arcs_.size(); ++i) {
    const Arc& arc = arcs_[i];
    if (component[arc.from] != component[arc.to]) continue;
    out_[arc.from].push_back(i);
    in_[arc.to].push_back(i);
    for (const Occurrence& each : *arc.by)
      threads[component[arc.from]].insert(each.thread);
  }
  for (std::size_t node = 0; node < out_.size(); ++node)
    threads_[node] = threads[component[node]].size();
}

/// How many links it takes at least from each lock to this one.
void InversionSearch::measure(std::size_t start) {
  std::ranges::fill(distance_, far);
  distance_[start] = 0;
  std::vector<std::size_t> queue{start};
  for (std::size_t head = 0; head < queue.size(); ++head) {
    for (const std::size_t arc : in_[queue[head]]) {
      const std::size_t from = arcs_[arc].from;
      if (distance_[from] != far) continue;
      distance_[from] = distance_[queue[head]] + 1;
      queue.push_back(from);
    }
  }
  all_steps_ += queue.size();
}

std::vector<LinkCycle> InversionSearch::run() {
  for (const Allowed allowed : {Allowed::strict, Allowed::with_limit, Allowed::few_threads}) {
    for (std::size_t node = 0; node < out_.size(); ++node) {
      if (size_[node] < 2 || threads_[node] < 2) continue;
      if (all_steps_ > most_steps) {
        cut_ = true;
        break;
      }
      measure(node);
      start_ = node;
      for (const std::size_t arc : out_[node])
        find_through(arc, allowed);
    }
  }
  std::ranges::stable_sort(found_, {}, [](const LinkCycle& each) { return each.links.size(); });
  return std::move(found_);
}

/// The shortest cycle through this link. One that was found already and can be no longer will do.
bool InversionSearch::find_through(std::size_t arc, Allowed allowed) {
  const std::size_t least = distance_[arcs_[arc].to] + 1;
  if (allowed != Allowed::strict && covered_[arc] != far) return true;
  if (covered_[arc] <= least) return true;
  allowed_ = allowed;
  const std::size_t most_threads = allowed == Allowed::few_threads ? far : threads_[start_];
  const std::size_t most = std::min({size_[start_], most_threads, longest});
  steps_ = 0;
  for (std::size_t length = least; length <= most; ++length) {
    if (covered_[arc] <= length || go(arc, length)) return true;
    if (steps_ > most_steps_for_one || all_steps_ > most_steps) break;
  }
  all_steps_ += steps_;
  cut_ |= steps_ > most_steps_for_one || all_steps_ > most_steps;
  return false;
}

bool InversionSearch::go(std::size_t arc, std::size_t remaining) {
  std::vector<const Occurrence*> by;
  for (const Occurrence& each : *arcs_[arc].by)
    by.push_back(&each);
  std::ranges::stable_sort(by, [](const Occurrence* a, const Occurrence* b) { return stuck_first(*a, *b); });
  return std::ranges::any_of(by, [&](const Occurrence* each) { return enter(arc, *each, remaining); });
}

bool InversionSearch::enter(std::size_t arc, const Occurrence& by, std::size_t remaining) {
  if (++steps_ > most_steps_for_one || !fits(by)) return false;
  const std::size_t to = arcs_[arc].to;
  path_.emplace_back(arc, &by);
  held_.push_back(by.held);
  on_path_[arcs_[arc].from] = true;
  bool found = false;
  if (remaining == 1) {
    found = to == start_ && close();
  } else if (to != start_ && !on_path_[to]) {
    for (const std::size_t next : out_[to]) {
      const std::size_t left = distance_[arcs_[next].to];
      if (left == far || left + 1 > remaining - 1) continue;
      if (go(next, remaining - 1)) {
        found = true;
        break;
      }
    }
  }
  on_path_[arcs_[arc].from] = false;
  path_.pop_back();
  held_.pop_back();
  return found;
}

/// Beside those on the path.
bool InversionSearch::fits(const Occurrence& by) const {
  if (by.limited && allowed_ != Allowed::with_limit) return false;
  if (!links_.has_room(by, held_)) return false;
  return std::ranges::all_of(path_, [&](const auto& step) {
    const Occurrence& other = *step.second;
    if (other.thread == by.thread && allowed_ != Allowed::few_threads) return false;
    if (!links_.can_be_held_together(other, by)) return false;
    return other.thread == by.thread || may_overlap(other, by);
  });
}

bool InversionSearch::close() {
  std::unordered_set<trace::ThreadNumber> threads;
  for (const auto& [arc, by] : path_)
    threads.insert(by->thread);
  if (threads.size() < 2) return false;
  // Where each of them would give up, nobody is stuck.
  if (std::ranges::all_of(path_, [](const auto& step) { return step.second->limited; })) return false;
  LinkCycle cycle;
  if (!find_writers(cycle.writers)) return false;
  std::vector<std::size_t> arcs;
  for (const auto& [arc, by] : path_) {
    cycle.links.push_back({arcs_[arc].key, by, 0});
    covered_[arc] = std::min(covered_[arc], path_.size());
    arcs.push_back(arc);
  }
  cycle.allowed = allowed_;
  std::ranges::sort(arcs);
  if (reported_.insert(std::move(arcs)).second) found_.push_back(std::move(cycle));
  return true;
}

/// For each lock that a reader asks for and a reader holds another thread, that would write in between.
bool InversionSearch::find_writers(std::vector<std::pair<trace::ObjectNumber, const WriterCall*>>& writers) const {
  std::vector<const HeldLocks*> held = held_;
  for (std::size_t i = 0; i < path_.size(); ++i) {
    const LinkKey& asks = *arcs_[path_[i].first].key;
    const LinkKey& holds = *arcs_[path_[(i + 1) % path_.size()].first].key;
    if (!asks.inner_shared || !holds.outer_shared) continue;
    const auto all = links_.writers(asks.inner);
    const auto fit = std::ranges::find_if(all, [&](const WriterCall& each) {
      const bool used =
          std::ranges::any_of(writers, [&](const auto& other) { return other.second->by.thread == each.by.thread; });
      return !used && links_.has_room(each.by, held) && std::ranges::all_of(path_, [&](const auto& step) {
        const Occurrence& by = *step.second;
        return by.thread != each.by.thread && links_.can_be_held_together(by, each.by) && may_overlap(by, each.by);
      });
    });
    if (fit == all.end()) return false;
    writers.emplace_back(asks.inner, &*fit);
    held.push_back(fit->by.held);
  }
  return true;
}

}  // namespace unspool
