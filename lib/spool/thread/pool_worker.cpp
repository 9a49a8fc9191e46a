// SPDX-License-Identifier: MIT
//
// What a pool's workers do.
#include <spool/thread/pool_call.hpp>

#include <utility>

namespace spool::thread {

using sync::Chosen;
using sync::Waker;
using trace::Verb;

namespace {

thread_local const PoolCore* working_for = nullptr;

}  // namespace

bool PoolCore::is_own_worker() const {
  return working_for == this && !is_orphaned();
}

std::shared_ptr<PoolTask> PoolCore::take() {
  std::shared_ptr<PoolTask> task = is_dropping_ ? nullptr : queue_.pop();
  // release: partner is the acquire in state
  if (task != nullptr) task->state_.store(PoolTask::running, std::memory_order_release);
  note_queued();
  return task;
}

void PoolCore::work() {
  working_for = this;
  bool has_waited = false;
  while (const std::shared_ptr<PoolTask> task = next_task(has_waited)) {
    begin(*task, has_waited);
    task->run();
    finish(*task);
  }
  working_for = nullptr;
}

/// nullptr: there will be none; nor for a worker whose task has forked, in the child: what is queued is its parent's. A
/// wait that gave one is ended by begin().
std::shared_ptr<PoolTask> PoolCore::next_task(bool& has_waited) {
  log::park_if_ending();
  if (is_orphaned()) return nullptr;
  Call call{*this, object_.site()};
  IdleWorker waiter;
  waiter.expect(call.mode());
  const std::uint32_t state = word_.lock(object_, call.site());
  std::shared_ptr<PoolTask> task = take();
  const bool waits = task == nullptr && state == open;
  const trace::Sequence sequence = call.last_sequence();
  if (waits) idle_.push(waiter);
  word_.unlock(state);
  if (!waits) return task;
  constexpr std::uint32_t what = number_of(PoolWait::work);
  (void)call.notes().sleep(word_, idle_, waiter, {}, {.quoted = sequence, .a = what}, sequence_);
  has_waited = waiter.recorded;
  if (waiter.refused) {
    const Waker closer{waiter.waker, waiter.waker_site};
    call.notes().unblock(waiter, [&] { call.tell(Verb::closed, what, closer.thread, closer); });
  }
  return std::move(waiter.task);
}

/// Apart from taking it: whom the Record will name is known only now, and is not to be looked up under the lock.
void PoolCore::begin(PoolTask& task, bool has_waited) {
  Call call{*this, task.site_};
  const Waker submitter{task.submitter_, 0};
  call.make_ready_again(submitter);
  Chosen chosen;
  const std::uint32_t state = word_.lock(object_, task.site_);
  if (state == open) promise_room(call.here(), chosen);
  call.record(Verb::begin, task.number_, submitter.thread, has_waited || chosen.told() != 0, submitter);
  word_.unlock(state);
  log::end_wait(call.me());
  chosen.wake_all();
}

void PoolCore::finish(PoolTask& task) {
  const trace::Outcome outcome = task.exception_ == nullptr ? trace::Outcome::returned : trace::Outcome::exception;
  const Call call{*this, task.site_};
  Chosen chosen;
  const std::uint32_t state = word_.lock(object_, task.site_);
  settle(task, PoolTask::done, call.here(), chosen);
  call.record(Verb::end, task.number_, static_cast<std::uint32_t>(outcome), chosen.told() != 0);
  word_.unlock(state);
  chosen.wake_all();
}

}  // namespace spool::thread
