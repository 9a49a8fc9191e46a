// SPDX-License-Identifier: MIT
#include <unspool/analyze/lost_notifies.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <utility>

namespace unspool {

using trace::Kind;
using trace::Verb;

bool LostNotifies::hears(const trace::Row& row) const {
  const bool of_thread = row.kind == Kind::thread && (row.verb == Verb::start || row.verb == Verb::end);
  return row.kind == Kind::condition || of_thread || (row.kind == Kind::trace && row.verb == Verb::loss);
}

void LostNotifies::record(const Record& record) {
  if (record.row == nullptr) return;
  if (record.row->kind == Kind::trace && record.row->verb == Verb::loss) return doubt();
  if (record.row->kind == Kind::thread) return thread(record);
  if (record.row->kind != Kind::condition) return;
  if (record.row->verb == Verb::notify) return notify(record);
  if (record.row->verb == Verb::block) return block(record);
  const bool ends = record.row->effect == trace::Effect::resume || record.row->effect == trace::Effect::fail;
  if (ends) came_back(record);
}

void LostNotifies::thread(const Record& record) {
  if (!trace::is_thread(record.object)) return;
  const auto other = static_cast<trace::ThreadNumber>(record.object);
  if (record.row->verb == Verb::end) started_.erase(other);
  if (record.row->verb == Verb::start && !last_.empty()) started_[other] = {record.thread, order_};
}

void LostNotifies::notify(const Record& record) {
  forget_notify(record.object);
  const bool met_nobody = record.b == 0;
  if (!met_nobody) return;
  const trace::ObjectNumber lock = lock_of(record.object);
  Guard* const guard = guard_of(lock);
  const bool holds_known = replay_->complete() && guard != nullptr;
  last_[record.object] = {
      record.time, record.site, record.thread, ++order_, lock, holds_known, waited_at_.contains(record.object)};
  if (guard == nullptr) return;
  ++guard->notifies;
  watch_or_not(*guard);
}

void LostNotifies::forget_notify(trace::ObjectNumber condition) {
  const auto found = last_.find(condition);
  if (found == last_.end()) return;
  const auto guard = guards_.find(found->second.lock);
  if (guard != guards_.end() && guard->second.notifies != 0) {
    --guard->second.notifies;
    watch_or_not(guard->second);
  }
  last_.erase(found);
}

void LostNotifies::block(const Record& record) {
  blocked_.erase(record.thread);
  Guard* const guard = guard_of(lock_of(record.object));
  const auto notify = last_.find(record.object);
  if (notify != last_.end()) {
    const Notify& last = notify->second;
    const bool is_over = is_taken(guard, last) || is_for_others(record.thread, last);
    if (!is_over && !has_looked(guard, record.thread, last)) blocked_[record.thread] = {record.object, last};
  }
  waited_at_.insert(record.object);
  if (guard == nullptr) return;
  if (guard->watched) guard->threads[record.thread].waits = true;
  if (const auto found = guard->threads.find(record.thread); found != guard->threads.end()) {
    end_return(*guard, found->second);
    watch_or_not(*guard);
  }
}

bool LostNotifies::is_taken(const Guard* guard, const Notify& notify) {
  return guard != nullptr && std::ranges::any_of(guard->takers, [&](const Taker& each) {
           return each.order >= notify.order && each.thread != notify.thread;
         });
}

bool LostNotifies::is_for_others(trace::ThreadNumber thread, const Notify& notify) const {
  const auto found = started_.find(thread);
  if (found == started_.end() || found->second.order < notify.order) return false;
  return found->second.thread == notify.thread || notify.had_waiters;
}

/// Whoever notified knows of it.
bool LostNotifies::has_looked(const Guard* guard, trace::ThreadNumber thread, const Notify& notify) const {
  if (thread == notify.thread) return true;
  if (guard == nullptr) return false;
  const auto found = guard->threads.find(thread);
  return found != guard->threads.end() && (found->second.returns || found->second.order >= notify.order);
}

/// Its lock it acquires before or after it says so, and releases it later.
void LostNotifies::came_back(const Record& record) {
  blocked_.erase(record.thread);
  Guard* const guard = replay_->complete() ? guard_of(lock_of(record.object)) : nullptr;
  if (guard == nullptr) return;
  Look& look = guard->threads[record.thread];
  look.waits = false;
  if (!std::exchange(look.returns, true)) ++guard->returning;
  watch_or_not(*guard);
}

void LostNotifies::look(Guard& guard, trace::ThreadNumber thread) {
  if (guard.last != thread || guard.last_look == nullptr) {
    guard.last = thread;
    guard.last_look = &guard.threads[thread];
  }
  guard.last_look->order = order_;
  if (!std::exchange(guard.last_look->waits, false)) {
    if (guard.takers[0].thread != thread) guard.takers[1] = guard.takers[0];
    guard.takers[0] = {thread, order_};
  }
  if (!guard.last_look->returns) return;
  end_return(guard, *guard.last_look);
  watch_or_not(guard);
}

void LostNotifies::end_return(Guard& guard, Look& look) {
  if (std::exchange(look.returns, false)) --guard.returning;
}

/// Holds before this may be missing from the Records.
void LostNotifies::doubt() {
  for (auto& [condition, notify] : last_)
    notify.holds_known = false;
}

void LostNotifies::destroyed(const ObjectState& object) {
  waited_at_.erase(object.number);
  forget_notify(object.number);
  const auto guard = guards_.find(object.number);
  if (guard == guards_.end()) return;
  guard->second.notifies = guard->second.returning = 0;
  watch_or_not(guard->second);
  guards_.erase(guard);
}

trace::ObjectNumber LostNotifies::lock_of(trace::ObjectNumber condition) const {
  const auto defined = process_.objects.find(condition);
  return defined == process_.objects.end() ? 0 : defined->second.parent;
}

/// Null: the lock is not known. Whoever notifies, or waits, has held it.
LostNotifies::Guard* LostNotifies::guard_of(trace::ObjectNumber lock) {
  if (lock == 0) return nullptr;
  if (const auto known = guards_.find(lock); known != guards_.end()) return &known->second;
  const auto object = replay_->objects().find(lock);
  if (object == replay_->objects().end()) return nullptr;
  Guard& guard = guards_[lock];
  guard.slot = object->second.slot;
  return &guard;
}

void LostNotifies::watch_or_not(Guard& guard) {
  const bool watch = guard.notifies + guard.returning != 0;
  if (watch == guard.watched) return;
  guard.watched = watch;
  if (by_slot_.size() <= guard.slot) by_slot_.resize(guard.slot + 1);
  by_slot_[guard.slot] = watch ? &guard : nullptr;
  watched_ += watch ? 1U : ~std::size_t{0};
}

const LostNotifies::Notify* LostNotifies::before_wait(trace::ThreadNumber thread, trace::ObjectNumber condition) const {
  const auto found = blocked_.find(thread);
  if (found == blocked_.end() || found->second.condition != condition) return nullptr;
  const auto last = last_.find(condition);
  const bool still = last != last_.end() && last->second.order == found->second.notify.order;
  return still ? &found->second.notify : nullptr;
}

}  // namespace unspool
