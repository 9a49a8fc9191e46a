// SPDX-License-Identifier: MIT
#include <spool/sync/barrier.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/notes.hpp>
#include <spool/trace/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace spool {

using sync::Waiter;
using trace::Verb;

/// A waiter, and what it learns when its wait is decided.
struct Barrier::Party : Waiter {
  explicit Party(trace::ThreadNumber who) : thread{who} {}

  trace::ThreadNumber thread;
  std::uint32_t generation = 0;
  bool leads = false;  ///< it is the last of its generation, and was late to know: the action is its to run
  Breach breach;       ///< where it was refused
};

/// One call of one thread.
struct Barrier::Call {
  Call(Barrier& barrier, const Site& at)
      : mode{barrier.object_.mode()}, me{log::self()}, site{at}, notes{me, barrier.object_, at}, who{me.number, 0} {
    if (mode != Mode::off) {
      log::make_ready(me, barrier.object_, at);
      who.site = log::number_of_site(me, at);
    }
  }
  /// Is a Record that ends so many recorded waits to be made?
  bool tells(std::uint32_t told) const { return mode == Mode::all || (trace::is_contended(mode) && told != 0); }

  Mode mode;
  log::Writer& me;
  const Site& site;
  sync::Notes notes;
  sync::Waker who;
};

void Barrier::refuse_parties(std::ptrdiff_t parties, const Site& site) {
  log::throw_misuse(parties < 1 ? "less than one party to a" : "more than max() parties to a", object_, 0, site);
}

Barrier::~Barrier() {
  const std::uint8_t state = log::current_state();
  const std::uint32_t waiters = waiters_.size();
  if ((waiters != 0 || (actor_ != 0 && !log::is_left_behind(actor_))) && (state & log::ending_bit) == 0) {
    log::abort_misuse("destruction of a waited-on", object_, 0, object_.site());
  }
  if (object_.mode() != Mode::all || object_.known_number() == 0) return;
  const trace::Sequence last = sequence_.load(std::memory_order_relaxed);  // relaxed: nobody else may use it any more
  sync::Notes{log::self(), object_, object_.site()}.tell(Verb::destroy, last + 1, waiters, 0);
}

/// The word's lock. In the child of a fork, whoever waited stayed behind; so did who ran the action, unless it is who
/// forked.
std::uint32_t Barrier::lock_word(const Site& site) {
  const std::uint32_t state = word_.lock(object_, site);
  const std::uint32_t process = log::fork_depth();
  if (process_ == process) [[likely]] {
    return state;
  }
  process_ = process;
  if (log::is_left_behind(actor_)) actor_ = 0;
  arrived_ = actor_ == 0 ? 0 : parties_;
  return state;
}

std::ptrdiff_t Barrier::wait_with(const sync::Patience& patience, const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  Party party{call.me.number};
  party.expect(call.mode);
  const std::uint32_t state = lock_word(site);
  if (state == broken_state) refuse(call);
  const std::uint32_t before = arrived_++;
  party.what = before % parties_;
  party.generation = generation_ + before / parties_;
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  if (before + 1 == parties_ && actor_ == 0) return arrive_last(call, party);
  waiters_.push(party);
  word_.unlock(state);
  return wait_for_others(call, party, sequence, patience);
}

/// The word's lock is held, and let go: the barrier is broken.
void Barrier::refuse(const Call& call) {
  const Breach breach = breach_;
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  word_.unlock(broken_state);
  if (call.mode == Mode::all) {
    call.notes.tell(Verb::broken, sequence, breach.who.thread, breach.who.site, breach.who);
  }
  throw_broken(breach);
}

/// The word's lock is held, and let go.
std::ptrdiff_t Barrier::arrive_last(const Call& call, const Party& party) {
  if (action_ != nullptr) {
    actor_ = party.thread;
    const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
    word_.unlock(0);
    return act(call, party.generation, sequence);
  }
  sync::Chosen chosen;
  const std::uint32_t index = party.what;
  trip(call, chosen);
  word_.unlock(0);  // from here on the barrier may be gone
  chosen.wake_all();
  return index;
}

std::ptrdiff_t Barrier::wait_for_others(const Call& call, Party& party, trace::Sequence sequence,
                                        const sync::Patience& patience) {
  const Waiter::Woken woken = call.notes.sleep(word_, waiters_, party, patience,
                                               {.quoted = sequence, .a = party.what, .b = party.generation}, sequence_);
  if (woken != Waiter::Woken::granted) {
    const Cause cause = woken == Waiter::Woken::stop ? Cause::cancel : Cause::timeout;
    if (give_up(call, party, cause)) throw_broken({call.who, call.site, cause});
    party.await_grant();
  }
  const Verb verb = party.refused ? Verb::broken : Verb::resume;
  call.notes.unblock(party, [&] {
    call.notes.tell(verb, party.sequence, party.waker, party.waker_site, {party.waker, party.waker_site});
  });
  if (party.refused) throw_broken(party.breach);
  if (party.leads) return act(call, party.generation, party.sequence);
  return party.what;
}

/// Breaks the barrier. False: its wait was decided in the meantime after all.
bool Barrier::give_up(const Call& call, Party& party, Cause cause) {
  const bool recorded = sync::Notes::ends_recorded(party);
  if (recorded) log::make_ready(call.me, object_, call.site);
  sync::Chosen chosen;
  const std::uint32_t state = lock_word(call.site);
  if (party.chosen) {
    word_.unlock(state);
    return false;
  }
  waiters_.remove(party);
  if (recorded) {
    advance(call, cause == Cause::cancel ? Verb::cancel : Verb::timeout, waiters_.size(), party.generation);
  }
  break_all(call, cause, chosen);
  word_.unlock(broken_state);
  chosen.wake_all();
  log::end_wait(call.me);
  return true;
}

/// The last party's part where there is an action. Should that get stuck, the log has who came last.
std::ptrdiff_t Barrier::act(const Call& call, std::uint32_t generation, trace::Sequence sequence) {
  const std::uint32_t others = parties_ - 1;
  const bool waited_for = call.mode == Mode::contended && others != 0;
  if (call.mode == Mode::all || waited_for) call.notes.tell(Verb::begin, sequence, others, generation);
  Breach breach;
  try {
    (*action_)();
  } catch (...) {
    end_action(call, generation, Outcome::failed, breach);
    throw;
  }
  const std::ptrdiff_t index = parties() - 1;
  if (end_action(call, generation, Outcome::done, breach)) return index;
  throw_broken(breach);
}

/// False: the barrier was broken or reset meanwhile. Only then may it be touched afterwards.
bool Barrier::end_action(const Call& begun, std::uint32_t generation, Outcome outcome, Breach& breach) {
  const Call call{*this, begun.site};  // the mode may have changed, the segment may be full
  sync::Chosen chosen;
  std::uint32_t state = lock_word(begun.site);
  actor_ = 0;
  const bool is_void = state == broken_state || generation_ != generation;
  if (is_void) {
    breach = breach_;
  } else if (outcome == Outcome::done) {
    trip(call, chosen);
  } else {
    if (call.tells(waiters_.told())) advance(call, Verb::abort, waiters_.size(), 1);
    break_all(call, Cause::action, chosen);
    state = broken_state;
  }
  begin_next(call, chosen);
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  word_.unlock(state);  // from here on the barrier may be gone, unless this call has yet to throw
  chosen.wake_all();
  if (is_void && call.mode == Mode::all) {
    call.notes.tell(Verb::broken, sequence, breach.who.thread, breach.who.site, breach.who);
  }
  return !is_void;
}

/// Under the word's lock: all of the generation but the calling thread, the last of it, may go.
void Barrier::trip(const Call& call, sync::Chosen& chosen) {
  // All of them stand in the queue, unless the action forked: in the child nobody does.
  const std::uint32_t others = std::min(parties_ - 1, waiters_.size());
  if (call.tells(std::min(others, waiters_.told()))) advance(call, Verb::trip, others, generation_);
  const trace::Sequence sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  for (std::uint32_t i = 0; i < others; ++i)
    waiters_.choose_first(call.who, chosen).sequence = sequence;
  ++generation_;
  arrived_ -= parties_;
}

/// Under the word's lock, after an action: if the next generation came while it ran, its last party is the first that
/// can know. It leaves the queue, as one that came last would never have entered it.
void Barrier::begin_next(const Call& call, sync::Chosen& chosen) {
  if (arrived_ < parties_) return;
  Waiter* last = waiters_.first();
  for (std::uint32_t i = 1; i < parties_; ++i)
    last = last->next;
  waiters_.remove(*last);
  auto& leader = static_cast<Party&>(*last);
  leader.chosen = true;
  leader.leads = true;
  leader.waker = call.who.thread;
  leader.waker_site = call.who.site;
  leader.sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  actor_ = leader.thread;
  chosen.add(leader);
}

/// Under the word's lock: nobody waits any more. The caller has made the Record that says why, and leaves the state.
void Barrier::break_all(const Call& call, Cause cause, sync::Chosen& chosen) {
  breach_ = {call.who, call.site, cause};
  arrived_ = 0;
  while (waiters_.first() != nullptr) {
    auto& party = static_cast<Party&>(waiters_.choose_first(call.who, chosen));
    party.refused = true;
    party.breach = breach_;
    party.sequence = sequence_.load(std::memory_order_relaxed);  // relaxed: under the lock
  }
}

void Barrier::abort(const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  sync::Chosen chosen;
  const std::uint32_t state = lock_word(site);
  if (call.tells(waiters_.told())) advance(call, Verb::abort, waiters_.size(), 0);
  if (state != broken_state) break_all(call, Cause::abort, chosen);
  word_.unlock(broken_state);
  chosen.wake_all();
}

void Barrier::reset(const Site& site) {
  log::park_if_ending();
  const Call call{*this, site};
  sync::Chosen chosen;
  (void)lock_word(site);
  if (call.tells(waiters_.told())) advance(call, Verb::reset, waiters_.size(), generation_);
  if (arrived_ != 0) break_all(call, Cause::reset, chosen);
  ++generation_;
  word_.unlock(0);
  chosen.wake_all();
}

/// Under the word's lock: the next Record of the barrier's own order.
trace::Sequence Barrier::advance(const Call& call, Verb verb, std::uint32_t a, std::uint32_t b) {
  const trace::Sequence next = sequence_.load(std::memory_order_relaxed) + 1;  // relaxed, both: under the lock
  sequence_.store(next, std::memory_order_relaxed);
  log::emit(call.me, trace::record_id(trace::Kind::barrier, verb), object_, call.site, next, a, b);
  return next;
}

void Barrier::throw_broken(const Breach& breach) {
  constexpr std::array<const char*, 5> causes{"a wait timed out in", "a wait was cancelled in", "aborted by",
                                              "its action threw in", "reset by"};
  const Site& made = object_.site();
  throw BrokenBarrierError{fmt::format(
      "broken barrier \"{}\" (created at {}:{}): {} {} at {}:{}",
      trace::escaped(object_.name() == nullptr ? "" : object_.name()), made.file == nullptr ? "?" : made.file,
      made.line, causes.at(static_cast<std::size_t>(breach.cause)), log::describe_thread(breach.who.thread),
      breach.site.file == nullptr ? "?" : breach.site.file, breach.site.line)};
}

}  // namespace spool
