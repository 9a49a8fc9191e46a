// SPDX-License-Identifier: MIT
//
// Why a thread did not get on: a balance that sums to the span, and the chains behind its waits.
#include <catch2/catch.hpp>
#include <unspool/analyze/why.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <random>
#include <string>

using namespace unspool;
using namespace unspool::test;
using Catch::Matchers::Contains;

namespace {

/// Of thread 1, between two moments.
struct Asked {
  explicit Asked(const Script& script, trace::ThreadNumber thread = 1, Wanted wanted = {})
      : source{script.records},
        filter{with(std::move(wanted), thread), script.process, script.records.back().time},
        why{script.process, filter} {
    const Analysis analysis{script.process, source, &why, filter};
    const auto found = why.threads().find(thread);
    if (found != why.threads().end()) of = found->second;
  }

  static Wanted with(Wanted wanted, trace::ThreadNumber thread) {
    wanted.threads.push_back(std::to_string(thread));
    return wanted;
  }
  trace::Ticks waited(Kind kind) const { return of.waited.contains(kind) ? of.waited.at(kind).ticks : 0; }
  trace::Ticks span() const { return why.until(of) - why.since(of); }
  trace::Ticks sum() const {
    trace::Ticks all = why.ran(of);
    for (const auto& [kind, each] : of.waited)
      all += each.ticks;
    return all;
  }

  ListSource source;
  Filter filter;
  Why why;
  Why::Thread of;
};

Script chained() {
  Script script;
  script.thread(1, "reader");
  script.thread(2, "writer");
  script.thread(3, "flusher");
  script.site(11, "reader.cpp", 11, "read");
  script.site(22, "writer.cpp", 22, "write");
  script.site(32, "flusher.cpp", 32, "flush");
  script.object(lock(1), Kind::lock, "index", 11);
  script.object(lock(2), Kind::lock, "disk", 32);
  script.begin(50, 1);
  script.acquire(100, 3, lock(2), 32);
  script.acquire(110, 2, lock(1), 22);
  script.block(200, 1, lock(1), 11, 2, 22);
  script.block(300, 2, lock(2), 22, 3, 32);  // from here on thread 1 waits for thread 3
  script.release(700, 3, lock(2), 32);
  script.acquire(720, 2, lock(2), 22, 3);
  script.release(800, 2, lock(1), 22);
  script.acquire(850, 1, lock(1), 11, 2);
  script.release(900, 1, lock(1), 11);
  script.end(950, 1);
  return script;
}

When at(const std::string& text) {
  return *When::parse(text);
}

std::string text(Script& script, Wanted wanted = {}, const std::string& thread = "reader") {
  Options options;
  wanted.threads.push_back(thread);
  options.wanted = std::move(wanted);
  std::string told = printed(run_why, script, options);
  // Where a line is broken depends on the width.
  for (std::size_t at = 0; (at = told.find("\n      ", at)) != std::string::npos;)
    told.replace(at, 7, " ");
  return told;
}

}  // namespace

TEST_CASE("the balance of a thread's life sums to it, and a wait's chains to the wait") {
  const Script script = chained();
  const Asked asked{script};
  CHECK(asked.span() == 900);
  CHECK(asked.waited(Kind::lock) == 650);
  CHECK(asked.why.ran(asked.of) == 250);
  REQUIRE(asked.of.longest.size() == 1);
  trace::Ticks sum = 0;
  for (const auto& [node, ticks] : asked.of.longest[0].chains)
    sum += ticks;
  CHECK(sum == 650);
}

TEST_CASE("in words: who had it, what that thread did meanwhile, and who ended the wait") {
  Script script = chained();
  const std::string told = text(script);
  INFO(told);
  CHECK_THAT(told, Contains("waited for a lock") && Contains("650 ns  72.2 %"));
  CHECK_THAT(told, Contains("for 400 ns (61.5 %) writer had it, and waited for lock \"disk\" at writer.cpp:22"));
  CHECK_THAT(told, Contains("which flusher had, and ran, having taken it at"));
  CHECK_THAT(told, Contains("writer ended it"));
}

TEST_CASE("between two moments only what lies between them counts") {
  Wanted wanted;
  wanted.from = at("+0.0000004s");
  wanted.to = at("+0.000001s");
  const Script script = chained();
  const Asked asked{script, 1, wanted};
  CHECK(asked.waited(Kind::lock) == 850 - 400);
  CHECK(asked.sum() == asked.span());
  CHECK(asked.of.longest[0].wait.ticks() == 650);  // told whole
}

TEST_CASE("a Condition's wait and that for its lock inside it are not counted twice") {
  Script script;
  script.thread(1, "one");
  script.begin(0, 1);
  script.acquire(10, 1, lock(1), 11);
  script.release(90, 1, lock(1), 11);
  script.add(Kind::condition, Verb::block, 100, 1, condition(1), 12);
  script.acquire(150, 2, lock(1), 22);
  script.add(Kind::condition, Verb::notify, 200, 2, condition(1), 22, 1);
  script.block(210, 1, lock(1), 12, 2, 22);
  script.release(300, 2, lock(1), 22);
  script.acquire(310, 1, lock(1), 12, 2);
  script.add(Kind::condition, Verb::resume, 320, 1, condition(1), 12, 2, 22);
  script.end(400, 1);
  const Asked asked{script};
  CHECK(asked.waited(Kind::lock) == 100);
  CHECK(asked.waited(Kind::condition) == 220 - 100);
  CHECK(asked.sum() == asked.span());
}

TEST_CASE("a wait that has not ended is told as such, up to the last Record") {
  Script script = chained();
  script.records.resize(script.records.size() - 4);  // up to thread 2's acquire at 720
  const std::string told = text(script);
  INFO(told);
  CHECK_THAT(told, Contains("It has not ended."));
  const Asked asked{script};
  CHECK(asked.waited(Kind::lock) == 720 - 200);
  CHECK(asked.sum() == asked.span());
  script.process.clocks.push_back({5000, 5000, script.process.clocks.front().realtime + 5000, 0, 1'000'000'000});
  const Asked later{script};
  CHECK(later.waited(Kind::lock) == 5000 - 200);
  CHECK(later.sum() == later.span());
}

TEST_CASE("waits that are left out of the list are in the balance") {
  Script script;
  script.thread(1, "one");
  for (trace::Ticks i = 0; i < 3 * Why::most_waits; ++i) {
    const trace::Ticks now = 1000 * (i + 1);
    script.acquire(now, 2, lock(1), 22);
    script.block(now + 10, 1, lock(1), 11, 2, 22);
    script.release(now + 100, 2, lock(1), 22);
    script.acquire(now + 110, 1, lock(1), 11, 2);
    script.release(now + 120, 1, lock(1), 11);
  }
  const Asked asked{script};
  CHECK(asked.waited(Kind::lock) == 3 * Why::most_waits * 100);
  CHECK(asked.of.longest.size() + asked.of.rest.waits == 3 * Why::most_waits);
  CHECK(asked.of.longest.size() < 2 * Why::most_waits);
  CHECK(asked.sum() == asked.span());
}

TEST_CASE("JSON has the balance, each wait and its chains") {
  Script script = chained();
  Options options;
  options.format = Options::Format::json;
  options.wanted.threads = {"reader"};
  const auto json = Json::parse(printed(run_why, script, options))["processes"][0];
  CHECK(json["threads"][0]["span"] == 900);
  CHECK(json["threads"][0]["ran"] == 250);
  CHECK(json["threads"][0]["waited"][0]["time"] == 650);
  CHECK(json["waits"][0]["waited"] == 650);
  CHECK(json["waits"][0]["chains"][0]["time"] == 400);
  CHECK(json["waits"][0]["chains"][0]["steps"][0]["role"] == "waits");
  CHECK(json["waits"][0]["chains"][0]["steps"][1]["thread"]["name"] == "flusher");
  options.format = Options::Format::csv;
  CHECK_THAT(printed(run_why, script, options), Contains("waker.name"));
}

TEST_CASE("who joins the thread does not count among its own waits") {
  Script script = chained();
  Options options;
  options.wanted.threads = {"reader"};
  const std::string before = printed(run_why, script, options);
  CHECK_THAT(before, Contains("1 of 3 waits") || Contains("1 of 2 waits"));
  script.join(script.records.back().time + 1, 9, 1, 22);
  CHECK_THAT(printed(run_why, script, options), Contains(": 1 of "));
}

TEST_CASE("whatever the Records say, the balance sums to the span") {
  std::mt19937 random{4711};
  for (int round = 0; round < 200; ++round) {
    Script script;
    script.thread(1, "one");
    trace::Ticks now = 1;
    for (int i = 0; i < 300; ++i) {
      const auto rows = trace::rows();
      const trace::Row& row = rows[random() % rows.size()];
      if (row.kind == Kind::definition || row.kind == Kind::message) continue;
      now += random() % 50;
      const trace::Ticks time = random() % 8 == 0 ? now - std::min<trace::Ticks>(now, random() % 200) : now;
      const auto some = [&](unsigned most) { return static_cast<std::uint32_t>(random() % most); };
      const trace::ObjectNumber object = row.kind == Kind::thread ? 1 + some(3) : lock(some(3));
      script.add(row.kind, row.verb, time, 1 + some(3), object, some(4), some(4), some(4));
    }
    const Asked asked{script};
    if (!asked.of.seen || asked.why.until(asked.of) <= asked.why.since(asked.of)) continue;
    INFO("round " << round);
    CHECK(asked.sum() == asked.span());
    (void)text(script, {}, "1");
  }
}
