// SPDX-License-Identifier: MIT
#include <unspool/analyze/joins.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <tuple>

namespace unspool {
namespace {

/// Those that never ended come first: nothing waits longer.
bool hurts_more(const Join& a, const Join& b) {
  const auto key = [](const Join& join) {
    return std::tuple{join.ending != Ending::unended, ~join.waited, join.since, join.joiner, join.target};
  };
  return key(a) < key(b);
}

Join join_of(const Record& record, Ending ending) {
  Join join;
  join.joiner = record.thread;
  join.target = static_cast<trace::ThreadNumber>(record.object);
  join.site = record.site;
  join.since = record.time;
  join.ending = ending;
  return join;
}

}  // namespace

void Joins::waited(const ObjectState*, const Wait& wait) {
  if (wait.kind != trace::Kind::thread || !filter_.passes(wait)) return;
  if (wait.ending == Ending::lost) {
    ++totals_.lost;
    return;
  }
  Join join;
  join.joiner = wait.thread;
  join.target = static_cast<trace::ThreadNumber>(wait.object);
  join.site = wait.site;
  join.since = wait.since;
  join.waited = wait.ticks();
  join.ending = wait.ending;
  keep(join);
}

/// A join that took no time is a wait of no length.
bool Joins::passes(const Record& record) const {
  Wait wait;
  wait.thread = record.thread;
  wait.object = record.object;
  wait.kind = record.row->kind;
  wait.since = wait.until = record.time;
  return wait.kind == trace::Kind::thread && filter_.passes(wait);
}

/// A join with no time to wait.
void Joins::failed(const ObjectState* object, const Record& record) {
  if (object != nullptr || !passes(record)) return;
  keep(join_of(record, record.row->verb == trace::Verb::cancel ? Ending::cancel : Ending::timeout));
}

void Joins::passed(const ObjectState* object, const Record& record) {
  if (object != nullptr || !passes(record)) return;
  ++totals_.at_once;
  keep(join_of(record, Ending::continued));
}

void Joins::keep(const Join& join) {
  totals_.waited = add_saturated(totals_.waited, join.waited);
  if (join.ending == Ending::continued) ++totals_.joined;
  if (join.ending == Ending::timeout) ++totals_.timeouts;
  if (join.ending == Ending::cancel) ++totals_.cancels;
  if (join.ending == Ending::unended) ++totals_.unended;
  joins_.push_back(join);
  if (joins_.size() < 2 * most) return;
  std::ranges::nth_element(joins_, joins_.begin() + most, hurts_more);
  joins_.resize(most);
}

void Joins::finished(const Replay& replay) {
  std::ranges::sort(joins_, hurts_more);
  if (joins_.size() > most) joins_.resize(most);
  for (Join& join : joins_) {
    const auto found = replay.threads().find(join.target);
    if (found == replay.threads().end() || found->second.life != ThreadState::Life::ended) continue;
    join.ended = found->second.exception ? Join::Target::exception : Join::Target::returned;
  }
}

}  // namespace unspool
