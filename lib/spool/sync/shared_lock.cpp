// SPDX-License-Identifier: MIT
#include <spool/log/recorder.hpp>
#include <spool/log/status.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/sync/spin.hpp>

#include <string>

namespace spool {
namespace {

using sync::Waiter;
using trace::Verb;

constexpr std::uint16_t id(Verb verb) {
  return trace::record_id(trace::Kind::shared_lock, verb);
}

}  // namespace

/// A waiter, with what the thread that lets it in has to know of it, and to tell it.
struct SharedLock::Request : Waiter {
  Request(trace::ThreadNumber who, trace::SiteNumber where, Want wanted, Mode mode) : thread{who}, site{where} {
    what = wanted;
    expect(mode);
  }
  Want want() const { return static_cast<Want>(what); }

  trace::ThreadNumber thread;
  trace::SiteNumber site;
  std::uint32_t readers = 0;  ///< that hold the lock with it
};

SharedLock::~SharedLock() {
  const std::uint8_t state = log::current_state();
  const trace::ThreadNumber owner = quote_of(word_.peek().state).owner.thread;
  if (word_.peek().state != 0 && (state & log::ending_bit) == 0 && holder_left_behind(exclusive).thread == 0) {
    log::abort_misuse("destruction of a held", object_, owner, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  sync::Notes{log::self(), object_, object_.site()}.tell(Verb::destroy, last + 1, owner, 0, {owner, 0});
}

/// May one go in at once? (Where the count of readers is full, the next one waits.)
constexpr bool SharedLock::admits(std::uint32_t state, Want want) {
  if (want == exclusive) return state == 0;
  return (state & (queued | written)) == 0 && state >> count_shift != owner_mask;
}

bool SharedLock::acquire(Want want, const sync::Patience& patience, const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  log::Writer& me = log::self();
  if (mode == Mode::all || !try_enter(me, want)) {
    if (!patience.is_none()) await_change(want);
    return acquire_slowly(me, want, patience, mode, site);
  }
  ++me.holds;
  if (want == exclusive) begin_unrecorded_hold(me, mode, site);
  return true;
}

/// A hold is often shorter than a trip to the kernel: spins while one may not go in, but not once others queue.
void SharedLock::await_change(Want want) const {
  const auto is_due = [&] {
    const auto [state, is_locked] = word_.peek();
    return !is_locked && (admits(state, want) || (state & queued) != 0);
  };
  if (!is_due()) sync::spin_until(is_due);
}

/// Without a Record. False: it has to wait, or somebody is about to change that.
bool SharedLock::try_enter(const log::Writer& me, Want want) {
  for (;;) {
    const auto [state, is_locked] = word_.peek();
    if (is_locked || !admits(state, want)) return false;
    if (word_.try_change(state, entered(state, want, me.number))) return true;
  }
}

/// In mode contended the line is left for whoever comes to wait; in mode off none, also no old one.
void SharedLock::begin_unrecorded_hold(log::Writer& me, Mode mode, const Site& site) {
  hold_ = mode == Mode::off ? Hold::unrecorded : Hold::contended;
  const std::uint64_t left = mode == Mode::off ? 0 : log::two_words(log::number_of_site(me, site), me.number);
  owner_site_.store(left, std::memory_order_relaxed);  // relaxed: a hint
}

bool SharedLock::acquire_slowly(log::Writer& me, Want want, const sync::Patience& patience, Mode mode,
                                const Site& site) {
  const sync::Notes notes{me, object_, site};
  if (const sync::Waker left = holder_left_behind(want); left.thread != 0) [[unlikely]] {
    return give_up_orphan(notes, left, patience, mode, site);
  }
  Request request{me.number, mode == Mode::off ? 0 : log::number_of_site(me, site), want, mode};
  if (mode == Mode::all) log::make_ready(me, object_, site);
  const std::uint32_t state = lock_word(site);
  if (admits(state, want)) {
    enter(me, want, state, mode, site, patience.is_endless() ? 0 : me.number);
    return true;
  }
  const Quote quote = quote_of(state);
  const bool blocks = !patience.is_none();
  if (blocks) waiters_.push(request);
  word_.unlock(blocks ? state | queued : state);
  if (blocks) return wait(notes, me, request, quote, patience, site);
  if (mode == Mode::all) {
    notes.tell(want == shared ? Verb::busy_shared : Verb::busy, quote.sequence, quote.owner.thread, quote.owner.site,
               quote.owner);
  }
  return false;
}

/// The word's lock. In the child of a fork those who waited stayed behind: nobody waits before us.
std::uint32_t SharedLock::lock_word(const Site& site) {
  const std::uint32_t state = word_.lock(object_, site);
  return waiters_.first() == nullptr ? state & ~queued : state;
}

/// The thread stands in the queue.
bool SharedLock::wait(const sync::Notes& notes, log::Writer& me, Request& request, Quote quote,
                      const sync::Patience& patience, const Site& site) {
  const auto fields_of = [&request](const Quote& now) {
    return sync::BlockFields{request.want() == shared ? Verb::block_shared : Verb::block, now.sequence,
                             now.owner.thread, now.owner.site, now.owner};
  };
  const Waiter::Woken woken =
      notes.sleep(word_, waiters_, request, patience, fields_of(quote),
                  [&](sync::BlockFields& fields, std::uint32_t state) { fields = fields_of(quote_of(state)); });
  if (woken == Waiter::Woken::granted) {
    begin_granted_hold(me, request, site);
    return true;
  }
  // A writer that goes may have kept readers out who may come in now.
  sync::Chosen chosen;
  const auto leave = [&](std::uint32_t state) {
    quote = quote_of(state);
    return grant(state, {me.number, 0}, chosen);
  };
  if (!notes.give_up(word_, waiters_, request, leave)) {
    begin_granted_hold(me, request, site);
    return true;
  }
  chosen.wake_all();
  notes.gave_up(request, woken, quote.sequence, quote.owner.thread, quote.owner.site, quote.owner);
  return false;
}

/// In the child of a fork: who keeps such a caller out for ever; nobody, as far as is known.
sync::Waker SharedLock::holder_left_behind(Want want) {
  const std::uint32_t state = word_.peek().state;
  if (log::fork_depth() == 0) return {};
  if ((state & written) != 0) {
    const sync::Waker owner = quote_of(state).owner;
    return log::is_left_behind(owner.thread) ? owner : sync::Waker{};
  }
  if (want == shared || readers_of(state) == 0) return {};
  const log::Quoted reader = log::Recorder::instance().left_reader(object_.known_number());
  return {reader.thread, reader.site};
}

bool SharedLock::give_up_orphan(const sync::Notes& notes, const sync::Waker& left, const sync::Patience& patience,
                                Mode mode, const Site& site) {
  if (mode != Mode::off) {
    // relaxed: a quote
    notes.tell(Verb::orphan, sequence_.load(std::memory_order_relaxed), left.thread, left.site, left);
  }
  const std::string words = log::report_orphan(object_, {left.thread, left.site}, site);
  if (patience.deadline == os::never && patience.stop == nullptr) throw MisuseError{words};
  return false;
}

/// Under the word's lock, which it leaves: goes in without a wait.
void SharedLock::enter(log::Writer& me, Want want, std::uint32_t state, Mode mode, const Site& site,
                       trace::ThreadNumber waker) {
  if (mode == Mode::all) return enter_recorded(me, want, state, site, waker);
  word_.unlock(entered(state, want, me.number));
  ++me.holds;
  if (want == exclusive) begin_unrecorded_hold(me, mode, site);
}

/// Goes in, under the word's lock, and leaves that.
void SharedLock::enter_recorded(log::Writer& me, Want want, std::uint32_t state, const Site& site,
                                trace::ThreadNumber waker) {
  const std::uint32_t next = entered(state, want, me.number);
  const Verb verb = want == shared ? Verb::acquire_shared : Verb::acquire;
  const log::Emitted at = log::emit(me, id(verb), object_, site, advance_sequence(), waker, readers_of(next));
  if (want == exclusive) {
    hold_ = Hold::recorded;
    owner_site_.store(log::two_words(at.site, me.number), std::memory_order_relaxed);  // relaxed: a hint
  }
  word_.unlock(next);
  ++me.holds;
  log::push_hold(me, object_, at, want);
}

/// It was let in; who did that left everything but how its hold is recorded.
void SharedLock::begin_granted_hold(log::Writer& me, const Request& request, const Site& site) {
  const bool recorded = sync::Notes::ends_recorded(request);
  const bool all = object_.mode() == Mode::all;
  log::Emitted at{};
  if (recorded) {
    const Verb verb = request.want() == shared ? Verb::acquire_shared : Verb::acquire;
    at = log::emit_quoting(me, id(verb), object_, site, request.sequence, request.waker, request.readers,
                           {request.waker, 0});
  }
  log::end_wait(me);
  ++me.holds;
  if (recorded && all) log::push_hold(me, object_, at, request.want());
  if (request.want() == shared) return;
  hold_ = !recorded ? Hold::unrecorded : all ? Hold::recorded : Hold::contended;
}

void SharedLock::unlock(const Site& site) {
  log::Writer& me = log::self();
  const auto [state, is_locked] = word_.peek();
  if (!is_owner(state, me.number)) {
    log::throw_misuse("release of a not owned", object_, quote_of(state).owner.thread, site);
  }
  --me.holds;
  const bool quiet = hold_ != Hold::recorded && (state & queued) == 0 && !is_locked;
  if (!quiet || !word_.try_change(state, 0)) release_slowly(me, site);
}

void SharedLock::release_slowly(log::Writer& me, const Site& site) {
  const Hold hold = hold_;
  if (hold != Hold::unrecorded) log::make_ready(me, object_, site);
  sync::Chosen chosen;
  (void)word_.lock(object_, site);
  const std::uint32_t waiters = waiters_.size();
  if (hold == Hold::recorded || (hold == Hold::contended && waiters_.told() != 0)) {
    log::emit(me, id(Verb::release), object_, site, advance_sequence(), waiters, me.number);
  }
  if (hold == Hold::recorded) log::pop_hold(me, object_.known_number());
  word_.unlock(grant(0, {me.number, 0}, chosen));  // from here on the lock may be gone
  chosen.wake_all();
}

void SharedLock::unlock_shared(const Site& site) {
  log::Writer& me = log::self();
  const log::SharedHold hold = log::shared_hold(me, object_);
  if (hold == log::SharedHold::none && readers() != 0) {
    log::throw_misuse("shared release, by no reader of it, of", object_, 0, site);
  }
  while (hold == log::SharedHold::unrecorded) {
    const auto [state, is_locked] = word_.peek();
    if (is_locked || (state & queued) != 0 || readers_of(state) == 0) break;
    if (!word_.try_change(state, state - one_reader)) continue;
    --me.holds;
    return;
  }
  release_shared_slowly(me, hold == log::SharedHold::recorded, site);
}

void SharedLock::release_shared_slowly(log::Writer& me, bool recorded, const Site& site) {
  const bool contended = trace::is_contended(object_.mode());
  if (recorded || contended) log::make_ready(me, object_, site);
  sync::Chosen chosen;
  const std::uint32_t state = word_.lock(object_, site);
  if (readers_of(state) == 0) {
    const trace::ThreadNumber owner = quote_of(state).owner.thread;
    word_.unlock(state);
    log::throw_misuse("shared release of an unshared", object_, owner, site);
  }
  const std::uint32_t next = state - one_reader;
  const std::uint32_t waiters = waiters_.size();
  if (recorded || (contended && waiters_.told() != 0)) {
    log::emit(me, id(Verb::release_shared), object_, site, advance_sequence(), waiters, readers_of(next));
  }
  if (recorded) log::pop_hold(me, object_.known_number());
  --me.holds;
  word_.unlock(grant(next, {me.number, 0}, chosen));  // from here on the lock may be gone
  chosen.wake_all();
}

/// Under the word's lock: lets in, in their order, whom the state admits. The state that is left.
std::uint32_t SharedLock::grant(std::uint32_t state, const sync::Waker& waker, sync::Chosen& chosen) {
  state &= ~queued;
  while (waiters_.first() != nullptr) {
    if (!admits(state, static_cast<Request*>(waiters_.first())->want())) return state | queued;
    auto& request = static_cast<Request&>(waiters_.choose_first(waker, chosen));
    state = entered(state, request.want(), request.thread);
    request.readers = readers_of(state);
    if (request.recorded) request.sequence = advance_sequence();
    if (request.want() == shared) continue;
    owner_site_.store(log::two_words(request.site, request.thread), std::memory_order_relaxed);  // relaxed: a hint
  }
  return state;
}

/// The writer in a state: from the low bits that stand there, and the full number beside its site where these match.
SharedLock::Quote SharedLock::quote_of(std::uint32_t state) const {
  Quote quote{sequence_.load(std::memory_order_relaxed), {}};  // relaxed: a quote
  if ((state & written) == 0) return quote;
  const std::uint64_t both = owner_site_.load(std::memory_order_relaxed);  // relaxed: checked against the state
  const auto thread = static_cast<trace::ThreadNumber>(both >> 32U);
  if (is_owner(state, thread)) {
    quote.owner = {thread, static_cast<trace::SiteNumber>(both)};
  } else {
    quote.owner.thread = state >> count_shift;
  }
  return quote;
}

/// Under the word's lock.
trace::Sequence SharedLock::advance_sequence() {
  const trace::Sequence next = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
  sequence_.store(next, std::memory_order_relaxed);
  return next;
}

}  // namespace spool
