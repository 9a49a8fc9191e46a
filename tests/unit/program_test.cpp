// SPDX-License-Identifier: MIT
//
// How whole programs begin, end and fork. Each is a child process: unit/program.cpp has them.
#include "support/child.hpp"
#include "support/trace_reader.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <map>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

/// Every lock's numbers are 1, 2, 3, ...
void check_locks_gapless(const TraceReader& trace) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> locks;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "lock.acquire" || each.name == "lock.release") locks[each.object].push_back(each.fields[1]);
  }
  CHECK_FALSE(locks.empty());
  for (auto& [object, numbers] : locks) {
    std::ranges::sort(numbers);
    CHECK(numbers.front() == 1);
    CHECK(numbers.back() == numbers.size());
  }
}

Ended run(const std::string& name, const std::vector<std::string>& environment = {}) {
  Ended ended = run_program({"unit_program", name}, environment);
  INFO(name << "\nout: " << ended.out << "\nerr: " << ended.err);
  CHECK_FALSE(ended.timed_out);
  return ended;
}

long lines_of(const std::string& text) {
  return std::ranges::count(text, '\n');
}

long count_of(const TraceReader& trace, std::string_view name) {
  return std::ranges::count(trace.records(), name, &ReadRecord::name);
}

}  // namespace

TEST_CASE("the end of main waits for threads that are no daemons") {
  const Ended ended = run("waits");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "main done\nthread done\n");
  CHECK(ended.err.empty());
}

TEST_CASE("std::exit waits for them too, and its code stays") {
  const Ended ended = run("exits");
  CHECK(ended.exit_code == 3);
  CHECK(ended.out == "main exits\nthread done\n");
  CHECK(run("exits_in_thread").exit_code == 4);
}

TEST_CASE("whichever thread ends the program can run the static destructors") {
  for (const auto& [name, code] : {std::pair{"exits_in_daemon", 5}, std::pair{"exits_in_foreign", 6}}) {
    const Ended ended = run(name);
    CHECK(ended.exit_code == code);
    CHECK(ended.out == "destroyed\n");
  }
}

TEST_CASE("shutdown waits where main calls it, and may be called twice") {
  const ScratchDirectory scratch;
  const Ended ended = run("shuts_down", {"SPOOL_DIR=" + scratch.path().string()});
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "thread done\nmain done\n");
  CHECK(count_of(TraceReader{scratch.trace()}, "trace.end") == 1);
}

TEST_CASE("main counts as ended once the program ends, so that it can be joined") {
  const Ended ended = run("joins_main");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "main joined\n");
}

TEST_CASE("threads that are started while the program ends are waited for") {
  const Ended ended = run("starts_at_exit");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "second done\n");
}

TEST_CASE("daemons do not hold up the end, and it does not crash them") {
  for (int i = 0; i < 20; ++i) {
    const ScratchDirectory scratch;
    const bool traced = i % 2 == 0;
    const Ended ended = run("leaves_daemons", traced ? std::vector<std::string>{"SPOOL_DIR=" + scratch.path().string()}
                                                     : std::vector<std::string>{});
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.err.empty());
    if (!traced) continue;
    const TraceReader trace{scratch.trace()};
    REQUIRE(trace.problems() == std::vector<std::string>{});
    REQUIRE(count_of(trace, "trace.end") == 1);
  }
}

TEST_CASE("a pool that nobody shuts down is, at the end: what is queued is run, and nothing more is taken") {
  const Ended ended = run("leaves_pool");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "main done\n20, then the pool is shut down\n");
}

TEST_CASE("static pools do not hold up the end") {
  for (int i = 0; i < 10; ++i) {
    const Ended ended = run("leaves_static_pools");
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.out == "main done\n");
  }
}

TEST_CASE("values of Locals are destroyed with the program, before the static objects and once more after them") {
  const Ended ended = run("leaves_locals");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "a thread's value goes\nmain's value goes\na static object goes\nmade by a static destructor\n");
}

TEST_CASE("daemons may be in the middle of a Local's value when the program ends") {
  for (int i = 0; i < 10; ++i)
    REQUIRE(run("leaves_daemons_with_locals").exit_code == 0);
}

TEST_CASE("a static destructor may lock, log and start threads") {
  const Ended plain = run("speaks_last");
  CHECK(plain.exit_code == 0);
  CHECK(plain.err == "[error] (MainThread) in a static destructor\n[error] (Thread-1) in a late thread\n");
  const ScratchDirectory scratch;
  const Ended traced = run("speaks_last", {"SPOOL_DIR=" + scratch.path().string()});
  CHECK(traced.exit_code == 0);
  const TraceReader trace{scratch.trace()};
  CHECK(count_of(trace, "message") == 2);
  CHECK(count_of(trace, "trace.end") == 1);
}

TEST_CASE("an exception that leaves a thread is told, and the program goes on") {
  const Ended ended = run("throws");
  CHECK(ended.exit_code == 0);
  CHECK(ended.err == "[error] (Thread-1) exception in thread Thread-1: std::runtime_error: boom\n");
}

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

TEST_CASE("the destruction of a held lock is told and aborts") {
  const Ended ended = run("destroys_held");
  CHECK(ended.signal == SIGABRT);
  CHECK_THAT(ended.err, Contains("[critical] (MainThread) destruction of a held lock \"held\"") &&
                            Contains("program.cpp") && Contains("held by thread MainThread (1)"));
  const Ended entered = run("destroys_held_rlock");
  CHECK(entered.signal == SIGABRT);
  CHECK_THAT(entered.err, Contains("[critical] (MainThread) destruction of a held rlock \"entered\"") &&
                              Contains("held by thread MainThread (1)"));
}

TEST_CASE("the child of a fork can lock, run threads and end, and the parent's trace is whole") {
  for (const bool traced : {false, true}) {
    const ScratchDirectory scratch;
    const Ended ended = run("forks", traced ? std::vector<std::string>{"SPOOL_DIR=" + scratch.path().string()}
                                            : std::vector<std::string>{});
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.empty());
    if (!traced) continue;
    const TraceReader trace{scratch.trace()};
    CHECK(trace.problems() == std::vector<std::string>{});
    CHECK(count_of(trace, "trace.end") == 1);
    CHECK(count_of(trace, "trace.loss") == 0);
    check_locks_gapless(trace);
  }
}

TEST_CASE("the child of a fork is the forking thread alone") {
  CHECK(run("forks_in_thread").exit_code == 0);
}
