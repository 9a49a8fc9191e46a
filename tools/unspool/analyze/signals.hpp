// SPDX-License-Identifier: MIT
//
// Question: what was waited for that nobody holds (conditions, events, semaphores, barriers, queues, pools, timers),
// and who let the waiters go on? Instances made at one place under one name are one row.
//
// A filter by thread or length restricts waits and calls. How full a queue was, who had permits, tasks and starvation
// are the object's own: only times restrict them.
//
// Wait figures cover the waits that ended. Those that go on at the end stand apart, those without an end are counted.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/tally.hpp>
#include <unspool/replay/observer.hpp>

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

/// How many there were over time: items of a queue, tasks of a pool that had not begun.
struct Depth {
  std::uint64_t max = 0;
  double area = 0;  ///< sum of number times ticks
  trace::Ticks span = 0;

  double mean() const { return span == 0 ? 0 : area / static_cast<double>(span); }
};

struct SignalFigures {
  static constexpr std::size_t purposes = 4;

  trace::Kind kind = trace::Kind::event;
  trace::SiteNumber site = 0;  ///< where they were created
  std::string name;            ///< raw; empty when they have none
  bool many_names = false;     ///< instances of more names than are kept apart
  std::uint64_t instances = 0;
  trace::ObjectNumber example = 0;  ///< one of the instances

  Samples waits;
  std::uint64_t passed = 0;  ///< calls that had not to wait
  std::uint64_t timeouts = 0;
  std::uint64_t cancels = 0;
  std::uint64_t refused = 0;  ///< broken, shut down
  std::uint64_t busy = 0;     ///< tries that failed at once
  std::uint64_t lost = 0;     ///< waits whose end is missing; in no other figure
  std::uint64_t unended = 0;  ///< in no other figure
  trace::Ticks unended_ticks = 0;
  Tally waiters;    ///< the waits' time, by who waited and where
  Tally wakers;     ///< the waits' time, by who ended them and where; thread 0: not told
  Tally timed_out;  ///< waits that timed out, by who and where
  Samples latency;  ///< from the waker's call to the waiter's going on
  Wait longest;

  std::uint64_t signals = 0;  ///< set, notify, release, trip
  std::uint64_t in_vain = 0;  ///< of them: nobody was woken

  Tally last;     ///< barrier: who came last and where, and how long the others had waited for it
  Tally holders;  ///< semaphore: who had a permit, taken where, while others waited; the waited time meanwhile
  trace::Ticks waited_for_permits = 0;  ///< what a holder of a permit through all waits would have in `holders`
  Depth depth;                          ///< queue, pool
  std::array<Samples, purposes>
      sides;                 ///< waits by the Record's `what`: queue 0 put, 1 get, 2 join; pool see the table
  Samples task_waits;        ///< pool: from submit to begin
  Samples tasks;             ///< pool: from begin to end
  trace::Ticks starved = 0;  ///< pool: tasks were queued, and all workers waited inside their tasks
  std::uint64_t starvations = 0;
  Samples late;  ///< timer: past its delay

  trace::Ticks all_waited() const { return add_saturated(waits.sum(), unended_ticks); }
};

class Signals : public Observer {
 public:
  Signals(const Process& process, const Filter& filter) : process_{process}, filter_{filter} {}

  bool hears(const trace::Row& row) const override;
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void failed(const ObjectState* object, const Record& record) override;
  void passed(const ObjectState* object, const Record& record) override;
  void finished(const Replay& replay) override;

  /// What was waited for most first. After the replay.
  const std::vector<SignalFigures>& figures() const { return figures_; }

  static bool covers(trace::Kind kind);

 private:
  static constexpr std::size_t most_names = 32;
  static constexpr std::size_t most_undefined = 100'000;
  /// Of one object: callers whose last signal is remembered, permits and tasks followed.
  static constexpr std::size_t most_followed = 4096;

  struct Permit {
    Actor taker;
    std::uint64_t area = 0;  ///< Live::area when it was taken
  };
  /// A thread's last call that may have let others go on.
  struct Signalled {
    trace::Ticks time = 0;
    trace::SiteNumber site = 0;
  };
  struct Live {
    SignalFigures* figures = nullptr;
    std::unordered_map<trace::ThreadNumber, Signalled> signalled;  ///< by thread
    std::unordered_set<trace::ThreadNumber> waiting;
    trace::Ticks now = 0;    ///< up to when `area` and the depth are summed
    std::uint64_t area = 0;  ///< sum of waiting threads times ticks; may wrap, differences do not mind
    std::vector<Permit> permits;
    std::uint64_t arrived = 0;   ///< at a barrier, in this generation
    trace::Ticks arrival = 0;    ///< of the first of them
    std::uint64_t arrivals = 0;  ///< sum of the others' times since then
    std::uint64_t depth = 0;
    bool depth_known = false;
    std::unordered_map<std::uint32_t, trace::Ticks> queued;  ///< tasks that have not begun
    std::uint64_t running = 0;
    std::uint64_t stuck = 0;  ///< of them: waits
    std::uint64_t idle = 0;   ///< workers without a task
    bool starving = false;
  };
  /// A thread that runs a pool's task.
  struct Worker {
    trace::ObjectNumber pool = 0;
    trace::Ticks begun = 0;
    bool stuck = false;
  };
  using Place = std::tuple<trace::Kind, trace::SiteNumber, trace::ObjectNumber>;

  SignalFigures& class_of(trace::ObjectNumber number, trace::Kind kind);
  Live* live(trace::ObjectNumber number, trace::Kind kind);
  void advance(Live& live, trace::Ticks time);
  void block(const Record& record, Live& live);
  void signal(const Record& record, Live& live);
  void permit(const Record& record, Live& live);
  void announced(const Record& record);
  static void arrive(Live& live, trace::Ticks time);
  void trip(const Record& record, Live& live);
  void change_depth(const Record& record, Live& live);
  void task(const Record& record, Live& live);
  void end_task(trace::ThreadNumber thread, trace::Ticks time);
  void set_stuck(trace::ThreadNumber thread, bool stuck, trace::Ticks time);
  void count(Live& object, const Wait& wait, std::uint32_t what);
  static void ended(SignalFigures& figures, const Wait& wait, trace::SiteNumber waker_site);
  void late(SignalFigures& figures, const Wait& wait, std::uint32_t delay) const;

  bool is_empty(const SignalFigures& figures) const;

  const Process& process_;
  const Filter& filter_;
  std::map<Place, std::map<std::string, SignalFigures>> classes_;
  std::unordered_map<trace::ObjectNumber, Live> live_;
  std::size_t undefined_ = 0;
  std::unordered_map<trace::ThreadNumber, std::uint32_t> purpose_;  ///< of its open wait: what, or a timer's delay
  std::unordered_map<trace::ThreadNumber, Worker> workers_;
  std::vector<SignalFigures> figures_;
};

}  // namespace unspool
