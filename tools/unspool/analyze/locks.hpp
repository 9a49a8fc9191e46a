// SPDX-License-Identifier: MIT
//
// Question: which locks were waited for, how long, whose holds caused it, and who waited? Owns the figures of every
// kind of object that can be held; instances made at one place under one name are one row.
//
// Wait figures cover the waits that ended: acquired, timed out, cancelled. Those that go on at the end stand apart.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/flow.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/tally.hpp>
#include <unspool/replay/observer.hpp>

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace unspool {

struct LockFigures {
  Samples plain_holds;  ///< while the Records are read: those of them that the figures below lack
  std::uint64_t acquisitions = 0;
  Flow flow;
  Samples holds;
  trace::Kind kind = trace::Kind::lock;
  trace::SiteNumber site = 0;  ///< where they were created
  std::string name;            ///< raw; empty when they have none
  bool many_names = false;     ///< instances of more names than are kept apart
  std::uint64_t instances = 0;
  std::uint64_t contended = 0;  ///< acquisitions that had a wait
  std::uint64_t spun = 0;       ///< acquisitions that only spun
  trace::Ticks spun_ticks = 0;
  std::uint64_t busy = 0;  ///< tries that failed without a wait
  std::uint64_t timeouts = 0;
  std::uint64_t cancels = 0;
  std::uint64_t futile = 0;      ///< times that a waiting thread was woken and found another owner
  std::uint64_t lost_waits = 0;  ///< waits whose end is missing; in no other figure
  std::uint64_t unended = 0;     ///< waits that go on at the end; in no other figure
  trace::Ticks unended_ticks = 0;
  std::uint64_t released_by_other = 0;
  Samples waits;
  trace::Ticks hand_over = 0;       ///< of the waits' time
  trace::Ticks unknown_holder = 0;  ///< of the waits' time
  Tally holders;   ///< of the waits' time, by holder and where it acquired; with the two above sums to waits.sum()
  Tally waiters;   ///< the waits' time, by who waited and where
  Tally stacks;    ///< the same by call stack, where it is recorded: its number stands in place of the site
  Tally blocking;  ///< the holds at whose end somebody waited, by who and where: how many, and their whole length
  Wait longest;
  trace::ObjectNumber worst = 0;  ///< the instance with the most waited time
  trace::Ticks worst_ticks = 0;

  trace::Ticks all_waited() const { return add_saturated(waits.sum(), unended_ticks); }
};

/// Adds the figures of other instances of the class, of the same clock and numbers.
void merge(LockFigures& into, const LockFigures& from);
/// What hurts most first.
bool hurts_more(const LockFigures& a, const LockFigures& b);

class Locks : public Observer {
 public:
  void began(const Replay& replay) override { replay_ = &replay; }
  bool hears(const trace::Row& row) const override { return row.verb == trace::Verb::block_shared; }
  void record(const Record& record) override;
  void born(const ObjectState& object) override;
  void destroyed(const ObjectState& object) override;
  void acquired(const ObjectState& object, const Record& record, trace::Ticks spun, bool waited) override;
  void held(const ObjectState& object, const Hold& hold) override;
  void held_plainly(HoldsOfObjects holds) override;
  void released_by_other(const ObjectState& object, const Record& record) override;
  void waited(const ObjectState* object, const Wait& wait) override;
  void failed(const ObjectState* object, const Record& record) override;
  void finished(const Replay& replay) override;

  Locks(const Process& process, const Filter& filter) : process_{process}, filter_{filter} {}

  /// What hurts most first. After the replay.
  const std::vector<LockFigures>& figures() const { return figures_; }

 private:
  /// Names kept apart for one kind and creation site; past that its instances are one class.
  static constexpr std::size_t most_names = 32;

  struct Live {
    LockFigures* figures = nullptr;
    trace::Ticks waited = 0;
    LockFlow flow;
  };
  using Place = std::tuple<trace::Kind, trace::SiteNumber, trace::ObjectNumber>;
  using ByName = std::map<std::string, LockFigures>;

  LockFigures& class_of(const ObjectState& object);
  bool is_empty(const LockFigures& figures) const;
  Live* live(const ObjectState* object) {
    if (object == nullptr || object->slot >= live_.size()) return nullptr;
    Live& lock = live_[object->slot];
    return lock.figures == nullptr ? nullptr : &lock;
  }
  void ended(LockFigures& figures, const Wait& wait);
  static void settle(LockFigures& figures);

  const Process& process_;
  const Filter& filter_;
  const Replay* replay_ = nullptr;
  std::map<Place, ByName> classes_;
  std::vector<Live> live_;  ///< by slot
  std::vector<LockFigures> figures_;
};

}  // namespace unspool
