// SPDX-License-Identifier: MIT
//
// Replay's rules for waits.
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace unspool {
namespace {

/// Whether a thread in this wait can have made this Record. A Condition's wait goes on while its lock is released
/// and acquired again; any other is over when its thread does anything else.
bool may_happen_in(const Wait& wait, const Record& record) {
  if (wait.kind == record.row->kind && wait.object == record.object) {
    return wait.next.has(record.row->verb) || (wait.announced && record.row->effect == trace::Effect::wait);
  }
  return wait.kind == trace::Kind::condition && can_be_held(record.row->kind);
}

/// Who ended a wait, and where, as far as its end says that.
std::pair<trace::ThreadNumber, trace::SiteNumber> waker_of(const Record& record) {
  const auto names_it = [&](std::size_t field) {
    if (!field_means(*record.row, field, trace::Means::thread)) return false;
    const std::string_view name = record.row->field_array[field].name;
    return name == "waker" || name == "submitter";
  };
  if (names_it(2)) return {record.a, other_site(record)};
  return {names_it(3) ? record.b : 0, 0};
}

}  // namespace

/// Before it was told, a block Record stood for any.
trace::WaitLimit Replay::limit_of(trace::WaitLimit told) const {
  return process_.tells_limits || told != trace::WaitLimit::none ? told : trace::WaitLimit::unknown;
}

void Replay::close_stale_waits(ThreadState& thread, const Record& record) {
  while (!thread.waits.empty() && !may_happen_in(thread.waits.back(), record)) {
    const trace::ObjectNumber object = thread.waits.back().object;
    close_wait(thread, record.time, Ending::lost);
    reap(object);
  }
}

void Replay::block(const Record& record, ThreadState* thread, ObjectState* object) {
  Block block{
      record.row->kind,           record.object, record.site, record.time, other_thread(record), other_site(record),
      limit_of(record.row->limit)};
  const bool open = thread != nullptr && !thread->waits.empty() && thread->waits.back().object == record.object;
  const bool announced = open && thread->waits.back().announced;
  if (object != nullptr) {
    // Where all is recorded it may also quote an acquire whose thread has not come to make the Record.
    const bool overtaken = static_cast<std::int32_t>(object->sequence - record.seq) > 0;
    block.late = object->sequence_known && (object->complete ? record.seq != object->sequence : overtaken);
    block.first = object->history.waiters() == (announced && thread->waits.back().ticket ? 1U : 0U);
    believe_owner(*object, block);
  }
  if (thread == nullptr) return;
  if (open && (thread->waits.back().renewable || announced)) {
    Wait& wait = thread->waits.back();
    if (!std::exchange(wait.announced, false)) ++wait.blocks;
    wait.limit = block.limit;
    wait.owner = block.owner;
    wait.owner_site = block.owner_site;
    return;
  }
  if (open) close_wait(*thread, record.time, Ending::lost);
  begin_wait(record.thread, *thread, object, block);
}

void Replay::begin_wait(trace::ThreadNumber number, ThreadState& thread, ObjectState* object, const Block& block) {
  Wait& wait = thread.waits.emplace_back();
  wait.thread = number;
  wait.object = block.object;
  wait.kind = block.kind;
  wait.site = block.site;
  wait.since = wait.until = block.since;
  wait.owner = block.owner;
  wait.owner_site = block.owner_site;
  wait.next = rules_of(block.kind).next;
  wait.limit = block.limit;
  wait.renewable = rules_of(block.kind).renewable;
  wait.announced = block.announced;
  if (object == nullptr) return;
  // A Record of the present hold may be later than the block that quotes it: it had been given the lock, and did not
  // run yet.
  Holder before{block.announced ? Holder::Tenant::unknown : Holder::Tenant::nobody, 0, 0};
  // A plain hold comes as a whole. Who waited for a part of it, and gave up before its end, says who held it.
  const bool is_over = block.late && object->now().holder.tenant == Holder::Tenant::nobody;
  if (is_over && block.owner != 0) before = {Holder::Tenant::thread, block.owner, block.owner_site};
  if (object->complete && !object->readers.empty() && !object->history.waited_for()) hold_together(*object);
  wait.ticket = object->history.begin_wait(pasts_, block.since, before);
}

bool Replay::end_wait(const Record& record, ThreadState* thread, ObjectState* object, Ending ending) {
  if (thread == nullptr || thread->waits.empty()) return false;
  Wait& wait = thread->waits.back();
  if (wait.object != record.object || wait.kind != record.row->kind) return false;
  const auto [waker, waker_site] = waker_of(record);
  if (ending == Ending::acquired || ending == Ending::continued || waker != 0) {
    wait.waker = waker;
    wait.waker_site = waker_site;
  } else if (object == nullptr || other_thread(record) != 0) {
    wait.owner = other_thread(record);
    wait.owner_site = other_site(record);
  }
  wait.let_in = record.row->effect == trace::Effect::share;
  close_wait(*thread, record.time, ending);
  return true;
}

/// Ends the innermost wait.
void Replay::close_wait(ThreadState& thread, trace::Ticks until, Ending ending) {
  Wait wait = std::move(thread.waits.back());
  thread.waits.pop_back();
  ObjectState* object = tracked(wait.object);
  complete_wait(wait, object, until, ending);
  if (object != nullptr && wait.ticket) object->history.end_wait(pasts_, *wait.ticket);
  if (ending == Ending::lost) ++doubts_.lost_ends;
  tell(wait, object);
  wait.shares.clear();
  spare_shares_ = std::move(wait.shares);
}

void Replay::close_all_waits(ThreadState& thread, trace::Ticks until, Ending ending) {
  while (!thread.waits.empty()) {
    const trace::ObjectNumber object = thread.waits.back().object;
    close_wait(thread, until, ending);
    reap(object);
  }
}

/// Gives it an end and, where its object can be held, the shares of the holders.
void Replay::complete_wait(Wait& wait, const ObjectState* object, trace::Ticks until, Ending ending) {
  if (until < wait.since) ++doubts_.backward_times;
  wait.until = std::max(until, wait.since);
  wait.ending = ending;
  if (object == nullptr || !wait.ticket || !can_be_held(wait.kind)) return;
  wait.shares = std::exchange(spare_shares_, {});
  wait.until = object->history.divide_wait(*wait.ticket, wait.until, wait.shares, wait.let_in);
}

void Replay::tell(const Wait& wait, const ObjectState* object) {
  for (Observer* each : audience_.waited)
    each->waited(object, wait);
}

}  // namespace unspool
