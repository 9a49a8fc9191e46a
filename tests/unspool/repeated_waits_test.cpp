// SPDX-License-Identifier: MIT
//
// Waits for a SharedLock of which the trace has the repetition only: their block Records were in a segment that is gone.
#include <catch2/catch.hpp>
#include <unspool/analyze/blame.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr std::uint32_t shared = 1;

Script repeated() {
  Script script;
  script.object(lock(1), Kind::shared_lock, "cache", 10);
  for (const trace::ThreadNumber each : {1U, 2U, 3U, 4U})
    script.thread(each, "worker");
  return script;
}

void holds_to_read(Script& script, trace::ThreadNumber thread, trace::Ticks since) {
  script.add(Kind::status, Verb::hold, 1000, thread, lock(1), 10, shared).since = since;
}

void waits(Script& script, Verb verb, trace::ThreadNumber thread, trace::Ticks since) {
  Record& record = script.add(Kind::status, Verb::wait, 1000, thread, lock(1), 20, 0);
  record.since = since;
  record.count = trace::record_id(Kind::shared_lock, verb);
}

}  // namespace

// The story: without their block Records both waits counted as those of writers, and the reader had nobody before it.
TEST_CASE("a reader that asks again behind a writer is stuck for certain also where the waits are only repeated") {
  Script script = repeated();
  holds_to_read(script, 2, 100);
  waits(script, Verb::block, 3, 200);
  waits(script, Verb::block_shared, 2, 300);
  script.add(Kind::message, Verb::text, 2000, 1, 0);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  CHECK(answer.analysis.deadlocks.cycles()[0].certainty == Certainty::certain);
  CHECK(answer.analysis.deadlocks.cycles()[0].members.size() == 2);
}

TEST_CASE("a reader behind a writer waits for the writer also where the waits are only repeated") {
  Script script = repeated();
  holds_to_read(script, 2, 100);
  waits(script, Verb::block, 3, 200);
  waits(script, Verb::block_shared, 4, 300);
  script.add(Kind::message, Verb::text, 2000, 1, 0);
  ListSource source{script.records};
  Blame blame{script.process};
  const Analysis analysis{script.process, source, &blame};
  const auto& nodes = blame.nodes();
  const auto behind = std::ranges::find_if(
      nodes, [&](const Blame::Node& each) { return each.step.thread == 3 && nodes[each.parent].step.thread == 4; });
  REQUIRE(behind != nodes.end());
  CHECK(behind->step.role == BlameStep::Role::waits);
}
