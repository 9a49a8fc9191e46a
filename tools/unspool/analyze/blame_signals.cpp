// SPDX-License-Identifier: MIT
//
// Blame's part for waits of which it is known only in the end who gave the signal.
#include <unspool/analyze/blame.hpp>
#include <unspool/analyze/samples.hpp>

#include <algorithm>

namespace unspool {

using Role = BlameStep::Role;
using trace::Kind;

void Blame::signalled(const Wait& wait) {
  work(open_.size());
  if (given_up_) return;
  Inner inner;
  if (const auto found = inner_.find(wait.thread); found != inner_.end()) {
    if (found->second.since >= wait.since && found->second.until <= wait.until) inner = found->second;
    inner_.erase(found);
  }
  if (wait.ending == Ending::unended || wait.ending == Ending::lost) return settle(wait, {});
  const ChainParts parts = divide_signal(wait, inner);
  settle(wait, parts);
  trails_.add(wait.thread, wait.since, inner.until == 0 ? wait.until : inner.since, parts);
  count(wait, parts, signal_total_);
}

/// By what its waker had to wait for since its begin.
ChainParts Blame::divide_signal(const Wait& wait, const Inner& inner) {
  ChainParts parts;
  const std::size_t node = child(0, {Role::waits, wait.thread, wait.site, class_of(wait.object, wait.kind), wait.kind});
  const trace::Ticks all = wait.ticks() - (inner.until - inner.since);
  if (wait.waker == 0 || wait.waker == wait.thread) {
    const Role role = wait.ending == Ending::timeout ? Role::limit : Role::unknown;
    add_part(parts, child(node, {role, 0, 0, 0, Kind::trace}), all);
    return parts;
  }
  const trace::Ticks end = inner.until == 0 ? wait.until : inner.since;
  const LastDeeds::Deed deed = deeds_.of(wait.object, wait.waker, wait.since, end);
  const trace::SiteNumber site = wait.waker_site != 0 ? wait.waker_site : deed.site;
  trace::Ticks left = std::min(all, (deed.time == 0 ? end : deed.time) - wait.since);
  add_part(parts, child(node, {Role::woken, 0, 0, 0, Kind::trace}), all - left);
  for (const auto& [below, ticks] : trails_.within(wait.waker, wait.since, wait.since + left)) {
    const trace::Ticks part = std::min(ticks, left);
    add_part(parts, graft(node, below), part);
    left -= part;
  }
  add_part(parts, child(node, {Role::gives, wait.waker, site, 0, wait.kind}), left);
  return parts;
}

/// Whoever waited for this thread meanwhile waited for what it waited for. Without parts: for a signal that nobody
/// gave.
void Blame::settle(const Wait& wait, const ChainParts& parts) {
  trace::Ticks whole = 0;
  for (const auto& [node, ticks] : parts)
    whole = add_saturated(whole, ticks);
  for (auto& [thread, open] : open_) {
    ChainParts kept;
    for (const auto& [node, ticks] : open.parts) {
      const BlameStep& step = nodes_[node].step;
      if (step.role != Role::signal || step.thread != wait.thread || step.kind != wait.kind) {
        kept.emplace_back(node, ticks);
        continue;
      }
      trace::Ticks left = ticks;
      const std::size_t above = nodes_[node].parent;
      for (const auto& [below, part] : parts) {
        const trace::Ticks mine = std::min(left, in_proportion(ticks, part, whole));
        add_part(open.settled, graft(above, below), mine);
        left -= mine;
      }
      add_part(open.settled, parts.empty() ? node : graft(above, parts.back().first), left);
    }
    open.parts.swap(kept);
  }
}

}  // namespace unspool
