// SPDX-License-Identifier: MIT
#include <spool/log/given_away.hpp>
#include <spool/log/status.hpp>
#include <spool/sync/basic_lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/spin.hpp>

#include <utility>

namespace spool::sync {
namespace {

using trace::Kind;
using trace::Verb;

/// The line that this thread's last release out of the standard library was given.
struct LentLine {
  const void* lock = nullptr;  ///< until it is acquired again
  trace::SiteNumber number = 0;
  Site site;
};
constinit thread_local LentLine lent;

}  // namespace

template <Kind kind>
void BasicLock<kind>::note_destroyed() {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  const std::uint8_t state = log::current_state();
  if (word != 0 && (state & log::ending_bit) == 0 && !is_orphaned(word & ~waiters_bit)) {
    log::abort_misuse("destruction of a held", object_, word & ~waiters_bit, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: as above
  log::emit(log::self(), id(Verb::destroy), object_, object_.site(), last + 1, word & ~waiters_bit, 0);
}

/// By the holder. What its hold began as decides whether that is recorded, as for the release.
template <Kind kind>
void BasicLock<kind>::enter(log::Writer& me, const Site& site) {
  if (nested_ + 2 == 0) log::throw_misuse("acquire, once more than can be counted, of", object_, me.number, site);
  ++nested_;
  if (hold_ == Hold::recorded) {
    log::emit(me, id(Verb::enter), object_, site, advance_sequence(), nested_ + 1, 0);
  }
}

/// False: it is the holder's last release. `nested_` is the holder's, so that is asked first.
template <Kind kind>
bool BasicLock<kind>::leave(log::Writer& me, const Site& site) {
  if (!is_held_by(me)) [[unlikely]] {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: a quote
    log::throw_misuse(word == 0 ? "release of a free" : "release of another thread's", object_, word & ~waiters_bit,
                      site);
  }
  if (nested_ == 0) return false;
  --nested_;
  if (hold_ == Hold::recorded) {
    log::emit(me, id(Verb::leave), object_, site, advance_sequence(), nested_ + 1, 0);
  }
  return true;
}

/// Lends the line where the hold began to a release that came out of the standard library, and to the acquire that will
/// follow it.
template <Kind kind>
Site BasicLock<kind>::line_of_hold(const Site& site) const {
  log::Writer& me = log::self();
  if (!is_held_by(me) || hold_ == Hold::unrecorded) return site;
  const trace::SiteNumber number = site_of(me.number);
  if (number == 0) return site;
  if (number != lent.number) lent = {nullptr, number, log::site_of_number(me, number)};
  if (lent.site.file == nullptr) return site;
  lent.lock = this;
  return lent.site;
}

template <Kind kind>
Site BasicLock<kind>::line_before(const Site& site) const {
  if (lent.lock != this) return site;
  lent.lock = nullptr;
  return lent.site;
}

template <Kind kind>
bool BasicLock<kind>::try_acquire(log::Writer& me, const Site& site) {
  log::park_if_ending();
  const Mode mode = object_.mode();
  if (take_if_free(0)) {
    note_acquired(me, site, mode, {.gives_up = true});
    return true;
  }
  if (is_orphaned(word_.load(std::memory_order_relaxed) & ~waiters_bit)) {  // relaxed: a hint
    (void)give_up_orphan(me, site, {.recorded = mode != Mode::off});
  } else if (mode == Mode::all) {
    note_failed(me, site, Verb::busy, {.recorded = true});
  }
  return false;
}

/// The way of nearly every lock: free, and everything recorded. What is rare is left to calls at its end, so that the
/// common way needs few registers.
template <Kind kind>
void BasicLock<kind>::acquire_for_ever(log::Writer& me, const char* file, const char* function, std::uint32_t line) {
  if (object_.state() != static_cast<std::uint8_t>(Mode::all) || !take_if_free(0)) [[unlikely]] {
    acquire_otherwise(me, file, function, line);
    return;
  }
  ++me.holds;
  begin_hold(Hold::recorded);
  log::Emitted at{};
  if (log::try_emit_fast(me, id(Verb::acquire), object_, {file, function, line}, advance_sequence(), 0, 0, at))
      [[likely]] {
    begin_recorded_hold(me, at);
    return;
  }
  record_acquire_slowly(me, file, function, line);
}

template <Kind kind>
void BasicLock<kind>::acquire_otherwise(log::Writer& me, const char* file, const char* function, std::uint32_t line) {
  acquire(me, {file, function, line}, os::never, nullptr);
}

/// The sequence is advanced already.
template <Kind kind>
void BasicLock<kind>::record_acquire_slowly(log::Writer& me, const char* file, const char* function,
                                            std::uint32_t line) {
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: written in the hold only
  begin_recorded_hold(me, log::emit_slowly(me, id(Verb::acquire), object_, {file, function, line}, sequence, 0, 0));
}

template <Kind kind>
bool BasicLock<kind>::acquire(log::Writer& me, const Site& site, os::Deadline deadline, os::Word* stopped) {
  const std::uint8_t state = log::current_state();
  if ((state & log::ending_bit) != 0) log::park_if_ending();
  // relaxed: a look, which leaves the holder its cache line
  if (word_.load(std::memory_order_relaxed) != 0 || !take_if_free(0)) {
    return acquire_contended(me, site, deadline, stopped);
  }
  note_acquired(me, site, object_.mode(), {.gives_up = deadline != os::never || stopped != nullptr});
  return true;
}

template <Kind kind>
[[gnu::always_inline]] inline void BasicLock<kind>::begin_recorded_hold(log::Writer& me, const log::Emitted& at) {
  name_owner(me, at.site);
  log::push_hold(me, object_, at);
}

template <Kind kind>
log::Emitted BasicLock<kind>::emit_acquire(log::Writer& me, const Site& site, trace::ThreadNumber waker,
                                           const Waited& waited) {
  const trace::Sequence sequence = advance_sequence();
  if (waited.spins_since == 0) {
    const log::Quoted other{waker == me.number ? 0 : waker, 0};
    return log::emit_quoting(me, id(Verb::acquire), object_, site, sequence, waker, waited.spun, other);
  }
  log::Emitted at{};
  const auto spun = [&waited](trace::Ticks now) { return saturated(now - waited.spins_since); };
  if (log::try_emit_with<log::Fenced::yes>(me, id(Verb::acquire), object_, site, sequence, waker, spun, at)) return at;
  return log::emit_slowly(me, id(Verb::acquire), object_, site, sequence, waker, spun(os::ticks()));
}

/// Requires: the calling thread is the only one that may write it, being in the hold.
template <Kind kind>
[[gnu::always_inline]] inline trace::Sequence BasicLock<kind>::next_sequence() const {
  return sequence_.load(std::memory_order_relaxed) + 1;  // relaxed: written in the hold only
}

template <Kind kind>
[[gnu::always_inline]] inline trace::Sequence BasicLock<kind>::advance_sequence() {
  const trace::Sequence next = next_sequence();
  sequence_.store(next, std::memory_order_relaxed);  // relaxed: waiters quote it
  return next;
}

template <Kind kind>
bool BasicLock<kind>::acquire_until_stop(log::Writer& me, const Site& site, const std::stop_token& stop,
                                         os::Deadline deadline) {
  os::Word stopped{0};
  const std::stop_callback wake{stop, [&stopped] {
                                  // release: partner is the acquire in acquire_contended
                                  stopped.store(1, std::memory_order_release);
                                  os::unpark(&stopped, 1);
                                }};
  return acquire(me, site, deadline, &stopped);
}

template <Kind kind>
trace::SiteNumber BasicLock<kind>::site_of(trace::ThreadNumber owner) const {
  const std::uint64_t both = owner_site_.load(std::memory_order_relaxed);  // relaxed: checked against the word's owner
  return both >> 32U == owner ? static_cast<trace::SiteNumber>(both) : 0;
}

template <Kind kind>
void BasicLock<kind>::note_acquired(log::Writer& me, const Site& site, Mode mode, const Waited& waited) {
  ++me.holds;
  if (waited.blocked) end_wait(me, waited);
  const trace::ThreadNumber waker = waited.blocked ? last_releaser() : waited.gives_up ? me.number : 0;
  if (mode == Mode::off && waited.recorded) mode = Mode::contended;
  switch (mode) {
    case Mode::off:
      begin_hold(Hold::unrecorded);
      return;
    case Mode::all:
      begin_hold(Hold::recorded);
      begin_recorded_hold(me, emit_acquire(me, site, waker, waited));
      return;
    case Mode::contended:
    case Mode::long_waits:
      break;
  }
  begin_hold(Hold::contended);
  const bool told = mode == Mode::long_waits ? waited.recorded : waited.blocked;
  name_owner(me, told ? emit_acquire(me, site, waker, waited).site : log::number_of_site(me, site));
}

/// What a waiter looks at is written last, in one go: each time that it looks in between, the cache line has to come
/// back.
template <Kind kind>
void BasicLock<kind>::release(log::Writer& me, const char* file, const char* function, std::uint32_t line) {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: the holder's own, or a misuse
  if (hold_ != Hold::recorded || word != me.number) [[unlikely]] {
    release_otherwise(me, file, function, line);
    return;
  }
  const trace::Sequence sequence = next_sequence();
  log::Emitted at{};
  if (!log::try_emit_fast(me, id(Verb::release), object_, {file, function, line}, sequence, 0, word, at)) [[unlikely]] {
    release_slowly(me, file, function, line);
    return;
  }
  if (!log::try_pop_hold(me, object_.known_number())) [[unlikely]] {
    end_recorded_hold(me);
    return;
  }
  --me.holds;
  sequence_.store(sequence, std::memory_order_relaxed);  // relaxed: waiters quote it
  free_word();
}

template <Kind kind>
void BasicLock<kind>::release_slowly(log::Writer& me, const char* file, const char* function, std::uint32_t line) {
  log::emit_slowly(me, id(Verb::release), object_, {file, function, line}, next_sequence(), 0, me.number);
  end_recorded_hold(me);
}

/// Its Record is written, or lost.
template <Kind kind>
void BasicLock<kind>::end_recorded_hold(log::Writer& me) {
  log::pop_hold(me, object_.known_number());
  --me.holds;
  advance_sequence();
  free_word();
}

/// Whatever is not the owner's release of a recorded hold that nobody waits for.
template <Kind kind>
void BasicLock<kind>::release_otherwise(log::Writer& me, const char* file, const char* function, std::uint32_t line) {
  const Site site{file, function, line};
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: the holder's own, or a misuse
  if (word == 0) log::throw_misuse("release of a free", object_, 0, site);
  const trace::ThreadNumber owner = word & ~waiters_bit;
  const Hold hold = hold_;
  if (owner == me.number) {
    --me.holds;
  } else {
    log::note_given_away(owner);
  }
  if (hold == Hold::recorded) {
    log::emit(me, id(Verb::release), object_, site, advance_sequence(), word >> 31U, owner);
    log::pop_hold(me, object_.known_number());
    note_releaser(me);
  } else {
    note_releaser(me);
    // release: partner is the acquire of the next lock; relaxed: a waiter has come meanwhile
    if (std::uint32_t held = owner;
        word_.compare_exchange_strong(held, 0, std::memory_order_release, std::memory_order_relaxed)) {
      return;
    }
    if (hold == Hold::contended && is_awaited()) {
      log::emit(me, id(Verb::release), object_, site, advance_sequence(), 1, owner);
    }
  }
  free_word();
}

/// Who released last, for the waiter that comes next: whom owner_site_ names until that one writes itself into it.
/// Requires: in the hold.
template <Kind kind>
trace::ThreadNumber BasicLock<kind>::last_releaser() const {
  // relaxed: written in holds only
  return static_cast<trace::ThreadNumber>(owner_site_.load(std::memory_order_relaxed) >> 32U);
}

/// Where the hold has left no line, or was another thread's.
template <Kind kind>
void BasicLock<kind>::note_releaser(const log::Writer& me) {
  // relaxed: a hint for waiters
  if (last_releaser() != me.number) owner_site_.store(log::two_words(0, me.number), std::memory_order_relaxed);
}

template <Kind kind>
[[gnu::always_inline]] inline void BasicLock<kind>::free_word() {
  os::Word* const address = &word_;  // after the exchange somebody else may destroy the lock
  // release: partner is the acquire of the next lock
  const std::uint32_t last = word_.exchange(0, std::memory_order_release);
  if ((last & waiters_bit) != 0) [[unlikely]] {
    os::unpark(address, 1);
  }
}

template class BasicLock<Kind::lock>;
template class BasicLock<Kind::rlock>;

}  // namespace spool::sync
