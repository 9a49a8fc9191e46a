// SPDX-License-Identifier: MIT
//
// Goes once over a process's Records and keeps the state of every live object and thread. Owns the rules by which a
// Record changes them; they come from the schema table (effect, next), so that a new kind needs none of its own.
// Answers no question: observers do, from what they are told.
//
// Memory: live objects, threads, and the definitions in the Process. Every Record sequence is accepted: what the
// Records contradict or leave open becomes "unknown", never a guess.
#pragma once

#include <unspool/model/source.hpp>
#include <unspool/replay/audience.hpp>
#include <unspool/replay/state.hpp>
#include <unspool/replay/states.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace unspool {

/// What did not fit together in the Records. Nothing of it stops the replay.
struct Doubts {
  std::uint64_t gaps = 0;            ///< places where an object's sequence jumps
  std::uint64_t missing = 0;         ///< Records that are missing there
  std::uint64_t disordered = 0;      ///< sequences that went back
  std::uint64_t lost_ends = 0;       ///< waits and holds whose end is missing
  std::uint64_t unmatched = 0;       ///< releases of what nobody held
  std::uint64_t unnamed = 0;         ///< Records without a thread or of an unknown kind
  std::uint64_t untracked = 0;       ///< Records on objects past the limit for undefined ones
  std::uint64_t backward_times = 0;  ///< waits or holds that end before they begin
};

class Replay {
 public:
  Replay(const Process& process, Audience audience);

  /// Reads the source to its end. Once.
  void run(RecordSource& source);

  const Process& process() const { return process_; }
  const States<trace::ObjectNumber, ObjectState>& objects() const { return objects_; }
  const States<trace::ThreadNumber, ThreadState>& threads() const { return threads_; }
  const Doubts& doubts() const { return doubts_; }
  std::uint64_t records() const { return records_; }
  trace::Ticks first_time() const { return first_time_; }
  trace::Ticks last_time() const { return last_time_; }
  /// Up to when what goes on at the end is known to have gone on: a process that hangs makes no Records, but its
  /// recorder reads the clocks. The last Record where it ended in order.
  trace::Ticks last_sign_of_life() const;
  bool ended_orderly() const { return ended_orderly_; }

  /// How often a thread has said that it lost Records; a holder confirmed before the last may have changed unseen.
  std::uint32_t losses() const { return losses_; }
  std::uint64_t lost_records() const { return lost_records_; }

  /// Whether every acquire of every object was recorded. ObjectState::complete says it of one.
  bool complete() const { return complete_; }

  /// Who had the object unseen since its last release, as far as this Record shows, before its effect: where acquires
  /// are missing. Nobody: it shows nothing of that.
  Holder taken_unseen(const ObjectState& object, const Record& record) const;

 private:
  /// What a block Record or a status entry says of a wait.
  struct Block {
    trace::Kind kind;
    trace::ObjectNumber object;
    trace::SiteNumber site;
    trace::Ticks since;
    trace::ThreadNumber owner;
    trace::SiteNumber owner_site;
    trace::WaitLimit limit;
    bool announced = false;  ///< by a status Record or entry: it began before what is known
    bool late = false;       ///< Records have come already that were written after it was
    bool first = false;      ///< nobody else waits
  };

  // replay.cpp: which Record does what
  void step(const Record& record);
  void step(std::span<const PlainHold> holds, std::size_t begin, std::size_t end);
  ObjectState* plainly_held(const PlainHold& hold);
  void tell_holds();
  void step_apart(const PlainHold& hold);
  /// For sure nobody has it, and nobody waits for it.
  bool is_free(const ObjectState& object) const {
    const bool free = object.now().holder.tenant == Holder::Tenant::nobody && object.now().from_known;
    return free && object.readers.empty() && object.confirmed == losses_ && !object.history.waited_for() &&
           !object.destroyed;
  }
  void transition(const Record& record);
  void object_transition(const Record& record, ThreadState* thread);
  void thread_transition(const Record& record, ThreadState* thread);
  void live(const Record& record, ThreadState& target);
  void lose(const Record& record);
  void fail(const Record& record, ThreadState* thread, ObjectState* object);
  /// Whether `record` is the next in its object's sequence. Only Records that advance it are asked.
  bool follows(const Record& record, trace::Sequence& last, bool& known) {
    if (!record.row->advances) return true;
    const bool next = known && record.seq == last + 1;
    last = next ? record.seq : last;
    return next || jumps(record, last, known);
  }
  bool jumps(const Record& record, trace::Sequence& last, bool& known);
  void finish();

  // waits.cpp
  void close_stale_waits(ThreadState& thread, const Record& record);
  trace::WaitLimit limit_of(trace::WaitLimit told) const;
  void block(const Record& record, ThreadState* thread, ObjectState* object);
  void begin_wait(trace::ThreadNumber number, ThreadState& thread, ObjectState* object, const Block& block);
  bool end_wait(const Record& record, ThreadState* thread, ObjectState* object, Ending ending);
  void close_wait(ThreadState& thread, trace::Ticks until, Ending ending);
  void close_all_waits(ThreadState& thread, trace::Ticks until, Ending ending);
  void complete_wait(Wait& wait, const ObjectState* object, trace::Ticks until, Ending ending);
  void tell(const Wait& wait, const ObjectState* object);

  // holds.cpp
  void take(const Record& record, ThreadState* thread, ObjectState& object);
  void give(const Record& record, ObjectState& object);
  void share(const Record& record, ThreadState* thread, ObjectState& object);
  void unshare(const Record& record, ObjectState& object);
  void hold_shared(ObjectState& object, const Reader& reader, bool known) const;
  void hold_together(ObjectState& object);
  static void change_shared(ObjectState& object, const Holder& who, trace::Ticks at, bool comes, const Tenure& now);
  void believe_owner(ObjectState& object, const Block& block);
  static void forget_unwatched(ObjectState& object, const Block& block);
  void note_taken_unseen(ObjectState& object, const Record& record) const;
  void leave_some(const Record& record, ObjectState& object) const;
  static void change_holder(ObjectState& object, const Holder& holder, trace::Ticks from, bool from_known);
  static void forget_holder(ObjectState& object);

  // objects.cpp
  ThreadState* thread_of(trace::ThreadNumber number);
  ObjectState* object_of(trace::ObjectNumber number, trace::Kind kind, trace::Ticks time);
  ObjectState* tracked(trace::ObjectNumber number) { return objects_.get(number); }
  trace::Kind kind_of(trace::ObjectNumber number) const;
  bool admit(bool defined);
  bool is_complete(trace::ObjectNumber number) const;
  void destroy(trace::ObjectNumber number);
  void reap(trace::ObjectNumber number);

  // restore.cpp: status Records and the status file
  void restore_hold(const Record& record);
  void restore_shared(const Record& record, ObjectState& object);
  void note_stack(const Record& record);
  void restore_wait(trace::ThreadNumber number, ThreadState& thread, Block block, trace::Ticks now);
  void correct_by_status();
  ThreadState* corrected(const trace::StatusEntry& entry);
  void correct_waits(const trace::StatusEntry& entry, ThreadState& thread);
  void correct_holds(const trace::StatusEntry& entry, const std::vector<trace::ObjectNumber>& held);

  const Process& process_;
  Audience audience_;
  States<trace::ObjectNumber, ObjectState> objects_;
  States<trace::ThreadNumber, ThreadState> threads_;
  std::size_t undefined_ = 0;
  Doubts doubts_;
  std::uint64_t records_ = 0;
  std::uint64_t lost_records_ = 0;
  trace::Ticks first_time_ = 0;
  trace::Ticks last_time_ = 0;
  trace::ThreadNumber last_holder_ = 0;  ///< of the last plain hold; 0: its state has to be looked up
  ThreadState* last_holder_state_ = nullptr;
  std::vector<HoldOfObject> untold_;  ///< plain holds that the observers have not heard of; empty between steps
  trace::Ticks longest_untold_ = 0;
  History::Pasts pasts_;
  std::vector<Share> spare_shares_;  ///< empty: room for the next wait's
  std::uint32_t losses_ = 0;
  bool complete_ = true;
  bool ended_orderly_ = false;
};

}  // namespace unspool
