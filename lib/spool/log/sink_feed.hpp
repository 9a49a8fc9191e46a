// SPDX-License-Identifier: MIT
//
// Turns drained Records into what a sink gets: numbers become names, ticks become times, arguments become text. Owns what
// it learnt from the definitions, as any reader of the trace does.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/known.hpp>
#include <spool/log/message_format.hpp>
#include <spool/log/sink.hpp>
#include <spool/trace/named_arguments.hpp>
#include <spool/trace/metadata.hpp>
#include <spool/trace/timeline.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace spool::log {

/// Thread-bound: the feeder's.
class SinkFeed {
 public:
  explicit SinkFeed(Sink& sink)
      : sink_{sink}, transitions_{sink.wants_transitions()}, definitions_{sink.wants_definitions()} {}

  /// A process begins to write to the sink: nothing is known yet of its threads, objects and sites.
  void begin(const trace::Process& process);

  /// Has the sink write what is owed, then the Record. What the sink throws comes through; then it has not taken the Record,
  /// and this is to be called with it again, or drop().
  void write(const DrainedRecord& record);
  /// The sink does not get the Record; it is owed a loss.
  void drop(const DrainedRecord& record);
  /// So many Records were lost: the sink is owed a `trace.loss`.
  void owe(trace::LossReason reason, std::uint64_t count);
  /// Has the sink write what is owed. False: nothing was.
  bool settle();

  trace::Ticks ticks_before(trace::Ticks now, std::uint64_t nanoseconds) const;

 private:
  struct KnownThread {
    std::string name;
    std::uint32_t native_id = 0;
    bool daemon = false;
  };
  struct KnownSite {
    std::string file;
    std::string function;
    std::uint32_t line = 0;
  };
  struct KnownObject {
    std::string name;
    trace::Kind kind = trace::Kind::trace;
  };
  struct MessagePlan {
    const MessageSite* site = nullptr;
    MessageFormat format;
  };

  bool fill(const DrainedRecord& record);
  void fill_row(const trace::Row& row, std::span<const std::byte> bytes);
  void fill_message(const DrainedRecord& record, const MessagePlan& plan);
  void fill_text_message(std::span<const std::byte> bytes);
  void fill_names(const DrainedRecord& record);
  void add_number(const trace::Row& row, const trace::Field& field, std::uint64_t value);
  const MessagePlan* plan_of(std::uint16_t id);
  bool is_wanted(const DrainedRecord& record, const trace::Row& row) const;
  bool is_news(const DrainedRecord& record) const;
  void learn(const DrainedRecord& record);
  void forget_ended(const DrainedRecord& record);
  void deliver_process();
  void deliver_loss(trace::LossReason reason, std::uint64_t count);
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
  int mode_ = -1;  ///< not known
  mutable Known<trace::ThreadNumber, KnownThread> threads_;
  mutable Known<trace::SiteNumber, KnownSite> sites_;
  mutable Known<trace::ObjectNumber, KnownObject> objects_;
  std::deque<trace::ThreadNumber> ended_;
  std::vector<MessagePlan> plans_;  ///< by class

  // The Record in hand.
  trace::NamedRecord named_;
  std::vector<trace::NamedField> fields_;
  std::vector<trace::Value> values_;
  trace::NamedArguments arguments_;
  std::string text_;
};

}  // namespace spool::log
