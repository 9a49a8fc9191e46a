// SPDX-License-Identifier: MIT
//
// How threads of a finding are told that wait alike.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ObjectNumber barrier = trace::first_object_number + 77;
constexpr trace::ThreadNumber parties = 30;

/// Threads 1 to 30 came to a round; in the next one the last of them is missing, for it has ended.
Script a_party_short() {
  Script script;
  script.site(40, "/src/sum.cpp", 40, "sum");
  script.site(41, "/src/sum.cpp", 41, "sum");
  script.object(barrier, Kind::barrier, "rounds", 10);
  for (trace::ThreadNumber each = 1; each <= parties; ++each) {
    script.thread(each, "p" + std::to_string(each));
    script.begin(each, each);
  }
  trace::Ticks now = 1000;
  for (trace::ThreadNumber each = 1; each < parties; ++each)
    script.add(Kind::barrier, Verb::block, ++now, each, barrier, 40, each - 1, 0);
  script.add(Kind::barrier, Verb::trip, ++now, parties, barrier, 40, parties - 1, 0);
  for (trace::ThreadNumber each = 1; each < parties; ++each)
    script.add(Kind::barrier, Verb::resume, ++now, each, barrier, 40, parties);
  script.end(++now, parties, true);
  for (trace::ThreadNumber each = 1; each < parties; ++each)
    script.add(Kind::barrier, Verb::block, now += 10'000, each, barrier, each == 7 ? 41 : 40, each - 1, 1);
  return script;
}

}  // namespace

// The story: 59 threads at one barrier, on 59 lines.
TEST_CASE("threads of a finding that wait for the same thing at the same line share a line") {
  Script script = a_party_short();
  Options options;
  options.width = 1000;
  const std::string text = printed(run_deadlocks, script, options);
  INFO(text);
  CHECK(text.find(
            "  28 threads wait for barrier \"rounds\", the first since +0.000011 s at sum.cpp:40 (sum): p1, p2, p3, "
            "p4, p5, p6, p8, p9 and 20 more\n    1 of 30 parties is missing.") != std::string::npos);
  CHECK(text.find("  p7 waits for barrier \"rounds\" since +0.000071 s at sum.cpp:41 (sum)\n") != std::string::npos);
  CHECK(text.find("p2 waits for") == std::string::npos);
  CHECK(text.find("more threads") == std::string::npos);
  options.format = Options::Format::json;
  const Json found = Json::parse(printed(run_deadlocks, script, options))["processes"][0]["deadlocks"];
  REQUIRE(found.size() == 1);
  CHECK(found[0]["threads"].size() == parties - 1);
}

TEST_CASE("threads that wait alike, but for others, keep a line each") {
  Script script;
  for (trace::ThreadNumber each = 1; each <= 2; ++each) {
    script.object(lock(each), Kind::event, "said", 10);
    script.add(Kind::event, Verb::set, 10, 3 - each, lock(each), 20);
    script.add(Kind::event, Verb::clear, 15, 3 - each, lock(each), 21);
  }
  script.add(Kind::event, Verb::block, 30, 1, lock(1), 40);
  script.add(Kind::event, Verb::block, 40, 2, lock(2), 40);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("thread 1 waits for event \"said\" #2 since") != std::string::npos);
  CHECK(text.find("thread 2 waits for event \"said\" #3 since") != std::string::npos);
}
