// SPDX-License-Identifier: MIT
//
// The critical path: known ones, their sums, and any Records in any order.
#include <catch2/catch.hpp>
#include <unspool/analyze/path.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <random>
#include <string>

using namespace unspool;
using namespace unspool::test;
using Catch::Matchers::Contains;

namespace {

struct Asked {
  explicit Asked(const Script& script, Wanted wanted = {}, Path::Between between = {})
      : source{script.records},
        filter{wanted, script.process, script.records.back().time},
        path{script.process, filter, std::move(between)} {
    const Analysis analysis{script.process, source, &path, filter};
  }

  trace::Ticks of(Path::Role role, trace::ThreadNumber thread) const {
    trace::Ticks sum = 0;
    for (const auto& [what, part] : path.parts())
      if (what.role == role && what.thread == thread) sum += part.ticks;
    return sum;
  }
  trace::Ticks sum() const {
    trace::Ticks sum = 0;
    for (const auto& [what, part] : path.parts())
      sum += part.ticks;
    return sum;
  }
  trace::Ticks length() const { return path.until() - path.since(); }

  ListSource source;
  Filter filter;
  Path path;
};

Script named() {
  Script script;
  script.thread(1, "reader");
  script.thread(2, "writer");
  script.thread(3, "flusher");
  script.site(11, "reader.cpp", 11, "read");
  script.site(22, "writer.cpp", 22, "write");
  script.site(32, "flusher.cpp", 32, "flush");
  script.object(lock(1), Kind::lock, "index", 11);
  script.object(lock(2), Kind::lock, "disk", 32);
  return script;
}

/// The reader waits for the writer, and that for the flusher.
Script chained() {
  Script script = named();
  script.begin(50, 1);
  script.acquire(100, 3, lock(2), 32);
  script.acquire(110, 2, lock(1), 22);
  script.block(200, 1, lock(1), 11, 2, 22);
  script.block(300, 2, lock(2), 22, 3, 32);
  script.release(700, 3, lock(2), 32);
  script.acquire(720, 2, lock(2), 22, 3);
  script.release(800, 2, lock(1), 22);
  script.acquire(850, 1, lock(1), 11, 2);
  script.release(900, 1, lock(1), 11);
  script.end(950, 1);
  return script;
}

Wanted of_thread(const char* name) {
  Wanted wanted;
  wanted.threads = {name};
  return wanted;
}

std::string text(Script& script, const Options& options = {}, const PathOptions& path = {}) {
  return printed([&](auto inputs, const Options& how, std::FILE* out) { return run_path(inputs, how, path, out); },
                 script, options);
}

}  // namespace

TEST_CASE("the path goes back through those who ended the waits") {
  const Asked asked{chained()};
  CHECK(asked.path.thread() == 1);
  CHECK(asked.of(Path::Role::runs, 1) == 100);
  CHECK(asked.of(Path::Role::hand_over, 1) == 50);
  CHECK(asked.of(Path::Role::holds, 2) == 80);
  CHECK(asked.of(Path::Role::hand_over, 2) == 20);
  CHECK(asked.of(Path::Role::holds, 3) == 600);
  CHECK(asked.of(Path::Role::runs, 3) == 50);
  CHECK(asked.length() == 900);
  CHECK(asked.sum() == asked.length());
}

TEST_CASE("in words: what the path is made of, and what shorter holds would gain") {
  Script script = chained();
  const std::string told = text(script);
  INFO(told);
  CHECK_THAT(told, Contains("The critical path to where reader was at +0.000001 s: 900 ns"));
  CHECK_THAT(told, Contains("flusher held lock \"disk\", taken at flusher.cpp:32"));
  CHECK_THAT(told, Contains("600 ns  66.7 %"));
  CHECK_THAT(told, Contains("halving these gains at most") && Contains("300 ns"));
}

TEST_CASE("JSON and CSV have the parts, the locks and the steps") {
  Script script = chained();
  Options options;
  options.format = Options::Format::json;
  const auto json = Json::parse(text(script, options))["processes"][0];
  CHECK(json["span"] == 900);
  CHECK(json["thread"]["name"] == "reader");
  CHECK(json["parts"][0]["role"] == "holds");
  CHECK(json["parts"][0]["time"] == 600);
  CHECK(json["locks"][0]["object"]["name"] == "disk");
  CHECK(json["locks"][0]["gain"] == 300);
  CHECK(json["steps"].size() == json["all_steps"]);
  CHECK(json["steps"][0]["since"] == 0);
  options.format = Options::Format::csv;
  CHECK_THAT(text(script, options), Contains("role,thread.number,thread.name"));
}

TEST_CASE("a thread's path goes on with who started it") {
  Script script = named();
  script.begin(10, 1);
  script.add(Kind::thread, Verb::start, 100, 1, 2, 11);
  script.begin(130, 2);
  script.join(140, 1, 2, 11);
  script.end(500, 2);
  script.joined(520, 1, 2, 11);
  script.end(600, 1);
  const Asked asked{script};
  CHECK(asked.of(Path::Role::runs, 1) == 80 + 90);
  CHECK(asked.of(Path::Role::hand_over, 1) == 20);
  CHECK(asked.of(Path::Role::runs, 2) == 370);
  CHECK(asked.of(Path::Role::starts, 2) == 30);
  CHECK(asked.sum() == 590);
}

TEST_CASE("a wait that nobody ended is a step of its own, as is one that goes on") {
  Script script = named();
  script.begin(10, 1);
  script.add(Kind::condition, Verb::block, 100, 1, condition(1), 11);
  script.add(Kind::condition, Verb::timeout, 400, 1, condition(1), 11);
  script.add(Kind::condition, Verb::block, 450, 1, condition(1), 11);
  script.begin(1000, 2);
  const Asked asked{script, of_thread("reader")};
  CHECK(asked.of(Path::Role::waits, 1) == 300);
  CHECK(asked.of(Path::Role::still, 1) == 550);
  CHECK(asked.of(Path::Role::runs, 1) == 90 + 50);
  CHECK(asked.sum() == 990);
  script.process.clocks.push_back({2000, 2000, script.process.clocks.front().realtime + 2000, 0, 1'000'000'000});
  CHECK(Asked{script, of_thread("reader")}.sum() == 1990);  // the recorder lived on
}

// The story: a pool's workers were idle while main was busy, and nobody was said to have ended that.
TEST_CASE("the path goes on with who submitted the task that a worker waited for") {
  constexpr trace::ObjectNumber pool = trace::first_object_number + 40;
  Script script = named();
  script.begin(10, 1);
  script.begin(15, 2);
  script.add(Kind::pool, Verb::block, 20, 1, pool, 11, 2, 0);
  script.add(Kind::pool, Verb::submit, 500, 2, pool, 12, 1, 0);
  script.add(Kind::pool, Verb::begin, 520, 1, pool, 11, 1, 2);
  script.add(Kind::pool, Verb::end, 900, 1, pool, 11, 1, 0);
  const Asked asked{script, of_thread("reader")};
  CHECK(asked.of(Path::Role::waits, 1) == 0);
  CHECK(asked.of(Path::Role::hand_over, 1) == 20);
  CHECK(asked.of(Path::Role::runs, 2) == 490);
}

TEST_CASE("after a notify a Condition's waiter comes on by who released the lock") {
  Script script = named();
  script.begin(0, 1);
  script.add(Kind::condition, Verb::block, 100, 1, condition(1), 11);
  script.acquire(150, 2, lock(1), 22);
  script.add(Kind::condition, Verb::notify, 200, 2, condition(1), 22, 1);
  script.block(210, 1, lock(1), 11, 2, 22);
  script.release(300, 2, lock(1), 22);
  script.acquire(310, 1, lock(1), 11, 2);
  script.add(Kind::condition, Verb::resume, 320, 1, condition(1), 11, 2, 22);
  script.end(400, 1);
  const Asked asked{script};
  CHECK(asked.of(Path::Role::runs, 1) == 90);
  CHECK(asked.of(Path::Role::hand_over, 1) == 10);
  CHECK(asked.of(Path::Role::holds, 2) == 150);
  CHECK(asked.sum() == asked.length());
}

TEST_CASE("spinning for a lock counts as waiting for who released it") {
  Script script = named();
  script.acquire(100, 2, lock(1), 22);
  script.begin(110, 1);
  script.release(300, 2, lock(1), 22);
  script.acquire(310, 1, lock(1), 11, 2, 100);
  script.end(400, 1);
  const Asked asked{script};
  CHECK(asked.of(Path::Role::runs, 1) == 90);
  CHECK(asked.of(Path::Role::hand_over, 1) == 10);
  CHECK(asked.of(Path::Role::holds, 2) == 200);
}

TEST_CASE("between two moments the path has only what lies between them") {
  Script script = chained();
  Wanted wanted;
  wanted.from = *When::parse("+0.0000004s");
  wanted.to = *When::parse("+0.0000008s");
  const Asked asked{script, wanted};
  CHECK(asked.path.thread() == 2);
  CHECK(asked.of(Path::Role::holds, 3) == 300);
  CHECK(asked.of(Path::Role::hand_over, 2) == 20);
  CHECK(asked.of(Path::Role::runs, 2) == 80);
  CHECK(asked.sum() == 400);
}

TEST_CASE("between two messages, the second after the first") {
  MessageClass begun;
  begun.has_text = true;
  begun.text = "request 17 begun";
  MessageClass done = begun;
  done.text = "request 17 answered";
  Script script = named();
  const auto say = [&](trace::Ticks time, const MessageClass& message) {
    script.add(Kind::message, Verb::text, time, 1, 0, 11).message = &message;
  };
  script.begin(10, 1);
  say(50, done);
  say(100, begun);
  say(300, done);
  script.end(1000, 1);
  const Asked asked{script, {}, {"17 begun", "17 answered"}};
  CHECK(asked.path.thread() == 1);
  CHECK(asked.of(Path::Role::runs, 1) == 200);
  CHECK(asked.length() == 200);
  CHECK_THAT(text(script, {}, {"", "request 18"}), Contains("--to-message"));
  CHECK_THAT(text(script, {}, {"request 18", ""}), Contains("--from-message"));
}

TEST_CASE("a path with more wake-ups than are kept says that it begins later") {
  Script script = named();
  script.begin(1, 1);
  trace::Ticks now = 1000;
  for (std::size_t i = 0; i < Path::most_wakes + 10; ++i, now += 100) {
    script.add(Kind::condition, Verb::block, now, 1, condition(1), 11);
    script.add(Kind::condition, Verb::timeout, now + 50, 1, condition(1), 11);
  }
  const Asked asked{script};
  CHECK(asked.path.cut());
  CHECK(asked.path.since() > 1000);
  CHECK(asked.sum() == asked.length());
  CHECK(asked.path.steps().size() < 2 * Path::most_steps);
  CHECK_THAT(text(script), Contains("It goes on before that"));
}

TEST_CASE("whatever the Records say, the path's parts sum to it") {
  std::mt19937 random{4711};
  for (int round = 0; round < 300; ++round) {
    Script script = named();
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
    INFO("round " << round);
    CHECK(asked.sum() == asked.length());
    (void)text(script);
  }
}
