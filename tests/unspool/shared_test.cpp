// SPDX-License-Identifier: MIT
//
// Objects that several threads hold at once, and the other kinds whose waits have no holder.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber writer = 1;
constexpr trace::ThreadNumber first = 2;
constexpr trace::ThreadNumber second = 3;
constexpr trace::ObjectNumber cache = lock(1);

/// Two readers hold the cache; lines are sites.
Script readers() {
  Script script;
  for (const trace::ThreadNumber each : {writer, first, second})
    script.thread(each, "thread-" + std::to_string(each));
  for (const trace::SiteNumber each : {10U, 20U, 30U, 40U})
    script.site(each, "/src/cache.cpp", each, "get");
  script.object(cache, Kind::shared_lock, "cache", 10);
  script.add(Kind::shared_lock, Verb::acquire_shared, 100, first, cache, 20, 0, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 200, second, cache, 30, 0, 2);
  return script;
}

}  // namespace

TEST_CASE("a writer's wait is the readers' until the last of them has gone") {
  Script script = readers();
  script.add(Kind::shared_lock, Verb::block, 300, writer, cache, 40);
  script.add(Kind::shared_lock, Verb::release_shared, 400, first, cache, 20, 1, 1);
  script.add(Kind::shared_lock, Verb::release_shared, 700, second, cache, 30, 1, 0);
  script.add(Kind::shared_lock, Verb::acquire, 750, writer, cache, 40, second);
  script.add(Kind::shared_lock, Verb::release, 900, writer, cache, 40, 0, writer);
  const Answer answer{script};
  REQUIRE(answer.analysis.locks.figures().size() == 1);
  const LockFigures& figures = answer.analysis.locks.figures()[0];
  CHECK(figures.acquisitions == 3);
  CHECK(figures.contended == 1);
  CHECK(figures.waits.sum() == 450);
  CHECK(figures.hand_over == 50);
  CHECK(figures.holds.count() == 3);
  CHECK(figures.holds.sum() == 300 + 500 + 150);
  CHECK(answer.analysis.replay.doubts().unmatched == 0);
  CHECK(answer.analysis.replay.doubts().lost_ends == 0);
}

TEST_CASE("a reader that joins the writer who waits for it is a deadlock, though another reader goes on") {
  Script script = readers();
  script.add(Kind::shared_lock, Verb::block, 300, writer, cache, 40);
  script.join(400, second, writer, 30);
  const Answer answer{script};
  REQUIRE(answer.analysis.deadlocks.cycles().size() == 1);
  const Cycle& cycle = answer.analysis.deadlocks.cycles()[0];
  CHECK(cycle.certainty == Certainty::certain);
  CHECK(cycle.members.size() == 2);
  CHECK(answer.analysis.deadlocks.waiting()[0].owner == second);
  CHECK(answer.analysis.deadlocks.waiting()[0].owner_site == 30);
}

TEST_CASE("a writer that waits for readers who go on is no deadlock") {
  Script script = readers();
  script.add(Kind::shared_lock, Verb::block, 300, writer, cache, 40);
  const Answer answer{script};
  CHECK(answer.analysis.deadlocks.cycles().empty());
  REQUIRE(answer.analysis.deadlocks.waiting().size() == 1);
  CHECK(answer.analysis.deadlocks.waiting()[0].edge == Edge::owned);
}

TEST_CASE("waits for an event, a semaphore, a barrier and a queue end as the Records say") {
  struct Case {
    Kind kind;
    Verb end;
    Ending ending;
  };
  const auto each = GENERATE(
      Case{Kind::event, Verb::resume, Ending::continued}, Case{Kind::semaphore, Verb::acquire, Ending::continued},
      Case{Kind::barrier, Verb::broken, Ending::refused}, Case{Kind::queue, Verb::get, Ending::continued},
      Case{Kind::queue, Verb::closed, Ending::refused}, Case{Kind::pool, Verb::begin, Ending::continued});
  struct Waits : Observer {
    void waited(const ObjectState*, const Wait& wait) override { all.push_back(wait); }
    std::vector<Wait> all;
  };
  Script script;
  script.thread(first, "first");
  script.object(cache, each.kind, "it", 10);
  script.add(each.kind, Verb::block, 100, first, cache, 20);
  script.add(each.kind, each.end, 300, first, cache, 20);
  Waits waits;
  ListSource source{script.records};
  Replay replay{script.process, Audience{waits}};
  replay.run(source);
  REQUIRE(waits.all.size() == 1);
  CHECK(waits.all[0].ending == each.ending);
  CHECK(waits.all[0].ticks() == 200);
  CHECK(replay.doubts().lost_ends == 0);
}
