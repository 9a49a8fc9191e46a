// SPDX-License-Identifier: MIT
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/spin.hpp>

namespace spool {

using sync::Waiter;
using trace::is_contended;
using trace::Verb;

void Semaphore::refuse_initial(std::ptrdiff_t initial, const Site& site) {
  log::throw_misuse(initial < 0 ? "negative initial value of a" : "initial value beyond max() of a", object_, 0, site);
}

Semaphore::~Semaphore() {
  const std::uint8_t state = log::current_state();
  const std::uint32_t waiters = waiters_.size();
  if (waiters != 0 && (state & log::ending_bit) == 0) {
    log::abort_misuse("destruction of a waited-on", object_, 0, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  sync::Notes{log::self(), object_, object_.site()}.tell(Verb::destroy, last + 1, value_of(word_.peek().state),
                                                         waiters);
}

/// Without a Record. False: none is free, or somebody is about to change that.
bool Semaphore::try_take() {
  for (;;) {
    const auto [state, is_locked] = word_.peek();
    if (is_locked || value_of(state) == 0) return false;
    if (word_.try_change(state, state - 1)) return true;
  }
}

bool Semaphore::acquire_with(const sync::Patience& patience, const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  if (mode != Mode::all && try_take()) return true;
  // Often a permit comes back sooner than a trip to the kernel takes. Who queues goes first, so then nobody spins.
  const auto is_due = [&] {
    const auto [state, is_locked] = word_.peek();
    return !is_locked && state != 0;
  };
  if (!patience.is_none() && !is_due()) sync::spin_until(is_due);
  return acquire_slowly(patience, mode, site);
}

bool Semaphore::acquire_slowly(const sync::Patience& patience, Mode mode, const Site& site) {
  log::Writer& me = log::self();
  const sync::Notes notes{me, object_, site};
  if (mode == Mode::all) log::make_ready(me, object_, site);
  Waiter waiter;
  waiter.expect(mode);
  const std::uint32_t state = word_.lock(object_, site);
  if (const std::uint32_t free = value_of(state); free != 0) {
    if (mode == Mode::all) {
      log::emit(me, trace::record_id(object_.kind(), Verb::acquire), object_, site, advance_sequence(), 0, free - 1);
    }
    word_.unlock(free - 1);
    return true;
  }
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  const bool blocks = !patience.is_none();
  if (blocks) waiters_.push(waiter);
  const std::uint32_t waiters = waiters_.size();
  word_.unlock(blocks ? crowded : state);

  if (blocks) return wait_for_permit(notes, waiter, {sequence, waiters}, patience);
  if (mode == Mode::all) notes.tell(Verb::busy, sequence, waiters, 0);
  return false;
}

/// The thread stands in the queue.
bool Semaphore::wait_for_permit(const sync::Notes& notes, Waiter& waiter, Queued queued,
                                const sync::Patience& patience) {
  const auto [sequence, waiters] = queued;
  const Waiter::Woken woken =
      notes.sleep(word_, waiters_, waiter, patience, {.quoted = sequence, .a = waiters}, sequence_);
  const auto leave = [&](std::uint32_t left) { return waiters_.first() == nullptr ? 0 : left; };
  if (woken != Waiter::Woken::granted && notes.give_up(word_, waiters_, waiter, leave)) {
    // relaxed: a quote
    notes.gave_up(waiter, woken, sequence_.load(std::memory_order_relaxed), waiters_.size());
    return false;
  }
  notes.unblock(waiter, [&] {
    notes.tell(Verb::acquire, waiter.sequence, waiter.waker, waiter.what, {waiter.waker, 0});
  });
  return true;
}

void Semaphore::release(std::ptrdiff_t count, const Site& site) {
  log::park_if_ending();
  if (count < 1) log::throw_misuse("release of less than one permit of a", object_, 0, site);
  if (count > limit_) log::throw_misuse("over-release of a", object_, 0, site);
  const Mode mode = object_.mode();
  if (mode != Mode::all && try_give(count)) return;
  release_slowly(static_cast<std::uint32_t>(count), mode, site);
}

/// Without a Record. False: somebody waits, there is no room, or somebody is about to change that.
bool Semaphore::try_give(std::ptrdiff_t count) {
  for (;;) {
    const auto [state, is_locked] = word_.peek();
    if (is_locked || state == crowded || count > limit_ - std::ptrdiff_t{state}) return false;
    if (word_.try_change(state, state + static_cast<std::uint32_t>(count))) return true;
  }
}

void Semaphore::release_slowly(std::uint32_t count, Mode mode, const Site& site) {
  log::Writer& me = log::self();
  if (mode != Mode::off) log::make_ready(me, object_, site);
  sync::Chosen chosen;
  const std::uint32_t state = word_.lock(object_, site);
  const std::uint32_t free = value_of(state);
  if (count > limit_ - free) {
    word_.unlock(state);
    log::throw_misuse("over-release of a", object_, 0, site);
  }
  const std::uint32_t woken = std::min(count, waiters_.size());
  if (mode == Mode::all || (is_contended(mode) && woken != 0 && waiters_.told() != 0)) {
    log::emit(me, trace::record_id(object_.kind(), Verb::release), object_, site, advance_sequence(), count, woken);
  }
  const std::uint32_t left = hand_over(free + count, {me.number, 0}, chosen);
  word_.unlock(waiters_.first() != nullptr ? crowded : left);  // from here on the semaphore may be gone
  chosen.wake_all();
}

/// Gives to those who wait, in their order, as far as `free` permits go; what is left. A waiter learns what its permit
/// left free and, if its block was recorded, the sequence of its acquire.
std::uint32_t Semaphore::hand_over(std::uint32_t free, const sync::Waker& giver, sync::Chosen& chosen) {
  while (free != 0 && waiters_.first() != nullptr) {
    Waiter& waiter = waiters_.choose_first(giver, chosen);
    waiter.what = --free;
    if (waiter.recorded) waiter.sequence = advance_sequence();
  }
  return free;
}

/// Under the word's lock.
trace::Sequence Semaphore::advance_sequence() {
  const trace::Sequence next = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
  sequence_.store(next, std::memory_order_relaxed);
  return next;
}

}  // namespace spool
