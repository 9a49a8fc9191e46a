// SPDX-License-Identifier: MIT
//
// The report: all at a glance, for one trace and for several.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <limits>

using namespace unspool;
using namespace unspool::test;

namespace {

Script server() {
  Script script;
  script.thread(100, "MainThread");
  script.thread(1, "worker-1", true);
  script.thread(2, "worker-2", true);
  script.thread(9, "keeper", true);
  script.process.threads[9].origin = trace::Origin::internal;
  script.site(20, "/src/kv/store.hpp", 20, "Store");
  script.site(50, "/src/kv/store.cpp", 118, "Store::put");
  script.site(80, "/src/main.cpp", 80, "main");
  script.object(lock(1), Kind::lock, "store", 20);
  script.begin(1000, 100);
  script.begin(1100, 1);
  script.begin(1200, 2);
  script.acquire(2000, 1, lock(1), 50);
  script.block(2100, 2, lock(1), 50, 1, 50);
  script.release(12'000, 1, lock(1));
  script.acquire(12'100, 2, lock(1), 50, 1);
  script.release(12'200, 2, lock(1));
  script.join(13'000, 100, 1, 80);
  script.end(14'000, 1, true);
  script.joined(14'100, 100, 1, 80);
  static const MessageClass warning{trace::Level::warning, "", "careful", {}, {}, "", false};
  script.add(Kind::message, Verb::text, 15'000, 100, 0).message = &warning;
  return script;
}

/// Whether `part` is in `text`, wherever its lines are broken.
bool has(std::string text, const std::string& part) {
  for (std::size_t at = 0; (at = text.find("\n    ", at)) != std::string::npos;)
    text.replace(at, 5, " ");
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the report tells verdict, locks, joins, threads, messages and how it ended") {
  Script script = server();
  bool findings = true;
  const std::string text = printed(run_report, script, {}, &findings);
  CHECK_FALSE(findings);
  INFO(text);
  for (const char* part :
       {"server, pid 4711: 12 Records in 14.0 µs, 3 threads, cut off (killed or still running)", "on host", "mode all",
        "0 Records lost", "No deadlock.", "\"store\": 1 wait, 10.0 µs in all",
        "99.0 % of it because of holds taken at store.cpp:118 (Store::put) by worker-1", "MainThread  worker-1",
        "Whose doing the waiting was in the end", "Locks and joins: 11.1 µs waited",
        "worker-1 ran, holding a lock taken at store.cpp:118 (Store::put)",
        "Threads: 3, 1 ended (1 by an exception), 2 alive at the end (1 daemon)", "Messages: 1 warning."}) {
    INFO(part);
    CHECK(has(text, part));
  }
}

TEST_CASE("who waits without being stuck is told with what for, and the start in milliseconds") {
  Script script = server();
  script.process.started = "2026-01-02T03:04:05.678901234Z";
  script.add(Kind::condition, Verb::block, 16'000, 1, lock(7), 50);
  script.add(Kind::condition, Verb::block, 16'001, 2, lock(7), 50);
  const std::string text = printed(run_report, script);
  INFO(text);
  CHECK(has(text, "2 threads wait at the end, as part of no deadlock: worker-1 and 1 more for condition"));
  CHECK(has(text, "started 2026-01-02T03:04:05.678Z,"));
}

TEST_CASE("an orderly end is told") {
  Script script = server();
  script.add(Kind::trace, Verb::end, 16'000, 100, 0);
  CHECK(has(printed(run_report, script), "ended in order"));
  script.process.threads[100].origin = trace::Origin::main;
  script.begin(16'001, 100);
  CHECK(has(printed(run_report, script), "alive at the end (main among them, 1 daemon)"));
}

TEST_CASE("joins that had not to wait are not among those that waited longest") {
  Script script;
  script.join(100, 1, 2, 50);
  script.joined(100, 1, 2, 50);
  CHECK_FALSE(has(printed(run_report, script), "Joins that waited longest"));
  script.join(200, 1, 3, 50);
  script.joined(300, 1, 3, 50);
  CHECK(has(printed(run_report, script), "Joins that waited longest"));
}

TEST_CASE("that older Records are gone is told, and from when on the trace tells") {
  Script script = server();
  CHECK_FALSE(has(printed(run_order, script), "Older Records are gone"));
  script.process.cut = true;
  for (const auto command : {run_report, run_deadlocks, run_misuse})
    CHECK(has(printed(command, script), "Older Records are gone, or some in between: it is known what came from 20"));
}

TEST_CASE("a deadlock comes before all else and is a finding") {
  Script script = server();
  script.acquire(20'000, 2, lock(1), 50);
  script.block(21'000, 2, lock(1), 50, 2, 50);
  bool findings = false;
  const std::string text = printed(run_report, script, {}, &findings);
  CHECK(findings);
  CHECK(text.find("DEADLOCK, certain: a thread waits for itself") < text.find("Locks that were waited for"));
}

TEST_CASE("what a circle of waits makes others wait is told by the verdict alone") {
  Script script = server();
  script.acquire(20'000, 2, lock(1), 50);
  script.block(21'000, 2, lock(1), 50, 2, 50);
  script.add(Kind::message, Verb::text, 90'000, 100, 0);
  CHECK_FALSE(has(printed(run_report, script), "Whose doing the waiting was"));
  Options options;
  options.format = Options::Format::json;
  const Json process = Json::parse(printed(run_report, script, options))["processes"][0];
  CHECK(process["blame"]["total"] == 10'000 + 1'100 + 69'000);
  CHECK(process["blame"]["signal_total"] == 0);
  CHECK(process["blame"]["roots"][0]["role"] == "cycle");
}

TEST_CASE("signals that came as soon as they could are no section of the report, a chain behind them is") {
  Script script = server();
  script.thread(3, "worker-3");
  script.add(Kind::event, Verb::block, 20'000, 2, lock(5), 50);
  script.add(Kind::event, Verb::set, 50'000, 100, lock(5), 80);
  script.add(Kind::event, Verb::resume, 50'000, 2, lock(5), 50, 100, 80);
  CHECK_FALSE(has(printed(run_report, script), "What others gave"));
  script.acquire(60'000, 3, lock(1), 50);
  script.add(Kind::event, Verb::block, 61'000, 2, lock(5), 50);
  script.block(62'000, 100, lock(1), 80, 3, 50);
  script.release(91'000, 3, lock(1));
  script.acquire(91'000, 100, lock(1), 80, 3);
  script.add(Kind::event, Verb::set, 92'000, 100, lock(5), 80);
  script.add(Kind::event, Verb::resume, 92'000, 2, lock(5), 50, 100, 80);
  Options options;
  options.width = 1000;
  const std::string text = printed(run_report, script, options);
  INFO(text);
  CHECK(has(text, "What others gave"));
  CHECK(has(text, "% of it: worker-2 waits for event"));
  CHECK(
      has(text, "; MainThread waits for lock \"store\" at main.cpp:80 (main); worker-3 ran, holding a lock taken at"));
}

TEST_CASE("what the recording cost is told as it is in the trace") {
  Script script = server();
  CHECK_FALSE(has(printed(run_report, script), "Recording cost"));
  const std::uint64_t second = 1'000'000'000;
  script.process.frequency = second;
  script.process.cost = {3 * second, second, 4'000'000, 128'000'000, 7, 2, 6'000'000, 0, 500'000'000};
  Options options;
  options.width = 500;
  const std::string text = printed(run_report, script, options);
  INFO(text);
  CHECK(has(text,
            "Recording cost: 4,000,000 Records (2.00M a second over 2.00 s), 128M bytes, 7 lost; keeper 6.00 ms of "
            "CPU (0.3 % of a processor); archiver 500 ms of CPU (25.0 % of a processor); 2 segments prepared by a "
            "thread of the program."));
  options.format = Options::Format::json;
  const Json cost = Json::parse(printed(run_report, script, options))["processes"][0]["cost"];
  CHECK(cost["records_per_second"] == 2e6);
  CHECK(cost["keeper"]["share"] == 0.003);
  CHECK(cost["dispatcher"]["cpu"] == 0);
}

TEST_CASE("a cost whose times do not fit together has no rate") {
  Script script = server();
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  script.process.cost = {5, most, most, most, most, most, most, most, most};
  const std::string text = printed(run_report, script);
  INFO(text);
  CHECK(has(text, "18,446,744,073,709,551,615 Records (— a second over —)"));
  Options options;
  options.format = Options::Format::json;
  const Json cost = Json::parse(printed(run_report, script, options))["processes"][0]["cost"];
  CHECK(cost["records_per_second"].is_null());
  CHECK(cost["keeper"]["share"].is_null());
}

TEST_CASE("problems with the input are told, escaped") {
  Script script = server();
  script.process.problems.push_back({Problem::Severity::damage, "stream-0003 ends\x1b in the middle"});
  const std::string text = printed(run_report, script);
  CHECK(has(text, "Problems with the input: 1"));
  CHECK(has(text, "stream-0003 ends\\x1b in the middle"));
}

TEST_CASE("an empty trace has a report") {
  Script script;
  const std::string text = printed(run_report, script);
  CHECK(has(text, "0 Records in 0 ns"));
  CHECK(has(text, "No deadlock."));
  CHECK(has(text, "No lock was used."));
}

TEST_CASE("several traces are told one after another, and are one JSON document") {
  Script one = server();
  Script other = server();
  other.process.pid = 4712;
  const auto both = [&](const Options& options) {
    ListSource first{one.records};
    ListSource second{other.records};
    std::array<Input, 2> inputs{Input{one.process, first}, Input{other.process, second}};
    std::FILE* file = std::tmpfile();
    run_report(inputs, options, file);
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  };
  const std::string text = both({});
  CHECK(text.find("pid 4711") < text.find("pid 4712"));
  Options options;
  options.format = Options::Format::json;
  const Json document = Json::parse(both(options));
  CHECK(document["processes"].size() == 2);
  CHECK(document["processes"][1]["pid"] == 4712);
  CHECK(document["processes"][0]["threads"]["exceptions"] == 1);
  CHECK(document["processes"][0]["messages"]["warning"] == 1);
  CHECK(document["processes"][0]["locks"].size() == 1);
  CHECK(document["processes"][0]["verdict"] == "no deadlock");
}
