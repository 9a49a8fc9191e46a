// SPDX-License-Identifier: MIT
//
// Which of two moments of different threads came first however the threads are scheduled: a vector clock over starts, joins
// and what is handed over. Owns what orders; locks do not: who gets one first is chance.
//
//   start → begin · end → join · Event set → its waits · arrivals at a Barrier → who goes on · put → get, the last
//   task_done → Queue::join · submit → begin of the task, its end → its result · a Condition's notify → whom it woke ·
//   Semaphore release → acquire, where it began with no permit and the releaser gives more than it takes (a signal; else it
//   is used as a lock)
//
// Where several could have given what one took (items of a queue, an Event set by two), only what they all had seen counts.
//
// Memory: by live thread and object, each a clock of as many components as threads have been marked, up to a limit.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace unspool {

/// How far each marked thread had come, as somebody knows it; nullptr: knows nothing.
using Clock = std::shared_ptr<const std::vector<std::uint32_t>>;

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
  /// Every Record, in order.
  void record(const Record& record);
  /// Now, of this thread. Gives it a component, as long as there are some.
  Moment mark(trace::ThreadNumber thread);
  void destroyed(trace::ObjectNumber object) { objects_.erase(object); }
  /// Threads that got no component, as so many had one: what they do is never known to come first.
  std::uint64_t beyond_limit() const { return beyond_; }

 private:
  struct Life {
    std::uint32_t component = Moment::unknown;
    std::uint32_t epoch = 0;
    bool told = false;   ///< others know of this epoch: the next mark begins another
    bool is_new = true;  ///< nothing was received yet
    Clock seen;
    Clock sent;  ///< `seen` and the thread's own epoch; made when it is asked for
  };
  /// What was put since nothing was left, each different clock once.
  struct Stock {
    std::vector<Clock> clocks;
    bool mixed = false;  ///< more than are kept, or one who knew nothing
    void put(const Clock& clock);
    Clock common() const;
  };
  struct Shared {
    Clock clock;     ///< Event: of its set; Barrier: of the round that tripped; Queue, pool: of all done
    Clock arriving;  ///< Barrier: of the round that gathers
    Stock stock;     ///< Queue, Semaphore
    trace::ThreadNumber notifier{};                               ///< Condition, with `clock`
    bool began_empty = false;                                     ///< Semaphore
    bool known = false;                                           ///< Semaphore: whether it began with no permit
    std::unordered_map<trace::ThreadNumber, std::int64_t> given;  ///< Semaphore: releases less acquires
    std::unordered_map<std::uint32_t, Clock> submitted;           ///< pool, by task
    std::unordered_map<std::uint32_t, Clock> ended;
    std::deque<std::uint32_t> ended_order;
  };

  Life& life(trace::ThreadNumber thread) { return lives_[thread]; }
  Clock send(trace::ThreadNumber thread);
  void receive(trace::ThreadNumber thread, const Clock& clock);
  void thread(const Record& record);
  void event(const Record& record, Shared& shared);
  void condition(const Record& record, Shared& shared);
  void semaphore(const Record& record, Shared& shared);
  void barrier(const Record& record, Shared& shared);
  void queue(const Record& record, Shared& shared);
  void pool(const Record& record, Shared& shared);

  std::unordered_map<trace::ThreadNumber, Life> lives_;
  std::unordered_map<trace::ObjectNumber, Shared> objects_;
  std::uint32_t components_ = 0;
  std::uint64_t beyond_ = 0;
};

}  // namespace unspool
