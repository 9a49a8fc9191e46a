// SPDX-License-Identifier: MIT
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>
#include <spool/sync/queue_core.hpp>
#include <spool/trace/message.hpp>

#include <algorithm>
#include <string>

namespace spool::sync {

using trace::Verb;

namespace {

constexpr std::uint32_t number_of(QueueCall call) {
  return static_cast<std::uint32_t>(call);
}

/// The calling thread as a waker. Before the inner lock: a site may have to be defined.
Waker waker_here(log::Writer& me, log::ObjectState& object, const Site& site, Mode mode) {
  if (mode == Mode::off) return {me.number, 0};
  log::make_ready(me, object, site);
  return {me.number, log::number_of_site(me, site)};
}

std::string named(const log::ObjectState& object) {
  if (object.name() == nullptr) return "the queue";
  return "the queue \"" + trace::escaped(object.name()) + "\"";
}

}  // namespace

QueueCore::~QueueCore() {
  const std::uint8_t state = log::current_state();
  const std::size_t promised = process_ == log::fork_depth() ? promised_items_ + promised_room_ : 0;
  const std::size_t waiters = putters_.size() + getters_.size() + joiners_.size() + promised;
  if (waiters != 0 && (state & log::ending_bit) == 0) {
    log::abort_misuse("destruction of a waited-on", object_, 0, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  Notes{log::self(), object_, object_.site()}.tell(Verb::destroy, last_sequence() + 1, told_size(),
                                                   static_cast<std::uint32_t>(waiters));
}

bool QueueCore::may(QueueCall call, std::uint32_t state) const {
  if (call == QueueCall::get) return size() > promised_items_;
  return state == open && (maxsize_ == 0 || size() + promised_room_ < maxsize_);
}

bool QueueCore::is_closed_for(QueueCall call, std::uint32_t state) const {
  return state == shut && !may(call, state);
}

void QueueCore::promise_what_is_free(std::uint32_t state, const Waker& waker, Chosen& chosen) {
  while (getters_.first() != nullptr && may(QueueCall::get, state)) {
    getters_.choose_first(waker, chosen);
    ++promised_items_;
  }
  while (putters_.first() != nullptr && may(QueueCall::put, state)) {
    putters_.choose_first(waker, chosen);
    ++promised_room_;
  }
}

void QueueCore::record(log::Writer& me, Verb verb, const Site& site, std::uint32_t a, std::uint32_t b,
                       const Waker& named) {
  const trace::Sequence sequence = last_sequence() + 1;
  sequence_.store(sequence, std::memory_order_relaxed);  // relaxed: under the lock
  log::emit_quoting(me, trace::record_id(trace::Kind::queue, verb), object_, site, sequence, a, b,
                    {named.thread, named.site});
}

/// The word's lock. In the child of a fork, whoever was promised something stayed behind.
std::uint32_t QueueCore::lock_word(const Site& site) {
  const std::uint32_t state = word_.lock(object_, site);
  if (const std::uint32_t process = log::fork_depth(); process_ != process) [[unlikely]] {
    process_ = process;
    promised_items_ = 0;
    promised_room_ = 0;
  }
  return state;
}

void QueueCore::tell_closed(log::Writer& me, QueueCall call, const Waker& closer, const Site& site) {
  Notes{me, object_, site}.tell(Verb::closed, last_sequence(), number_of(call), closer.thread, closer);
}

void QueueCore::throw_shut_down() const {
  throw ShutDownError{named(object_) + " is shut down"};
}
void QueueCore::throw_empty() const {
  throw EmptyError{named(object_) + " is empty"};
}
void QueueCore::throw_full() const {
  throw FullError{named(object_) + " is full"};
}

void QueueCore::task_done(const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  log::Writer& me = log::self();
  const Waker waker = waker_here(me, object_, site, mode);
  Chosen chosen;
  const std::uint32_t state = lock_word(site);
  if (unfinished_ == 0) {
    word_.unlock(state);
    log::throw_misuse("task_done without an unfinished item of", object_, 0, site);
  }
  if (--unfinished_ == 0) {
    finisher_ = waker;
    while (joiners_.first() != nullptr)
      joiners_.choose_first(waker, chosen);
  }
  if (mode == Mode::all || (trace::is_contended(mode) && chosen.told() != 0)) {
    record(me, Verb::done, site, static_cast<std::uint32_t>(unfinished_), chosen.count());
  }
  word_.unlock(state);  // from here on the queue may be gone
  chosen.wake_all();
}

bool QueueCore::join(const Patience& patience, const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  constexpr std::uint32_t what = number_of(QueueCall::join);
  const Notes notes{log::self(), object_, site};
  Waiter waiter;
  waiter.expect(mode);
  const std::uint32_t state = lock_word(site);
  const bool passes = unfinished_ == 0;
  const bool blocks = !passes && !patience.is_none();
  const Waker finisher = finisher_;
  const trace::Sequence sequence = last_sequence();
  const std::uint32_t size = told_size();
  if (blocks) joiners_.push(waiter);
  word_.unlock(state);

  if (!blocks) {
    if (mode != Mode::all) return passes;
    if (passes) notes.tell(Verb::resume, sequence, finisher.thread, finisher.site, finisher);
    if (!passes) notes.tell(Verb::busy, sequence, what, size);
    return passes;
  }
  return wait_for_join(notes, waiter, {.quoted = sequence, .a = what, .b = size}, patience);
}

/// The thread stands in the queue.
bool QueueCore::wait_for_join(const Notes& notes, Waiter& waiter, const BlockFields& fields, const Patience& patience) {
  constexpr std::uint32_t what = number_of(QueueCall::join);
  const Waiter::Woken woken = notes.sleep(word_, joiners_, waiter, patience, fields, sequence_);
  if (woken != Waiter::Woken::granted && notes.give_up(word_, joiners_, waiter)) {
    notes.gave_up(waiter, woken, last_sequence(), what, told_size());
    return false;
  }
  const Waker waker{waiter.waker, waiter.waker_site};
  notes.unblock(waiter, [&] { notes.tell(Verb::resume, last_sequence(), waker.thread, waker.site, waker); });
  return true;
}

QueueTurn::QueueTurn(QueueCore& core, QueueCall call, const Patience& patience, const Site& site)
    : core_{core}, site_{site}, me_{log::self()}, mode_{core.object_.mode()}, call_{call} {
  log::park_if_ending();
  if (mode_ != Mode::off) log::make_ready(me_, core_.object_, site_);
  state_ = core_.lock_word(site_);
  if (core_.may(call_, state_)) {
    is_mine_ = true;
    return;
  }
  if (core_.is_closed_for(call_, state_)) {
    const Waker closer = core_.closer_;
    core_.word_.unlock(state_);
    refuse(mode_ == Mode::all, closer);
  }
  if (!patience.is_none()) {
    wait(state_, patience);
    return;
  }
  const std::uint32_t size = core_.told_size();
  core_.word_.unlock(state_);
  if (mode_ == Mode::all) tell(Verb::busy, size);
}

/// The lock is held, and lets go.
void QueueTurn::wait(std::uint32_t state, const Patience& patience) {
  WaiterQueue& queue = core_.waiters_for(call_);
  waiter_.expect(mode_);
  const trace::Sequence sequence = core_.last_sequence();
  const std::uint32_t size = core_.told_size();
  queue.push(waiter_);
  core_.word_.unlock(state);

  const Notes notes{me_, core_.object_, site_};
  const Waiter::Woken woken = notes.sleep(core_.word_, queue, waiter_, patience,
                                          {.quoted = sequence, .a = number_of(call_), .b = size}, core_.sequence_);
  if (woken != Waiter::Woken::granted && notes.give_up(core_.word_, queue, waiter_)) {
    notes.gave_up(waiter_, woken, core_.last_sequence(), number_of(call_), core_.told_size());
    return;
  }
  has_waited_ = true;
  if (waiter_.refused) refuse(waiter_.recorded, {waiter_.waker, waiter_.waker_site});
  return_after_wait();
}

/// It was promised an item, or room.
void QueueTurn::return_after_wait() {
  mode_ = core_.object_.mode();
  if (mode_ != Mode::off) log::make_ready(me_, core_.object_, site_, {waiter_.waker, 0});
  state_ = core_.lock_word(site_);
  --(call_ == QueueCall::put ? core_.promised_room_ : core_.promised_items_);
  // Shut down in between. What was put now no getter might come for; and the items may have been dropped.
  const bool closed = call_ == QueueCall::put ? state_ == QueueCore::shut : core_.size() == 0;
  if (closed) {
    const Waker closer = core_.closer_;
    core_.word_.unlock(state_);
    refuse(waiter_.recorded, closer);
  }
  is_mine_ = true;
}

void QueueTurn::refuse(bool recorded, const Waker& closer) {
  if (recorded) core_.tell_closed(me_, call_, closer, site_);
  if (has_waited_) log::end_wait(me_);
  core_.throw_shut_down();
}

void QueueTurn::tell(Verb verb, std::uint32_t size) {
  Notes{me_, core_.object_, site_}.tell(verb, core_.last_sequence(), number_of(call_), size);
}

void QueueTurn::finish() noexcept {
  const bool is_put = call_ == QueueCall::put;
  // relaxed: under the lock
  core_.size_.store(is_put ? core_.size() + 1 : core_.size() - 1, std::memory_order_relaxed);
  if (is_put) ++core_.unfinished_;
  is_done_ = true;
}

QueueTurn::~QueueTurn() {
  if (is_mine_) unlock();
}

void QueueTurn::unlock() noexcept {
  const Waker here{me_.number, mode_ == Mode::off ? 0 : log::number_of_site(me_, site_)};
  Chosen chosen;
  core_.promise_what_is_free(state_, here, chosen);
  const bool ends_wait = has_waited_ && waiter_.recorded && mode_ != Mode::off;
  const bool told = mode_ == Mode::all || ends_wait || (trace::is_contended(mode_) && chosen.told() != 0);
  if (is_done_ && told) {
    core_.record(me_, call_ == QueueCall::put ? Verb::put : Verb::get, site_, waiter_.waker, core_.told_size(),
                 {waiter_.waker, 0});
  }
  const trace::Sequence sequence = core_.last_sequence();
  if (!is_done_ && ends_wait) {
    // The user's code threw; a quoting Record, and rare: it may be made under the lock, while the queue is sure to
    // live.
    log::emit_quoting(me_, trace::record_id(trace::Kind::queue, Verb::resume), core_.object_, site_, sequence,
                      waiter_.waker, waiter_.waker_site, {waiter_.waker, waiter_.waker_site});
  }
  core_.word_.unlock(state_);  // from here on the queue may be gone
  if (has_waited_) log::end_wait(me_);
  chosen.wake_all();
}

QueueShutdown::QueueShutdown(QueueCore& core, bool immediate, const Site& site) : core_{core} {
  log::park_if_ending();
  const Mode mode = core_.object_.mode();
  log::Writer& me = log::self();
  const Waker waker = waker_here(me, core_.object_, site, mode);
  if (core_.lock_word(site) == QueueCore::open) core_.closer_ = waker;
  for (WaiterQueue* queue : {&core_.putters_, &core_.getters_}) {
    while (queue->first() != nullptr)
      queue->choose_first(waker, chosen_).refused = true;
  }
  if (immediate) {
    core_.unfinished_ -= std::min(core_.unfinished_, core_.size());
    core_.size_.store(0, std::memory_order_relaxed);  // relaxed: under the lock
  }
  if (immediate && core_.unfinished_ == 0) {
    core_.finisher_ = waker;
    while (core_.joiners_.first() != nullptr)
      core_.joiners_.choose_first(waker, chosen_);
  }
  if (mode == Mode::all || (trace::is_contended(mode) && chosen_.told() != 0)) {
    core_.record(me, Verb::shutdown, site, static_cast<std::uint32_t>(immediate), chosen_.count());
  }
}

QueueShutdown::~QueueShutdown() {
  core_.word_.unlock(QueueCore::shut);  // from here on the queue may be gone
  chosen_.wake_all();
}

}  // namespace spool::sync
