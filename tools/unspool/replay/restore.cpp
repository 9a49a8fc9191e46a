// SPDX-License-Identifier: MIT
//
// Replay's use of repeated state: status Records, which begin what began in a segment that is gone, and the status
// file, which knows each thread's last state better than Records that were never written.
#include <spool/trace/status.hpp>

#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>

namespace unspool {
namespace {

using Tenant = Holder::Tenant;

constexpr std::uint32_t exclusive = 0;

}  // namespace

/// What only repeats a known state changes nothing. What contradicts one does not either: another thread may have
/// released it.
void Replay::restore_hold(const Record& record) {
  const trace::Kind kind = kind_of(record.object);
  if (!can_be_held(kind) || thread_of(record.thread) == nullptr) return;
  ObjectState* object = object_of(record.object, kind, record.time);
  if (object == nullptr) return;
  if (record.a != exclusive) return restore_shared(record, *object);
  Tenure& now = object->history.now();
  const bool same = now.holder.tenant == Tenant::thread && now.holder.thread == record.thread;
  const bool sure = complete_ && object->confirmed == losses_ && now.holder.tenant != Tenant::unknown;
  if ((same && now.from_known) || (!same && sure)) return;
  if (now.holder.tenant == Tenant::nobody && record.since < now.from) return;  // released since, by another thread
  if (same) {
    now = {{Tenant::thread, record.thread, record.site}, record.since, true};
  } else {
    change_holder(*object, {Tenant::thread, record.thread, record.site}, record.since, true);
  }
  object->confirmed = losses_;
}

void Replay::restore_shared(const Record& record, ObjectState& object) {
  if (std::ranges::find(object.readers, record.thread, &Reader::thread) != object.readers.end()) return;
  const Tenant tenant = object.now().holder.tenant;
  const bool sure = complete_ && object.confirmed == losses_ && tenant != Tenant::unknown;
  if (sure && object.readers.empty()) return;  // a writer has it by now, or nobody
  hold_shared(object, {record.thread, record.site, record.since}, true);
}

void Replay::restore_wait(trace::ThreadNumber number, ThreadState& thread, Block block, trace::Ticks now) {
  if (!thread.waits.empty() && thread.waits.back().object == block.object) return;
  close_all_waits(thread, now, Ending::lost);
  ObjectState* object = nullptr;
  if (block.kind != trace::Kind::thread) {
    object = object_of(block.object, block.kind, now);
    if (object == nullptr) return;
    const Tenure& holds = object->now();
    const bool released_since = holds.holder.tenant == Tenant::nobody && holds.from > block.since;
    if (!released_since) believe_owner(*object, block);
  }
  block.announced = true;
  begin_wait(number, thread, object, block);
}

void Replay::correct_by_status() {
  std::unordered_map<trace::ThreadNumber, std::vector<trace::ObjectNumber>> held;
  for (const auto& [number, object] : objects_) {
    if (object.now().holder.tenant == Tenant::thread) held[object.now().holder.thread].push_back(number);
  }
  for (const trace::StatusEntry& entry : process_.status) {
    ThreadState* thread = thread_of(entry.thread);
    // An odd version was being written: the Records are as good. An ended thread's entry is an old one.
    if (thread == nullptr || entry.version % 2 != 0 || thread->life == ThreadState::Life::ended) continue;
    thread->life = ThreadState::Life::alive;
    correct_waits(entry, *thread);
    correct_holds(entry, held[entry.thread]);
  }
}

void Replay::correct_waits(const trace::StatusEntry& entry, ThreadState& thread) {
  if (entry.wait_record == 0) return close_all_waits(thread, last_time_, Ending::lost);
  restore_wait(entry.thread, thread,
               {kind_of(entry.wait_object), entry.wait_object, entry.wait_site, entry.wait_since, entry.wait_owner,
                entry.wait_owner_site},
               last_time_);
  Wait& wait = thread.waits.back();
  if (wait.object == entry.wait_object && wait.stack == 0) wait.stack = entry.wait_stack;
}

void Replay::correct_holds(const trace::StatusEntry& entry, const std::vector<trace::ObjectNumber>& held) {
  const std::size_t known = std::min<std::size_t>(entry.depth, trace::status_holds);
  const std::span<const trace::StatusHold> holds{entry.holds.data(), known};
  for (const trace::StatusHold& hold : holds) {
    if (hold.object == 0) continue;
    Record record;
    record.thread = entry.thread;
    record.object = hold.object;
    record.site = hold.site;
    record.a = hold.mode;
    record.since = hold.since;
    record.time = last_time_;
    restore_hold(record);
  }
  const bool knows_all =
      entry.depth == known && std::ranges::find(holds, 0U, &trace::StatusHold::object) == holds.end();
  if (!complete_ || !knows_all) return;
  for (const trace::ObjectNumber number : held) {
    ObjectState* object = tracked(number);
    const bool still = std::ranges::find(holds, number, &trace::StatusHold::object) != holds.end();
    if (object != nullptr && !still) forget_holder(*object);
  }
}

}  // namespace unspool
