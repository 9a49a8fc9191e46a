// SPDX-License-Identifier: MIT
//
// How whole programs begin. Each is a child process: program_config.cpp has them.
#include "running.hpp"

#include <csignal>

using namespace spool::test;
using Catch::Matchers::Contains;

TEST_CASE("a warning before any configuration is printed at once") {
  const Ended ended = run("warns");
  CHECK(ended.err == "[warning] (MainThread) watch out\\n\n");
}

TEST_CASE("the console sink prints thread names as its pattern says") {
  const Ended ended = run("console");
  CHECK(ended.exit_code == 0);
  CHECK(ended.err == "[debug] (worker    ) Starting\n[warning] (a\\nb      ) two\\nlines\n");
}

TEST_CASE("the first configuration stays") {
  const Ended ended = run("configures_twice");
  CHECK(ended.out == "1 0\n");
  CHECK(ended.err == "first hello\n");
}

TEST_CASE("a trace that cannot be written gives one clear line, and the program runs on") {
  const Ended ended = run("works", {"SPOOL_DIR=/dev/null/traces"});
  CHECK(ended.exit_code == 0);
  CHECK(lines_of(ended.err) == 1);
  CHECK_THAT(ended.err, Contains("spool: no trace can be written to SPOOL_DIR=/dev/null/traces: Not a directory"));
  const Ended by_call = run("configures_in_vain");
  CHECK(by_call.exit_code == 0);
  CHECK_THAT(by_call.out, Contains("spool: no trace can be written to /dev/null/traces: Not a directory"));
}

TEST_CASE("values of the environment that make no sense are told, one line each, and ignored") {
  const Ended ended =
      run("works", {"SPOOL_KEEP=12Q", "SPOOL_LEVEL=loud\x1b[31m", "SPOOL_TRANSITIONS=some", "SPOOL_CLOCK=sundial"});
  CHECK(ended.exit_code == 0);
  CHECK(lines_of(ended.err) == 4);
  for (const char* each : {"spool: SPOOL_KEEP=12Q is not understood", "SPOOL_LEVEL=loud\\x1b[31m is not understood",
                           "SPOOL_TRANSITIONS=some is not understood", "SPOOL_CLOCK=sundial is not understood"}) {
    CHECK_THAT(ended.err, Contains(each));
  }
}

TEST_CASE("lengths of a long wait that make no sense are told, and ignored") {
  for (const char* each : {"SPOOL_LONG_WAIT=1", "SPOOL_LONG_WAIT=-1ms", "SPOOL_LONG_WAIT=9999999999999999m",
                           "SPOOL_LONG_WAIT=0s", "SPOOL_LONG_WAIT=5 ms"}) {
    const Ended ended = run("works", {each});
    CHECK(ended.exit_code == 0);
    CHECK(lines_of(ended.err) == 1);
    CHECK_THAT(ended.err, Contains(std::string{"spool: "} + each + " is not understood"));
  }
}

TEST_CASE("in mode long, by the environment, a program that never waits long leaves no transition of its locks") {
  const ScratchDirectory scratch;
  const Ended ended =
      run("works", {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_TRANSITIONS=long", "SPOOL_LONG_WAIT=60m"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "lock.acquire") == 0);
  CHECK(count_of(trace, "thread.block") == 0);
  CHECK(count_of(trace, "thread.end") == 1);
}

TEST_CASE("the environment alone makes a trace") {
  const ScratchDirectory scratch;
  const Ended ended = run("works", {"SPOOL_DIR=" + (scratch.path() / "new" / "folder").string(), "SPOOL_KEEP=64M",
                                    "SPOOL_LEVEL=debug", "SPOOL_CLOCK=monotonic"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  const auto parent = scratch.path() / "new" / "folder";
  const TraceReader trace{std::filesystem::directory_iterator{parent} -> path()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "message") == 1);
  CHECK(count_of(trace, "lock.acquire") == 1);
  CHECK(count_of(trace, "thread.end") == 1);
  CHECK(count_of(trace, "trace.end") == 1);
}

TEST_CASE("the environment can switch transitions off, and messages") {
  const ScratchDirectory scratch;
  run("works", {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_TRANSITIONS=contended", "SPOOL_LEVEL=off"});
  const TraceReader trace{scratch.trace()};
  CHECK(count_of(trace, "message") == 0);
  CHECK(count_of(trace, "lock.acquire") == 0);
}

TEST_CASE("recording may start while threads are busy") {
  for (int i = 0; i < 5; ++i) {
    const ScratchDirectory scratch;
    const Ended ended = run("configures_late", {"TRACE_PARENT=" + scratch.path().string()});
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.err.empty());
    const TraceReader trace{scratch.trace()};
    CHECK(trace.problems() == std::vector<std::string>{});
    CHECK(count_of(trace, "trace.loss") == 0);
    check_locks_gapless(trace);
  }
}

namespace {

bool is_harmless(const std::string& text) {
  return std::ranges::all_of(text, [](char each) { return each == '\n' || (each >= 0x20 && each < 0x7f); });
}

}  // namespace

TEST_CASE("hostile names come out as harmless text, everywhere") {
  const ScratchDirectory scratch;
  const Ended ended = run("has_hostile_names", {"SPOOL_DIR=" + scratch.path().string()});
  CHECK(ended.exit_code == 0);
  CHECK(is_harmless(ended.err));
  CHECK(lines_of(ended.err) == 5);
  CHECK(ended.err.starts_with("(worker-0\\n) named\n(\\x1b[31mred\\x1b]0;title\\x07) named\n"));
  CHECK(ended.err.size() < 4096);
  for (const char* command : {"cat", "report", "threads"}) {
    const Ended read = run_program({"../tools/unspool/unspool", command, scratch.trace().string()});
    INFO(command << ": " << read.err << read.out.substr(0, 2000));
    CHECK(read.exit_code == 0);
    CHECK(read.err.empty());
    // What is not ASCII in our own output is drawn by us; nothing of it may steer a terminal.
    CHECK(std::ranges::none_of(read.out,
                               [](char each) { return (each > 0 && each < 0x20 && each != '\n') || each == 0x7f; }));
    CHECK(read.out.size() < 100'000);
  }
}
