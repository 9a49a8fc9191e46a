// SPDX-License-Identifier: MIT
//
// What replay knows of each thread and object at one moment, and the spans (waits, holds) that it hands out. Owns no
// rules: replay.cpp changes these, analyses only read them.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/replay/history.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace unspool {

/// How a wait ended.
enum class Ending : std::uint8_t {
  acquired,
  continued,
  timeout,
  cancel,
  refused,  ///< broken, shut down, or orphaned by a fork
  unended,  ///< it goes on after the last Record
  lost,     ///< its thread went on, but the Record that ended it is missing
};
std::string_view name_of(Ending ending);

/// From the first block to what ended it; a second block with a new owner belongs to the same wait.
struct Wait {
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::Kind kind = trace::Kind::trace;  ///< of the object
  trace::SiteNumber site = 0;
  trace::Ticks since = 0;
  trace::Ticks until = 0;
  Ending ending = Ending::unended;
  std::uint64_t blocks = 1;          ///< more than one: woken in vain, and blocked again
  trace::ThreadNumber owner = 0;     ///< as the last block said
  trace::SiteNumber owner_site = 0;  ///< as the last block said
  trace::ThreadNumber waker = 0;
  trace::SiteNumber waker_site = 0;
  trace::StackNumber stack = 0;  ///< the call stack at its begin; 0: not recorded
  trace::WaitLimit limit = trace::WaitLimit::unknown;
  std::vector<Share> shares;  ///< only where the object can be held; sums to ticks() once it has ended

  // While it is open; the shares are in the object's history.
  trace::Verbs next;                      ///< what its thread may do next to the object
  bool renewable = false;                 ///< a second block belongs to this wait
  bool let_in = false;                    ///< it ended by holding the object together with others
  std::optional<History::Ticket> ticket;  ///< in the object's history
  bool announced = false;  ///< known from a status Record; its block may follow, where it was recorded once it lasted

  trace::Ticks ticks() const { return until - since; }
};

/// From acquire to release.
struct Hold {
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::SiteNumber site = 0;
  trace::Ticks since = 0;
  trace::Ticks until = 0;
  trace::ThreadNumber releaser = 0;

  trace::Ticks ticks() const { return until > since ? until - since : 0; }
};

/// One of several who hold an object at the same time.
struct Reader {
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
  trace::Ticks since = 0;
};

/// One live object.
struct ObjectState {
  trace::ObjectNumber number = 0;
  trace::Kind kind = trace::Kind::trace;
  bool sequence_known = false;
  bool complete = true;         ///< each of its acquires and releases was recorded, also those that nobody waited for
  bool told_by_status = false;  ///< the status file names a holder
  bool destroyed = false;       ///< and stays only until nobody waits any more: a waiter may say so late
  std::uint32_t slot = 0;       ///< small and unique among the live, so that analyses can keep arrays
  trace::Sequence sequence = 0;
  trace::Ticks since = 0;            ///< time of the first Record on it
  std::uint32_t confirmed = 0;       ///< Replay::losses() when the holder was last known for sure
  trace::ThreadNumber releaser = 0;  ///< of the last release that left it to nobody; 0: not known
  History history;                   ///< and who waits for it now
  std::vector<Reader> readers;       ///< while it is held shared

  const Tenure& now() const { return history.now(); }
  /// Whether what is believed of its holders is known to be so still. Outside of mode `all` a release is recorded only
  /// while somebody waits.
  bool holders_known() const { return complete || told_by_status || history.waited_for(); }
};

/// One thread. What an ended one keeps is small.
struct ThreadState {
  enum class Life : std::uint8_t { created, alive, ended };
  Life life = Life::created;
  bool exception = false;  ///< it ended by one
  bool acted = false;      ///< it did more than begin, take locks and wait
  bool sequence_known = false;
  trace::Sequence sequence = 0;
  std::vector<Wait> waits;  ///< innermost last: a Condition's, and inside it the one for its lock
  trace::Ticks ended = 0;
  trace::Ticks first = 0;  ///< of its transitions
  trace::Ticks last = 0;   ///< of its transitions
};

}  // namespace unspool
