// SPDX-License-Identifier: MIT
//
// A small run as log lines, written by hand from docs/lines.md: two threads, a lock that one waits for, a message.
#pragma once

#include <fmt/format.h>
#include <unspool/builder.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace unspool_test {

inline std::string json_line(std::string_view at, std::string_view record, std::string_view rest, unsigned pid = 4711) {
  const std::string_view level = record == "message" ? "info" : "trace";
  return fmt::format(R"({{"time":"2026-11-22T20:31:52.{}Z","level":"{}","record":"{}","process.pid":{},{}}})", at,
                     level, record, pid, rest);
}

inline std::vector<std::string> json_definitions(unsigned pid = 4711, std::string_view started = "099000000") {
  return {
      json_line("100000000", "definition.process",
                fmt::format(R"("process.parent_pid":0,"started":"2026-11-22T20:31:52.{}Z",)"
                            R"("process.executable.name":"kvserver","host.name":"db3","clock":"tsc","version":"1.0")",
                            started),
                pid),
      json_line("100000001", "definition.mode", R"("mode":2)", pid),
      json_line("100000002", "definition.thread",
                R"("object.id":1,"thread.native_id":1001,"creator":0,"daemon":0,"origin":0,"origin.name":"main",)"
                R"("name":"MainThread")",
                pid),
      json_line(
          "100000003", "definition.thread",
          R"("object.id":2,"thread.native_id":1002,"creator":1,"creator.name":"MainThread","daemon":1,"origin":1,)"
          R"("origin.name":"spool","name":"worker-1")",
          pid),
      json_line("100000004", "definition.object",
                R"("object.id":4294967297,"site":4,"kind":2,"kind.name":"lock","parent":0,"name":"cache")", pid),
      json_line("100000005", "definition.site",
                R"("number":4,"code.lineno":31,"code.filepath":"../server.cpp","code.function":"serve")", pid),
  };
}

inline std::string json_transition(std::string_view at, std::string_view record, unsigned thread, unsigned seq,
                                   std::string_view rest, unsigned pid = 4711) {
  return json_line(at, record,
                   fmt::format(R"("thread.id":{},"thread.name":"{}","object.id":4294967297,"object.kind":"lock",)"
                               R"("object.name":"cache","seq":{},"site":4,"code.filepath":"../server.cpp",)"
                               R"("code.lineno":31,{})",
                               thread, thread == 1 ? "MainThread" : "worker-1", seq, rest),
                   pid);
}

inline std::vector<std::string> json_records(unsigned pid = 4711) {
  return {
      json_transition("200000000", "lock.acquire", 1, 1, R"("waker":0,"spun":0)", pid),
      json_transition("200001000", "lock.block", 2, 1, R"("owner":1,"owner.name":"MainThread","owner_site":4)", pid),
      json_transition("200005000", "lock.release", 1, 2, R"("waiters":1,"owner":1,"owner.name":"MainThread")", pid),
      json_transition("200006000", "lock.acquire", 2, 3, R"("waker":1,"waker.name":"MainThread","spun":0)", pid),
      json_line("200006500", "message",
                R"("thread.id":2,"thread.name":"worker-1","site":4,"code.filepath":"../server.cpp","code.lineno":31,)"
                R"("code.function":"serve","logger":"http","body":"served /a in 3 ms",)"
                R"("format":"served {path} in {ms} ms","arguments":{"path":"/a","ms":3})",
                pid),
      json_transition("200007000", "lock.release", 2, 4, R"("waiters":0,"owner":2,"owner.name":"worker-1")", pid),
  };
}

inline std::string text_line(std::string_view at, std::string_view thread, std::string_view words,
                             std::string_view pairs, std::string_view level = "trace") {
  return fmt::format("2026-11-22T20:31:52.{}+00:00 [{}] ({}) {}\t{}", at, level, thread, words, pairs);
}

/// The same run.
inline std::vector<std::string> text_lines() {
  const auto defined = [](std::string_view at, std::string_view record, std::string_view rest) {
    return text_line(at, "", record, fmt::format("record={} {} thread=0 pid=4711", record, rest));
  };
  const auto done = [](std::string_view at, std::string_view record, unsigned thread, unsigned seq,
                       std::string_view rest) {
    return text_line(at, thread == 1 ? "MainThread" : "worker-1", fmt::format("{} cache", record),
                     fmt::format("record={} object=4294967297 object_name=\"cache\" seq={} site=4 at=server.cpp:31 {} "
                                 "thread={} pid=4711",
                                 record, seq, rest, thread));
  };
  return {
      defined("100000000", "definition.process",
              R"(parent_pid=0 started=2026-11-22T20:31:52.099000000Z program="kvserver" host="db3" clock="tsc" )"
              R"(version="1.0")"),
      defined("100000001", "definition.mode", "mode=2"),
      defined("100000002", "definition.thread",
              R"(object=1 native_id=1001 creator=0 daemon=0 origin=0 name="MainThread")"),
      defined("100000003", "definition.thread",
              R"(object=2 native_id=1002 creator=1 daemon=1 origin=1 name="worker-1")"),
      defined("100000004", "definition.object", R"(object=4294967297 site=4 kind=2 parent=0 name="cache")"),
      defined("100000005", "definition.site", R"(number=4 line=31 file="../server.cpp" function="serve")"),
      done("200000000", "lock.acquire", 1, 1, "waker=0 spun=0"),
      done("200001000", "lock.block", 2, 1, "owner=1 owner_site=4"),
      done("200005000", "lock.release", 1, 2, "waiters=1 owner=1"),
      done("200006000", "lock.acquire", 2, 3, "waker=1 spun=0"),
      text_line("200006500", "worker-1", "served /a in 3 ms",
                R"(thread=2 pid=4711 site=4 at=server.cpp:31 logger="http" | path="/a" ms=3)", "info"),
      done("200007000", "lock.release", 2, 4, "waiters=0 owner=2"),
  };
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& each : lines)
    text += each + '\n';
  return text;
}

inline std::string json_log(unsigned pid = 4711) {
  return joined(json_definitions(pid)) + joined(json_records(pid));
}

/// The same run as a trace: times in ns since 1970.
class SampleTrace {
 public:
  SampleTrace() {
    const auto lock = object_number(2);
    const auto at = [](std::uint64_t ns) { return std::uint64_t{1'795'379'512'000'000'000} + ns; };
    built.process.program = "kvserver";
    built.process.hostname = "db3";
    built.process.started = "2026-11-22T20:31:52.099000000Z";
    built.process.clock = "tsc";
    built.process.frequency = 1'000'000'000;
    auto& segment = built.segment(1);
    const trace::MessageClass message{
        4096,
        trace::Level::info,
        "http",
        "served {} in {} ms",
        {{"path", trace::Type::text, trace::Means::value}, {"ms", trace::Type::i32, trace::Means::value}}};
    segment.definition_time = at(100'000'000);
    segment.define_message(message).define_clock(at(0), 0, at(0), 1'000'000'000).define_mode(trace::Mode::all);
    segment.define_thread(1, "MainThread", trace::Origin::main)
        .define_thread(2, "worker-1", trace::Origin::spool, 1, true)
        .define_object(lock, trace::Kind::lock, "cache", 4)
        .define_site(4, "../server.cpp", 31, "serve");
    segment.writer(1, at(200'000'000))
        .transition(at(200'000'000), "lock.acquire", lock, 4, 1)
        .transition(at(200'005'000), "lock.release", lock, 4, 2, 1, 1);
    segment.writer(2, at(200'001'000))
        .transition(at(200'001'000), "lock.block", lock, 4, 1, 1, 4)
        .transition(at(200'006'000), "lock.acquire", lock, 4, 3, 1, 0)
        .message(at(200'006'500), message, 4, {trace::Value{std::string_view{"/a"}}, trace::Value{std::int64_t{3}}})
        .transition(at(200'007'000), "lock.release", lock, 4, 4, 0, 2);
    built.write();
  }
  std::string path() const { return built.path(); }

  TraceBuilder built;
};

}  // namespace unspool_test
