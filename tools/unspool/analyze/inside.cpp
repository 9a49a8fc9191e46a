// SPDX-License-Identifier: MIT
#include <unspool/analyze/inside.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {

/// Null where so many are kept already.
InsideDeed* Inside::deed(trace::ObjectNumber lock, const Key& key) {
  const auto defined = process_.objects.find(lock);
  const auto state = replay_->objects().find(lock);
  if (state == replay_->objects().end()) return nullptr;
  const bool known = defined != process_.objects.end();
  std::map<Key, InsideDeed>& deeds =
      classes_[{state->second.kind, known ? defined->second.site : 0, known ? defined->second.name : std::string{}}];
  const auto found = deeds.find(key);
  if (found != deeds.end()) return &found->second;
  if (deeds_ >= most_deeds) {
    ++left_out_;
    return nullptr;
  }
  ++deeds_;
  InsideDeed& made = deeds[key];
  made.hold_site = key.hold_site;
  made.kind = key.kind;
  made.site = key.site;
  return &made;
}

bool Inside::is_waited_for(trace::ObjectNumber lock) const {
  const auto state = replay_->objects().find(lock);
  return state != replay_->objects().end() && state->second.history.waited_for();
}

void Inside::record(const Record& record) {
  if (!replay_->complete() || !filter_.thread(record.thread) || !filter_.time(record.time)) return;
  for (const HeldSince& held : inversions_.held_by(record.thread)) {
    InsideDeed* const here = deed(held.object, {held.site, trace::Kind::message, record.site});
    if (here == nullptr) continue;
    ++here->count;
    here->hindered += is_waited_for(held.object) ? 1 : 0;
    here->thread = record.thread;
  }
}

/// A Condition's own lock is taken again by then, later than the wait began. What has not ended is for deadlocks.hpp to
/// tell.
void Inside::waited(const ObjectState*, const Wait& wait) {
  if (!replay_->complete() || wait.ending == Ending::lost || wait.ending == Ending::unended) return;
  if (!filter_.thread(wait.thread) || !filter_.span(wait.since, wait.until)) return;
  for (const HeldSince& held : inversions_.held_by(wait.thread)) {
    if (held.object == wait.object || held.since > wait.since) continue;
    InsideDeed* const here = deed(held.object, {held.site, wait.kind, wait.site});
    if (here == nullptr) continue;
    ++here->count;
    here->ticks = add_saturated(here->ticks, wait.ticks());
    if (is_waited_for(held.object)) {
      ++here->hindered;
      here->hindering = add_saturated(here->hindering, wait.ticks());
    }
    if (here->object != 0 && wait.ticks() <= here->longest) continue;
    here->longest = wait.ticks();
    here->object = wait.object;
    here->thread = wait.thread;
  }
}

std::vector<InsideDeed> Inside::of(trace::Kind kind, trace::SiteNumber site, const std::string& name) const {
  std::vector<InsideDeed> out;
  const auto found = classes_.find({kind, site, name});
  if (found == classes_.end()) return out;
  for (const auto& [key, each] : found->second)
    out.push_back(each);
  std::ranges::stable_sort(out, [](const InsideDeed& a, const InsideDeed& b) {
    return a.ticks != b.ticks ? a.ticks > b.ticks : a.count > b.count;
  });
  return out;
}

}  // namespace unspool
