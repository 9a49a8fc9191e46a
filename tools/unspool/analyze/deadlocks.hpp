// SPDX-License-Identifier: MIT
//
// Question: who is stuck at the end, and why? One wait-for graph over everything that a thread can wait for: an edge
// leads from a thread that waits to each thread that could end its wait. Whom that is, and who is stuck, hopes.hpp
// finds out; here the stuck are put together to findings.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/hopes.hpp>
#include <unspool/analyze/lost_notifies.hpp>
#include <unspool/analyze/waiting.hpp>
#include <unspool/replay/observer.hpp>

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unspool {

/// Why threads are stuck.
enum class Cause : std::uint8_t {
  cycle,      ///< each waits for another of them
  abandoned,  ///< whoever could end the wait has ended
  nobody,     ///< nobody ever did what ends the wait, and nobody is left who could
};
std::string_view name_of(Cause cause);

/// Threads that are stuck for one reason. In a cycle of locks and joins each waits for the next, the last for the
/// first.
struct Cycle {
  std::vector<std::size_t> members;  ///< indexes into waiting()
  std::vector<std::size_t> hanging;  ///< who waits for them, the nearest first
  Cause cause = Cause::cycle;
  bool ring = true;  ///< each member waits for the next, and for nobody else
  Certainty certainty = Certainty::certain;
  trace::Ticks since = 0;         ///< all of it wait, and nobody is left who could end it
  std::uint64_t fingerprint = 0;  ///< the same for the same kinds, sites and names in another run
};

class Deadlocks : public Observer {
 public:
  /// `notifies` has heard of each Record before.
  Deadlocks(const Process& process, const LostNotifies& notifies)
      : process_{process}, notifies_{notifies}, deeds_{process} {}

  bool hears(const trace::Row& row) const override { return Deeds::hears(row); }
  void record(const Record& record) override { deeds_.record(record); }
  void destroyed(const ObjectState& object) override { deeds_.destroyed(object.number); }
  void released_by_other(const ObjectState& object, const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void failed(const ObjectState* object, const Record& record) override;
  void finished(const Replay& replay) override;

  /// By thread. After the replay.
  const std::vector<Waiting>& waiting() const { return waiting_; }
  /// nullptr: it does not wait.
  const Waiting* waiting_of(trace::ThreadNumber thread) const;
  /// The shortest first.
  const std::vector<Cycle>& cycles() const { return cycles_; }
  /// After the replay: these findings are no longer among cycles(), and their threads not among those that wait as part
  /// of none. Answers how many they were.
  std::size_t leave_out(const std::function<bool(const Cycle&)>& chosen);
  /// The same for findings of which no thread's wait passes, and for single waits that do not.
  std::size_t leave_out(const Filter& filter);
  /// One of its threads' waits passes.
  bool concerns(const Cycle& cycle, const Filter& filter) const;
  /// Every known thread is stuck or has ended.
  bool standstill() const { return standstill_; }
  /// Records are missing, or were not made in this mode.
  bool incomplete() const { return incomplete_; }
  /// What was done to an object; null if nothing is known.
  const Past* past_of(trace::ObjectNumber object) const { return deeds_.of(object); }

 private:
  void note_lost_notifies();
  void forget_explained_notifies();
  void put_first_who_goes_on();
  void note_writers_ahead(const Replay& replay);
  void find_cycles();
  void find_knots();
  void add_knot(std::vector<std::size_t> component);
  void add_abandoned(const std::vector<std::size_t>& alone);
  std::vector<std::size_t> ordered(std::vector<std::size_t> component);
  void order_cycles();
  void find_hanging();
  void number_cycles();
  bool passes(std::size_t index, const Filter& filter) const;
  Cycle cycle_of(std::vector<std::size_t> members) const;
  Certainty certainty_of(const Waiting& waiting) const;
  std::size_t next(std::size_t index) const;
  std::vector<std::size_t> edges_from(std::size_t index) const;
  std::uint64_t fingerprint(const std::vector<std::size_t>& members) const;
  std::uint64_t fingerprint(const Cycle& cycle) const;

  const Process& process_;
  const LostNotifies& notifies_;
  Deeds deeds_;
  Habits habits_;
  bool standstill_ = false;
  bool incomplete_ = false;
  trace::Ticks last_time_ = 0;
  std::vector<Waiting> waiting_;
  std::vector<trace::Ticks> stuck_since_;                       ///< as waiting_
  std::unordered_map<trace::ThreadNumber, std::size_t> index_;  ///< of a thread in waiting_
  std::vector<Cycle> cycles_;
};

}  // namespace unspool
