// SPDX-License-Identifier: MIT
//
// Where Records go besides the trace. A sink is one small class; the dispatcher's thread alone calls it.
#pragma once

#include <spool/log/site.hpp>
#include <spool/trace/ids.hpp>
#include <spool/trace/schema.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace spool {

/// A Record as a sink gets it. Texts are raw: they may hold control characters (trace::escaped makes them safe).
/// Views are valid during the call.
struct SinkRecord {
  const trace::Row* row = nullptr;          ///< what kind of Record; `message` for all messages
  trace::Level level = trace::Level::info;  ///< transitions: trace
  std::uint64_t time = 0;                   ///< ns since 1970
  std::string_view thread_name;
  trace::ThreadNumber thread = 0;
  std::uint32_t native_id = 0;
  bool daemon = false;
  std::string_view logger;
  std::string_view file;  ///< of the site; empty where not known
  std::string_view function;
  std::uint32_t line = 0;
  trace::ObjectNumber object = 0;
  std::string_view object_name;
  std::string_view text;  ///< a message's; a transition in words
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Records come in the order of their times. May throw: it is counted and said once on stderr.
  virtual void write(const SinkRecord& record) = 0;
  virtual void flush() {}

  /// Does it want transitions, or only messages?
  virtual bool wants_transitions() const { return false; }
};

}  // namespace spool
