// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>
#include <spool/sync/queue_core.hpp>
#include <spool/thread/pool_core.hpp>
#include <spool/trace/message.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace spool::thread {

using sync::Chosen;
using sync::Patience;
using sync::Waiter;
using sync::WaiterQueue;
using sync::Waker;
using trace::Verb;

namespace {

thread_local const PoolCore* working_for = nullptr;

std::uint32_t number_of(PoolWait what) {
  return static_cast<std::uint32_t>(what);
}

}  // namespace

void PoolTask::run() noexcept {
  try {
    invoke();
  } catch (...) {
    exception_ = std::current_exception();
  }
  forget();
}

void TaskQueue::push(std::shared_ptr<PoolTask> task) noexcept {
  PoolTask* const added = task.get();
  added->before_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = std::move(task);
  last_ = added;
  ++size_;
}

std::shared_ptr<PoolTask> TaskQueue::remove(PoolTask& task) noexcept {
  std::shared_ptr<PoolTask>& link = task.before_ == nullptr ? first_ : task.before_->next_;
  std::shared_ptr<PoolTask> removed = std::move(link);
  link = std::move(task.next_);
  (link == nullptr ? last_ : link->before_) = task.before_;
  task.before_ = nullptr;
  --size_;
  return removed;
}

/// One call of one thread: who it is, what it may record, and whether it does.
class PoolCore::Call {
 public:
  Call(PoolCore& core, const Site& site)
      : core_{core}, site_{site}, me_{log::self()}, mode_{log::current_mode()}, here_{me_.number, 0} {
    if (mode_ == Mode::off) return;
    log::make_ready(me_, core_.object_, site_);
    here_.site = log::number_of_site(me_, site_);
  }

  log::Writer& me() const { return me_; }
  Mode mode() const { return mode_; }
  /// This call as a waker.
  const Waker& here() const { return here_; }
  sync::Notes notes() const { return {me_, core_.object_, site_}; }
  trace::Sequence last_sequence() const {
    return core_.sequence_.load(std::memory_order_relaxed);  // relaxed: a quote, or under the lock
  }

  /// Before the lock is taken again after a wait; `named`: whom the Record will name.
  void make_ready_again(const Waker& named) {
    mode_ = log::current_mode();
    if (mode_ != Mode::off) log::make_ready(me_, core_.object_, site_, {named.thread, named.site});
  }
  /// Outside the lock, quoting.
  void tell(Verb verb, std::uint32_t a, std::uint32_t b, const Waker& named = {}) const {
    notes().tell(verb, last_sequence(), a, b, named);
  }
  /// Under the lock, advancing. In mode contended only what ended a wait: this thread's, or another's.
  void record(Verb verb, std::uint32_t a, std::uint32_t b, bool ends_wait, const Waker& named = {}) const {
    if (mode_ == Mode::off || (mode_ == Mode::contended && !ends_wait)) return;
    const trace::Sequence sequence = last_sequence() + 1;
    core_.sequence_.store(sequence, std::memory_order_relaxed);  // relaxed: under the lock
    log::emit_quoting(me_, trace::record_id(trace::Kind::pool, verb), core_.object_, site_, sequence, a, b,
                      {named.thread, named.site});
  }

 private:
  PoolCore& core_;
  const Site& site_;
  log::Writer& me_;
  Mode mode_;
  Waker here_;
};

bool PoolCore::is_own_worker() const {
  return working_for == this;
}

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

std::shared_ptr<PoolTask> PoolCore::take() {
  std::shared_ptr<PoolTask> task = is_dropping_ ? nullptr : queue_.pop();
  // release: partner is the acquire in state
  if (task != nullptr) task->state_.store(PoolTask::running, std::memory_order_release);
  note_queued();
  return task;
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

bool PoolCore::give_up(Waiter& waiter, WaiterQueue& queue) {
  const std::uint32_t state = word_.lock();
  const bool gives_up = !waiter.chosen;
  if (gives_up) queue.remove(waiter);
  word_.unlock(state);
  if (!gives_up) waiter.await_grant();
  return gives_up;
}

void PoolCore::refuse(Call& call, PoolWait what, bool recorded, const Waker& closer) {
  if (recorded && log::current_mode() != Mode::off) call.tell(Verb::closed, number_of(what), closer.thread, closer);
  log::end_wait(call.me());
  const std::string name = object_.name() == nullptr ? "" : " \"" + trace::escaped(object_.name()) + "\"";
  throw ShutDownError{"the pool" + name + " is shut down"};
}

bool PoolCore::submit(const std::shared_ptr<PoolTask>& task, const Patience& patience, const Site& site) {
  log::park_if_ending();
  Call call{*this, site};
  Waiter waiter;
  const std::uint32_t state = word_.lock();
  if (state == shut) {
    const Waker closer = closer_;
    word_.unlock(state);
    refuse(call, PoolWait::room, call.mode() == Mode::all, closer);
  }
  // Who waits already is first, though a worker may have made room that it has not promised yet.
  if ((submitters_.first() != nullptr || !has_room()) && !wait_for_room(call, waiter, patience)) return false;
  task->pool_ = shared_from_this();
  task->number_ = ++last_number_;
  task->submitter_ = call.here().thread;
  task->site_ = site;
  Chosen chosen;
  enqueue(task, call.here(), chosen);
  promise_room(call.here(), chosen);
  call.record(Verb::submit, task->number_, waiter.waker, waiter.recorded || chosen.count() != 0, {waiter.waker, 0});
  word_.unlock(open);
  log::end_wait(call.me());
  chosen.wake_all();
  return true;
}

/// The lock is held; it is held again afterwards if there is room.
bool PoolCore::wait_for_room(Call& call, Waiter& waiter, const Patience& patience) {
  constexpr std::uint32_t what = 0;
  waiter.recorded = call.mode() != Mode::off;
  const trace::Sequence sequence = call.last_sequence();
  if (!patience.is_none()) submitters_.push(waiter);
  word_.unlock(open);
  if (patience.is_none()) {
    if (call.mode() == Mode::all) call.tell(Verb::busy, what, 0);
    return false;
  }
  if (waiter.recorded) call.notes().block(Verb::block, sequence, what, 0);
  const Waiter::Woken woken = waiter.sleep(patience);
  if (woken != Waiter::Woken::granted && give_up(waiter, submitters_)) {
    call.notes().unblock(waiter,
                         [&] { call.tell(woken == Waiter::Woken::stop ? Verb::cancel : Verb::timeout, what, 0); });
    return false;
  }
  if (waiter.refused) refuse(call, PoolWait::room, waiter.recorded, {waiter.waker, waiter.waker_site});
  call.make_ready_again({waiter.waker, 0});
  const std::uint32_t state = word_.lock();
  --promised_room_;
  if (state == shut) {  // in between
    const Waker closer = closer_;
    word_.unlock(state);
    refuse(call, PoolWait::room, waiter.recorded, closer);
  }
  return true;
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

/// nullptr: there will be none. A wait that gave one is ended by begin().
std::shared_ptr<PoolTask> PoolCore::next_task(bool& has_waited) {
  log::park_if_ending();
  Call call{*this, object_.site()};
  IdleWorker waiter;
  waiter.recorded = call.mode() != Mode::off;
  const std::uint32_t state = word_.lock();
  std::shared_ptr<PoolTask> task = take();
  const bool waits = task == nullptr && state == open;
  const trace::Sequence sequence = call.last_sequence();
  if (waits) idle_.push(waiter);
  word_.unlock(state);
  has_waited = waits && waiter.recorded;
  if (!waits) return task;
  constexpr auto what = static_cast<std::uint32_t>(PoolWait::work);
  if (waiter.recorded) call.notes().block(Verb::block, sequence, what, 0);
  (void)waiter.sleep({});
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
  const std::uint32_t state = word_.lock();
  if (state == open) promise_room(call.here(), chosen);
  call.record(Verb::begin, task.number_, submitter.thread, has_waited || chosen.count() != 0, submitter);
  word_.unlock(state);
  log::end_wait(call.me());
  chosen.wake_all();
}

void PoolCore::finish(PoolTask& task) {
  const trace::Outcome outcome = task.exception_ == nullptr ? trace::Outcome::returned : trace::Outcome::exception;
  const Call call{*this, task.site_};
  Chosen chosen;
  const std::uint32_t state = word_.lock();
  settle(task, PoolTask::done, call.here(), chosen);
  call.record(Verb::end, task.number_, static_cast<std::uint32_t>(outcome), chosen.count() != 0);
  word_.unlock(state);
  chosen.wake_all();
}

bool PoolCore::wait(PoolTask& task, const Patience& patience, const Site& site) {
  log::park_if_ending();
  if (log::current_mode() != Mode::all && task.is_over()) return true;
  Call call{*this, site};
  const std::uint32_t state = word_.lock();
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
  const std::uint32_t state = word_.lock();
  if (unfinished_ != 0) return wait_in(call, state, joiners_, PoolWait::all, 0, patience);
  const Waker finisher = finisher_;
  word_.unlock(state);
  if (call.mode() == Mode::all) call.tell(Verb::resume, finisher.thread, 0, finisher);
  return true;
}

/// The lock is held, and let go.
bool PoolCore::wait_in(Call& call, std::uint32_t state, WaiterQueue& queue, PoolWait what, std::uint32_t task,
                       const Patience& patience) {
  Waiter waiter;
  waiter.recorded = call.mode() != Mode::off;
  const trace::Sequence sequence = call.last_sequence();
  if (!patience.is_none()) queue.push(waiter);
  word_.unlock(state);
  if (patience.is_none()) {
    if (call.mode() == Mode::all) call.tell(Verb::busy, number_of(what), task);
    return false;
  }
  if (waiter.recorded) call.notes().block(Verb::block, sequence, number_of(what), task);
  const Waiter::Woken woken = waiter.sleep(patience);
  if (woken != Waiter::Woken::granted && give_up(waiter, queue)) {
    const Verb verb = woken == Waiter::Woken::stop ? Verb::cancel : Verb::timeout;
    call.notes().unblock(waiter, [&] { call.tell(verb, number_of(what), task); });
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
  const std::uint32_t state = word_.lock();
  if (task.state() != PoolTask::queued) {
    word_.unlock(state);
    return task.state() == PoolTask::cancelled;
  }
  const std::shared_ptr<PoolTask> removed = queue_.remove(task);
  note_queued();
  settle(task, PoolTask::cancelled, call.here(), chosen);
  if (state == open) promise_room(call.here(), chosen);
  call.record(Verb::drop, task.number_, 0, chosen.count() != 0);
  word_.unlock(state);
  chosen.wake_all();
  task.forget();
  return true;
}

void PoolCore::shutdown(bool drop_queued, const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  Chosen chosen;
  if (word_.lock() == open) closer_ = call.here();
  for (WaiterQueue* queue : {&submitters_, &idle_}) {
    while (queue->first() != nullptr)
      queue->choose_first(call.here(), chosen).refused = true;
  }
  is_dropping_ = is_dropping_ || drop_queued;
  call.record(Verb::shutdown, queue_.size(), drop_queued ? queue_.size() : 0, chosen.count() != 0);
  word_.unlock(shut);
  chosen.wake_all();
  while (drop_queued && drop_one(site)) {}
}

/// One at a time: each has its Record, and those who wait for it.
bool PoolCore::drop_one(const Site& site) {
  const Call call{*this, site};
  Chosen chosen;
  word_.lock();
  const std::shared_ptr<PoolTask> task = queue_.pop();
  if (task != nullptr) {
    note_queued();
    settle(*task, PoolTask::cancelled, call.here(), chosen);
    call.record(Verb::drop, task->number_, 0, chosen.count() != 0);
  }
  word_.unlock(shut);
  chosen.wake_all();
  if (task != nullptr) task->forget();
  return task != nullptr;
}

void PoolCore::note_destroyed() {
  const bool is_told = log::current_mode() == Mode::all && object_.known_number() != 0;
  const Site& site = object_.site();
  log::Writer& me = log::self();
  if (is_told) log::make_ready(me, object_, site);
  const std::uint32_t state = word_.lock();
  is_destroyed_ = true;
  if (is_told) {
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
    sequence_.store(sequence, std::memory_order_relaxed);
    log::emit(me, trace::record_id(trace::Kind::pool, Verb::destroy), object_, site, sequence, queue_.size(), 0);
  }
  word_.unlock(state);
}

namespace {

struct KnownPools {
  std::mutex mutex;
  std::vector<std::weak_ptr<PoolCore>> pools;
};

KnownPools& known_pools() {
  static auto* made = new KnownPools;  // leaked: pools may be made in static destructors
  return *made;
}

}  // namespace

void end_with_program(const std::shared_ptr<PoolCore>& pool) {
  KnownPools& known = known_pools();
  const std::lock_guard guard{known.mutex};
  std::erase_if(known.pools, [](const std::weak_ptr<PoolCore>& each) { return each.expired(); });
  known.pools.push_back(pool);
}

void end_pools() {
  KnownPools& known = known_pools();
  std::vector<std::weak_ptr<PoolCore>> pools;
  {
    const std::lock_guard guard{known.mutex};
    pools.swap(known.pools);
  }
  for (const std::weak_ptr<PoolCore>& each : pools) {
    const std::shared_ptr<PoolCore> pool = each.lock();
    if (pool != nullptr && !pool->is_shut_down()) pool->shutdown(false, pool->object().site());
  }
}

}  // namespace spool::thread
