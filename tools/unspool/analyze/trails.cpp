// SPDX-License-Identifier: MIT
#include <unspool/analyze/trails.hpp>

#include <algorithm>

namespace unspool {
namespace {

/// part / whole of `ticks`, where part is not more than whole.
trace::Ticks in_proportion(trace::Ticks ticks, trace::Ticks part, trace::Ticks whole) {
  if (part >= whole) return ticks;
  const double share = static_cast<double>(part) / static_cast<double>(whole);
  return std::min(ticks, static_cast<trace::Ticks>(static_cast<double>(ticks) * share));
}

}  // namespace

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
  for (const auto& [node, ticks] : parts)
    add_part(made.parts, made.parts.size() < most_stretches ? node : 0, ticks);
  trail.insert(at, std::move(made));
  if (trail.size() > most_stretches) put_together(trail);
}

/// The older half becomes one stretch. Of chains past a number only the sum stays, at node 0, which is none.
void Trails::put_together(Trail& trail) {
  Stretch all{trail.front().since, trail.front().until, {}};
  for (std::size_t i = 0; i < most_stretches / 2; ++i) {
    all.until = std::max(all.until, trail.front().until);
    for (const auto& [node, ticks] : trail.front().parts) {
      const bool apart = all.parts.size() < most_stretches ||
                         std::ranges::find(all.parts, node, &ChainParts::value_type::first) != all.parts.end();
      add_part(all.parts, apart ? node : 0, ticks);
    }
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
