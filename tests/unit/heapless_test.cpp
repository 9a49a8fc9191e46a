// SPDX-License-Identifier: MIT
//
// Threads whose first call to spool comes when the heap has nothing: heapless.cpp. An identity and a writer used to be
// asked of the heap, and its refusal went through the user's code, or ended the program.
#include "running.hpp"

#include <sstream>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

constexpr int workers = 40;
constexpr long calls = workers * (500 + 100);

struct Told {
  long calls = 0;
  long lost = 0;
};

Told told_by(const char* what, const ScratchDirectory& scratch) {
  const Ended ended = run_program({"heapless", what}, {"TRACE_PARENT=" + scratch.path().string()});
  INFO(ended.out << ended.err);
  REQUIRE(ended.exit_code == 0);
  Told told;
  std::istringstream{ended.out} >> told.calls >> told.lost;
  CHECK(lines_of(ended.err) == 1);  // once, not in a storm
  CHECK_THAT(ended.err, Contains("spool: no room for Records in ") && Contains("Cannot allocate memory"));
  return told;
}

long told_losses(const TraceReader& trace) {
  long lost = 0;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "trace.loss") lost += static_cast<long>(each.fields[0]);
  }
  return lost;
}

}  // namespace

TEST_CASE("messages of threads that begin without a heap are lost and counted, and written when there is one again") {
  const ScratchDirectory scratch;
  const Told told = told_by("messages", scratch);
  CHECK(told.calls == calls);
  CHECK(told.lost > 0);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(told_losses(trace) == told.lost);
  CHECK(count_of(trace, "message") >= workers * 100);
  // The threads' own beginnings are Records too.
  CHECK(count_of(trace, "message") + count_of(trace, "thread.begin") + told.lost == told.calls + workers + 1);
  CHECK(count_of(trace, "thread.end") == workers);
}

TEST_CASE("a lock is one for threads that begin without a heap, and wait for it") {
  const ScratchDirectory scratch;
  const Told told = told_by("locks", scratch);
  CHECK(told.calls == calls);
  CHECK(told.lost > 0);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(told_losses(trace) == told.lost);
  CHECK(count_of(trace, "lock.acquire") >= workers * 100);
  CHECK(count_of(trace, "thread.end") == workers);
}

TEST_CASE("a child of a fork that has no heap at its first Record begins its trace when there is one again") {
  const bool of_locks = GENERATE(false, true);
  const ScratchDirectory scratch;
  const Told told = told_by(of_locks ? "locks-of-child" : "messages-of-child", scratch);
  CHECK(told.calls == 600);
  CHECK(told.lost == (of_locks ? 1000 : 500));
  REQUIRE(scratch.traces().size() == 2);
  long in_child = 0;
  long lost = 0;
  for (const std::filesystem::path& each : scratch.traces()) {
    const TraceReader trace{each};
    CHECK(trace.problems() == std::vector<std::string>{});
    in_child += count_of(trace, of_locks ? "lock.acquire" : "message");
    lost += told_losses(trace);
  }
  CHECK(in_child == (of_locks ? 100 : 100 + 1));  // and the parent's
  CHECK(lost == told.lost);
}
