// SPDX-License-Identifier: MIT
//
// Who joined whom, and how it ended.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber joiner = 100;

Script threads() {
  Script script;
  script.thread(joiner, "MainThread");
  script.thread(1, "worker-1");
  script.thread(2, "worker-2");
  script.site(80, "/src/main.cpp", 80, "main");
  return script;
}

const Join& only(const Answer& answer) {
  REQUIRE(answer.analysis.joins.longest().size() == 1);
  return answer.analysis.joins.longest()[0];
}

}  // namespace

TEST_CASE("a join that waited tells how long, from where, and how the thread ended") {
  Script script = threads();
  script.join(100, joiner, 1, 80);
  script.end(900, 1);
  script.joined(950, joiner, 1, 80);
  const Answer answer{script};
  const Join& join = only(answer);
  CHECK(join.joiner == joiner);
  CHECK(join.target == 1);
  CHECK(join.site == 80);
  CHECK(join.waited == 850);
  CHECK(join.ending == Ending::continued);
  CHECK(join.ended == Join::Target::returned);
}

TEST_CASE("a join of a thread that has ended waits for nothing") {
  Script script = threads();
  script.end(90, 1, true);
  script.joined(100, joiner, 1, 80);
  const Answer answer{script};
  CHECK(only(answer).waited == 0);
  CHECK(only(answer).ended == Join::Target::exception);
  CHECK(answer.analysis.joins.totals().at_once == 1);
}

TEST_CASE("a join that timed out or was cancelled leaves the thread running") {
  Script script = threads();
  script.join(100, joiner, 1, 80);
  script.add(Kind::thread, Verb::timeout, 200, joiner, 1, 80);
  script.add(Kind::thread, Verb::timeout, 210, joiner, 1, 80);  // join_for(0)
  script.join(300, joiner, 1, 80);
  script.add(Kind::thread, Verb::cancel, 350, joiner, 1, 80);
  const Answer answer{script};
  CHECK(answer.analysis.joins.totals().timeouts == 2);
  CHECK(answer.analysis.joins.totals().cancels == 1);
  REQUIRE(answer.analysis.joins.longest().size() == 3);
  CHECK(answer.analysis.joins.longest()[0].waited == 100);
  CHECK(answer.analysis.joins.longest()[0].ended == Join::Target::running);
}

TEST_CASE("a join that still waits at the end comes first") {
  Script script = threads();
  script.join(100, 2, 1, 80);
  script.add(Kind::thread, Verb::cancel, 9000, 2, 1, 80);
  script.join(9000, joiner, 1, 80);
  script.add(Kind::message, Verb::text, 9010, 2, 0);
  const Answer answer{script};
  CHECK(answer.analysis.joins.longest()[0].ending == Ending::unended);
  CHECK(answer.analysis.joins.longest()[0].waited == 10);
  CHECK(printed(run_joins, script).find("still waiting") != std::string::npos);
  script.process.clocks.push_back({19'000, 19'000, script.process.clocks.front().realtime + 19'000, 0, 1'000'000'000});
  const Answer later{script};
  CHECK(later.analysis.joins.longest()[0].waited == 10'000);  // up to the last sign of life
  CHECK(later.analysis.joins.totals().waited == 18'900);
}

TEST_CASE("more joins than are kept are all in the totals, and the longest are kept") {
  Script script = threads();
  constexpr std::uint32_t n = 5000;
  for (std::uint32_t i = 1; i <= n; ++i) {
    script.join(10'000 * i, joiner, 1000 + i, 80);
    script.joined(10'000 * i + i, joiner, 1000 + i, 80);
  }
  const Answer answer{script};
  CHECK(answer.analysis.joins.totals().joined == n);
  CHECK(answer.analysis.joins.totals().waited == std::uint64_t{n} * (n + 1) / 2);
  REQUIRE(answer.analysis.joins.longest().size() == Joins::most);
  CHECK(answer.analysis.joins.longest().front().waited == n);
  CHECK(answer.analysis.joins.longest().back().waited == n - Joins::most + 1);
}

TEST_CASE("joins are told in words and in JSON") {
  Script script = threads();
  script.join(100, joiner, 1, 80);
  script.end(900, 1, true);
  script.joined(950, joiner, 1, 80);
  const std::string text = printed(run_joins, script);
  CHECK(text.find("MainThread  worker-1  main.cpp:80 (main)  850 ns  joined        by an exception") !=
        std::string::npos);
  Options options;
  options.format = Options::Format::json;
  const Json process = Json::parse(printed(run_joins, script, options))["processes"][0];
  CHECK(process["totals"]["joined"] == 1);
  CHECK(process["joins"][0]["joiner"]["name"] == "MainThread");
  CHECK(process["joins"][0]["waited"] == 850);
  CHECK(process["joins"][0]["since"] == 0);
  CHECK(process["joins"][0]["ending"] == "joined");
  CHECK(process["joins"][0]["target_ended"] == "exception");
}

TEST_CASE("a trace without joins says so") {
  Script script;
  CHECK(printed(run_joins, script).find("No thread was joined.") != std::string::npos);
}
