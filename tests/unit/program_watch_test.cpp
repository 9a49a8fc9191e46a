// SPDX-License-Identifier: MIT
//
// The watchdog and the thread dump in whole programs: program_watch.cpp has them.
#include "running.hpp"

#include <csignal>

using namespace spool::test;
using Catch::Matchers::Contains;

TEST_CASE("a deadlock is told to the callback, to stderr and to the log") {
  const ScratchDirectory scratch;
  const Ended ended = run("is_told_of_a_deadlock", {"SPOOL_DIR=" + scratch.path().string()});
  CHECK(ended.exit_code == 0);
  const std::string told = "waits for lock \"right\" held by second";
  CHECK_THAT(ended.out, Contains("deadlock: first(") && Contains(told) &&
                            Contains("which waits for lock \"left\" held by first("));
  CHECK(lines_of(ended.out) == 1);
  CHECK_THAT(ended.err, Contains("spool: deadlock: first(") && Contains(told) &&
                            Contains("has held lock \"left\" for ") && Contains("program_watch.cpp:"));
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "message") == 1);
  const Ended read = run_program({"../tools/unspool/unspool", "cat", scratch.trace().string()});
  CHECK_THAT(read.out, Contains("spool-keeper") && Contains(told));
}

TEST_CASE("the watchdog works without a trace, in memory") {
  const Ended ended = run("is_told_of_a_deadlock");
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, Contains("deadlock: first("));
}

TEST_CASE("the environment sets the watchdog, which can abort a program that hangs") {
  const Ended ended = run("waits_long", {"SPOOL_WATCHDOG=100ms,abort"});
  CHECK(ended.signal == SIGABRT);
  CHECK_THAT(ended.err, Contains("spool: waiter(") && Contains("s for lock \"store\" held by MainThread(1), at "));
}

TEST_CASE("a circle with a timed wait is told as a long wait that ends by itself, not as a deadlock") {
  const Ended ended = run("waits_for_a_time", {"SPOOL_WATCHDOG=200ms,abort"});
  CHECK(ended.signal == SIGABRT);
  CHECK_THAT(ended.err, Contains("ends by itself in 59 min ") && !Contains("deadlock"));
}

TEST_CASE("a handler that was there before the dump's is called as well") {
  CHECK(run("had_handlers").exit_code == 0);
}

TEST_CASE("values of the watchdog that make no sense are told") {
  const Ended ended = run("works", {"SPOOL_WATCHDOG=30 parsecs", "SPOOL_DUMP_ON=KILL"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.err, Contains("SPOOL_WATCHDOG=30 parsecs is not understood") &&
                            Contains("SPOOL_DUMP_ON=KILL is not understood"));
  for (const char* each : {"s", "0s", "-1s", "1s,", "1s,often", "99999999999999999999s", "9223372036854775807m"})
    CHECK_THAT(run("works", {std::string{"SPOOL_WATCHDOG="} + each}).err, Contains("is not understood"));
}

TEST_CASE("a signal prints all threads, as often as it comes, and the program runs on") {
  const Ended ended = run("asks_itself");
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, Contains("spool: 3 threads of process ") && Contains("\"MainThread\" #1") &&
                            Contains("\"first\" #2 daemon native=") && Contains(" s for lock \"right\", at ") &&
                            Contains("held by second(3) for ") && Contains("has held lock \"left\" for ") &&
                            Contains("these wait in a circle: first(2) waits for lock \"right\" held by second(3)"));
  CHECK(ended.out.find("end of the threads") != ended.out.rfind("end of the threads"));
}
