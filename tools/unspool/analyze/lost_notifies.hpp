// SPDX-License-Identifier: MIT
//
// Question: did a thread begin to wait at a Condition too late for the last notify? Owns the rule; misuse.hpp and
// deadlocks.hpp tell of it.
//
// A notify that met nobody was lost on a thread if the hold of the Condition's lock in which it waits is its first one
// since then. Had it held the lock before, without waiting, it would have seen what the notify was about: a worker that
// was busy then takes the lock, sees its work, does it, and waits anew. So would it at the end of an earlier wait.
//
// Nor is it lost where it may have been about something that is over:
//   - another thread than the notifier's has held the lock since, without waiting in that hold: it may have taken what
//     there was;
//   - the notifier has started the waiting thread since; or anybody has, and others had waited there before the notify,
//     which was for these.
//
// Memory: locks of Conditions, and for each the threads that waited or held it while this mattered; threads that were
// started in that time.
#pragma once

#include <unspool/replay/observer.hpp>

#include <array>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

class LostNotifies : public Observer {
 public:
  struct Notify {
    trace::Ticks time = 0;
    trace::SiteNumber site = 0;
    trace::ThreadNumber thread = 0;
    std::uint64_t order = 0;       ///< by which it compares with holds
    trace::ObjectNumber lock = 0;  ///< the Condition's; 0: not known
    bool holds_known = true;       ///< no hold of the lock since then can have gone unseen
    bool had_waiters = false;      ///< somebody had waited at the Condition before
  };

  explicit LostNotifies(const Process& process) : process_{process} {}

  void began(const Replay& replay) override { replay_ = &replay; }
  bool hears(const trace::Row& row) const override;
  void record(const Record& record) override;
  void destroyed(const ObjectState& object) override;
  void held(const ObjectState& object, const Hold& hold) override {
    if (watched_ != 0) looked(object, hold.thread);
  }
  void held_plainly(HoldsOfObjects holds) override {
    if (watched_ == 0) return;
    for (const auto& [object, hold] : holds)
      looked(*object, hold->thread);
  }
  void missing(const Record&, std::uint64_t) override { doubt(); }

  /// The last notify before this thread's wait, if it was lost on it. Null else.
  const Notify* before_wait(trace::ThreadNumber thread, trace::ObjectNumber condition) const;

 private:
  struct Look {
    std::uint64_t order = 0;  ///< of the last hold that ended, while somebody asked
    bool returns = false;     ///< from a wait, and has not released the lock since
    bool waits = false;       ///< at a Condition: so its hold ends
  };
  /// Whose last hold did not end with a wait.
  struct Taker {
    trace::ThreadNumber thread = 0;
    std::uint64_t order = 0;
  };
  /// A Condition's lock.
  struct Guard {
    std::unordered_map<trace::ThreadNumber, Look> threads;
    std::array<Taker, 2> takers;  ///< the last two, while somebody asked; the newest first
    std::uint64_t notifies = 0;   ///< that met nobody, of its Conditions
    std::uint64_t returning = 0;
    std::uint32_t slot = 0;  ///< of the lock
    bool watched = false;
    trace::ThreadNumber last = 0;  ///< who held it last, and its entry
    Look* last_look = nullptr;
  };
  struct Blocked {
    trace::ObjectNumber condition = 0;
    Notify notify;
  };

  void notify(const Record& record);
  void block(const Record& record);
  void came_back(const Record& record);
  void forget_notify(trace::ObjectNumber condition);
  void doubt();
  bool has_looked(const Guard* guard, trace::ThreadNumber thread, const Notify& notify) const;
  static bool is_taken(const Guard* guard, const Notify& notify);
  bool is_for_others(trace::ThreadNumber thread, const Notify& notify) const;
  void thread(const Record& record);

  trace::ObjectNumber lock_of(trace::ObjectNumber condition) const;
  Guard* guard_of(trace::ObjectNumber lock);
  void watch_or_not(Guard& guard);
  static void end_return(Guard& guard, Look& look);
  void looked(const ObjectState& object, trace::ThreadNumber thread) {
    if (object.slot < by_slot_.size() && by_slot_[object.slot] != nullptr) look(*by_slot_[object.slot], thread);
  }
  void look(Guard& guard, trace::ThreadNumber thread);

  const Process& process_;
  const Replay* replay_ = nullptr;
  std::uint64_t order_ = 0;
  std::unordered_map<trace::ObjectNumber, Notify> last_;  ///< by Condition: its last notify, if that met nobody
  std::unordered_map<trace::ObjectNumber, Guard> guards_;
  std::vector<Guard*> by_slot_;  ///< those that are watched
  std::size_t watched_ = 0;
  std::unordered_map<trace::ThreadNumber, Blocked> blocked_;  ///< who waits, with a notify behind it
  std::unordered_set<trace::ObjectNumber> waited_at_;         ///< Conditions
  std::unordered_map<trace::ThreadNumber, Taker> started_;    ///< since there was one in last_: by whom, and when
};

}  // namespace unspool
