// SPDX-License-Identifier: MIT
//
// Question: do the Records keep to what the schema table states? Judges by the table alone, apart from replay, so that
// neither hides the other's mistakes. Owns no words: render makes them.
//
// Where Records are missing (older segments are gone, some were lost or could not be read), or not all were asked for
// (a mode other than `all`), only what cannot be due to that is a violation.
#pragma once

#include <unspool/analyze/filter.hpp>
#include <unspool/model/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unspool {

/// What the table states.
enum class Rule : std::uint8_t {
  time,      ///< a thread's times never go back
  defined,   ///< what a Record names is defined
  step,      ///< after each Record, its thread does to the object only what may follow it
  sequence,  ///< the Records that change an object bear 1, 2, 3, ... without gap or repetition
  quote,     ///< the others bear a number that has been reached
  holder,    ///< nobody acquires what somebody else holds, or releases what nobody holds
  waker,     ///< a wait that ended well names who ended it
  count,     ///< what a Record counts (depth, readers, value) or names (owner) is what the ones before it make of it
};
inline constexpr std::size_t rule_count = 8;
std::string_view name_of(Rule rule);

/// A Record that breaks a rule.
struct Violation {
  Rule rule = Rule::time;
  const trace::Row* row = nullptr;
  Place place;
  trace::Ticks time = 0;
  trace::ThreadNumber thread = 0;
  trace::ObjectNumber object = 0;
  trace::Kind kind = trace::Kind::trace;  ///< of the object
  // What is wrong, as the rule needs it:
  const trace::Row* after = nullptr;  ///< step: the thread's last Record on the object, null: none
  trace::ThreadNumber holder = 0;     ///< holder: who has it, 0: nobody
  std::uint64_t found = 0;  ///< sequence, quote, time, count: what it bears; defined: the number without a definition
  std::uint64_t due = 0;    ///< sequence, quote, time, count: what was due, or the last
  std::string_view field = {};  ///< count: which of its fields
  bool of_threads = false;      ///< count: `found` and `due` are threads
};

/// Passes the Records on, and judges them on the way. Memory: what is alive, and some bytes for each object there ever
/// was.
class Legality final : public RecordSource {
 public:
  static constexpr std::size_t most_kept = 100;

  /// All Records are looked at; the filter says which are judged.
  Legality(const Process& process, RecordSource& source, Filter filter = {});
  bool next(Record& record) override;

  /// After the last Record.
  std::uint64_t count(Rule rule) const { return counts_[static_cast<std::size_t>(rule)]; }
  std::uint64_t all() const;
  /// The first ones.
  const std::vector<Violation>& violations() const { return violations_; }
  /// Numbers that threads took and were killed before the Record of it: one a thread at most, and only after a kill.
  std::uint64_t unwritten() const { return unwritten_; }
  std::uint64_t judged() const { return judged_; }

 private:
  struct Step {
    trace::ThreadNumber thread;
    trace::ObjectNumber object;
    bool operator==(const Step&) const = default;
  };
  struct StepHash {
    std::size_t operator()(const Step& step) const {
      return static_cast<std::size_t>((step.object ^ std::uint64_t{step.thread} << 40U) * 0x9e37'79b9'7f4a'7c15);
    }
  };
  struct ObjectState {
    trace::Sequence last = 0;
    trace::ThreadNumber owner = 0;
    std::uint32_t readers = 0;
    std::uint32_t depth = 0;  ///< of an RLock
    std::uint32_t value = 0;  ///< of a semaphore
    bool value_known = false;
    bool sequence_known = false;
    bool holders_known = false;
    bool destroyed = false;
  };

  /// An RLock, and how often its owner holds it again when the wait for its Condition is over.
  struct GivenUp {
    trace::ObjectNumber lock = 0;
    std::uint32_t depth = 0;
  };

  bool is_whole() const;
  void judge(const Record& record);
  void judge_time(const Record& record);
  void judge_names(const Record& record);
  void judge_step(const Record& record, ObjectState& object);
  void judge_waker(const Record& record, const trace::Row& before);
  void judge_sequence(const Record& record, ObjectState& object);
  void judge_holder(const Record& record, ObjectState& object);
  void judge_rlock(const Record& record, ObjectState& object);
  void judge_semaphore(const Record& record, ObjectState& object);
  void expect(const Record& record, std::size_t field, std::uint64_t found, std::uint64_t due);
  void finish();
  std::uint64_t only_quoted() const;
  Violation& complain(Rule rule, const Record& record);

  const Process& process_;
  RecordSource& source_;
  const Filter filter_;
  std::array<std::uint64_t, rule_count> counts_{};
  std::vector<Violation> violations_;
  std::unordered_map<trace::ThreadNumber, trace::Ticks> times_;
  /// By the Record that began, or went on with, the wait.
  struct Begun {
    const trace::Row* row = nullptr;
    std::uint32_t segment = 0;
  };
  std::unordered_map<Step, Begun, StepHash> waits_;
  std::unordered_map<trace::ObjectNumber, ObjectState> objects_;
  std::unordered_map<trace::ThreadNumber, GivenUp> depths_;
  Violation unused_;  ///< past `most_kept`, or not asked for
  std::uint64_t judged_ = 0;
  std::uint64_t gap_numbers_ = 0;  ///< missing ones, in a trace that is whole
  std::uint64_t unwritten_ = 0;
  std::uint32_t losses_ = 0;
  bool damaged_ = false;  ///< also by a loss
  bool finished_ = false;
};

}  // namespace unspool
