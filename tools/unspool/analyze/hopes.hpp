// SPDX-License-Identifier: MIT
//
// Whom each waiting thread can hope for, by the rules of what it waits at; and who of them is stuck. Owns the judgement
// "nobody is left who could end this wait", for all kinds; cycles are deadlocks.hpp's.
//
//   a thread goes on    if it does not wait, or its wait has an end of its own, or somebody it hopes for goes on
//   a thread is stuck   otherwise: each that it hopes for has ended, or is stuck
//
// What others of its make did a thread may do as well: the next of many that are made alike is at its first task.
//
// An ended thread can be followed by another of the same origin as long as the thread that made it goes on: a server
// makes a thread for each connection. One that ended by an exception is not followed.
//
// Of waits that nobody ever ended no Record says who would. They count as going on, unless the whole process stands
// still: every thread that spool knows waits without a limit, none of them is foreign, and main itself does not just
// wait to be told to stop.
#pragma once

#include <unspool/analyze/waiting.hpp>
#include <unspool/replay/replay.hpp>

#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

/// What was seen on the way, of waits and releases.
struct Habits {
  std::unordered_map<std::uint64_t, std::unordered_set<trace::ThreadNumber>> other_releasers;  ///< by line of locks
  /// The same of those that this very lock was released by.
  std::unordered_map<trace::ObjectNumber, std::unordered_set<trace::ThreadNumber>> own_other_releasers;
  std::unordered_set<trace::SiteNumber> gave_up;           ///< where waits have timed out or were cancelled
  std::unordered_set<trace::ThreadNumber> lost_a_wake_up;  ///< for certain, before the wait that goes on
};

class Hopes {
 public:
  Hopes(const Process& process, const Replay& replay, const Deeds& deeds, const Habits& habits);

  /// All that wait, by thread.
  std::vector<Waiting> take() { return std::move(waiting_); }
  /// Every known thread is stuck or has ended.
  bool standstill() const { return standstill_; }
  /// Records are missing, or were not made in this mode, so that somebody who could end a wait may be unknown.
  bool incomplete() const;

 private:
  // hopes.cpp
  void collect();
  void add_details();
  void note_teams();
  /// It has its part at another object that is made like this one, and none at this one.
  bool is_of_another_team(trace::ThreadNumber thread, const Waiting& waiting) const;
  void judge();
  void judge_standstill();
  bool stands_still() const;
  const Waiting& last_of_joins(const Waiting& waiting) const;
  bool lost_some() const;
  bool lost_between() const;  ///< and not just the oldest
  bool goes_on(trace::ThreadNumber thread) const;
  bool is_stuck(const Waiting& waiting) const;
  void spread(bool unknown_goes_on);
  void choose_owner(Waiting& waiting) const;

  // hope_rules.cpp
  void find(Waiting& waiting) const;
  bool may_give_up(const Waiting& waiting) const;
  void hope_for_owner(Waiting& waiting) const;
  void hope_for_readers(Waiting& waiting, const ObjectState& object) const;
  void hope_for_writers(Waiting& waiting) const;
  void hope_for_thread(Waiting& waiting) const;
  void hope_for_past(Waiting& waiting) const;
  void semaphore(Waiting& waiting, const Past& past) const;
  void barrier(Waiting& waiting, const Past& past) const;
  bool add_debtors(Waiting& waiting, const Past& past) const;
  void queue(Waiting& waiting, const Past& past) const;
  void pool(Waiting& waiting, const Past& past) const;
  void hope_for_workers(Waiting& waiting, const Past& past) const;
  void add_role(Waiting& waiting, const Past& past, Role role) const;
  void add_suspect(Waiting& waiting, trace::ThreadNumber thread, const Deed& deed, Role role, bool followed) const;
  trace::ThreadNumber follower_of(trace::ThreadNumber thread) const;
  bool has_ended(trace::ThreadNumber thread) const;
  bool is_left_held(const Waiting& waiting) const;
  void weaken_lock(Waiting& waiting) const;

  // hope_kin.cpp
  void add_all_kin();
  void add_kin(Waiting& waiting);
  void add_made_alike(Waiting& waiting, trace::ThreadNumber thread) const;
  void add_made_by(Waiting& waiting, trace::ThreadNumber maker, trace::Ticks since) const;
  void add_made_by_waiters(Waiting& waiting, trace::Ticks since) const;
  void add_silent(Waiting& waiting) const;
  bool is_routine(const Waiting& waiting) const;
  bool keeps_from_it(const Waiting& waiting, trace::ThreadNumber thread) const;
  void add_receivers(Waiting& waiting);
  const std::vector<trace::ThreadNumber>& receivers_of(const Waiting& waiting);
  void add_one(Waiting& waiting, trace::ThreadNumber thread) const;
  std::vector<std::uint64_t> makes_of(trace::ThreadNumber thread) const;
  bool lives(trace::ThreadNumber thread) const;
  bool is_silent(const ThreadState& thread) const;
  /// Nothing that others do decides whether it goes on.
  bool surely_goes_on(trace::ThreadNumber thread) const;

  const Process& process_;
  const Replay& replay_;
  const Deeds& deeds_;
  const Habits& habits_;
  std::vector<Waiting> waiting_;
  std::unordered_map<trace::ThreadNumber, std::size_t> index_;
  std::unordered_map<trace::ThreadNumber, std::uint64_t> holds_;               ///< how many objects it holds
  std::unordered_map<trace::ObjectNumber, std::vector<std::size_t>> waiters_;  ///< the longest waiting first
  std::vector<trace::ThreadNumber> silent_;  ///< the living whose part is not known yet
  std::unordered_map<trace::ThreadNumber, std::vector<trace::ObjectNumber>>
      teams_;  ///< pools whose tasks it runs, Barriers that it came to
  std::unordered_map<std::uint64_t, std::vector<trace::ThreadNumber>> made_alike_;     ///< the living, by make
  std::unordered_map<trace::ThreadNumber, std::vector<trace::ThreadNumber>> made_by_;  ///< the ended as well
  std::unordered_map<trace::ThreadNumber, std::vector<const Past*>>
      outlets_;  ///< queues that it put into, pools that it submitted to
  std::unordered_map<trace::ObjectNumber, std::vector<trace::ThreadNumber>>
      receivers_;  ///< by semaphore: from its takers
  bool standstill_ = false;
};

}  // namespace unspool
