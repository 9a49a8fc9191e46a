// SPDX-License-Identifier: MIT
//
// What a Lock or RLock does when it is not free: spins, sleeps, gives up. The ways that find it free are in
// basic_lock.cpp.
#include <spool/log/status.hpp>
#include <spool/sync/basic_lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/spin.hpp>

#include <algorithm>

namespace spool::sync {
namespace {

using trace::Kind;
using trace::Verb;

}  // namespace

/// A hold is often shorter than a trip to the kernel. Whether others sleep does not count: if it did, one that sleeps
/// would have each hand-over from then on go through the kernel.
template <Kind kind>
bool BasicLock<kind>::spin(Waited& waited) {
  const trace::Ticks begun = object_.mode() == Mode::off ? 0 : os::ticks();
  // relaxed: take_if_free acquires
  if (spin_until([&] { return word_.load(std::memory_order_relaxed) == 0 && take_if_free(0); })) {
    waited.spins_since = begun;
    return true;
  }
  if (begun != 0) waited.spun = saturated(os::ticks() - begun);
  return false;
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
  Waited waited{.gives_up = deadline != os::never || stopped != nullptr,
                .limit = log::limit_of(deadline, stopped != nullptr)};
  if (spin(waited)) {
    note_acquired(me, site, object_.mode(), waited);
    return true;
  }
  trace::ThreadNumber seen_owner = 0;
  trace::Sequence seen_sequence = 0;
  bool in_time = true;
  bool told = false;
  for (;;) {
    // Whoever slept takes the lock with the waiters bit: others may sleep still.
    const std::uint32_t word = register_waiter();
    if (word == 0) {
      if (!take_if_free(waited.blocked ? waiters_bit : 0)) continue;
      note_acquired(me, site, object_.mode(), waited);
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
      waited.recorded = waited.recorded || object_.mode() != Mode::off;
      const std::string words = give_up_orphan(me, site, waited);
      if (deadline == os::never && stopped == nullptr) throw MisuseError{words};
      return false;
    }
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: a quote
    // Registered, and about to sleep: the block. Again after a futile wake, with the new owner.
    if (!waited.blocked) begin_late(waited, owner);
    const bool tells = waited.late_at == os::never || std::chrono::steady_clock::now() >= waited.late_at;
    if (tells && (!told || owner != seen_owner || sequence != seen_sequence)) {
      waited.recorded |= note_block(me, site, owner, waited);
      told = true;
    }
    waited.blocked = true;
    seen_owner = owner;
    seen_sequence = sequence;
    const os::Deadline until = tells ? deadline : std::min(deadline, waited.late_at);
    in_time = stopped == nullptr ? os::park(word_, word, until) : os::park_either(word_, word, *stopped, until);
    in_time = in_time || until != deadline;
  }
}

/// The wait ends without the lock. Two ways to lose a wake-up are closed here: the release may have woken just us, so
/// the waiters bit must be set again for those who sleep on; and it may have freed the lock for nobody but us.
///
///   A holds, B and C sleep    A: word = 0, wakes B    B: timed out as well, goes away    C sleeps for ever
template <Kind kind>
bool BasicLock<kind>::give_up(log::Writer& me, const Site& site, Waited& waited, Verb verb) {
  while (register_waiter() == 0) {
    if (!take_if_free(waiters_bit)) continue;
    note_acquired(me, site, object_.mode(), waited);
    return true;
  }
  note_failed(me, site, verb, waited);
  return false;
}

/// Did the owner stay behind in the parent of a fork? Asked where a thread is about to wait, and only in a child.
template <Kind kind>
bool BasicLock<kind>::is_orphaned(trace::ThreadNumber owner) const {
  return log::fork_depth() != 0 && log::is_left_behind(owner);
}

/// Gives the words for the error.
template <Kind kind>
std::string BasicLock<kind>::give_up_orphan(log::Writer& me, const Site& site, const Waited& waited) {
  const trace::ThreadNumber owner = word_.load(std::memory_order_relaxed) & ~waiters_bit;  // relaxed: it is for ever
  note_failed(me, site, Verb::orphan, waited);
  return log::report_orphan(object_, {owner, site_of(owner)}, site);
}

/// In mode long a wait is recorded once it has lasted long; its thread parks until then first.
template <Kind kind>
void BasicLock<kind>::begin_late(Waited& waited, trace::ThreadNumber owner) const {
  if (object_.mode() != Mode::long_waits) return;
  waited.since = os::ticks();
  waited.owner = {owner, site_of(owner)};
  waited.late_at = log::late_deadline();
}

/// Is a release in mode contended or long to be recorded? One that is waited for; in mode long by somebody whose wait
/// is.
template <Kind kind>
bool BasicLock<kind>::is_awaited() const {
  return object_.mode() != Mode::long_waits || late_.load(std::memory_order_relaxed) != 0;  // relaxed: a hint
}

template <Kind kind>
void BasicLock<kind>::end_wait(log::Writer& me, const Waited& waited) {
  if (waited.since != 0 && waited.recorded) late_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
  log::end_wait(me);
}

template <Kind kind>
bool BasicLock<kind>::note_block(log::Writer& me, const Site& site, trace::ThreadNumber owner, const Waited& waited) {
  if (object_.mode() == Mode::off) return false;
  const log::Quoted quoted{owner, site_of(owner)};
  const log::WaitState wait{quoted.thread, quoted.site, quoted.thread, quoted.site, waited.limit};
  const std::uint16_t record = trace::wait_id(kind, Verb::block, waited.limit.limit);
  if (waited.since != 0 && !waited.recorded) {
    late_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint
    log::tell_late_wait(me, record, object_, site, waited.since, log::since_its_begin(wait, waited.owner));
  }
  const log::Emitted at = log::emit_quoting(me, record, object_, site,
                                            sequence_.load(std::memory_order_relaxed),  // relaxed: a quote
                                            quoted.thread, quoted.site, quoted);
  log::begin_wait(me, record, object_, at, wait);
  return true;
}

template <Kind kind>
void BasicLock<kind>::note_failed(log::Writer& me, const Site& site, Verb verb, const Waited& waited) {
  if (waited.recorded) {
    const trace::ThreadNumber owner = word_.load(std::memory_order_relaxed) & ~waiters_bit;  // relaxed: a quote
    const log::Quoted quoted{owner, site_of(owner)};
    log::emit_quoting(me, id(verb), object_, site, sequence_.load(std::memory_order_relaxed),  // relaxed: a quote
                      quoted.thread, quoted.site, quoted);
  }
  end_wait(me, waited);
}

template bool BasicLock<Kind::lock>::acquire_contended(log::Writer&, const Site&, os::Deadline, os::Word*);
template bool BasicLock<Kind::lock>::spin(Waited&);
template std::uint32_t BasicLock<Kind::lock>::register_waiter();
template void BasicLock<Kind::lock>::end_wait(log::Writer&, const Waited&);
template bool BasicLock<Kind::lock>::is_awaited() const;
template void BasicLock<Kind::lock>::begin_late(Waited&, trace::ThreadNumber) const;
template bool BasicLock<Kind::lock>::give_up(log::Writer&, const Site&, Waited&, Verb);
template bool BasicLock<Kind::lock>::is_orphaned(trace::ThreadNumber) const;
template std::string BasicLock<Kind::lock>::give_up_orphan(log::Writer&, const Site&, const Waited&);
template bool BasicLock<Kind::lock>::note_block(log::Writer&, const Site&, trace::ThreadNumber, const Waited&);
template void BasicLock<Kind::lock>::note_failed(log::Writer&, const Site&, Verb, const Waited&);
template bool BasicLock<Kind::rlock>::acquire_contended(log::Writer&, const Site&, os::Deadline, os::Word*);
template bool BasicLock<Kind::rlock>::spin(Waited&);
template std::uint32_t BasicLock<Kind::rlock>::register_waiter();
template void BasicLock<Kind::rlock>::end_wait(log::Writer&, const Waited&);
template bool BasicLock<Kind::rlock>::is_awaited() const;
template void BasicLock<Kind::rlock>::begin_late(Waited&, trace::ThreadNumber) const;
template bool BasicLock<Kind::rlock>::give_up(log::Writer&, const Site&, Waited&, Verb);
template bool BasicLock<Kind::rlock>::is_orphaned(trace::ThreadNumber) const;
template std::string BasicLock<Kind::rlock>::give_up_orphan(log::Writer&, const Site&, const Waited&);
template bool BasicLock<Kind::rlock>::note_block(log::Writer&, const Site&, trace::ThreadNumber, const Waited&);
template void BasicLock<Kind::rlock>::note_failed(log::Writer&, const Site&, Verb, const Waited&);

}  // namespace spool::sync
