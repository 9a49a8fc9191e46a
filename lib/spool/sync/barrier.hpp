// SPDX-License-Identifier: MIT
//
// Barrier: a place where threads wait for each other until all have come. Python's threading.Barrier in all its states.
// Owns the count of those who came, the action and the queue of those who wait.
//
//   spool::Barrier lap{3, [] { collect_results(); }, 5s, "lap"};
//   try {
//     if (lap.wait() == 0) spool::info("first to come");              // in three threads
//   } catch (const spool::BrokenBarrierError& error) {
//     spool::warning("{}", error.what());                             // who broke it, and where
//   }
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/log/writer.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <utility>

namespace spool {

/// Python's threading.BrokenBarrierError: a wait met a broken barrier, or the barrier was broken or reset during it.
/// The text names the barrier, what broke it, the thread that did and its line.
class BrokenBarrierError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thread-safe, and used again and again: a generation ends when the last of its parties comes, and the next begins.
///
///   state     a wait                            left by
///   filling   counts, and waits                 the last party: to acting, or at once to the next generation
///   acting    counts for the next generation    the action's end: to the next generation, which may be full already
///   broken    throws BrokenBarrierError         reset()
///
/// The action is run by the last party, before the others go on and outside every lock of ours. abort() and reset() do
/// not wait for it, and a deadline holds also while it runs: then whoever waits gets BrokenBarrierError at once, and
/// the thread that runs the action after it. No two actions run at the same time. (Python holds its lock meanwhile, so
/// that all of this waits for the action.) An action that waits at its own barrier waits for ever.
///
///   state word   0 whole   1 broken
///
/// In the child of a fork nobody waits: who did stayed behind in the parent, and the generation begins anew.
///
/// Memory ordering: what a party did before its wait happens before the action, and that before the return of all waits
/// of the generation. What breaks a barrier happens before the BrokenBarrierError.
/// Requires: not destroyed while waited on, nor while its action runs (logged, then abort, unless the process is
/// ending). It may be destroyed when all waits have returned; that of the party that let the others go need not have.
/// Records: as each call says; all with the caller's line. In mode `contended`: block, and continue, broken, timeout or
/// cancel after it, begin where an action keeps others waiting, and each trip, abort and reset that ended a wait.
class Barrier {
 public:
  /// For so many parties. Throws MisuseError unless there is at least one, and at most max().
  constexpr explicit Barrier(std::ptrdiff_t parties, Name name = {}, const Site& site = Site::current())
      : parties_{static_cast<std::uint32_t>(parties)}, object_{trace::Kind::barrier, name, site} {
    if (parties < 1 || parties > max()) refuse_parties(parties, site);
  }
  /// With an action, run once in each generation. An exception from it breaks the barrier and reaches the caller of the
  /// wait that ran it.
  Barrier(std::ptrdiff_t parties, std::function<void()> action, Name name = {}, const Site& site = Site::current())
      : Barrier{parties, name, site} {
    if (action) action_ = std::make_unique<std::function<void()>>(std::move(action));
  }
  /// With a timeout for each wait() that names none.
  template <class Rep, class Period>
  constexpr Barrier(std::ptrdiff_t parties, std::chrono::duration<Rep, Period> timeout, Name name = {},
                    const Site& site = Site::current())
      : Barrier{parties, name, site} {
    timeout_ = timeout;
  }
  template <class Rep, class Period>
  Barrier(std::ptrdiff_t parties, std::function<void()> action, std::chrono::duration<Rep, Period> timeout,
          Name name = {}, const Site& site = Site::current())
      : Barrier{parties, std::move(action), name, site} {
    timeout_ = timeout;
  }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  /// Records: destroy, if it ever was recorded.
  ~Barrier();

  /// The greatest number of parties.
  static constexpr std::ptrdiff_t max() noexcept { return std::numeric_limits<std::int32_t>::max(); }

  /// Waits until all parties have come; gives how many of them had come before: 0 for the first, parties() - 1 for the
  /// last. Throws BrokenBarrierError if the barrier is broken, or gets broken or reset meanwhile, or if the timeout of
  /// the constructor passes, which breaks it.
  /// Records: of the last party begin, where there is an action, and trip; of all others block, then continue (with the
  /// last party, and where it waited), broken (with who broke it, and where) or timeout; at a broken barrier a lone
  /// broken. One that came while the action of the generation before it ran and is the last of its own: block,
  /// continue, and then as the last party.
  std::ptrdiff_t wait(const Site& site = Site::current()) { return wait_with({os::deadline_after(timeout_)}, site); }

  /// The same with a timeout of its own. Zero or less breaks the barrier at once unless this is the last party; a huge
  /// span waits without end.
  template <class Rep, class Period>
  std::ptrdiff_t wait_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return wait_with({os::deadline_after(span)}, site);
  }
  /// The same until a point in time of any clock; a clock that is set meanwhile does not matter.
  template <class Clock, class Duration>
  std::ptrdiff_t wait_until(const std::chrono::time_point<Clock, Duration>& time, const Site& site = Site::current()) {
    return wait_with({os::deadline_at(time)}, site);
  }
  /// Breaks the barrier, and throws, also when `stop` asks to stop first. Records: as wait(), or block, cancel.
  std::ptrdiff_t wait(const std::stop_token& stop, const Site& site = Site::current()) {
    return wait_with({os::deadline_after(timeout_), &stop}, site);
  }
  template <class Rep, class Period>
  std::ptrdiff_t wait_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                          const Site& site = Site::current()) {
    return wait_with({os::deadline_after(span), &stop}, site);
  }

  /// Breaks the barrier: whoever waits, and whoever will, gets BrokenBarrierError, until it is reset.
  /// Records: abort, with how many waits it ended; with cause 1 if it is an action's exception that does this.
  void abort(const Site& site = Site::current());

  /// Makes the barrier whole and empty; whoever waits gets BrokenBarrierError.
  /// Records: reset, with how many waits it ended and the generation that it ended.
  void reset(const Site& site = Site::current());

  bool is_broken() const noexcept { return word_.peek().state == broken_state; }
  std::ptrdiff_t parties() const noexcept { return parties_; }
  /// How many wait: a hint, others come and go meanwhile.
  std::ptrdiff_t n_waiting() const noexcept { return waiters_.size(); }

  log::ObjectState& log_object() { return object_; }

 private:
  static constexpr std::uint32_t broken_state = 1;

  enum class Cause : std::uint8_t { timeout, cancel, abort, action, reset };
  /// Who broke the barrier, and how.
  struct Breach {
    sync::Waker who;
    Site site;
    Cause cause{};
  };
  struct Party;
  struct Call;
  enum class Outcome : std::uint8_t { done, failed };

  [[noreturn]] void refuse_parties(std::ptrdiff_t parties, const Site& site);
  std::ptrdiff_t wait_with(const sync::Patience& patience, const Site& site);
  std::uint32_t lock_word(const Site& site);
  [[noreturn]] void refuse(const Call& call);
  std::ptrdiff_t arrive_last(const Call& call, const Party& party);
  std::ptrdiff_t wait_for_others(const Call& call, Party& party, trace::Sequence sequence,
                                 const sync::Patience& patience);
  bool give_up(const Call& call, Party& party, Cause cause);
  std::ptrdiff_t act(const Call& call, std::uint32_t generation, trace::Sequence sequence);
  bool end_action(const Call& call, std::uint32_t generation, Outcome outcome, Breach& breach);
  void trip(const Call& call, sync::Chosen& chosen);
  void begin_next(const Call& call, sync::Chosen& chosen);
  void break_all(const Call& call, Cause cause, sync::Chosen& chosen);
  trace::Sequence advance(const Call& call, trace::Verb verb, std::uint32_t a, std::uint32_t b);
  [[noreturn]] void throw_broken(const Breach& breach);

  sync::StateWord word_;
  trace::ThreadNumber actor_ = 0;  ///< under the word's lock, as all below: who runs the action now; 0: nobody
  std::uint32_t process_ = 0;      ///< log::fork_depth() of the process that the counts are of
  const std::uint32_t parties_;
  std::uint32_t arrived_ = 0;     ///< of this generation and, while its action runs, of the next ones
  std::uint32_t generation_ = 0;  ///< advanced by each trip and each reset
  sync::WaiterQueue waiters_;     ///< each a Party, in the order in which they came
  Breach breach_;                 ///< the last one
  std::atomic<trace::Sequence> sequence_{0};
  std::chrono::duration<double> timeout_{std::numeric_limits<double>::infinity()};  ///< of a wait that names none
  std::unique_ptr<std::function<void()>> action_;
  log::ObjectState object_;
};

}  // namespace spool
