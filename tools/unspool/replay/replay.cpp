// SPDX-License-Identifier: MIT
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <utility>

namespace unspool {

using trace::Effect;
using trace::Kind;
using trace::Verb;

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::acquired:
      return "acquired";
    case Ending::continued:
      return "continued";
    case Ending::timeout:
      return "timeout";
    case Ending::cancel:
      return "cancel";
    case Ending::refused:
      return "refused";
    case Ending::unended:
      return "unended";
    case Ending::lost:
      return "lost";
  }
  return "unknown";
}

namespace {

Ending ending_of(Verb failure) {
  if (failure == Verb::timeout) return Ending::timeout;
  return failure == Verb::cancel ? Ending::cancel : Ending::refused;
}

/// More than to begin, to take locks and to wait.
bool is_act(const trace::Row& row) {
  if (row.kind == Kind::barrier) return true;  // to arrive is one
  if (row.verb == Verb::resume) return false;
  const bool is_begin = row.kind == Kind::thread && row.verb == Verb::begin;
  return row.advances && !is_begin && !can_be_held(row.kind);
}

trace::ObjectNumber object_of(const Record& record) {
  return record.object;
}

trace::ObjectNumber object_of(const PlainHold& hold) {
  return hold.object();
}

/// The states that will be asked for some items behind this one: of a thousand objects most are in no near cache.
template <class Objects, class Items>
void expect(const Objects& objects, const Items& items, std::size_t at) {
  constexpr std::size_t before_long = 12;
  constexpr std::size_t soon = 6;
  if (at + soon >= items.size()) return;
  objects.expect(object_of(items[std::min(at + before_long, items.size() - 1)]));
  objects.expect_soon(object_of(items[at + soon]));
}

}  // namespace

Replay::Replay(const Process& process, Audience audience)
    : process_{process},
      audience_{std::move(audience)},
      complete_{process.mode == trace::Mode::all && !process.mode_changed && !process.own_modes},
      ended_orderly_{process.orderly_end} {}

void Replay::run(RecordSource& source) {
  for (Observer* each : audience_.all)
    each->began(*this);
  if (complete_ && audience_.takes_holds) source.join_holds();
  for (Batch batch = source.more(); !batch.empty(); batch = source.more()) {
    std::size_t held = 0;
    const auto hold_until = [&](std::size_t end) {
      if (held < end) step(batch.holds, held, end);
      held = std::max(held, end);
    };
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
      hold_until(batch.holds_before.empty() ? 0 : batch.holds_before[i]);
      expect(objects_, batch.records, i);
      step(batch.records[i]);
    }
    hold_until(batch.holds.size());
  }
  finish();
}

/// Null: it has to go the way of single Records.
[[gnu::always_inline]] inline ObjectState* Replay::plainly_held(const PlainHold& hold) {
  if (hold.thread != last_holder_) {
    last_holder_ = hold.thread;
    last_holder_state_ = threads_.get(hold.thread);
  }
  const ThreadState* const thread = last_holder_state_;
  ObjectState* const object = objects_.get(hold.object());
  const bool plain = thread != nullptr && object != nullptr && thread->waits.empty() &&
                     thread->life != ThreadState::Life::created && object->sequence_known &&
                     hold.seq == object->sequence + 1 && is_free(*object);
  return plain ? object : nullptr;
}

/// Those from `begin` to `end`. The observers hear of many at once, as a call for each would take longer than what they
/// do.
void Replay::step(std::span<const PlainHold> holds, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    expect(objects_, holds, i);
    const PlainHold& hold = holds[i];
    ObjectState* const object = plainly_held(hold);
    if (object == nullptr) {
      tell_holds();
      step_apart(hold);
      continue;
    }
    first_time_ = std::min(first_time_, hold.since);
    last_time_ = std::max(last_time_, hold.until);
    object->sequence = hold.seq + 1;
    object->history.now().from = hold.until;
    last_holder_state_->last = hold.until;
    longest_untold_ = std::max(longest_untold_, hold.ticks());
    untold_.push_back({object, &hold});
  }
  tell_holds();
}

void Replay::tell_holds() {
  if (untold_.empty()) return;
  records_ += 2 * untold_.size();
  for (Observer* each : audience_.held_plainly)
    each->held_plainly({untold_, longest_untold_});
  untold_.clear();
  longest_untold_ = 0;
}

void Replay::step_apart(const PlainHold& hold) {
  last_holder_ = 0;
  Record record;
  record.row = trace::row_of(hold.kind(), Verb::acquire);
  record.time = hold.since;
  record.thread = hold.thread;
  record.object = hold.object();
  record.site = hold.site;
  record.seq = hold.seq;
  record.a = hold.waker;
  record.place.segment = hold.segment;
  step(record);
  record.row = trace::row_of(hold.kind(), Verb::release);
  record.time = hold.until;
  record.site = hold.release_site;
  record.seq = hold.seq + 1;
  record.a = 0;
  record.b = hold.thread;
  step(record);
}

void Replay::step(const Record& record) {
  first_time_ = records_ == 0 ? record.time : std::min(first_time_, record.time);
  last_time_ = std::max(last_time_, record.time);
  ++records_;
  for (Observer* each : audience_.of(record.row))
    each->record(record);
  if (record.row == nullptr) {
    ++doubts_.unnamed;
    return;
  }
  switch (record.row->kind) {
    case Kind::message:
    case Kind::definition:
      return;
    case Kind::trace:
      if (record.row->verb == Verb::loss) lose(record);
      if (record.row->verb == Verb::end) ended_orderly_ = true;
      return;
    case Kind::status:
      if (record.row->verb == Verb::hold) return restore_hold(record);
      if (record.row->verb == Verb::stack) return note_stack(record);
      if (ThreadState* thread = thread_of(record.thread)) {
        restore_wait(record.thread, *thread,
                     {kind_of(record.object), record.object, record.site, record.since, record.a, record.b,
                      limit_of(trace::limit_of(static_cast<std::uint32_t>(record.count)))},
                     record.time);
      }
      return;
    default:
      transition(record);
  }
}

/// It follows the Record that began the wait.
void Replay::note_stack(const Record& record) {
  ThreadState* thread = thread_of(record.thread);
  if (thread == nullptr || thread->waits.empty() || thread->waits.back().object != record.object) return;
  thread->waits.back().stack = record.a;
}

void Replay::transition(const Record& record) {
  ThreadState* thread = thread_of(record.thread);
  if (thread != nullptr) {
    if (thread->life == ThreadState::Life::created) thread->life = ThreadState::Life::alive;
    thread->acted |= is_act(*record.row);
    if (thread->first == 0) thread->first = record.time;
    thread->last = record.time;
    close_stale_waits(*thread, record);
  }
  if (record.row->kind == Kind::thread) {
    thread_transition(record, thread);
  } else {
    object_transition(record, thread);
  }
}

void Replay::object_transition(const Record& record, ThreadState* thread) {
  ObjectState* object = object_of(record.object, record.row->kind, record.time);
  if (object == nullptr) return;
  if (!follows(record, object->sequence, object->sequence_known)) forget_holder(*object);
  if (!object->complete) note_taken_unseen(*object, record);
  switch (record.row->effect) {
    case Effect::wait:
      block(record, thread, object);
      break;
    case Effect::acquire:
      take(record, thread, *object);
      break;
    case Effect::release:
      give(record, *object);
      break;
    case Effect::share:
      share(record, thread, *object);
      break;
    case Effect::unshare:
      unshare(record, *object);
      break;
    case Effect::take:
    case Effect::resume:
      if (!end_wait(record, thread, object, Ending::continued)) {
        for (Observer* each : audience_.all)
          each->passed(object, record);
      }
      break;
    case Effect::fail:
      fail(record, thread, object);
      break;
    case Effect::give:
    case Effect::none:
      if (record.row->verb == Verb::destroy) destroy(record.object);
      break;
  }
  if (object->destroyed) reap(record.object);
}

/// Life and joins. The object is the thread that lives, or that is joined.
void Replay::thread_transition(const Record& record, ThreadState* thread) {
  if (!trace::is_thread(record.object)) {
    ++doubts_.unnamed;
    return;
  }
  ThreadState* target = thread_of(static_cast<trace::ThreadNumber>(record.object));
  if (target != nullptr) follows(record, target->sequence, target->sequence_known);
  switch (record.row->effect) {
    case Effect::wait:
      return block(record, thread, nullptr);
    case Effect::fail:
      return fail(record, thread, nullptr);
    case Effect::resume:
      if (end_wait(record, thread, nullptr, Ending::continued)) return;
      for (Observer* each : audience_.all)
        each->passed(nullptr, record);
      return;
    default:
      if (target != nullptr) live(record, *target);
  }
}

void Replay::live(const Record& record, ThreadState& target) {
  if (record.row->verb != Verb::end) return;
  close_all_waits(target, record.time, Ending::lost);
  target.life = ThreadState::Life::ended;
  target.exception = record.a == static_cast<std::uint32_t>(trace::Outcome::exception);
  target.ended = record.time;
}

/// A thread says that Records of its own are missing. One of them may have ended its wait; others may have changed
/// any object, and its sequence does not tell: what is lost takes no number.
void Replay::lose(const Record& record) {
  ++losses_;
  lost_records_ += record.count;
  const auto reason = static_cast<trace::LossReason>(record.a);
  if (reason == trace::LossReason::reentered || reason == trace::LossReason::lapped) return;
  if (ThreadState* thread = thread_of(record.thread)) close_all_waits(*thread, record.time, Ending::lost);
}

void Replay::fail(const Record& record, ThreadState* thread, ObjectState* object) {
  if (end_wait(record, thread, object, ending_of(record.row->verb))) return;
  for (Observer* each : audience_.all)
    each->failed(object, record);
}

/// Where it is not the next, or the first.
bool Replay::jumps(const Record& record, trace::Sequence& last, bool& known) {
  const auto step = static_cast<std::int32_t>(record.seq - last);
  const bool was_known = known;
  last = record.seq;
  known = true;
  if (!was_known || step == 1) return true;
  if (step <= 0) {
    ++doubts_.disordered;
    return false;
  }
  const auto records = static_cast<std::uint64_t>(step) - 1;
  ++doubts_.gaps;
  doubts_.missing += records;
  for (Observer* each : audience_.all)
    each->missing(record, records);
  return false;
}

trace::Ticks Replay::last_sign_of_life() const {
  trace::Ticks alive = last_time_;
  if (ended_orderly_ || records_ == 0) return alive;
  for (const ClockReading& each : process_.clocks)
    alive = std::max(alive, each.ticks);
  return process_.cost ? std::max(alive, process_.cost->time) : alive;
}

void Replay::finish() {
  correct_by_status();
  const trace::Ticks end = last_sign_of_life();
  std::vector<trace::ThreadNumber> waiting;
  for (const auto& [number, thread] : threads_) {
    if (!thread.waits.empty()) waiting.push_back(number);
  }
  std::ranges::sort(waiting);
  for (const trace::ThreadNumber number : waiting) {
    for (Wait& wait : threads_[number].waits) {
      const ObjectState* object = tracked(wait.object);
      complete_wait(wait, object, end, Ending::unended);
      tell(wait, object);
    }
  }
  for (Observer* each : audience_.all)
    each->finished(*this);
}

}  // namespace unspool
