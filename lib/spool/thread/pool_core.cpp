// SPDX-License-Identifier: MIT
#include <spool/sync/misuse.hpp>
#include <spool/sync/queue_core.hpp>
#include <spool/thread/pool_call.hpp>
#include <spool/trace/message.hpp>

#include <string>
#include <utility>

namespace spool::thread {

using sync::Chosen;
using sync::Patience;
using sync::Waiter;
using sync::WaiterQueue;
using sync::Waker;
using trace::Verb;

void PoolCore::promise_room(const Waker& waker, Chosen& chosen) {
  while (submitters_.first() != nullptr && has_room()) {
    submitters_.choose_first(waker, chosen);
    ++promised_room_;
  }
}

void PoolCore::enqueue(std::shared_ptr<PoolTask> task, const Waker& waker, Chosen& chosen) {
  ++unfinished_;
  if (idle_.first() != nullptr) {
    // release: partner is the acquire in state
    task->state_.store(PoolTask::running, std::memory_order_release);
    static_cast<IdleWorker&>(idle_.choose_first(waker, chosen)).task = std::move(task);
    return;
  }
  task->state_.store(PoolTask::queued, std::memory_order_release);  // release: as above
  queue_.push(std::move(task));
  note_queued();
}

void PoolCore::settle(PoolTask& task, PoolTask::State state, const Waker& waker, Chosen& chosen) {
  task.finisher_ = waker;
  task.state_.store(state, std::memory_order_release);  // release: partner is the acquire in state
  while (task.waiters_.first() != nullptr)
    task.waiters_.choose_first(waker, chosen);
  if (--unfinished_ != 0) return;
  finisher_ = waker;
  while (joiners_.first() != nullptr)
    joiners_.choose_first(waker, chosen);
}

void PoolCore::refuse(Call& call, PoolWait what, bool recorded, const Waker& closer) {
  if (recorded && object_.mode() != Mode::off) call.tell(Verb::closed, number_of(what), closer.thread, closer);
  log::end_wait(call.me());
  const std::string name = object_.name() == nullptr ? "" : " \"" + trace::escaped(object_.name()) + "\"";
  throw ShutDownError{"the pool" + name + " is shut down"};
}

/// The lock is held, and let go: the pool is shut down.
void PoolCore::refuse_room(Call& call, bool recorded) {
  const Waker closer = closer_;
  word_.unlock(shut);
  refuse(call, PoolWait::room, recorded, closer);
}

/// The lock is held, and let go. In the child of a fork what this call waits for never comes: its workers are not
/// there.
bool PoolCore::give_up_orphan(Call& call, std::uint32_t state, PoolWait what, std::uint32_t task,
                              const Patience& patience) {
  word_.unlock(state);
  if (call.mode() != Mode::off) call.tell(Verb::orphan, number_of(what), task);
  const std::string words =
      log::report_orphaned_use(object_, "its workers stayed behind in the parent of a fork", call.site());
  if (patience.deadline == os::never && patience.stop == nullptr) throw MisuseError{words};
  return false;
}

bool PoolCore::submit(const std::shared_ptr<PoolTask>& task, const Patience& patience, const Site& site) {
  log::park_if_ending();
  Call call{*this, site};
  Waiter waiter;
  const std::uint32_t state = word_.lock(object_, site);
  if (state == shut) refuse_room(call, call.mode() == Mode::all);
  if (is_orphaned()) return give_up_orphan(call, state, PoolWait::room, 0, patience);
  // Who waits already is first, though a worker may have made room that it has not promised yet.
  if ((submitters_.first() != nullptr || !has_room()) && !wait_for_room(call, waiter, patience)) return false;
  task->pool_ = shared_from_this();
  task->number_ = ++last_number_;
  task->submitter_ = call.here().thread;
  task->site_ = site;
  Chosen chosen;
  enqueue(task, call.here(), chosen);
  promise_room(call.here(), chosen);
  call.record(Verb::submit, task->number_, waiter.waker, waiter.recorded || chosen.told() != 0, {waiter.waker, 0});
  word_.unlock(open);
  log::end_wait(call.me());
  chosen.wake_all();
  return true;
}

/// The lock is held; it is held again afterwards if there is room.
bool PoolCore::wait_for_room(Call& call, Waiter& waiter, const Patience& patience) {
  constexpr std::uint32_t what = number_of(PoolWait::room);
  waiter.expect(call.mode());
  const trace::Sequence sequence = call.last_sequence();
  if (!patience.is_none()) submitters_.push(waiter);
  word_.unlock(open);
  if (patience.is_none()) {
    if (call.mode() == Mode::all) call.tell(Verb::busy, what, 0);
    return false;
  }
  const Waiter::Woken woken =
      call.notes().sleep(word_, submitters_, waiter, patience, {.quoted = sequence, .a = what}, sequence_);
  if (woken != Waiter::Woken::granted && call.notes().give_up(word_, submitters_, waiter)) {
    call.notes().gave_up(waiter, woken, call.last_sequence(), what);
    return false;
  }
  if (waiter.refused) refuse(call, PoolWait::room, waiter.recorded, {waiter.waker, waiter.waker_site});
  call.make_ready_again({waiter.waker, 0});
  const std::uint32_t state = word_.lock(object_, call.site());
  --promised_room_;
  if (state == shut) refuse_room(call, waiter.recorded);  // in between
  return true;
}

bool PoolCore::wait(PoolTask& task, const Patience& patience, const Site& site) {
  log::park_if_ending();
  if (object_.mode() != Mode::all && task.is_over()) return true;
  Call call{*this, site};
  const std::uint32_t state = word_.lock(object_, site);
  if (!task.is_over()) return wait_in(call, state, task.waiters_, PoolWait::result, task.number_, patience);
  const Waker finisher = task.finisher_;
  const bool is_destroyed = is_destroyed_;
  word_.unlock(state);
  if (call.mode() == Mode::all && !is_destroyed) call.tell(Verb::resume, finisher.thread, task.number_, finisher);
  return true;
}

bool PoolCore::join(const Patience& patience, const Site& site) {
  log::park_if_ending();
  Call call{*this, site};
  const std::uint32_t state = word_.lock(object_, site);
  if (unfinished_ != 0) return wait_in(call, state, joiners_, PoolWait::all, 0, patience);
  const Waker finisher = finisher_;
  word_.unlock(state);
  if (call.mode() == Mode::all) call.tell(Verb::resume, finisher.thread, 0, finisher);
  return true;
}

/// The lock is held, and let go.
bool PoolCore::wait_in(Call& call, std::uint32_t state, WaiterQueue& queue, PoolWait what, std::uint32_t task,
                       const Patience& patience) {
  if (is_orphaned()) return give_up_orphan(call, state, what, task, patience);
  Waiter waiter;
  waiter.expect(call.mode());
  const trace::Sequence sequence = call.last_sequence();
  if (!patience.is_none()) queue.push(waiter);
  word_.unlock(state);
  if (patience.is_none()) {
    if (call.mode() == Mode::all) call.tell(Verb::busy, number_of(what), task);
    return false;
  }
  const Waiter::Woken woken = call.notes().sleep(word_, queue, waiter, patience,
                                                 {.quoted = sequence, .a = number_of(what), .b = task}, sequence_);
  if (woken != Waiter::Woken::granted && call.notes().give_up(word_, queue, waiter)) {
    call.notes().gave_up(waiter, woken, call.last_sequence(), number_of(what), task);
    return false;
  }
  const Waker waker{waiter.waker, waiter.waker_site};
  call.notes().unblock(waiter, [&] { call.tell(Verb::resume, waker.thread, task, waker); });
  return true;
}

bool PoolCore::cancel(PoolTask& task, const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  Chosen chosen;
  const std::uint32_t state = word_.lock(object_, site);
  if (task.state() != PoolTask::queued) {
    word_.unlock(state);
    return task.state() == PoolTask::cancelled;
  }
  const std::shared_ptr<PoolTask> removed = queue_.remove(task);
  note_queued();
  settle(task, PoolTask::cancelled, call.here(), chosen);
  if (state == open) promise_room(call.here(), chosen);
  call.record(Verb::drop, task.number_, 0, chosen.told() != 0);
  word_.unlock(state);
  chosen.wake_all();
  task.forget();
  return true;
}

void PoolCore::shutdown(bool drop_queued, const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  drop_queued = drop_queued || is_orphaned();  // nobody is there who would run it
  Chosen chosen;
  if (word_.lock(object_, site) == open) closer_ = call.here();
  for (WaiterQueue* queue : {&submitters_, &idle_}) {
    while (queue->first() != nullptr)
      queue->choose_first(call.here(), chosen).refused = true;
  }
  is_dropping_ = is_dropping_ || drop_queued;
  call.record(Verb::shutdown, queue_.size(), drop_queued ? queue_.size() : 0, chosen.told() != 0);
  word_.unlock(shut);
  chosen.wake_all();
  while (drop_queued && drop_one(site)) {}
}

/// One at a time: each has its Record, and those who wait for it.
bool PoolCore::drop_one(const Site& site) {
  const Call call{*this, site};
  Chosen chosen;
  word_.lock(object_, site);
  const std::shared_ptr<PoolTask> task = queue_.pop();
  if (task != nullptr) {
    note_queued();
    settle(*task, PoolTask::cancelled, call.here(), chosen);
    call.record(Verb::drop, task->number_, 0, chosen.told() != 0);
  }
  word_.unlock(shut);
  chosen.wake_all();
  if (task != nullptr) task->forget();
  return task != nullptr;
}

void PoolCore::note_destroyed() {
  const bool is_told = object_.mode() == Mode::all && object_.known_number() != 0;
  const Site& site = object_.site();
  log::Writer& me = log::self();
  if (is_told) log::make_ready(me, object_, site);
  const std::uint32_t state = word_.lock(object_, site);
  is_destroyed_ = true;
  if (is_told) {
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
    sequence_.store(sequence, std::memory_order_relaxed);
    log::emit(me, trace::record_id(trace::Kind::pool, Verb::destroy), object_, site, sequence, queue_.size(), 0);
  }
  word_.unlock(state);
}

}  // namespace spool::thread
