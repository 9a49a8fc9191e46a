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
  const bool sure = object->complete && object->confirmed == losses_ && now.holder.tenant != Tenant::unknown;
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
  const bool sure = object.complete && object.confirmed == losses_ && tenant != Tenant::unknown;
  if (sure && object.readers.empty()) return;  // a writer has it by now, or nobody
  const Reader reader{record.thread, record.site, record.since};
  if (object.complete) {
    hold_shared(object, reader, true);
  } else {
    object.readers.push_back(reader);  // who else has it is not known
  }
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
    // Where it was recorded once it had lasted, its block Record follows, and tells who has the object by then.
    const bool taken_since = !object->complete && holds.holder.tenant == Tenant::thread && holds.from > block.since;
    block.first = !object->history.waited_for();
    if (!released_since && !taken_since) believe_owner(*object, block);
  }
  block.announced = true;
  begin_wait(number, thread, object, block);
}

void Replay::correct_by_status() {
  std::unordered_map<trace::ThreadNumber, std::vector<trace::ObjectNumber>> held;
  for (const auto& [number, object] : objects_) {
    if (object.now().holder.tenant == Tenant::thread) held[object.now().holder.thread].push_back(number);
  }
  // The waits first: what a wait makes unknown of who has its object, others' entries may know.
  for (const trace::StatusEntry& entry : process_.status) {
    ThreadState* const thread = corrected(entry);
    if (thread == nullptr) continue;
    thread->life = ThreadState::Life::alive;
    correct_waits(entry, *thread);
  }
  for (const trace::StatusEntry& entry : process_.status) {
    if (corrected(entry) != nullptr) correct_holds(entry, held[entry.thread]);
  }
}

/// Null: an entry that was being written, where the Records are as good, or an ended thread's old one.
ThreadState* Replay::corrected(const trace::StatusEntry& entry) {
  ThreadState* const thread = thread_of(entry.thread);
  const bool believed = thread != nullptr && entry.version % 2 == 0 && thread->life != ThreadState::Life::ended;
  return believed ? thread : nullptr;
}

void Replay::correct_waits(const trace::StatusEntry& entry, ThreadState& thread) {
  if (entry.wait_record == 0) return close_all_waits(thread, last_time_, Ending::lost);
  const bool known = entry.wait_limit <= static_cast<std::uint32_t>(trace::WaitLimit::stop);
  const auto limit = known ? static_cast<trace::WaitLimit>(entry.wait_limit) : trace::WaitLimit::unknown;
  restore_wait(entry.thread, thread,
               {kind_of(entry.wait_object), entry.wait_object, entry.wait_site, entry.wait_since, entry.wait_owner,
                entry.wait_owner_site, limit},
               last_time_);
  if (thread.waits.empty()) return;  // of more objects than are kept
  Wait& wait = thread.waits.back();
  if (wait.object != entry.wait_object) return;
  if (wait.stack == 0) wait.stack = entry.wait_stack;
  if (limit != trace::WaitLimit::unknown) wait.limit = limit;
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
    if (ObjectState* const object = tracked(hold.object)) object->told_by_status = true;
  }
  const bool knows_all =
      entry.depth == known && std::ranges::find(holds, 0U, &trace::StatusHold::object) == holds.end();
  if (!knows_all) return;
  for (const trace::ObjectNumber number : held) {
    ObjectState* object = tracked(number);
    const bool still = std::ranges::find(holds, number, &trace::StatusHold::object) != holds.end();
    if (object != nullptr && object->complete && !still) forget_holder(*object);
  }
}

}  // namespace unspool
