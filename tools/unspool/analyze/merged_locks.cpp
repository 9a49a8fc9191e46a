// SPDX-License-Identifier: MIT
#include <unspool/analyze/merged_locks.hpp>

#include <algorithm>

namespace unspool {

trace::SiteNumber MergedSites::number(const Process& process, trace::SiteNumber site) {
  const auto found = process.sites.find(site);
  if (found == process.sites.end()) return 0;
  const Site& known = found->second;
  const auto next = static_cast<trace::SiteNumber>(numbers_.size() + 1);
  const auto [at, is_new] = numbers_.try_emplace({known.file, known.line, known.function}, next);
  if (is_new) merged_.sites[next] = known;
  return at->second;
}

Tally MergedLocks::converted(const Process& process, trace::ThreadNumber as, const Tally& from, double factor) {
  Tally out;
  for (const Part& part : from.parts())
    out.add({as, sites_.number(process, part.actor.site)}, scaled_span(part.ticks, factor), part.count);
  return out;
}

LockFigures MergedLocks::converted(const Process& process, trace::ThreadNumber as, const LockFigures& from) {
  const double factor = process.nanoseconds(1);
  LockFigures out = from;
  out.site = sites_.number(process, from.site);
  for (trace::Ticks* const span : {&out.spun_ticks, &out.unended_ticks, &out.hand_over, &out.unknown_holder})
    *span = scaled_span(*span, factor);
  for (trace::Ticks* const span : {&out.flow.life, &out.flow.held, &out.flow.woken, &out.flow.in_convoys})
    *span = scaled_span(*span, factor);
  out.waits = from.waits.scaled(factor);
  out.holds = from.holds.scaled(factor);
  out.holders = converted(process, as, from.holders, factor);
  out.waiters = converted(process, as, from.waiters, factor);
  out.blocking = converted(process, as, from.blocking, factor);
  out.longest.thread = as;
  out.longest.site = sites_.number(process, from.longest.site);
  out.longest.since = 0;
  out.longest.until = scaled_span(from.longest.ticks(), factor);
  out.longest.shares.clear();
  out.worst = 0;  // an object's number means nothing in another process, and a call stack's neither
  out.stacks = {};
  out.longest.stack = 0;
  out.worst_ticks = 0;
  return out;
}

void MergedLocks::add(const Process& process, trace::ThreadNumber as, const std::vector<LockFigures>& figures) {
  for (const LockFigures& each : figures) {
    if (each.name.empty() && each.site == 0) {
      left_out_ += each.instances;
      continue;
    }
    LockFigures one = converted(process, as, each);
    Key key{one.kind, one.name, one.many_names, one.site};
    const auto [at, is_new] = rows_.try_emplace(std::move(key));
    Row& row = at->second;
    if (is_new) {
      row.figures = std::move(one);
    } else {
      merge(row.figures, one);
    }
    if (std::ranges::find(row.processes, as) == row.processes.end()) row.processes.push_back(as);
  }
}

std::vector<MergedLocks::Row> MergedLocks::rows() const {
  std::vector<Row> out;
  out.reserve(rows_.size());
  for (const auto& [key, row] : rows_)
    out.push_back(row);
  std::ranges::sort(out, [](const Row& a, const Row& b) { return hurts_more(a.figures, b.figures); });
  return out;
}

}  // namespace unspool
