// SPDX-License-Identifier: MIT
//
// What the threads of the running process do now: what each waits for and what it holds, copied from the status entries
// that they keep themselves. No object is touched. Owns the copy, and what follows from it: who holds what, and who
// waits in a circle.
#pragma once

#include <spool/log/object.hpp>
#include <spool/trace/ids.hpp>
#include <spool/trace/schema.hpp>
#include <spool/trace/status.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace spool::log {

/// An object by its number and, where that is known, its class.
struct LiveObject {
  trace::ObjectNumber number = 0;
  const ObjectClass* described = nullptr;
};

struct LiveHold {
  LiveObject object;
  trace::Ticks since = 0;
  trace::SiteNumber site = 0;
  bool shared = false;
};

struct LiveWait {
  std::uint16_t record = 0;  ///< id of the block Record; 0: it waits for nothing
  LiveObject object;
  trace::Ticks since = 0;
  trace::SiteNumber site = 0;
  trace::ThreadNumber owner = 0;  ///< as the thread saw it when it blocked
  trace::SiteNumber owner_site = 0;
  trace::WaitLimit limit = trace::WaitLimit::none;
  std::uint64_t deadline = 0;  ///< CLOCK_MONOTONIC, ns, where it has a time limit
  trace::StackNumber stack = 0;
  std::vector<std::string> calls =
      {};  ///< its call stack where that is recorded, innermost first, without spool's own calls
};

struct LiveThread {
  trace::ThreadNumber number = 0;
  std::string name;
  std::uint32_t native_id = 0;
  bool daemon = false;
  bool busy = false;  ///< it changed its entry all the time: what it waits for and holds is not known
  LiveWait wait;
  std::vector<LiveHold> holds;     ///< oldest first; complete only in Mode::all
  std::uint32_t holds_beyond = 0;  ///< newest ones that the entry has no room for
};

/// All threads that spool knows, by number. Not one instant: each thread's state is consistent in itself.
struct LiveProcess {
  std::vector<LiveThread> threads;
  trace::Ticks now = 0;
  std::uint64_t frequency = 1;  ///< ticks a second
  trace::Mode mode = trace::Mode::off;
  std::uint64_t monotonic = 0;  ///< ns, at `now`
  std::uint64_t realtime = 0;   ///< ns since 1970, at `now`; 0: not known
  std::string program = {};

  double seconds_since(trace::Ticks ticks) const;
  /// Until a wait with a time limit gives up.
  std::optional<double> seconds_left(const LiveWait& wait) const;
};

/// Somebody who has to act before a wait can end.
struct LiveOwner {
  const LiveThread* thread = nullptr;
  const LiveHold* hold = nullptr;  ///< nullptr: it is who the waiter saw, or the thread that is joined
};

/// Who has what others wait for. Refers to the process, which must live longer. Thread-bound.
class LiveOwners {
 public:
  explicit LiveOwners(const LiveProcess& process);

  /// Those whom a wait for a lock or a join waits for, all of them; empty for other waits, which anybody may end.
  std::vector<LiveOwner> of(const LiveThread& waiter) const;

 private:
  std::unordered_map<trace::ThreadNumber, const LiveThread*> threads_;
  std::unordered_multimap<trace::ObjectNumber, LiveOwner> holders_;
};

/// Threads that wait for each other in a circle, each for the next: shortest circles, the least number first, none
/// twice. As the states are not of one instant, a circle is a deadlock if it is there again later with the same waits.
std::vector<std::vector<const LiveThread*>> circles(const LiveProcess& process, const LiveOwners& owners);

/// What is to be made of a circle.
struct CircleFacts {
  /// False: some owner is only who the waiter saw when it blocked, as in Mode::contended; or some wait can be stopped.
  bool certain = true;
  std::optional<double> ends_in;  ///< seconds: the first of its waits to give up by itself. So it is no deadlock.
};
CircleFacts facts_of(const std::vector<const LiveThread*>& circle, const LiveProcess& process,
                     const LiveOwners& owners);

}  // namespace spool::log
