// SPDX-License-Identifier: MIT
#include <unspool/analyze/trails.hpp>

#include <algorithm>

namespace unspool {
trace::Ticks in_proportion(trace::Ticks ticks, trace::Ticks part, trace::Ticks whole) {
  if (part >= whole) return ticks;
  const double share = static_cast<double>(part) / static_cast<double>(whole);
  return std::min(ticks, static_cast<trace::Ticks>(static_cast<double>(ticks) * share));
}

void add_part(ChainParts& parts, std::size_t node, trace::Ticks ticks) {
  if (ticks == 0) return;
  const auto same = std::ranges::find(parts, node, &ChainParts::value_type::first);
  if (same == parts.end()) {
    parts.emplace_back(node, ticks);
  } else {
    same->second += ticks;
  }
}

void Trails::add(trace::ThreadNumber thread, trace::Ticks since, trace::Ticks until, const ChainParts& parts) {
  if (until <= since) return;
  Trail& trail = trails_[thread];
  // A Condition's wait comes after the one for its lock, which began later.
  auto at = trail.end();
  while (at != trail.begin() && std::prev(at)->since > since)
    --at;
  Stretch made{since, until, {}};
  add_parts(made.parts, parts);
  trail.insert(at, std::move(made));
  if (trail.size() > most_stretches) put_together(trail);
}

/// Of chains past a number only the sum stays, at node 0, which is none.
void Trails::add_parts(ChainParts& to, const ChainParts& parts) {
  for (const auto& [node, ticks] : parts) {
    const bool apart =
        to.size() < most_parts || std::ranges::find(to, node, &ChainParts::value_type::first) != to.end();
    add_part(to, apart ? node : 0, ticks);
  }
}

/// The older half becomes one stretch.
void Trails::put_together(Trail& trail) {
  Stretch all{trail.front().since, trail.front().until, {}};
  for (std::size_t i = 0; i < most_stretches / 2; ++i) {
    all.until = std::max(all.until, trail.front().until);
    add_parts(all.parts, trail.front().parts);
    trail.pop_front();
  }
  trail.push_front(std::move(all));
}

void Trails::ended(trace::ThreadNumber thread) {
  if (!trails_.contains(thread)) return;
  ended_.push_back(thread);
  if (ended_.size() <= most_ended) return;
  trails_.erase(ended_.front());
  ended_.pop_front();
}

ChainParts Trails::within(trace::ThreadNumber thread, trace::Ticks since, trace::Ticks until) const {
  ChainParts out;
  const auto found = trails_.find(thread);
  if (found == trails_.end()) return out;
  const Trail& trail = found->second;
  for (auto each = trail.rbegin(); each != trail.rend() && each->until > since; ++each) {
    const trace::Ticks from = std::max(each->since, since);
    const trace::Ticks to = std::min(each->until, until);
    if (to <= from) continue;
    for (const auto& [node, ticks] : each->parts)
      add_part(out, node, in_proportion(ticks, to - from, each->until - each->since));
  }
  return out;
}

}  // namespace unspool
