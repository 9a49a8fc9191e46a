// SPDX-License-Identifier: MIT
//
// A thread that waits at the end, and whom it can hope for. Owns the words; hopes.hpp finds out.
#pragma once

#include <unspool/analyze/deeds.hpp>
#include <unspool/replay/kinds.hpp>
#include <unspool/replay/state.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace unspool {

/// How sure it is that a waiting thread depends on the one that its edge leads to.
enum class Edge : std::uint8_t {
  none,        ///< nobody is known to be waited for: a lock that was just released, an Event that nobody ever set
  owned,       ///< the owner acquired, and no release followed; or it is a join
  last_known,  ///< it was the owner when last seen, but Records are missing since
  candidate,   ///< somebody who did it before, or who may end the wait beside the owner
};
std::string_view name_of(Edge edge);

enum class Certainty : std::uint8_t { certain, likely, possible };
std::string_view name_of(Certainty certainty);

/// Whether a wake-up was lost on a thread that waits at a Condition (lost_notifies.hpp).
enum class Lost : std::uint8_t { no, perhaps, yes };

/// Somebody who can end a wait: an owner, or one who ended such waits before.
struct Suspect {
  trace::ThreadNumber thread = 0;
  trace::ThreadNumber answers = 0;  ///< who would have to do it now: the thread itself, or of an ended one whoever made
                                    ///< it and can make another; 0: nobody can
  Deed deed;                        ///< count 0: it owns, and did nothing yet
  Role role = Role::give;
  bool ended = false;
  bool exception = false;
};

/// What a waiting thread's future hangs on.
enum class Hope : std::uint8_t {
  open,      ///< it will go on, or nothing says that it will not: a timed wait, one that was just ended
  suspects,  ///< on these threads
  unknown,   ///< on somebody whom no Record names
};

/// A thread that waits at the end.
struct Waiting {
  Wait wait;
  trace::Verb verb = trace::Verb::block;  ///< of the block Record, and its fields, where they are known
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  bool details_known = false;
  Edge edge = Edge::none;
  trace::ThreadNumber owner = 0;     ///< whom it waits for, 0: not known
  trace::SiteNumber owner_site = 0;  ///< where that thread acquired; of a lock
  trace::Ticks owner_since = 0;      ///< when, if known
  bool owner_since_known = false;
  bool by_others = false;    ///< such locks were also released by threads that did not own them
  bool owner_ended = false;  ///< that thread has ended: it will not release
  std::uint64_t holds = 0;   ///< how many objects the waiting thread itself holds
  Hope hope = Hope::open;
  std::vector<Suspect> suspects;
  std::vector<trace::ThreadNumber> kin;  ///< who may end the wait as well, though it never ended one: hope_kin.cpp
  bool by_class = false;                 ///< they did it to other objects made at the same line
  bool needs_all = false;                ///< all of them have to do it, not just `needs`
  std::size_t needs = 1;                 ///< how many of them: the parties that are missing at a barrier
  bool same_team = false;                ///< at a Barrier, and it was there in earlier rounds: nobody new is expected
  bool behind = false;           ///< the owner is a writer that waits for it too, and was there before this reader
  bool idle = false;             ///< a pool's worker without a task
  Lost lost_wake_up = Lost::no;  ///< the last notify met nobody, and came before the wait
  bool stuck = false;            ///< whom it hopes for are all stuck or gone
  std::size_t cycle = no_cycle;  ///< that it is part of, or hangs on
  std::uint32_t distance = 0;    ///< from the cycle; 0: part of it

  static constexpr std::size_t no_cycle = ~std::size_t{0};
  static constexpr std::size_t left_out = no_cycle - 1;  ///< in place of a cycle: Deadlocks::leave_out() took it away

  /// It is this call that waits, as far as is known.
  bool is(QueueCall call) const { return is_call(trace::Kind::queue, static_cast<std::uint32_t>(call)); }
  bool is(PoolWait what) const { return is_call(trace::Kind::pool, static_cast<std::uint32_t>(what)); }
  /// For a lock, or in a join: of an owner, not only of those who did it before.
  bool has_owner() const { return wait.kind == trace::Kind::thread || can_be_held(wait.kind); }
  bool is_owned() const { return edge == Edge::owned || edge == Edge::last_known; }

 private:
  bool is_call(trace::Kind kind, std::uint32_t call) const { return wait.kind == kind && details_known && a == call; }
};

}  // namespace unspool
