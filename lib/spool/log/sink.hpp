// SPDX-License-Identifier: MIT
//
// Where Records go besides the trace. A sink is one small class; a thread of its own feeds it, so a sink that is slow,
// hangs or throws harms neither the trace nor another sink.
//
//   class Counting final : public spool::Sink {
//    public:
//     void write(const spool::SinkRecord& record) override { ++counts_[record.row->name]; }
//     bool wants_transitions() const override { return true; }
//    private:
//     std::map<std::string_view, int> counts_;
//   };
//   spool::basic_config({.sinks = {std::make_shared<Counting>()}});
#pragma once

#include <spool/log/site.hpp>
#include <spool/trace/named_record.hpp>

#include <chrono>
#include <cstdint>

namespace spool {

/// A Record as a sink gets it. Texts are raw: they may hold control characters (trace::json_line.hpp and text_line.hpp
/// make them safe). Views are valid during the call.
using SinkRecord = trace::NamedRecord;

/// What becomes of Records that a sink has not read when their segment is to be used again.
struct SinkPolicy {
  enum class WhenBehind : std::uint8_t {
    drop,  ///< they are dropped and counted; nobody waits
    block  ///< who logs waits until the sink has read them
  };
  WhenBehind when_behind = WhenBehind::drop;
  /// `block`: a sink that has read nothing for so long is taken for dead, and its Records are dropped and counted until
  /// it reads again. Also how long flush(), fork() and the end of the program wait for this sink.
  std::chrono::milliseconds patience{5000};
};

/// Thread-bound: all its functions are called by the one thread that feeds it, the constructor and the policy apart.
/// After fork() the child goes on with it, in a thread of its own, from between two Records; then it is flushed.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Records come in the order of their times, merged over all threads, some 10 to 30 ms after they were made (flush(),
  /// the end of the program and Config::immediate have them at once). A thread that was stopped for longer in the midst
  /// of writing a Record makes that one come late, with its own time.
  ///
  /// May throw: then it has not taken the Record, and is given it again after a pause (10 ms, doubled up to 1 s), three
  /// times in all; then that Record is dropped and counted. The first failure is said on stderr. What was dropped comes
  /// as a `trace.loss` Record (thread 0) before the next one that it takes.
  virtual void write(const SinkRecord& record) = 0;

  /// Everything written so far is to be where the sink writes to. Called when nothing more is there to be written for
  /// now. May throw: it is called again.
  virtual void flush() {}

  /// Does it want transitions, or only messages (and losses)?
  virtual bool wants_transitions() const { return false; }

  /// Does it want definitions: `definition.process` first of all, those of threads, objects and sites before the first
  /// Record that uses them, and again only when they change?
  virtual bool wants_definitions() const { return wants_transitions(); }

  /// Set by whoever makes the sink, before basic_config.
  SinkPolicy policy;
};

}  // namespace spool
