// SPDX-License-Identifier: MIT
//
// Question: what decided when the work was done? The critical path, found backwards from the end: what the thread did,
// and where it had waited, what the thread did that woke it, and so on to the beginning. Owns the wake-ups that this
// needs, and the steps of the path; they follow each other without a gap, so that they sum to the path's length.
//
// A thread that is woken by another goes on from what that one did, also before the wait began. Where nobody woke it (a
// timeout) or nobody knows who, the wait itself is a step. Spinning for a lock counts as a wait for who released it.
//
// Memory: threads, objects, and the last 1 Mi wake-ups (less than 100 MB); a path that would need older ones begins
// there.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/last_deeds.hpp>
#include <unspool/replay/observer.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace unspool {

class Path : public Observer {
 public:
  static constexpr std::size_t most_wakes = 1U << 20U;
  static constexpr std::size_t most_steps = 1000;
  static constexpr std::size_t most_parts = 1U << 16U;

  /// The first message whose text has this in it is where the path ends or begins; empty: not asked for.
  struct Between {
    std::string from;
    std::string to;
  };

  /// What a step of the path is.
  enum class Role : std::uint8_t {
    runs,       ///< the thread ran, or was not seen waiting
    holds,      ///< the same, while it held `object`, taken at `site`, for which the path goes on to wait
    waits,      ///< it waited at `site` for `object`, and nobody is known to have ended that
    hand_over,  ///< it had been woken, by whoever gave `object` at `site`, and did not run yet
    starts,     ///< it had been started, and did not run yet
    left_out,   ///< parts past the number that is kept apart
    still,      ///< it waits at `site` for `object` at the end, the path's too
  };
  struct What {
    Role role = Role::runs;
    trace::ThreadNumber thread = 0;
    trace::ObjectNumber object = 0;  ///< one of its class
    trace::Kind kind = trace::Kind::trace;
    trace::SiteNumber site = 0;
    auto operator<=>(const What&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads <=>
  };
  struct Step {
    What what;
    trace::Ticks since = 0;
    trace::Ticks until = 0;
    trace::Ticks ticks() const { return until - since; }
  };
  struct Part {
    trace::Ticks ticks = 0;
    std::uint64_t steps = 0;
  };

  /// Of the threads that the filter chooses, the one with the last Record before its end.
  Path(const Process& process, Filter filter, Between between)
      : process_{process}, filter_{std::move(filter)}, between_{std::move(between)} {}

  void record(const Record& record) override;
  void held(const ObjectState& object, const Hold& hold) override;
  void acquired(const ObjectState& object, const Record& record, trace::Ticks spun, bool waited) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void destroyed(const ObjectState& object) override;
  void finished(const Replay& replay) override;

  // After the replay.
  bool found() const { return last_.thread != 0; }  ///< false: no Record of such a thread, or no such message
  trace::ThreadNumber thread() const { return last_.thread; }
  trace::Ticks since() const { return since_; }
  trace::Ticks until() const { return until_; }
  /// It would go on before since(), with wake-ups that were not kept.
  bool cut() const { return cut_; }
  /// Sum to until() - since().
  const std::map<What, Part>& parts() const { return parts_; }
  /// The longest, by time.
  const std::vector<Step>& steps() const { return steps_; }
  std::uint64_t all_steps() const { return all_steps_; }
  /// Whether the messages that were asked for have been met.
  bool from_met() const { return between_.from.empty() || from_met_; }
  bool to_met() const { return between_.to.empty() || to_met_; }

 private:
  /// A wait that has ended.
  struct Wake {
    trace::ThreadNumber thread = 0;
    trace::ThreadNumber waker = 0;  ///< 0: nobody known
    trace::Ticks since = 0;
    trace::Ticks woken = 0;
    trace::Ticks until = 0;
    trace::ObjectNumber object = 0;
    trace::Kind kind = trace::Kind::trace;
    trace::SiteNumber site = 0;
    trace::SiteNumber waker_site = 0;  ///< where it gave; of a lock, where it had taken
    trace::Ticks held_since = 0;       ///< of a lock: when the waker had taken it
    std::uint64_t previous = 0;        ///< of the same thread; numbers begin at 1
  };
  struct Birth {
    trace::ThreadNumber creator = 0;
    trace::SiteNumber site = 0;
    trace::Ticks started = 0;
    trace::Ticks begun = 0;
    bool has_begun = false;
  };
  struct Last {
    trace::ThreadNumber thread = 0;
    trace::Ticks time = 0;
  };
  struct Walk;

  bool in_time(trace::Ticks time) const { return time <= filter_.to() && !to_met_; }
  void look_for(const Record& record);
  void note_birth(const Record& record);
  void add_wake(Wake wake);
  bool is_kept(std::uint64_t number) const { return number != 0 && number + wakes_.size() > count_; }
  Wake& wake(std::uint64_t number) { return wakes_[(number - 1) % most_wakes]; }
  const Wake* before(Walk& walk);
  void walk();
  void go_back(Walk& walk, const Wake& wake);
  bool go_to_creator(Walk& walk);
  void step(Walk& walk, const What& what, trace::Ticks since);
  void ran(Walk& walk, trace::Ticks since);
  trace::ObjectNumber class_of(trace::ObjectNumber object, trace::Kind kind);

  const Process& process_;
  const Filter filter_;
  const Between between_;
  bool from_met_ = false;
  bool to_met_ = false;
  Last last_;
  trace::Ticks from_ = 0;
  std::vector<Wake> wakes_;
  std::uint64_t count_ = 0;
  std::unordered_map<trace::ThreadNumber, std::uint64_t> heads_;
  std::unordered_map<trace::ThreadNumber, Birth> births_;
  std::unordered_map<trace::ObjectNumber, Hold> holds_;  ///< each object's last one
  LastDeeds deeds_;
  std::unordered_map<trace::ThreadNumber, Wake> open_;  ///< that have not ended at the end
  std::map<std::tuple<trace::Kind, trace::SiteNumber, std::string>, trace::ObjectNumber> classes_;

  trace::Ticks first_ = 0;
  trace::Ticks since_ = 0;
  trace::Ticks until_ = 0;
  bool cut_ = false;
  std::map<What, Part> parts_;
  std::vector<Step> steps_;
  std::uint64_t all_steps_ = 0;
};
std::string_view name_of(Path::Role role);

}  // namespace unspool
