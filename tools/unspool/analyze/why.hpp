// SPDX-License-Identifier: MIT
//
// Question: why did a thread not get on between two moments? Owns the balance of that span (it waited for this and
// that; the rest of the time it ran, or was not seen waiting), and its longest waits, each with the chain of others'
// waits behind it.
//
// The balance knows all waits of the thread; which of them are told one by one goes by the filter.
#pragma once

#include <unspool/analyze/blame.hpp>

#include <map>
#include <utility>
#include <vector>

namespace unspool {

class Why final : public Blame {
 public:
  /// Waits that are told one by one, of each thread; the rest is counted.
  static constexpr std::size_t most_waits = 1000;

  /// Time on a chain, by its last step: a node of Blame.
  using Chains = std::vector<std::pair<std::size_t, trace::Ticks>>;

  struct Told {
    Wait wait;
    trace::Ticks own = 0;  ///< within the span, without waits inside it
    Chains chains;         ///< empty: nobody holds what it waited for; else they sum to the wait
  };
  struct Sum {
    std::uint64_t waits = 0;
    trace::Ticks ticks = 0;
  };
  struct Thread {
    trace::Ticks first = 0;  ///< its first Record
    trace::Ticks last = 0;
    bool ended = false;
    bool seen = false;
    std::map<trace::Kind, Sum> waited;  ///< within the span; no moment counts twice
    std::vector<Told> longest;          ///< longest first, after the replay
    Sum rest;                           ///< that pass the filter, and are not among them
    /// Spans that have ended, and may lie within a wait that has not: begin, end, time already counted.
    struct Inner {
      trace::Ticks since = 0;
      trace::Ticks until = 0;
      trace::Ticks counted = 0;
    };
    std::vector<Inner> inner;
  };

  Why(const Process& process, const Filter& filter) : Blame{process, filter}, wanted_{filter} {}

  bool hears(const trace::Row& /*row*/) const override { return true; }
  void record(const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void finished(const Replay& replay) override;

  /// The chosen threads that were seen, by number. After the replay.
  const std::map<trace::ThreadNumber, Thread>& threads() const { return threads_; }
  trace::Ticks since(const Thread& thread) const { return std::max(thread.first, wanted_.from()); }
  trace::Ticks until(const Thread& thread) const;
  /// What remains of the span.
  trace::Ticks ran(const Thread& thread) const;

 private:
  void divided(const Wait& wait, const Chains& parts) override;
  trace::Ticks own_time(Thread& thread, const Wait& wait) const;
  static void keep(Thread& thread, Told told);

  const Filter wanted_;
  std::map<trace::ThreadNumber, Thread> threads_;
  Chains chains_;  ///< of the wait that is ending
  trace::Ticks end_ = 0;
};

}  // namespace unspool
