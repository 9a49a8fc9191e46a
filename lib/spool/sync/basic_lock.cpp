// SPDX-License-Identifier: MIT
#include <spool/log/status.hpp>
#include <spool/sync/basic_lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/spin.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace spool::sync {
namespace {

using trace::Kind;
using trace::Verb;

constexpr std::uint8_t most_spins = 100;  ///< pauses of the CPU
constexpr int most_pauses = 4;            ///< between two looks: 0.1 to 0.3 us

std::uint32_t saturated(std::uint64_t ticks) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, std::numeric_limits<std::uint32_t>::max()));
}

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
  if (log::mode_of(state) != Mode::all || object_.known_number() == 0) return;
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
  const Mode mode = log::current_mode();
  if (take_if_free(me, 0)) {
    note_acquired(me, site, mode, {});
    return true;
  }
  if (is_orphaned(word_.load(std::memory_order_relaxed) & ~waiters_bit)) {  // relaxed: a hint
    (void)give_up_orphan(me, site, mode != Mode::off);
  } else if (mode == Mode::all) {
    note_failed(me, site, Verb::busy, true);
  }
  return false;
}

/// The way of nearly every lock: free, and everything recorded. What is rare is left to calls at its end, so that the
/// common way needs few registers.
template <Kind kind>
void BasicLock<kind>::acquire_for_ever(log::Writer& me, const Site& site) {
  if (log::current_state() != static_cast<std::uint8_t>(Mode::all) || !take_if_free(me, 0)) [[unlikely]] {
    acquire(me, site, os::never, nullptr);
    return;
  }
  ++me.holds;
  hold_ = Hold::recorded;
  log::Emitted at{};
  if (log::try_emit_fast(me, id(Verb::acquire), object_, site, advance_sequence(), 0, 0, at)) [[likely]] {
    begin_recorded_hold(me, at);
    return;
  }
  record_acquire_slowly(me, site);
}

/// The sequence is advanced already.
template <Kind kind>
void BasicLock<kind>::record_acquire_slowly(log::Writer& me, const Site& site) {
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: written in the hold only
  begin_recorded_hold(me, log::emit_slowly(me, id(Verb::acquire), object_, site, sequence, 0, 0));
}

template <Kind kind>
bool BasicLock<kind>::acquire(log::Writer& me, const Site& site, os::Deadline deadline, os::Word* stopped) {
  const std::uint8_t state = log::current_state();
  if ((state & log::ending_bit) != 0) log::park_if_ending();
  if (!take_if_free(me, 0)) return acquire_contended(me, site, deadline, stopped);
  note_acquired(me, site, log::mode_of(state), {});
  return true;
}

template <Kind kind>
[[gnu::always_inline]] inline void BasicLock<kind>::begin_recorded_hold(log::Writer& me, const log::Emitted& at) {
  owner_site_.store(log::two_words(at.site, me.number), std::memory_order_relaxed);  // relaxed: a hint for waiters
  log::push_hold(me, object_, at);
}

template <Kind kind>
log::Emitted BasicLock<kind>::emit_acquire(log::Writer& me, const Site& site, trace::ThreadNumber waker,
                                           std::uint32_t spun) {
  return log::emit_quoting(me, id(Verb::acquire), object_, site, advance_sequence(), waker, spun, {waker, 0});
}

/// Requires: the calling thread is the only one that may write it, being in the hold.
template <Kind kind>
[[gnu::always_inline]] inline trace::Sequence BasicLock<kind>::advance_sequence() {
  const trace::Sequence next = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed: written in the hold only
  sequence_.store(next, std::memory_order_relaxed);                            // relaxed: waiters quote it
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

/// A hold is often shorter than a trip to the kernel. The limit follows what the last spins took, as in glibc's
/// adaptive mutex; with waiters asleep it is pointless. Each look takes the word's cache line from the holder, so looks
/// come less and less often.
template <Kind kind>
bool BasicLock<kind>::spin(log::Writer& me, Waited& waited) {
  if (!can_spin()) return false;
  const trace::Ticks begun = os::ticks();
  const int usual = spin_limit_.load(std::memory_order_relaxed);  // relaxed: a guess
  const int limit = std::min<int>(most_spins, usual * 2 + 10);
  int paused = 0;
  int pauses = 1;
  bool taken = false;
  while (!taken && paused < limit) {
    for (int i = 0; i < pauses; ++i)
      pause_cpu();
    paused += pauses;
    pauses = std::min(2 * pauses, most_pauses);
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: take_if_free acquires
    if ((word & waiters_bit) != 0) break;
    taken = word == 0 && take_if_free(me, 0);
  }
  waited.spun = saturated(os::ticks() - begun);
  // Only the holder writes: a thread that failed to spin leaves the limit to who comes after it.
  // relaxed: a guess
  if (taken) spin_limit_.store(static_cast<std::uint8_t>(usual + (paused - usual) / 8), std::memory_order_relaxed);
  return taken;
}

/// Sets the waiters bit on a held word and returns the word; 0 when the lock is free.
template <Kind kind>
std::uint32_t BasicLock<kind>::register_waiter() {
  std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed, all: a free word is taken with acquire
  while (word != 0 && (word & waiters_bit) == 0) {
    if (word_.compare_exchange_weak(word, word | waiters_bit, std::memory_order_relaxed)) return word | waiters_bit;
  }
  return word;
}

template <Kind kind>
bool BasicLock<kind>::acquire_contended(log::Writer& me, const Site& site, os::Deadline deadline, os::Word* stopped) {
  Waited waited;
  if (spin(me, waited)) {
    note_acquired(me, site, log::current_mode(), waited);
    return true;
  }
  trace::ThreadNumber seen_owner = 0;
  trace::Sequence seen_sequence = 0;
  bool in_time = true;
  for (;;) {
    // Whoever slept takes the lock with the waiters bit: others may sleep still.
    const std::uint32_t word = register_waiter();
    if (word == 0) {
      if (!take_if_free(me, waited.blocked ? waiters_bit : 0)) continue;
      note_acquired(me, site, log::current_mode(), waited);
      return true;
    }
    // A stop that came before the call ends a wait too, so that the log has its block first.
    // acquire: partner is the release in the stop callback
    if (waited.blocked && stopped != nullptr && stopped->load(std::memory_order_acquire) != 0) {
      return give_up(me, site, waited, Verb::cancel);
    }
    if (!in_time) return give_up(me, site, waited, Verb::timeout);
    const trace::ThreadNumber owner = word & ~waiters_bit;
    if (is_orphaned(owner)) {
      const std::string words = give_up_orphan(me, site, waited.recorded || log::current_mode() != Mode::off);
      if (deadline == os::never && stopped == nullptr) throw MisuseError{words};
      return false;
    }
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: a quote
    // Registered, and about to sleep: the block. Again after a futile wake, with the new owner.
    if (!waited.blocked || owner != seen_owner || sequence != seen_sequence) {
      waited.recorded |= note_block(me, site, owner);
    }
    waited.blocked = true;
    seen_owner = owner;
    seen_sequence = sequence;
    in_time = stopped == nullptr ? os::park(word_, word, deadline) : os::park_either(word_, word, *stopped, deadline);
  }
}

/// The wait ends without the lock. Two ways to lose a wake-up are closed here: the release may have woken just us, so
/// the waiters bit must be set again for those who sleep on; and it may have freed the lock for nobody but us.
///
///   A holds, B and C sleep    A: word = 0, wakes B    B: timed out as well, goes away    C sleeps for ever
template <Kind kind>
bool BasicLock<kind>::give_up(log::Writer& me, const Site& site, Waited& waited, Verb verb) {
  while (register_waiter() == 0) {
    if (!take_if_free(me, waiters_bit)) continue;
    note_acquired(me, site, log::current_mode(), waited);
    return true;
  }
  note_failed(me, site, verb, waited.recorded);
  return false;
}

/// Did the owner stay behind in the parent of a fork? Asked where a thread is about to wait, and only in a child.
template <Kind kind>
bool BasicLock<kind>::is_orphaned(trace::ThreadNumber owner) const {
  return log::fork_depth() != 0 && log::is_left_behind(owner);
}

/// Gives the words for the error.
template <Kind kind>
std::string BasicLock<kind>::give_up_orphan(log::Writer& me, const Site& site, bool recorded) {
  const trace::ThreadNumber owner = word_.load(std::memory_order_relaxed) & ~waiters_bit;  // relaxed: it is for ever
  note_failed(me, site, Verb::orphan, recorded);
  return log::report_orphan(object_, {owner, site_of(owner)}, site);
}

template <Kind kind>
trace::SiteNumber BasicLock<kind>::site_of(trace::ThreadNumber owner) const {
  const std::uint64_t both = owner_site_.load(std::memory_order_relaxed);  // relaxed: checked against the word's owner
  return both >> 32U == owner ? static_cast<trace::SiteNumber>(both) : 0;
}

template <Kind kind>
void BasicLock<kind>::note_acquired(log::Writer& me, const Site& site, Mode mode, const Waited& waited) {
  ++me.holds;
  if (waited.blocked) log::end_wait(me);
  const trace::ThreadNumber waker = waited.blocked ? last_releaser_ : 0;
  if (mode == Mode::off && waited.recorded) mode = Mode::contended;
  switch (mode) {
    case Mode::off:
      hold_ = Hold::unrecorded;
      return;
    case Mode::all:
      hold_ = Hold::recorded;
      begin_recorded_hold(me, emit_acquire(me, site, waker, waited.spun));
      return;
    case Mode::contended:
      break;
  }
  hold_ = Hold::contended;
  const trace::SiteNumber here =
      waited.blocked ? emit_acquire(me, site, waker, waited.spun).site : log::number_of_site(me, site);
  owner_site_.store(log::two_words(here, me.number), std::memory_order_relaxed);  // relaxed: a hint for waiters
}

template <Kind kind>
bool BasicLock<kind>::note_block(log::Writer& me, const Site& site, trace::ThreadNumber owner) {
  if (log::current_mode() == Mode::off) return false;
  const log::Quoted quoted{owner, site_of(owner)};
  const log::Emitted at = log::emit_quoting(me, id(Verb::block), object_, site,
                                            sequence_.load(std::memory_order_relaxed),  // relaxed: a quote
                                            quoted.thread, quoted.site, quoted);
  log::begin_wait(me, id(Verb::block), object_, at, quoted.thread, quoted.site);
  return true;
}

template <Kind kind>
void BasicLock<kind>::note_failed(log::Writer& me, const Site& site, Verb verb, bool recorded) {
  if (recorded) {
    const trace::ThreadNumber owner = word_.load(std::memory_order_relaxed) & ~waiters_bit;  // relaxed: a quote
    const log::Quoted quoted{owner, site_of(owner)};
    log::emit_quoting(me, id(verb), object_, site, sequence_.load(std::memory_order_relaxed),  // relaxed: a quote
                      quoted.thread, quoted.site, quoted);
  }
  log::end_wait(me);
}

template <Kind kind>
void BasicLock<kind>::release(log::Writer& me, const Site& site) {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: the holder's own, or a misuse
  if (hold_ != Hold::recorded || word != me.number) [[unlikely]] {
    release_slowly(me, site);
    return;
  }
  log::Emitted at{};
  if (!log::try_emit_fast(me, id(Verb::release), object_, site, advance_sequence(), 0, word, at)) [[unlikely]] {
    // relaxed: written in the hold only; advanced already
    log::emit_slowly(me, id(Verb::release), object_, site, sequence_.load(std::memory_order_relaxed), 0, word);
  }
  log::pop_hold(me, object_.known_number());
  --me.holds;
  free_word(me);
}

/// Whatever is not the owner's release of a recorded hold that nobody waits for.
template <Kind kind>
void BasicLock<kind>::release_slowly(log::Writer& me, const Site& site) {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);  // relaxed: the holder's own, or a misuse
  if (word == 0) log::throw_misuse("release of a free", object_, 0, site);
  const trace::ThreadNumber owner = word & ~waiters_bit;
  const Hold hold = hold_;
  if (owner == me.number) --me.holds;
  if (hold == Hold::recorded) {
    log::emit(me, id(Verb::release), object_, site, advance_sequence(), word >> 31U, owner);
    log::pop_hold(me, object_.known_number());
  } else if (try_release_quietly(me, word)) {
    return;
  } else if (hold == Hold::contended) {
    log::emit(me, id(Verb::release), object_, site, advance_sequence(), 1, owner);
  }
  free_word(me);
}

template <Kind kind>
[[gnu::always_inline]] inline void BasicLock<kind>::free_word(const log::Writer& me) {
  hold_ = Hold::unrecorded;
  last_releaser_ = me.number;
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
