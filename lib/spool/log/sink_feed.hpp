// SPDX-License-Identifier: MIT
//
// Turns drained Records into what sinks get: numbers become names, ticks become times, arguments become text. Owns what
// it learnt from the definitions, as any reader of the trace does.
#pragma once

#include <spool/log/drain.hpp>
#include <spool/log/sink.hpp>
#include <spool/os/clock.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace spool::log {

/// Thread-bound: the dispatcher's.
class SinkFeed {
 public:
  void set_sinks(std::vector<std::shared_ptr<Sink>> sinks) { sinks_ = std::move(sinks); }
  void set_clock(const os::ClockReading& now) { now_ = now; }
  void define(const DrainedRecord& record);
  /// A definition of a thread that is known already: it holds from its time on, and must wait its turn.
  bool renames(const DrainedRecord& record) const;
  void write(const DrainedRecord& record);
  void flush();
  /// Says once that Records went by unread, and how many segments of them.
  void note_lapped(std::uint64_t segments);
  trace::Ticks ticks_before(trace::Ticks now, std::chrono::nanoseconds span) const;

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

  std::uint64_t realtime_of(trace::Ticks ticks) const;
  std::string text_of(const DrainedRecord& record, SinkRecord& out) const;
  std::string transition_text(const trace::Row& row, const DrainedRecord& record) const;
  std::string object_text(trace::ObjectNumber object) const;
  void forget_later(trace::ThreadNumber thread);
  void deliver(const SinkRecord& record);
  void note_failure(const char* what);

  std::vector<std::shared_ptr<Sink>> sinks_;
  os::ClockReading now_{};
  std::uint64_t frequency_ = 1'000'000'000;
  std::unordered_map<trace::ThreadNumber, KnownThread> threads_;
  std::unordered_map<trace::SiteNumber, KnownSite> sites_;
  std::unordered_map<trace::ObjectNumber, KnownObject> objects_;
  std::deque<trace::ThreadNumber> ended_;
  std::uint64_t failures_ = 0;
  std::uint64_t lapped_told_ = 0;
};

}  // namespace spool::log
