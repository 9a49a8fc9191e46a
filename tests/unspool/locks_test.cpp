// SPDX-License-Identifier: MIT
//
// The figures of locks, and how `locks` prints them.
#include <catch2/catch.hpp>
#include <unspool/render/style.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>

using namespace unspool;
using namespace unspool::test;

namespace {

Script store() {
  Script script;
  script.thread(1, "worker-1");
  script.thread(2, "worker-2");
  script.thread(3, "worker-3");
  script.site(20, "/src/kv/store.hpp", 20, "Store");
  script.site(50, "/src/kv/store.cpp", 118, "Store::put");
  script.site(51, "/src/kv/store.cpp", 99, "Store::get");
  script.object(lock(1), Kind::lock, "store", 20);
  return script;
}

/// One hold of 1, waited for by 2 and 3.
Script contended_store() {
  Script script = store();
  script.acquire(1000, 1, lock(1), 50);
  script.block(1100, 2, lock(1), 51, 1, 50);
  script.block(1200, 3, lock(1), 51, 1, 50);
  script.release(2000, 1, lock(1));
  script.acquire(2100, 2, lock(1), 51, 1);
  script.release(2300, 2, lock(1));
  script.acquire(2400, 3, lock(1), 51, 2);
  script.release(2500, 3, lock(1));
  script.acquire(3000, 1, lock(1), 50, 0, 25);
  script.release(3010, 1, lock(1));
  return script;
}

Json json_of(Script& script) {
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_locks, script, options))["processes"][0];
}

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    longest = std::max(longest, columns(std::string_view{text}.substr(begin, end - begin)));
    begin = end + 1;
  }
  return longest;
}

}  // namespace

TEST_CASE("a lock's figures count acquisitions, waits and holds, and blame sums to the waits") {
  const Script script = contended_store();
  const Answer answer{script};
  REQUIRE(answer.analysis.locks.figures().size() == 1);
  const LockFigures& lock = answer.analysis.locks.figures()[0];
  CHECK(lock.acquisitions == 4);
  CHECK(lock.contended == 2);
  CHECK(lock.spun == 1);
  CHECK(lock.spun_ticks == 25);
  CHECK(lock.waits.count() == 2);
  CHECK(lock.waits.sum() == 1000 + 1200);
  CHECK(lock.waits.max() == 1200);
  CHECK(lock.holds.sum() == 1000 + 200 + 100 + 10);
  CHECK(lock.hand_over == 100 + 200);
  CHECK(lock.unknown_holder == 0);
  const std::vector<Part> holders = lock.holders.parts();
  REQUIRE(holders.size() == 2);
  CHECK(holders[0].actor == Actor{1, 50});
  CHECK(holders[0].ticks == 900 + 800);
  CHECK(holders[1].actor == Actor{2, 51});
  CHECK(holders[1].ticks == 200);
  const std::vector<Part> waiters = lock.waiters.parts();
  REQUIRE(waiters.size() == 2);
  CHECK(waiters[0].actor == Actor{3, 51});
  CHECK(waiters[0].ticks == 1200);
}

TEST_CASE("timeouts, cancels and failed tries are counted apart; waits in vain count as waited time") {
  Script script = store();
  script.acquire(100, 1, lock(1), 50);
  script.block(110, 2, lock(1), 51, 1, 50);
  script.add(Kind::lock, Verb::timeout, 160, 2, lock(1), 51);
  script.block(170, 3, lock(1), 51, 1, 50);
  script.add(Kind::lock, Verb::cancel, 180, 3, lock(1), 51);
  script.add(Kind::lock, Verb::busy, 190, 2, lock(1), 51);
  const Answer answer{script};
  const LockFigures& lock = answer.analysis.locks.figures()[0];
  CHECK(lock.acquisitions == 1);
  CHECK(lock.contended == 0);
  CHECK(lock.timeouts == 1);
  CHECK(lock.cancels == 1);
  CHECK(lock.busy == 1);
  CHECK(lock.waits.sum() == 60);
}

TEST_CASE("waits that go on at the end are in no total") {
  Script script = store();
  script.acquire(100, 1, lock(1), 50);
  script.block(110, 2, lock(1), 51, 1, 50);
  script.add(Kind::message, Verb::text, 5000, 1, 0);
  const Answer answer{script};
  const LockFigures& lock = answer.analysis.locks.figures()[0];
  CHECK(lock.waits.count() == 0);
  CHECK(lock.unended == 1);
  CHECK(lock.unended_ticks == 4890);
  CHECK(
      printed(run_locks, script).find("1 thread still waits for \"store\" at the end, 4.89 µs up to the last Record") !=
      std::string::npos);
}

TEST_CASE("instances made at one place under one name are one row, destroyed ones included") {
  Script script = store();
  for (std::uint64_t i = 10; i < 20; ++i) {
    script.object(lock(i), Kind::lock, "", 20);
    script.acquire(1000 * i, 1, lock(i), 50);
    script.block(1000 * i + 1, 2, lock(i), 51, 1, 50);
    script.release(1000 * i + 10 * i, 1, lock(i));
    script.acquire(1000 * i + 10 * i, 2, lock(i), 51, 1);
    script.release(1000 * i + 10 * i + 1, 2, lock(i));
    if (i % 2 == 0) script.add(Kind::lock, Verb::destroy, 1000 * i + 500, 2, lock(i));
  }
  const Answer answer{script};
  REQUIRE(answer.analysis.locks.figures().size() == 1);
  const LockFigures& figures = answer.analysis.locks.figures()[0];
  CHECK(figures.instances == 10);
  CHECK(figures.acquisitions == 20);
  CHECK(figures.worst == lock(19));
  CHECK(figures.worst_ticks == 189);
  CHECK(printed(run_locks, script).find("store.hpp:20 ×10") != std::string::npos);
}

TEST_CASE("more names at one place than can be told apart are one class, with all their figures") {
  Script script = store();
  for (std::uint64_t i = 0; i < 100; ++i) {
    script.object(lock(i), Kind::lock, "account-" + std::to_string(i), 20);
    script.acquire(1000 * i, 1, lock(i), 50);
    script.release(1000 * i + 10, 1, lock(i));
  }
  const Answer answer{script};
  REQUIRE(answer.analysis.locks.figures().size() == 1);
  const LockFigures& figures = answer.analysis.locks.figures()[0];
  CHECK(figures.many_names);
  CHECK(figures.instances == 100);
  CHECK(figures.holds.sum() == 1000);
}

TEST_CASE("what hurts most comes first") {
  Script script = store();
  script.object(lock(2), Kind::lock, "hot", 20);
  script.acquire(100, 1, lock(1), 50);
  script.release(110, 1, lock(1));
  script.acquire(200, 1, lock(2), 50);
  script.block(210, 2, lock(2), 51, 1, 50);
  script.release(300, 1, lock(2));
  script.acquire(301, 2, lock(2), 51, 1);
  const Answer answer{script};
  CHECK(answer.analysis.locks.figures()[0].name == "hot");
}

TEST_CASE("in mode long no figure is printed that needs every acquisition, and it is told which waits are missing") {
  Script script = contended_store();
  script.process.mode = Mode::long_waits;
  script.process.long_wait = 2'500'000;
  const Json process = json_of(script);
  const Json known = process["locks"][0];
  for (const char* unknown : {"acquisitions", "contended_share", "hold", "spun"})
    CHECK(known[unknown].is_null());
  const auto shown = [&] {
    std::string text = printed(run_locks, script);
    std::ranges::replace(text, '\n', ' ');
    return text;
  };
  CHECK(shown().find("waits under 2.5 ms are not in this trace") != std::string::npos);
  script.process.mode = Mode::all;
  script.process.mode_changed = true;
  CHECK(shown().find("mode changed on the way") != std::string::npos);
  CHECK(shown().find("waits under 2.5 ms are not in this") != std::string::npos);
  script.process.mode_changed = false;
  script.process.own_modes = true;
  CHECK(shown().find("in another for some objects") != std::string::npos);
  CHECK(json_of(script)["locks"][0]["acquisitions"].is_null());
}

TEST_CASE("in contended mode no figure is printed that needs every acquisition") {
  Script script = contended_store();
  script.process.mode = Mode::contended;
  const Json lock = json_of(script)["locks"][0];
  for (const char* unknown : {"acquisitions", "contended_share", "hold", "spun"}) {
    INFO(unknown);
    CHECK(lock[unknown].is_null());
  }
  CHECK(lock["contended"] == 2);
  CHECK(lock["wait"]["total"] == 2200);
  const std::string text = printed(run_locks, script);
  CHECK(text.find("Recorded in mode `contended`") != std::string::npos);
  std::size_t unknown_figures = 0;
  for (std::size_t at = 0; (at = text.find("—", at)) != std::string::npos; ++at)
    ++unknown_figures;
  CHECK(unknown_figures == 1 + 5);  // the sentence; acquired, share, three of held
  CHECK(text.find("spun") == std::string::npos);
}

TEST_CASE("lost Records are said to bound the figures") {
  Script script = contended_store();
  script.lost(4000, 1, 17);
  CHECK(printed(run_locks, script).find("17 Records were lost while recording") != std::string::npos);
  CHECK(json_of(script)["lost"] == 17);
}

TEST_CASE("the table names the lock, who held it and who waited, within 100 columns") {
  Script script = contended_store();
  const std::string text = printed(run_locks, script);
  INFO(text);
  for (const char* part :
       {"store", "50.0%", "2.20µs", "1.31µs", "worker-1", "store.cpp:118 (Store::put)", "1.70 µs  77.3 %",
        "nobody (hand-over)", "300 ns  13.6 %", "worker-3", "1 acquisition only spun"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(longest_line(text) <= 100);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("hostile names are escaped, cut to fit, and whole in JSON") {
  Script script = contended_store();
  script.process.threads[1].name = "a\x1b[31mred\nline \"quoted\" <b>" + std::string(5000, 'x');
  script.process.objects[lock(1)].name = "l\xff\x1b]0;title\x07";
  script.process.sites[50].file = std::string(3000, '/') + "\n.cpp";
  script.process.sites[51].function = std::string(3000, 'f');
  const std::string text = printed(run_locks, script);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("\\x1b") != std::string::npos);
  const Json json = json_of(script);
  CHECK(json["locks"][0]["name"].get<std::string>().find('\x1b') != std::string::npos);
}

TEST_CASE("an empty trace, and one without locks, say so") {
  Script script;
  CHECK(printed(run_locks, script).find("No lock was used.") != std::string::npos);
}

TEST_CASE("JSON of a lock has the numbers of the table") {
  Script script = contended_store();
  bool findings = true;
  Options options;
  options.format = Options::Format::json;
  const Json document = Json::parse(printed(run_locks, script, options, &findings));
  CHECK_FALSE(findings);
  CHECK(document["command"] == "locks");
  const Json& process = document["processes"][0];
  CHECK(process["program"] == "server");
  CHECK(process["records"] == 10);
  const Json& lock = process["locks"][0];
  CHECK(lock["name"] == "store");
  CHECK(lock["created"]["line"] == 20);
  CHECK(lock["acquisitions"] == 4);
  CHECK(lock["wait"]["total"] == 2200);
  CHECK(lock["wait"]["p50"] == 1000);
  CHECK(lock["hold"]["max"] == 1000);
  CHECK(lock["hand_over"] == 300);
  CHECK(lock["holders"][0]["thread"]["name"] == "worker-1");
  CHECK(lock["holders"][0]["site"]["function"] == "Store::put");
  CHECK(lock["holders"][0]["time"] == 1700);
  CHECK(lock["waiters"][0]["waits"] == 1);
}

TEST_CASE("a lock's flow: how much of its life it is held, how long the woken took, and its convoys") {
  Script script = contended_store();
  const Answer answer{script};
  const Flow& flow = answer.analysis.locks.figures()[0].flow;
  CHECK(flow.life == 2010);
  CHECK(flow.held == 1000 + 200 + 100 + 10);
  CHECK(flow.woken == 100 + 100);
  CHECK(flow.overtakes == 0);
  CHECK(flow.longest_convoy == 2);
  CHECK(flow.in_convoys == 300);
  const Json known = json_of(script)["locks"][0];
  CHECK(known["utilisation"].get<double>() == Approx(1310.0 / 2010));
  CHECK(known["woken"] == 200);
  CHECK(known["convoy_share"].get<double>() == Approx(300.0 / 2010));
  script.process.mode = Mode::contended;
  const Json unknown = json_of(script)["locks"][0];
  for (const char* name : {"utilisation", "woken", "overtakes", "retakes", "most_futile_wakes", "longest_convoy",
                           "convoy_share", "behind_writers"})
    CHECK(unknown[name].is_null());
}

TEST_CASE("an acquire without a wait while others wait overtakes them, and that of the releaser is told apart") {
  Script script = store();
  script.acquire(100, 1, lock(1), 50);
  script.block(110, 2, lock(1), 51, 1, 50);
  script.release(200, 1, lock(1));
  script.acquire(210, 1, lock(1), 50);
  script.block(220, 2, lock(1), 51, 1, 50);
  script.release(300, 1, lock(1));
  script.acquire(305, 3, lock(1), 50);
  script.release(310, 3, lock(1));
  script.acquire(320, 2, lock(1), 51, 3);
  script.release(330, 2, lock(1));
  const Answer answer{script};
  const Flow& flow = answer.analysis.locks.figures()[0].flow;
  CHECK(flow.overtakes == 2);
  CHECK(flow.retakes == 1);
  CHECK(flow.most_futile == 1);
  CHECK(flow.woken == 10);
  CHECK(flow.longest_convoy == 1);
  CHECK(flow.in_convoys == 0);
  std::string text = printed(run_locks, script);
  std::ranges::replace(text, '\n', ' ');
  INFO(text);
  CHECK(text.find("overtaken 2 times, 1 of them by the thread that had just released it") != std::string::npos);
}

TEST_CASE("a waiter that gives up ends the convoy that it was the last of") {
  Script script = store();
  script.acquire(100, 1, lock(1), 50);
  script.block(110, 2, lock(1), 51, 1, 50);
  script.block(120, 3, lock(1), 51, 1, 50);
  script.release(200, 1, lock(1));
  script.acquire(210, 2, lock(1), 51, 1);
  script.add(Kind::lock, Verb::timeout, 220, 3, lock(1), 51);
  script.block(230, 3, lock(1), 51, 2, 51);
  script.release(240, 2, lock(1));
  script.acquire(250, 3, lock(1), 51, 2);
  const Answer answer{script};
  CHECK(answer.analysis.locks.figures()[0].flow.longest_convoy == 1);
  CHECK(answer.analysis.locks.figures()[0].flow.woken == 10 + 10);
}

TEST_CASE("readers together hold a SharedLock once, and one that waits though readers hold it is behind a writer") {
  Script script = store();
  const auto shared = lock(5);
  script.object(shared, Kind::shared_lock, "table", 20);
  script.add(Kind::shared_lock, Verb::acquire_shared, 100, 1, shared, 50, 0, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 110, 2, shared, 50, 0, 2);
  script.add(Kind::shared_lock, Verb::release_shared, 140, 1, shared, 50, 0, 1);
  script.add(Kind::shared_lock, Verb::block, 150, 3, shared, 51, 2, 50);
  script.add(Kind::shared_lock, Verb::block_shared, 160, 1, shared, 50);
  script.add(Kind::shared_lock, Verb::release_shared, 200, 2, shared, 50, 0, 0);
  script.add(Kind::shared_lock, Verb::acquire, 220, 3, shared, 51, 2);
  script.add(Kind::shared_lock, Verb::block_shared, 230, 2, shared, 50, 3, 51);
  script.add(Kind::shared_lock, Verb::release, 300, 3, shared, 51, 0, 3);
  script.add(Kind::shared_lock, Verb::acquire_shared, 310, 1, shared, 50, 3, 1);
  script.add(Kind::shared_lock, Verb::acquire_shared, 315, 2, shared, 50, 3, 2);
  const Answer answer{script};
  const Flow& flow = answer.analysis.locks.figures()[0].flow;
  CHECK(flow.behind_writers == 1);
  CHECK(flow.held == 100 + 80 + 5);
  CHECK(flow.woken == 20 + 10 + 15);
}

TEST_CASE("a lock that nobody waits for, but that is held most of its life, is told of") {
  Script script = store();
  for (std::uint64_t i = 0; i < 10; ++i) {
    script.acquire(1000 + 100 * i, 1, lock(1), 50);
    script.release(1090 + 100 * i, 1, lock(1));
  }
  const std::string text = printed(run_locks, script);
  INFO(text);
  CHECK(text.find("\"store\" is not contended yet, but it was held 90.9 % of its life") != std::string::npos);
  CHECK(printed(run_locks, script).find("overtaken") == std::string::npos);
}

// The story: in a trace whose old segments were gone a lock was held for 208275085 % of its life: since tick 0.
TEST_CASE("a hold that began before the Records do counts as held from the first of them on") {
  Script script = store();
  script.add(Kind::status, Verb::hold, 10'000, 1, lock(1), 50).since = 4000;
  script.release(10'100, 1, lock(1), 50, 1);
  script.acquire(10'150, 1, lock(1), 50);
  script.release(10'200, 1, lock(1), 50, 1);
  const Answer answer{script};
  CHECK(answer.analysis.locks.figures()[0].flow.held == 150);
  CHECK(answer.analysis.locks.figures()[0].flow.life == 200);
}
