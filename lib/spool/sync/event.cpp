// SPDX-License-Identifier: MIT
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>

namespace spool {

using sync::Waiter;
using trace::is_contended;
using trace::Verb;

Event::~Event() {
  const std::uint8_t state = log::current_state();
  const std::uint32_t waiters = waiters_.size();
  if (waiters != 0 && (state & log::ending_bit) == 0) {
    log::abort_misuse("destruction of a waited-on", object_, 0, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  sync::Notes{log::self(), object_, object_.site()}.tell(Verb::destroy, last + 1, waiters, 0);
}

void Event::set(const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  if (mode != Mode::all && is_set()) return;  // and so nobody waits
  log::Writer& me = log::self();
  sync::Waker setter{me.number, 0};
  if (mode != Mode::off) {
    log::make_ready(me, object_, site);
    setter.site = log::number_of_site(me, site);
  }
  sync::Chosen chosen;
  const std::uint32_t was_set = word_.lock(object_, site);
  while (waiters_.first() != nullptr)
    waiters_.choose_first(setter, chosen);
  if (mode != Mode::off) setter_ = setter;
  if (mode == Mode::all || (is_contended(mode) && chosen.told() != 0)) {
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
    sequence_.store(sequence, std::memory_order_relaxed);
    log::emit(me, trace::record_id(trace::Kind::event, Verb::set), object_, site, sequence, chosen.count(), was_set);
  }
  word_.unlock(is_set_state);  // from here on the event may be gone
  chosen.wake_all();
}

void Event::clear(const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  log::Writer& me = log::self();
  if (mode == Mode::all) log::make_ready(me, object_, site);
  const std::uint32_t was_set = word_.lock(object_, site);
  if (mode == Mode::all) {
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
    sequence_.store(sequence, std::memory_order_relaxed);
    log::emit(me, trace::record_id(trace::Kind::event, Verb::clear), object_, site, sequence, was_set, 0);
  }
  word_.unlock(0);
}

bool Event::wait_with(const sync::Patience& patience, const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  if (mode != Mode::all) {
    const auto [state, is_locked] = word_.peek();
    // Locked and set: somebody sets it again, and is not done with it.
    if (state == is_set_state && !is_locked) return true;
  }
  return wait_slowly(patience, mode, site);
}

bool Event::wait_slowly(const sync::Patience& patience, Mode mode, const Site& site) {
  const sync::Notes notes{log::self(), object_, site};
  Waiter waiter;
  waiter.expect(mode);
  const std::uint32_t state = word_.lock(object_, site);
  const sync::Waker setter = setter_;
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  const bool blocks = state != is_set_state && !patience.is_none();
  if (blocks) waiters_.push(waiter);
  const std::uint32_t waiters = waiters_.size();
  word_.unlock(state);

  if (state == is_set_state) {
    if (mode == Mode::all) notes.tell(Verb::resume, sequence, setter.thread, setter.site, setter);
    return true;
  }
  if (!blocks) {
    if (mode == Mode::all) notes.tell(Verb::busy, sequence, waiters, 0);
    return false;
  }
  return wait_for_set(notes, waiter, {.quoted = sequence, .a = waiters}, patience);
}

/// The thread stands in the queue.
bool Event::wait_for_set(const sync::Notes& notes, Waiter& waiter, const sync::BlockFields& fields,
                         const sync::Patience& patience) {
  const Waiter::Woken woken = notes.sleep(word_, waiters_, waiter, patience, fields, sequence_);
  if (woken != Waiter::Woken::granted && notes.give_up(word_, waiters_, waiter)) {
    // relaxed: a quote
    notes.gave_up(waiter, woken, sequence_.load(std::memory_order_relaxed), waiters_.size());
    return false;
  }
  notes.unblock(waiter, [&] {
    notes.tell(Verb::resume, sequence_.load(std::memory_order_relaxed),  // relaxed: a quote
               waiter.waker, waiter.waker_site, {waiter.waker, waiter.waker_site});
  });
  return true;
}

}  // namespace spool
