// SPDX-License-Identifier: MIT
//
// The child of a fork never hangs at what its parent's threads left in the middle. program_orphan.cpp has the programs.
#include "running.hpp"

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

std::string directory_variable(const ScratchDirectory& scratch) {
  return "SPOOL_DIR=" + scratch.path().string();
}

/// Without a trace and with one; gives how the latter ended.
Ended run_both(const std::string& name, const ScratchDirectory& scratch) {
  const Ended plain = run(name);
  INFO(plain.out << plain.err);
  CHECK(plain.exit_code == 0);
  Ended traced = run(name, {directory_variable(scratch)});
  INFO(traced.out << traced.err);
  CHECK(traced.exit_code == 0);
  return traced;
}

/// How many such Records the children made.
long count_in_children(const ScratchDirectory& scratch, std::string_view name) {
  long count = 0;
  for (const auto& each : scratch.traces()) {
    const TraceReader trace{each};
    CHECK(trace.problems() == std::vector<std::string>{});
    count += count_of(trace, name);
  }
  return count;
}

}  // namespace

TEST_CASE("an object that a thread left in the middle of a change is reported, each time it is used") {
  const ScratchDirectory scratch;
  const Ended ended = run_both("leaves_queue_midway", scratch);
  CHECK(lines_of(ended.out) == 7);
  CHECK_THAT(ended.out, Contains("use of an orphaned queue \"jobs\" (created at") &&
                            Contains(") by thread MainThread (1) at") && Contains("program_orphan.cpp") &&
                            Contains("; a thread that stayed behind in the parent of a fork left it in the middle of a "
                                     "change"));
  CHECK(count_in_children(scratch, "message") == 7);
  const Ended plain = run("leaves_queue_midway");
  CHECK(lines_of(plain.err) == 7);
  CHECK_THAT(plain.err, Contains("[error] (MainThread) use of an orphaned queue \"jobs\""));
}

TEST_CASE("what was promised to a thread that stayed behind is free in the child") {
  const ScratchDirectory scratch;
  (void)run_both("leaves_promises", scratch);
}

TEST_CASE("a barrier begins anew in the child, whoever waited or acted") {
  for (const char* name : {"leaves_barrier_waiters", "leaves_barrier_action"}) {
    const ScratchDirectory scratch;
    (void)run_both(name, scratch);
  }
}

TEST_CASE("a shared lock whose holder stayed behind is reported, not waited for") {
  const ScratchDirectory scratch;
  const Ended ended = run_both("leaves_shared_holders", scratch);
  CHECK_THAT(ended.out, Contains("wait for an orphaned shared_lock \"written\"") &&
                            Contains("wait for an orphaned shared_lock \"shared\"") &&
                            Contains("held by thread stayed (2)") &&
                            Contains("its holder stayed behind in the parent of a fork, where it acquired it at"));
  CHECK_THAT(ended.out, !Contains("a line that is not known"));
  CHECK(count_in_children(scratch, "shared_lock.orphan") == 7 + 2);
}

TEST_CASE("a pool whose workers stayed behind is reported, and can be shut down") {
  const ScratchDirectory scratch;
  const Ended ended = run_both("leaves_pool_behind", scratch);
  CHECK(lines_of(ended.out) == 3);
  CHECK_THAT(ended.out, Contains("use of an orphaned pool \"io\"") &&
                            Contains("; its workers stayed behind in the parent of a fork"));
  CHECK(count_in_children(scratch, "pool.orphan") == 3 + 4);
}

TEST_CASE("a task that forks is the last of its child, which runs nothing that its parent has queued") {
  const ScratchDirectory scratch;
  (void)run_both("forks_in_task", scratch);
}

TEST_CASE("semaphores and timers of the child know nothing of who waited in the parent") {
  const ScratchDirectory scratch;
  (void)run_both("leaves_other_waiters", scratch);
}
