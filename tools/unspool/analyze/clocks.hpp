// SPDX-License-Identifier: MIT
//
// Which of two moments of different threads came first however the threads are scheduled: a vector clock over starts,
// joins and what is handed over. Owns what orders; locks do not: who gets one first is chance.
//
//   start → begin · end → join · Event set → its waits · arrivals at a Barrier → who goes on, its abort or reset → whom that
//   refuses · put → get, the last task_done → Queue::join, a get → the put that its room is needed for · shutdown of a Queue or
//   pool → whom it refuses · submit → begin of the task, its end → its result · a Condition's notify → whom it woke ·
//   a Timer's cancel → the end of its wait · Semaphore release → the acquire that its permit is needed for
//
// Where several could have given what one took (items of a queue, an Event set by two), only what they all had seen
// counts. A semaphore is a signal where it began with no permit and the releaser gives more than it takes; and, however
// many it began with, where a thread has taken more than there were at first and it gave itself, and but one other
// thread gives. Room is to a queue's putters what permits are to those who acquire. Else a semaphore is used as a lock.
//
// A component is a chain: threads that follow each other in every run, the begin of each after the end of the one before,
// share one, as those of a server do that makes one for each request and joins it. A pool's workers have their own.
//
// Memory: by live thread and object, each a clock of as many components as threads were marked beside each other, up to
// a limit, and of an object the last few.
#pragma once

#include <unspool/analyze/clock.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

namespace unspool {

/// A point in one thread's life.
struct Moment {
  static constexpr std::uint32_t unknown = ~std::uint32_t{0};
  std::uint32_t component = unknown;
  std::uint32_t epoch = 0;
  Clock seen;

  /// It comes before `later` in every run. False also where that is not known.
  bool precedes(const Moment& later) const;
};

class Clocks {
 public:
  void record(const Record& record);
  /// Now, of this thread. Gives it a component: one of an ended thread whose end it knows, else a new one, as long as
  /// there are some.
  Moment mark(trace::ThreadNumber thread);
  /// The same where less depends on it: as long as there are plenty of components, and of no pool's worker, whose
  /// earlier tasks would seem to come before what it tells from now on.
  Moment mark_if_plenty(trace::ThreadNumber thread);
  /// What this thread knows of others.
  Clock seen(trace::ThreadNumber thread) const;
  /// Records of other rows need not be given to `record`.
  static bool concerns(const trace::Row& row);
  /// Whether others learn of the thread by a Record of this row. (Of its end they learn by their join.)
  static bool hands_over(const trace::Row& row);
  void destroyed(trace::ObjectNumber object) { objects_.erase(object); }
  /// Threads that got no component, as so many had one: what they do is never known to come first.
  std::uint64_t beyond_limit() const { return beyond_; }

 private:
  /// A block Record.
  struct Block {
    trace::ObjectNumber object = 0;  ///< 0: the thread does not wait
    trace::Sequence quoted = 0;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
  };
  struct Life {
    std::uint32_t component = Moment::unknown;
    std::uint32_t epoch = 0;
    bool told = false;        ///< others know of this epoch: the next mark begins another
    bool ended = false;       ///< its component is in `chains_`, or another thread has it
    bool inherited = false;   ///< its component was another thread's
    bool runs_tasks = false;  ///< of a pool: what it does follows each other by chance
    bool other_task = false;  ///< it was marked last in a task before this one
    Clock seen;
    Clock sent;  ///< `seen` and the thread's own epoch; made when it is asked for
    Block block;
  };
  struct Shared {
    Clock clock;        ///< Queue, pool: of all done; Timer: of its cancel
    Clock closing;      ///< Queue, pool: of its shutdown
    Releases releases;  ///< Event: its sets; Condition: its notifies; Barrier: its trips; Queue: when all were done
    Stock stock;        ///< Queue, Semaphore
    Account account;    ///< Semaphore: its permits; Queue: its room
    trace::Sequence last = 0;                 ///< of the last Record that advanced it
    bool has_gaps = false;                    ///< since its first one: nothing can be counted
    std::int64_t at_first = -1;               ///< Semaphore: permits that it was made with; -1: not known
    std::uint32_t largest = 0;                ///< Queue: of its sizes
    bool was_full = false;                    ///< Queue: so `largest` is how many it holds
    bool was_closed = false;                  ///< Queue, pool
    bool has_dropped = false;                 ///< Queue: items that nobody did
    std::map<std::uint32_t, Clock> arriving;  ///< Barrier, by generation
    Release breach;                           ///< Barrier: what broke it last
    bool is_broken = false;
    std::unordered_map<std::uint32_t, Clock> submitted;  ///< pool, by task
    std::unordered_map<std::uint32_t, Clock> ended;
    std::deque<std::uint32_t> ended_order;
  };

  /// The component of a thread that has ended, and its last epoch.
  struct Chain {
    std::uint32_t component = 0;
    std::uint32_t epoch = 0;
  };

  Life& life(trace::ThreadNumber thread) { return lives_[thread]; }
  void end(trace::ThreadNumber thread);
  void live_on(Life& mine);
  bool inherit(Life& mine);
  static void leave_chain(Life& mine);
  Clock send(trace::ThreadNumber thread);
  void receive(trace::ThreadNumber thread, const Clock& clock);
  bool is_in_order(trace::ThreadNumber thread) const;
  Block end_block(const Record& record);
  void object(const Record& record, Shared& shared, const Block& block);
  void thread(const Record& record);
  void event(const Record& record, Shared& shared, const Block& block);
  void condition(const Record& record, Shared& shared, const Block& block);
  void semaphore(const Record& record, Shared& shared);
  void barrier(const Record& record, Shared& shared, const Block& block);
  void breach(const Record& record, Shared& shared);
  void queue(const Record& record, Shared& shared, const Block& block);
  void room(const Record& record, Shared& shared);
  void done(const Record& record, Shared& shared);
  void pool(const Record& record, Shared& shared);
  void timer(const Record& record, Shared& shared);
  void close(const Record& record, Shared& shared);

  std::unordered_map<trace::ThreadNumber, Life> lives_;
  std::unordered_map<trace::ObjectNumber, Shared> objects_;
  std::vector<Chain> chains_;  ///< that nobody goes on with
  std::uint32_t components_ = 0;
  std::uint64_t beyond_ = 0;
};

}  // namespace unspool
