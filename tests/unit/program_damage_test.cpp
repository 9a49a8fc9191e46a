// SPDX-License-Identifier: MIT
//
// Another process truncates the files of a trace under a server's hands: program_damage.cpp.
#include "running.hpp"

#include <csignal>
#include <sstream>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

struct Told {
  long messages = 0;
  long lost = 0;
};

Told run_cut(ScratchDirectory& scratch, const std::string& files) {
  if (files != ".status") scratch.breaks_rules();  // what is gone is gone
  const Ended ended = run("logs_on_when_cut", {"TRACE_PARENT=" + scratch.path().string(), "TRACE_CUTS=" + files});
  INFO(ended.out << ended.err);
  REQUIRE(ended.exit_code == 0);
  CHECK(lines_of(ended.err) == 1);  // once, not in a storm
  CHECK_THAT(ended.err, Contains("spool: another process has truncated files of the trace "));
  Told told;
  std::istringstream{ended.out} >> told.messages >> told.lost;
  return told;
}

}  // namespace

TEST_CASE("a server whose chunks another process truncates lives, counts what is lost, and records on") {
  ScratchDirectory scratch;
  const Told told = run_cut(scratch, "stream-*");
  const TraceReader trace{scratch.trace()};
  long lost = 0;
  for (const ReadRecord& each : trace.records()) {
    constexpr std::uint64_t truncated = 6;
    if (each.name == "trace.loss" && each.fields[1] == truncated) lost += static_cast<long>(each.fields[0]);
  }
  CHECK(told.lost > 0);
  CHECK(lost == told.lost);
  CHECK(count_of(trace, "message") < told.messages);
  CHECK(count_of(trace, "message") >= 4 * 1000);
  // Two transitions to each message, and each message is longer than what it is counted as.
  CHECK(count_of(trace, "message") + lost >= told.messages);
}

TEST_CASE("one whose metadata is truncated goes on in a segment that can be read") {
  ScratchDirectory scratch;
  (void)run_cut(scratch, "metadata");
  CHECK(count_of(TraceReader{scratch.trace()}, "message") >= 4 * 1000);
}

TEST_CASE("one whose thread states are truncated writes them to a new file") {
  ScratchDirectory scratch;
  const Told told = run_cut(scratch, ".status");
  CHECK(told.lost == 0);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "message") == told.messages);
  CHECK(std::filesystem::file_size(scratch.trace() / ".status") > 4096);
}

TEST_CASE("with SPOOL_SIGBUS=off it dies of SIGBUS, as any program with a mapped file") {
  ScratchDirectory scratch;
  scratch.breaks_rules();
  const Ended ended =
      run("logs_on_when_cut", {"TRACE_PARENT=" + scratch.path().string(), "TRACE_CUTS=stream-*", "SPOOL_SIGBUS=off"});
  CHECK(ended.signal == SIGBUS);
}

TEST_CASE("a SIGBUS that has nothing to do with the trace kills as ever") {
  const ScratchDirectory scratch;
  CHECK(run("dies_of_sigbus_elsewhere", {"TRACE_PARENT=" + scratch.path().string()}).signal == SIGBUS);
}

TEST_CASE("and it reaches the handler that the user had before") {
  const ScratchDirectory scratch;
  const Ended ended = run("handles_sigbus_elsewhere", {"TRACE_PARENT=" + scratch.path().string()});
  CHECK(ended.exit_code == 7);
  CHECK(ended.out == "the user's handler\n");
}
