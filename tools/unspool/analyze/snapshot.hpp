// SPDX-License-Identifier: MIT
//
// Question: what did each thread do at one moment: run, or wait for what, and holding what?
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/read/when.hpp>

#include <deque>
#include <map>
#include <vector>

namespace unspool {

/// Passes on the Records up to a moment, and looks the rest over for what tells whether the state then is known.
/// A Record that follows a later one in its object's sequence counts as later too. A wait that its thread tells of only
/// afterwards, as it is recorded once it has lasted, is passed on as if told at the moment.
class UntilMoment final : public RecordSource {
 public:
  /// A thread's Records around the moment.
  struct Around {
    trace::Ticks time = 0;  ///< of its last Record up to the moment; its row, site and a
    const trace::Row* row = nullptr;
    trace::SiteNumber site = 0;
    std::uint32_t a = 0;
    trace::Ticks next = 0;  ///< of its first Record after the moment
    bool has_next = false;
    std::uint64_t lost = 0;  ///< that one says that so many were lost: the moment lies in the gap
  };

  /// `last`: the last Record's time; only of moments that count from there.
  UntilMoment(const Process& process, RecordSource& source, When when, trace::Ticks last)
      : process_{process}, source_{source}, when_{when}, last_given_{last} {}

  /// Once it has said false, the answers below are complete.
  bool next(Record& record) override;

  bool any() const { return any_; }
  std::uint64_t passed() const { return passed_; }  ///< Records up to the moment
  trace::Ticks first() const { return first_; }
  trace::Ticks last() const { return last_; }  ///< of all Records
  trace::Ticks moment() const;                 ///< what was asked for; `end` is the last Record
  bool before_all() const { return any_ && passed_ == 0; }
  bool after_all() const { return any_ && at_ != ~trace::Ticks{0} && at_ > last_; }
  bool at_end() const { return any_ && at_ == ~trace::Ticks{0}; }  ///< `end` was asked for
  bool stopped() const { return stopped_; }                        ///< Records follow
  const std::map<trace::ThreadNumber, Around>& threads() const { return threads_; }

 private:
  void begin(const Record& record);
  void read_rest(Record& record);
  void saw_later(const Record& record);
  bool next_told_late(Record& record);

  const Process& process_;
  RecordSource& source_;
  When when_;
  trace::Ticks last_given_;
  trace::Ticks at_ = 0;
  trace::Ticks first_ = 0;
  trace::Ticks last_ = 0;
  std::uint64_t passed_ = 0;
  bool any_ = false;
  bool stopped_ = false;
  std::deque<Record> told_late_;  ///< not passed on yet
  std::map<trace::ThreadNumber, Around> threads_;
};

/// The moment; of the end, when the process was last known to live, and never later than that.
trace::Ticks known_until(const UntilMoment& until, const Replay& replay);

/// What a thread held at the moment.
struct HeldObject {
  trace::ObjectNumber object = 0;
  trace::Kind kind = trace::Kind::trace;
  trace::SiteNumber site = 0;  ///< where it acquired
  trace::Ticks since = 0;
  bool since_known = false;
  bool shared = false;
};

/// By thread, the longest held first. After the replay.
std::map<trace::ThreadNumber, std::vector<HeldObject>> held_objects(const Replay& replay);

}  // namespace unspool
