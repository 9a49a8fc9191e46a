// SPDX-License-Identifier: MIT
//
// Finds, in the running process, threads that wait too long and threads that wait for each other in a circle; and
// prints all threads when a signal asks for it. The keeper does both, from the threads' status entries: no object is
// touched, and no thread does more than it did before.
//
//   spool::basic_config({.directory = "/var/log/kvserver", .watchdog = {.patience = std::chrono::seconds{30}}, .dump_on = SIGQUIT});
//
//   $ SPOOL_DIR=/var/log/kvserver SPOOL_WATCHDOG=30s SPOOL_DUMP_ON=QUIT kvserver
//   $ kill -QUIT 4711
#pragma once

#include <spool/log/live.hpp>
#include <spool/trace/ids.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace spool {

/// What the watchdog has found.
struct Finding {
  enum class What : std::uint8_t { long_wait, deadlock };
  What what = What::long_wait;
  std::string sentence;                      ///< one line, names escaped
  std::string story;                         ///< the threads of `threads` and who holds what they wait for, some lines
  std::vector<trace::ThreadNumber> threads;  ///< those who wait; of a deadlock in the order of its circle
  /// False of a deadlock where some owner is only who the waiter saw when it blocked, or where a wait can be stopped.
  bool certain = true;
};

struct Watchdog {
  std::chrono::nanoseconds patience{0};  ///< a wait for a lock that is longer is told, once; 0: there is no watchdog
  /// Waits of all kinds, joins and idle workers too; else only those for a Lock, RLock or SharedLock.
  bool every_wait = false;
  /// std::abort() after the first finding is told: a core dump instead of a server that hangs.
  bool abort = false;
  /// Called by the keeper, which prepares room for Records: it has to return soon, and may log. What it throws is
  /// ignored.
  std::function<void(const Finding&)> on_finding = {};
};

}  // namespace spool

namespace spool::log {

/// What is new since the last look. Thread-bound.
///
/// A circle is told as a deadlock when two looks in a row find it with the same waits: who waits releases nothing, so
/// all its threads waited at the time of the second, whatever the order in which their states were copied. In Mode::all
/// its holds are known; else who holds is what the waiter saw when it blocked, and the deadlock is only likely. A
/// circle with a timed wait ends by itself and is no deadlock: what waits too long in it is told as any other wait.
class Watch {
 public:
  explicit Watch(const Watchdog& options) : options_{options} {}

  std::vector<Finding> look(const LiveProcess& process, const std::function<std::string(trace::SiteNumber)>& place_of);

 private:
  using Circle = std::vector<std::pair<trace::ThreadNumber, trace::Ticks>>;  ///< its waits, by their begin

  Watchdog options_;
  std::set<Circle> seen_;
  std::set<Circle> told_;
  std::set<std::pair<trace::ThreadNumber, trace::Ticks>> late_;  ///< waits that are told
};

/// The keeper's part. `round` is for it alone.
class Guard {
 public:
  /// From now on. Thread-safe.
  static void begin(const Watchdog& options);
  /// Has this signal print all threads to stderr from now on; a handler that was there before is called after ours.
  /// False with errno where that cannot be. The handler only wakes the keeper.
  static bool dump_on(int signal);

  /// When `round` is due at the latest.
  static std::chrono::nanoseconds interval();
  static void round();
};

}  // namespace spool::log
