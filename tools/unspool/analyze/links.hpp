// SPDX-License-Identifier: MIT
//
// Who asked for which lock while holding which: what lock-order inversions are made of. Owns what counts as such a
// link; the cycles among them are inversions.hpp's.
//
// A call that would have given up makes none where it had not to wait: it cannot deadlock. One that did wait makes a
// link with a limit.
//
// Memory: by pairs of live locks and sites, up to a limit, and for each the threads that matter (occurrence.hpp); links
// of a destroyed lock stay only where it stands between two others.
#pragma once

#include <unspool/analyze/clocks.hpp>
#include <unspool/analyze/gates.hpp>
#include <unspool/analyze/occurrence.hpp>
#include <unspool/analyze/task_calls.hpp>
#include <unspool/replay/observer.hpp>
#include <unspool/replay/states.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace unspool {

/// A lock that a thread holds, from when and where on.
struct HeldSince {
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Ticks since = 0;
  bool shared = false;
  bool tried = false;     ///< the call that got it need not have waited
  bool is_dated = false;  ///< `seen` is told; else it is what the thread knows now
  Clock seen;             ///< what the thread knew when it got it
};

/// Holding the outer one, somebody asked for the inner one. In a link with itself a reader asked again.
struct LinkKey {
  trace::ObjectNumber outer = 0;
  trace::ObjectNumber inner = 0;
  trace::SiteNumber outer_site = 0;
  trace::SiteNumber inner_site = 0;
  bool outer_shared = false;
  bool inner_shared = false;
  auto operator<=>(const LinkKey&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
};

/// Somebody who asked for a SharedLock to write.
struct WriterCall {
  trace::SiteNumber site = 0;
  Occurrence by;
};

/// One thread's join of another, whether it had to wait or not.
struct ThreadJoin {
  trace::ThreadNumber joiner = 0;
  trace::ThreadNumber target = 0;
  trace::SiteNumber site = 0;
  trace::Ticks time = 0;
};

/// A join with a lock held, or a wait for a task's result. Whoever joins a thread waits for all that this one joins
/// meanwhile.
struct JoinUnderLock {
  TaskKey task;  ///< that is waited for; then `target` runs it
  trace::ObjectNumber lock = 0;
  bool shared = false;
  bool limited = false;
  trace::ThreadNumber joiner = 0;
  trace::ThreadNumber target = 0;
  trace::SiteNumber lock_site = 0;
  trace::SiteNumber join_site = 0;
  std::vector<ThreadJoin> via;        ///< the joins by which `target` waits for `asker`; empty: they are the same
  trace::ThreadNumber asker = 0;      ///< who asked for the lock
  trace::SiteNumber target_site = 0;  ///< where
  trace::Ticks lock_since = 0;
  trace::Ticks join_time = 0;
  trace::Ticks target_time = 0;
  bool stuck = false;  ///< both wait at the end
  Clock seen;          ///< what the joining thread knew when it got the lock
};

class Links {
 public:
  explicit Links(const Process& process) : process_{process} {}

  void began(const Replay& replay) { replay_ = &replay; }
  /// Records of other rows need not be given to `record`.
  static bool hears(const trace::Row& row);
  void record(const Record& record);
  void acquired(const ObjectState& object, const Record& record, bool waited);
  /// As an acquire and its release: its thread holds nothing more afterwards than before. Nearly always there is
  /// nothing new.
  void held_plainly(const ObjectState& object, const PlainHold& hold) {
    const bool same = hold.thread == last_holder_ && hold.segment == last_holder_locks_->segment;
    if (same && hold.waker != hold.thread && last_holder_locks_->is_settled()) return;
    note(object, hold);
  }
  void waited(const Wait& wait);
  void failed(const Record& record);
  void released_by_other(const ObjectState& object) { signals_.insert(object.number); }
  void destroyed(const ObjectState& object);
  /// After the replay.
  void finish();

  const std::map<LinkKey, std::vector<Occurrence>>& all() const { return links_; }
  std::span<const WriterCall> writers(trace::ObjectNumber lock) const;
  const std::vector<JoinUnderLock>& joins() const { return joins_; }
  /// Whether two threads can hold what they do here at the same time. After the replay.
  bool can_be_held_together(const Occurrence& a, const Occurrence& b) const {
    return gates_.let_both(a.thread, *a.held, b.thread, *b.held);
  }
  /// Whether what is held in one can be held in addition to all the others. After the replay.
  bool has_room(const Occurrence& one, std::span<const HeldLocks* const> others) const {
    return gates_.has_room(*one.held, others);
  }
  /// What the thread holds now; of use only where every acquire and release is recorded.
  std::span<const HeldSince> held_by(trace::ThreadNumber thread) const;
  /// Locks that another thread than the owner has released.
  bool is_signal(trace::ObjectNumber lock) const { return signals_.contains(lock); }
  /// Links that were left out, as so many are kept.
  std::uint64_t left_out() const { return left_out_; }
  std::uint64_t threads_without_clock() const { return clocks_.beyond_limit(); }

 private:
  static constexpr std::size_t most_asked = 32;  // by one thread

  using Held = HeldSince;
  /// A lock that a thread once asked for, without a limit: whoever joins it must not hold it.
  struct Asked {
    trace::ObjectNumber object = 0;
    trace::SiteNumber site = 0;
    trace::Ticks time = 0;
    bool shared = false;
    bool waited = false;
    bool stuck = false;
    bool anew = true;  ///< since `last`
    Moment last = {};  ///< no earlier than the last time that it was asked for
  };
  struct ThreadLocks {
    std::vector<Held> held;
    States<std::uint64_t, Asked> asked;  ///< by lock and how: every acquire is looked up there
    std::size_t improvable = 0;          ///< in `asked`: a call that has not to wait would take their place
    bool asks_anew = false;              ///< one of `asked` is anew
    bool asks_shared = false;            ///< its last block was a reader's
    bool runs_task = false;              ///< of a pool
    std::uint32_t segment = 0;           ///< of its last Record that told of a hold

    /// Another call for a lock, without a wait, would change nothing.
    bool is_settled() const { return held.empty() && improvable == 0 && asks_much() && !runs_task; }
    /// When it asked last for what is not known any more.
    bool asks_much() const { return asked.size() >= most_asked; }
  };
  /// A thread asks for a lock.
  struct Call {
    trace::ThreadNumber thread = 0;
    trace::ObjectNumber object = 0;
    trace::Kind kind = trace::Kind::lock;
    trace::SiteNumber site = 0;
    trace::Ticks time = 0;
    bool shared = false;
    bool waited = false;
    bool limited = false;
    bool stuck = false;
    bool of_several =
        false;  ///< of a call that locks several: where this one is not free it lets the others go, and waits
  };

  void note(const ObjectState& object, const PlainHold& hold);
  void date(const Record& record);
  std::vector<HeldFrom> held_from(trace::ThreadNumber thread);
  bool precedes(const ThreadLocks& locks, const Asked& asked, const JoinUnderLock& join) const;
  void note_join(const Record& record);
  bool was_over(trace::ThreadNumber thread, const JoinUnderLock& join) const;
  /// Who asked for the lock, as far as a finding tells it.
  struct Asker {
    trace::SiteNumber site = 0;
    trace::Ticks time = 0;
    bool stuck = false;
  };
  std::optional<Asker> asker_of(trace::ThreadNumber thread, const JoinUnderLock& join) const;
  std::optional<Asker> find_asker(JoinUnderLock& join) const;
  bool keeps_waiting(const TaskCalls::Task& task, const TaskCall& call, const JoinUnderLock& join) const;
  void ask(const Call& call, ThreadLocks& locks);
  void add(const Held& outer, const Call& call, const HeldLocks* held, const Moment& moment);
  void add_writer(const Call& call, const HeldLocks* held, const Moment& moment);
  bool add_to(std::vector<Occurrence>& list, const LinkKey& key, const Call& call, trace::Ticks since,
              const HeldLocks* held, const Moment& moment);
  void keep_moment(Occurrence& same, const LinkKey& key, const Moment& moment);
  void thin_moments(Occurrence& same, const LinkKey& key, const Moment& newer);
  void thin(std::vector<Occurrence>& list, const LinkKey& key, const Occurrence& newer, std::size_t most);
  void add_between(trace::ObjectNumber outer, trace::ObjectNumber inner, std::size_t most,
                   std::vector<const Occurrence*>& out) const;
  std::vector<const Occurrence*> opposites_of(const LinkKey& key) const;
  std::vector<const Occurrence*> partners_of(const LinkKey& key) const;
  void forget(const std::vector<Occurrence>& list);
  void forget(const std::vector<WriterCall>& list);
  static void enter(ThreadLocks& locks, std::uint32_t segment);
  void remember_asked(ThreadLocks& locks, const Call& call);
  void forget_stale(trace::ThreadNumber thread, std::vector<Held>& held);
  bool still_holds(trace::ThreadNumber thread, const Held& held) const;
  void release(trace::ThreadNumber thread, trace::ObjectNumber object, bool shared);
  void restore(trace::ThreadNumber thread, const Held& hold);
  void restore_from(const trace::StatusEntry& entry);
  const trace::StatusEntry* status_of(trace::ThreadNumber thread) const;
  void thread(const Record& record);
  void join(const Record& record);
  void add_joins(std::vector<JoinUnderLock>& joins, const Record& record, const JoinUnderLock& form);
  void judge_joins(trace::ThreadNumber target);
  void pool(const Record& record);
  void wait_for_task(const Record& record);
  void judge_task(const TaskKey& task);
  static std::span<const Held> of_several(const std::vector<Held>& held, trace::SiteNumber site);
  bool may_give_up(bool waited, trace::SiteNumber site) const { return waited && gives_up_.contains(site); }
  void settle_limits();
  void prune(trace::ObjectNumber object);
  void erase_between(trace::ObjectNumber outer, trace::ObjectNumber inner);
  const HeldLocks* interned(const std::vector<Held>& held, std::span<const HeldFrom> permits);
  void drop_unused_sets();

  const Process& process_;
  const Replay* replay_ = nullptr;
  Clocks clocks_;
  Gates gates_;
  States<trace::ThreadNumber, ThreadLocks> threads_;
  std::map<LinkKey, std::vector<Occurrence>> links_;
  std::unordered_map<trace::ObjectNumber, std::unordered_set<trace::ObjectNumber>> outers_;  ///< of an inner lock
  std::unordered_map<trace::ObjectNumber, std::vector<WriterCall>> writers_;
  std::set<HeldLocks> held_;
  std::unordered_set<trace::ObjectNumber> signals_;
  std::unordered_set<trace::ObjectNumber> gone_;    ///< destroyed, and with links
  std::unordered_set<trace::SiteNumber> gives_up_;  ///< calls there had a limit
  std::vector<JoinUnderLock> joins_;                ///< judged: the joined thread asked for it
  std::unordered_map<trace::ThreadNumber, std::vector<JoinUnderLock>> joining_;  ///< by joined thread
  TaskCalls tasks_;
  std::map<TaskKey, std::vector<JoinUnderLock>> awaiting_;  ///< by task whose result is waited for with a lock held
  trace::ThreadNumber last_holder_ = 0;                     ///< of the last plain hold; 0: none
  ThreadLocks* last_holder_locks_ = nullptr;
  std::map<std::pair<trace::ThreadNumber, trace::ThreadNumber>, ThreadJoin> thread_joins_;  ///< by joiner and joined
  std::unordered_map<trace::ThreadNumber, std::vector<Moment>> joined_at_;  ///< by joined thread, of `thread_joins_`
  std::unordered_set<trace::SiteNumber> joins_give_up_;                     ///< joins there had a limit
  std::size_t joins_under_locks_ = 0;
  std::size_t occurrences_ = 0;
  std::size_t moments_ = 0;
  std::size_t sets_since_ = 0;  ///< that were new since those were dropped that nobody uses
  std::uint64_t left_out_ = 0;
};

}  // namespace unspool
