// SPDX-License-Identifier: MIT
//
// Question: which primitives were used in a way that they are not made for? Owns what counts as such; what is stuck for
// it is deadlocks.hpp's.
//
// Memory: by kind of slip, site and class of object, up to a limit; beyond it they are only counted.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/lost_notifies.hpp>
#include <unspool/replay/observer.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace unspool {

/// What went wrong, the gravest first.
enum class Slip : std::uint8_t {
  lost_wake_up,      ///< a notify met nobody, and a wait that came too late for it never ended
  held_at_end,       ///< a thread ended with locks held
  double_release,    ///< a release of what nobody held
  destroyed_in_use,  ///< destroyed while held or waited on
  orphaned,          ///< used in the child of a fork, but its owner stayed in the parent
  exception,         ///< a thread ended by an exception
  no_thread,         ///< the system made no thread
  error,             ///< a message of level error or critical: the library's own words for a misuse are such
  task_exception,    ///< a task threw
  broken_barrier,    ///< a wait ended because the barrier was broken
  long_hold,         ///< a lock was held for long
  timeout,           ///< a wait ended by its time limit
  alive_at_exit,     ///< the process ended in order, and a thread had not
};
inline constexpr std::size_t slip_count = 13;
std::string_view name_of(Slip slip);

enum class Severity : std::uint8_t { error, warning, note };
std::string_view name_of(Severity severity);
Severity severity_of(Slip slip);

/// A lock that a thread held at its end.
struct LeftLock {
  trace::ObjectNumber object = 0;
  trace::Kind kind = trace::Kind::trace;
  trace::SiteNumber site = 0;  ///< where it was taken
  trace::Ticks since = 0;      ///< 0: not known
};

/// All slips of one sort at one line. Of error messages there those are told apart whose texts differ, up to a number:
/// all uncaught exceptions share the library's own line.
struct Misuse {
  Slip slip = Slip::error;
  trace::SiteNumber site = 0;
  trace::Kind kind = trace::Kind::trace;
  trace::ObjectNumber object = 0;  ///< of the first, or of the longest hold; of locks held at the end the first taken,
                                   ///< which `site` did; the thread, where that is not known
  trace::ThreadNumber thread = 0;  ///< as `object`
  std::vector<trace::ThreadNumber> threads;  ///< the first of those who did it, in this order
  std::uint64_t count = 0;
  trace::Ticks first = 0;
  trace::Ticks last = 0;
  trace::Ticks longest = 0;        ///< of holds
  std::uint64_t number = 0;        ///< locks held at the end; errno; threads that wait in vain; long holds that go on
  std::vector<LeftLock> left;      ///< what the first thread held at its end, the first taken first; as far as known
  trace::ThreadNumber waiter = 0;  ///< who waits in vain; of several the first
  trace::Ticks since = 0;          ///< since when; of a lock held at the end, if known: when it was taken
  trace::ThreadNumber cause = 0;   ///< who broke the barrier, and where; of the first
  trace::SiteNumber cause_site = 0;
  std::string text;  ///< of the first message; raw
  std::uint64_t fingerprint = 0;
};

class Misuses : public Observer {
 public:
  /// `notifies` has heard of each Record before.
  Misuses(const Process& process, const Filter& filter, const LostNotifies& notifies);

  bool hears(const trace::Row& row) const override;
  void record(const Record& record) override;
  void held(const ObjectState& object, const Hold& hold) override;
  void held_plainly(HoldsOfObjects holds) override {
    if (holds.longest < long_hold_) return;
    for (const auto& [object, hold] : holds) {
      if (hold->ticks() < long_hold_) continue;
      held(*object, {hold->thread, object->number, hold->site, hold->since, hold->until, hold->thread});
    }
  }
  void waited(const ObjectState* object, const Wait& wait) override;
  void released_by_other(const ObjectState& object, const Record& record) override;
  void finished(const Replay& replay) override;

  /// The gravest first, of those the most frequent. After the replay.
  const std::vector<Misuse>& all() const { return all_; }
  /// How many were not kept apart.
  std::uint64_t more() const { return more_; }
  /// After the replay: these are no longer among all(). Answers how many they were.
  std::size_t leave_out(const std::function<bool(const Misuse&)>& chosen) { return std::erase_if(all_, chosen); }
  /// One of them is more than a note.
  bool any_findings() const;

 private:
  /// Of an error message its text too.
  using Key = std::tuple<Slip, trace::SiteNumber, std::uint64_t, std::uint64_t>;

  Misuse* add(Slip slip, const Record& record);
  Misuse* add(Slip slip, trace::SiteNumber site, trace::ObjectNumber object, trace::Kind kind,
              trace::ThreadNumber thread, trace::Ticks time, std::uint64_t text = 0);
  void message(const Record& record);
  std::uint64_t text_number(trace::SiteNumber site, std::string_view text);
  void thread(const Record& record);
  void failure(const Record& record);
  void destruction(const Record& record);

  bool passes(trace::ThreadNumber thread, trace::ObjectNumber object, trace::Kind kind, trace::Ticks time) const;

  struct EndedHolding {
    trace::ThreadNumber thread = 0;
    trace::Ticks time = 0;
    std::uint32_t locks = 0;
  };
  void add_held_at_end(const Replay& replay);
  void add_unended_holds(const Replay& replay);
  Misuse* add_long_hold(const Hold& hold, trace::Kind kind);

  const Process& process_;
  const Filter& filter_;
  const LostNotifies& notifies_;
  const trace::Ticks long_hold_;
  std::map<Key, Misuse> found_;
  std::unordered_map<trace::SiteNumber, std::set<std::uint64_t>> texts_;  ///< of error messages, that are told apart
  std::set<std::uint64_t> lost_;                                          ///< notifies
  std::vector<EndedHolding> ended_holding_;
  std::vector<Misuse> all_;
  std::uint64_t more_ = 0;
};

}  // namespace unspool
