// SPDX-License-Identifier: MIT
//
// How whole programs end. Each is a child process: program_end.cpp has them.
#include "running.hpp"

#include <csignal>
#include <tuple>

using namespace spool::test;
using Catch::Matchers::Contains;

TEST_CASE("the end of main waits for threads that are no daemons") {
  const Ended ended = run("waits");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "main done\nthread done\n");
  CHECK(ended.err == "");
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
    ScratchDirectory scratch;
    scratch.breaks_rules();  // the daemons go on with what the end of main has destroyed
    const bool traced = i % 2 == 0;
    const Ended ended = run("leaves_daemons", traced ? std::vector<std::string>{"SPOOL_DIR=" + scratch.path().string()}
                                                     : std::vector<std::string>{});
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.err == "");
    if (!traced) continue;
    const TraceReader trace{scratch.trace()};
    REQUIRE(trace.problems() == std::vector<std::string>{});
    REQUIRE(count_of(trace, "trace.end") == 1);
  }
}

// The story: the count of what it holds went by its own acquires and releases, and so it was never parked.
TEST_CASE("a daemon whose lock another thread has released is parked at the end like others") {
  const Ended ended = run("leaves_giver");
  REQUIRE(ended.exit_code == 0);
  REQUIRE(ended.out == "daemon at rest\n");
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

TEST_CASE("the destruction of a held lock is told and aborts") {
  const Ended ended = run("destroys_held");
  CHECK(ended.signal == SIGABRT);
  CHECK_THAT(ended.err, Contains("[critical] (MainThread) destruction of a held lock \"held\"") &&
                            Contains("program_end.cpp") && Contains("held by thread MainThread (1)"));
  const Ended entered = run("destroys_held_rlock");
  CHECK(entered.signal == SIGABRT);
  CHECK_THAT(entered.err, Contains("[critical] (MainThread) destruction of a held rlock \"entered\"") &&
                              Contains("held by thread MainThread (1)"));
}

TEST_CASE("an end that is none leaves a trace that is cut off and readable") {
  for (const auto& [name, code, signal] : {std::tuple{"throws_out_of_main", -1, SIGABRT},
                                           std::tuple{"exits_quickly", 7, 0}, std::tuple{"exits_at_once", 8, 0}}) {
    const ScratchDirectory scratch;
    const Ended ended = run(name, {"SPOOL_DIR=" + scratch.path().string()});
    CHECK(ended.exit_code == code);
    CHECK(ended.signal == signal);
    const TraceReader trace{scratch.trace()};
    CHECK(trace.problems() == std::vector<std::string>{});
    CHECK(count_of(trace, "trace.end") == 0);
    CHECK(count_of(trace, "trace.loss") == 0);
    CHECK(count_of(trace, "message") == 1);
    CHECK(count_of(trace, "thread.end") == 1);
  }
}

TEST_CASE("daemons at every call that blocks neither hold up the end nor crash it") {
  for (int i = 0; i < 20; ++i) {
    ScratchDirectory scratch;
    scratch.breaks_rules();  // the daemons go on with what the end of main has destroyed
    const bool traced = i % 2 == 0;
    const Ended ended =
        run("leaves_daemons_everywhere",
            traced ? std::vector<std::string>{"SPOOL_DIR=" + scratch.path().string()} : std::vector<std::string>{});
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.err == "");
    if (!traced) continue;
    const TraceReader trace{scratch.trace()};
    REQUIRE(trace.problems() == std::vector<std::string>{});
    REQUIRE(count_of(trace, "trace.end") == 1);
  }
}

TEST_CASE("a signal handler that sets an atomic disturbs nothing") {
  const ScratchDirectory scratch;
  const Ended ended = run("handles_signals", {"SPOOL_DIR=" + scratch.path().string()});
  CHECK(ended.exit_code == 0);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "trace.loss") == 0);
  check_locks_gapless(trace);
}
