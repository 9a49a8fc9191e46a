// SPDX-License-Identifier: MIT
//
// Turns drained Records into what a sink gets: numbers become names, ticks become times, arguments become text. Owns
// the Record in hand and what the sink is owed; what a Record's bytes hold is RecordFields', and the names are
// KnownNames'.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/known_names.hpp>
#include <spool/log/record_fields.hpp>
#include <spool/log/sink.hpp>
#include <spool/trace/metadata.hpp>
#include <spool/trace/timeline.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace spool::log {

/// Thread-bound: the feeder's.
class SinkFeed {
 public:
  explicit SinkFeed(Sink& sink)
      : sink_{sink},
        transitions_{sink.wants_transitions()},
        definitions_{sink.wants_definitions()},
        names_{transitions_},
        fields_{names_, timeline_} {}
  SinkFeed(const SinkFeed&) = delete;
  SinkFeed& operator=(const SinkFeed&) = delete;

  /// A process begins to write to the sink: nothing is known yet of its threads, objects and sites.
  void begin(const trace::Process& process);

  /// Has the sink write what is owed, then the Record. What the sink throws comes through; then it has not taken the
  /// Record, and this is to be called with it again, or drop().
  void write(const DrainedRecord& record);
  /// The sink does not get the Record; it is owed a loss.
  void drop(const DrainedRecord& record);
  /// So many Records were lost: the sink is owed a `trace.loss`.
  void owe(trace::LossReason reason, std::uint64_t count);
  /// Has the sink write what is owed. False: nothing was.
  bool settle();

  trace::Ticks ticks_before(trace::Ticks now, std::uint64_t nanoseconds) const;

 private:
  bool fill(const DrainedRecord& record);
  bool is_wanted(const DrainedRecord& record, const trace::Row& row) const;
  void pass(const DrainedRecord& record);
  void deliver_process();
  void deliver_loss(trace::LossReason reason, std::uint64_t count);
  void deliver(const trace::Row& row, std::span<const trace::NamedField> fields);
  void begin_record(const trace::Row& row, std::uint64_t time);

  Sink& sink_;
  const bool transitions_;  ///< wanted
  const bool definitions_;
  trace::Process process_;
  bool owes_process_ = false;
  std::array<std::uint64_t, 6> owed_{};  ///< by LossReason
  bool owes_loss_ = false;
  trace::Timeline timeline_;
  std::uint64_t last_time_ = 0;
  KnownNames names_;
  RecordFields fields_;
  trace::NamedRecord named_;  ///< in hand
};

}  // namespace spool::log
