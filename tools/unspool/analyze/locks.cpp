// SPDX-License-Identifier: MIT
#include <unspool/analyze/locks.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

void count_ending(LockFigures& figures, trace::Verb verb) {
  if (verb == trace::Verb::busy || verb == trace::Verb::busy_shared) ++figures.busy;
  if (verb == trace::Verb::timeout) ++figures.timeouts;
  if (verb == trace::Verb::cancel) ++figures.cancels;
}

void note_worst(LockFigures& figures, trace::ObjectNumber object, trace::Ticks waited) {
  if (waited < figures.worst_ticks) return;
  if (waited == figures.worst_ticks && figures.worst != 0 && figures.worst < object) return;
  figures.worst = object;
  figures.worst_ticks = waited;
}

}  // namespace

void merge(LockFigures& into, const LockFigures& from) {
  into.instances += from.instances;
  into.acquisitions += from.acquisitions;
  into.contended += from.contended;
  into.spun += from.spun;
  into.spun_ticks = add_saturated(into.spun_ticks, from.spun_ticks);
  into.busy += from.busy;
  into.timeouts += from.timeouts;
  into.cancels += from.cancels;
  into.futile += from.futile;
  into.lost_waits += from.lost_waits;
  into.unended += from.unended;
  into.unended_ticks = add_saturated(into.unended_ticks, from.unended_ticks);
  into.released_by_other += from.released_by_other;
  into.waits.merge(from.waits);
  into.holds.merge(from.holds);
  into.hand_over = add_saturated(into.hand_over, from.hand_over);
  into.unknown_holder = add_saturated(into.unknown_holder, from.unknown_holder);
  into.holders.merge(from.holders);
  into.waiters.merge(from.waiters);
  into.stacks.merge(from.stacks);
  into.blocking.merge(from.blocking);
  into.flow.merge(from.flow);
  if (from.longest.ticks() > into.longest.ticks()) into.longest = from.longest;
  note_worst(into, from.worst, from.worst_ticks);
}

bool hurts_more(const LockFigures& a, const LockFigures& b) {
  if (a.all_waited() != b.all_waited()) return a.all_waited() > b.all_waited();
  if (a.acquisitions != b.acquisitions) return a.acquisitions > b.acquisitions;
  return std::tie(a.site, a.name) < std::tie(b.site, b.name);
}

/// Without a definition there is no creation site to put instances together by.
LockFigures& Locks::class_of(const ObjectState& object) {
  static constexpr std::string_view rest = "\xff";  // no name of UTF-8 text is this
  const auto defined = process_.objects.find(object.number);
  const bool known = defined != process_.objects.end();
  const trace::SiteNumber site = known ? defined->second.site : 0;
  const bool merges = site != 0 || (known && !defined->second.name.empty());
  ByName& names = classes_[Place{object.kind, site, merges ? 0 : object.number}];
  std::string name = known ? defined->second.name : std::string{};
  const bool many = names.size() >= most_names && !names.contains(name);
  LockFigures& figures = names[many ? std::string{rest} : name];
  figures.kind = object.kind;
  figures.site = site;
  figures.name = many ? std::string{} : std::move(name);
  figures.many_names = many;
  return figures;
}

void Locks::born(const ObjectState& object) {
  if (live_.size() <= object.slot) live_.resize(object.slot + std::size_t{1});
  live_[object.slot] = {};
  if (!can_be_held(object.kind) || !filter_.object(object.number, object.kind)) return;
  LockFigures& figures = class_of(object);
  ++figures.instances;
  live_[object.slot].figures = &figures;
  live_[object.slot].flow = LockFlow{object.since};
}

void Locks::destroyed(const ObjectState& object) {
  if (Live* lock = live(&object)) {
    note_worst(*lock->figures, object.number, lock->waited);
    lock->flow.ended(lock->figures->flow, replay_->last_time());
  }
  live_[object.slot] = {};
}

void Locks::acquired(const ObjectState& object, const Record& record, trace::Ticks spun, bool waited) {
  Live* lock = live(&object);
  if (lock == nullptr) return;
  LockFigures& figures = *lock->figures;
  lock->flow.acquired(figures.flow, object, record, waited);
  if (!filter_.passes(record)) return;
  ++figures.acquisitions;
  if (waited) ++figures.contended;
  if (!waited && spun != 0) ++figures.spun;
  figures.spun_ticks = add_saturated(figures.spun_ticks, spun);
}

void Locks::held(const ObjectState& object, const Hold& hold) {
  Live* lock = live(&object);
  if (lock == nullptr) return;
  lock->flow.held(lock->figures->flow, object, hold);
  if (!filter_.passes(hold, object.kind)) return;
  lock->figures->holds.add(hold.ticks());
  if (object.history.waited_for()) lock->figures->blocking.add({hold.thread, hold.site}, hold.ticks());
}

void Locks::held_plainly(HoldsOfObjects holds) {
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < holds.all.size(); ++i) {
    if (i + ahead < holds.all.size()) __builtin_prefetch(live_.data() + holds.all[i + ahead].object->slot, 1);
    const auto& [object, hold] = holds.all[i];
    Live* lock = live(object);
    if (lock == nullptr) continue;
    lock->flow.held_plainly(*hold);
    lock->figures->plain_holds.add(hold->ticks());
  }
}

void Locks::settle(LockFigures& figures) {
  figures.acquisitions += figures.plain_holds.count();
  figures.flow.held = add_saturated(figures.flow.held, figures.plain_holds.sum());
  figures.holds.merge(figures.plain_holds);
  figures.plain_holds = {};
}

void Locks::released_by_other(const ObjectState& object, const Record& record) {
  Live* lock = live(&object);
  if (lock != nullptr && filter_.passes(record)) ++lock->figures->released_by_other;
}

/// A reader begins to wait.
void Locks::record(const Record& record) {
  const auto object = replay_->objects().find(record.object);
  if (object == replay_->objects().end() || object->second.readers.empty()) return;
  if (Live* lock = live(&object->second)) ++lock->figures->flow.behind_writers;
}

void Locks::failed(const ObjectState* object, const Record& record) {
  Live* lock = live(object);
  if (lock != nullptr && filter_.passes(record)) count_ending(*lock->figures, record.row->verb);
}

void Locks::waited(const ObjectState* object, const Wait& wait) {
  Live* lock = live(object);
  if (lock == nullptr) return;
  LockFigures& figures = *lock->figures;
  if (wait.ending != Ending::acquired && wait.ending != Ending::unended) lock->flow.left(figures.flow, *object);
  if (!filter_.passes(wait)) return;
  if (wait.ending == Ending::lost) {
    ++figures.lost_waits;
    return;
  }
  lock->waited = add_saturated(lock->waited, wait.ticks());
  if (wait.ending == Ending::unended) {
    ++figures.unended;
    figures.unended_ticks = add_saturated(figures.unended_ticks, wait.ticks());
  } else {
    lock->flow.waited(figures.flow, wait);
    ended(figures, wait);
  }
}

void Locks::ended(LockFigures& figures, const Wait& wait) {
  figures.waits.add(wait.ticks());
  figures.futile += wait.blocks - 1;
  if (wait.ending == Ending::timeout) ++figures.timeouts;
  if (wait.ending == Ending::cancel) ++figures.cancels;
  figures.waiters.add({wait.thread, wait.site}, wait.ticks());
  if (wait.stack != 0) figures.stacks.add({0, wait.stack}, wait.ticks());
  for (const Share& share : wait.shares) {
    switch (share.holder.tenant) {
      case Holder::Tenant::nobody:
        figures.hand_over = add_saturated(figures.hand_over, share.ticks);
        break;
      case Holder::Tenant::unknown:
        figures.unknown_holder = add_saturated(figures.unknown_holder, share.ticks);
        break;
      case Holder::Tenant::others:
        figures.holders.add({other_threads, share.holder.site}, share.ticks);
        break;
      case Holder::Tenant::thread:
        figures.holders.add({share.holder.thread, share.holder.site}, share.ticks);
        break;
    }
  }
  if (figures.waits.count() == 1 || wait.ticks() > figures.longest.ticks()) figures.longest = wait;
}

/// Nothing that passes was done to them: a row without a figure would only be in the way.
bool Locks::is_empty(const LockFigures& figures) const {
  return filter_.is_on() && figures.acquisitions + figures.busy + figures.timeouts + figures.cancels +
                                    figures.lost_waits + figures.unended + figures.waits.count() +
                                    figures.holds.count() ==
                                0;
}

void Locks::finished(const Replay& replay) {
  for (const auto& [number, object] : replay.objects()) {
    if (Live* lock = live(&object)) {
      note_worst(*lock->figures, number, lock->waited);
      lock->flow.ended(lock->figures->flow, replay.last_time());
    }
  }
  for (auto& [place, names] : classes_) {
    for (auto& [name, each] : names)
      settle(each);
    if (names.size() > most_names) {
      LockFigures all = std::move(names.begin()->second);
      for (auto each = std::next(names.begin()); each != names.end(); ++each)
        merge(all, each->second);
      all.name.clear();
      all.many_names = true;
      figures_.push_back(std::move(all));
    } else {
      for (auto& [name, each] : names)
        figures_.push_back(std::move(each));
    }
  }
  classes_.clear();
  std::erase_if(figures_, [this](const LockFigures& each) { return is_empty(each); });
  std::ranges::sort(figures_, hurts_more);
}

}  // namespace unspool
