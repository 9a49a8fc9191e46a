// SPDX-License-Identifier: MIT
//
// Question: who still waits at the end, for whom, and does it close to a cycle? One wait-for graph over everything
// that can be held, and joins: thread → object → owner, thread → joined thread.
#pragma once

#include <unspool/replay/observer.hpp>

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

/// How sure it is that a waiting thread depends on the one that its edge leads to.
enum class Edge : std::uint8_t {
  none,        ///< nobody is known to be waited for: a Condition, a lock that was just released
  owned,       ///< the owner acquired, and no release followed; or it is a join
  last_known,  ///< it was the owner when last seen, but Records are missing since
  candidate,   ///< somebody else may end the wait: such locks are released by other threads, such waits time out
};

enum class Certainty : std::uint8_t { certain, likely, possible };
std::string_view name_of(Certainty certainty);
std::string_view name_of(Edge edge);

/// A thread that waits at the end.
struct Waiting {
  Wait wait;
  Edge edge = Edge::none;
  trace::ThreadNumber owner = 0;     ///< whom it waits for, 0: not known
  trace::SiteNumber owner_site = 0;  ///< where that thread acquired; of a lock
  trace::Ticks owner_since = 0;      ///< when, if known
  bool owner_since_known = false;
  bool owner_ended = false;      ///< that thread has ended: it will not release
  std::uint64_t holds = 0;       ///< how many objects the waiting thread itself holds
  std::size_t cycle = no_cycle;  ///< that it is part of, or hangs on
  std::uint32_t distance = 0;    ///< from the cycle; 0: part of it

  static constexpr std::size_t no_cycle = ~std::size_t{0};
};

/// Threads each of which waits for the next, the last for the first.
struct Cycle {
  std::vector<std::size_t> members;  ///< indexes into waiting()
  std::vector<std::size_t> hanging;  ///< who waits for them, the nearest first
  Certainty certainty = Certainty::certain;
  trace::Ticks since = 0;         ///< the latest of its waits
  std::uint64_t fingerprint = 0;  ///< the same for the same kinds, sites and names in another run
};

class Deadlocks : public Observer {
 public:
  explicit Deadlocks(const Process& process) : process_{process} {}

  void released_by_other(const ObjectState& object, const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void failed(const ObjectState* object, const Record& record) override;
  void finished(const Replay& replay) override;

  /// By thread. After the replay.
  const std::vector<Waiting>& waiting() const { return waiting_; }
  /// The shortest first.
  const std::vector<Cycle>& cycles() const { return cycles_; }

 private:
  std::uint64_t class_of(trace::ObjectNumber object, trace::Kind kind) const;
  Waiting waiting_of(const Replay& replay, const Wait& wait) const;
  void find_owner(const Replay& replay, Waiting& waiting) const;
  static const Reader& blocking_reader(const Replay& replay, const std::vector<Reader>& readers);
  void find_cycles();
  void find_hanging();
  Cycle cycle_of(std::vector<std::size_t> members) const;
  std::size_t next(std::size_t index) const;
  std::uint64_t fingerprint(const std::vector<std::size_t>& members) const;

  const Process& process_;
  std::unordered_set<std::uint64_t> released_by_other_;  ///< classes
  std::unordered_set<trace::SiteNumber> gave_up_;        ///< where waits have timed out or were cancelled
  std::vector<Waiting> waiting_;
  std::unordered_map<trace::ThreadNumber, std::size_t> index_;  ///< of a thread in waiting_
  std::vector<Cycle> cycles_;
};

}  // namespace unspool
