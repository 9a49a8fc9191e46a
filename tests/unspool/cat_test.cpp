// SPDX-License-Identifier: MIT
//
// `unspool cat` and `unspool threads`: their lines, and that they print each Record once.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/builder.hpp>
#include <unspool/running.hpp>

#include <algorithm>
#include <sstream>
#include <vector>

using namespace unspool_test;
using trace::Value;
using Json = nlohmann::json;

namespace {

const auto lock = object_number(17);

Value number(std::uint64_t value) {
  return value;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// A bit of everything.
struct Sample {
  TraceBuilder trace;

  Sample() {
    auto& segment = trace.segment(1);
    trace::MessageClass typed{
        4096,
        trace::Level::warning,
        "net",
        "request {} took {:.1f} ms",
        {{"arg0", trace::Type::text, trace::Means::value}, {"ms", trace::Type::f64, trace::Means::value}}};
    segment.define_message(typed);
    segment.define_clock(50, 1000, 1'767'323'045'000'000'050, 1'000'000'000).define_mode(trace::Mode::all);
    segment.define_thread(1, "main", trace::Origin::main)
        .define_thread(5, "worker\n\"1\"", trace::Origin::spool, 1, true);
    segment.define_object(lock, trace::Kind::lock, "accounts", 5);
    segment.define_site(5, "/src/transfer.cpp", 31, "transfer").define_site(6, "/src/main.cpp", 8, "main");
    segment.writer(1, 100)
        .transition(110, "thread.create", 5, 6, 1, 1)
        .transition(115, "thread.start", 5, 6, 2)
        .transition(140, "lock.block", lock, 5, 1, 5, 5)
        .transition(5160, "lock.acquire", lock, 5, 3, 5, 250)
        .transition(5170, "lock.release", lock, 5, 4, 0, 1)
        .transition(5400, "thread.continue", 5, 6, 5, 5)
        .record(5500, "trace.end", 0, {number(6), number(1), number(0), number(0)});
    segment.writer(5, 120)
        .transition(121, "thread.begin", 5, 0, 3, 1, 777)
        .transition(130, "lock.acquire", lock, 5, 1)
        .record(131, "status.hold", lock, {number(5), number(0), number(130)})
        .message(141, typed, 5, {Value{std::string_view{"/\x1b[1m"}}, Value{12.34}})
        .transition(5150, "lock.release", lock, 5, 2, 1, 1)
        .record(5200, "message", 0, {number(5), number(2), std::string_view{}, std::string_view{"plain"}})
        .transition(5300, "thread.end", 5, 0, 4, 1, 0);
    trace.segment(2).define_thread(1, "main", trace::Origin::main).untouched(6000);
    trace.write();
  }

  Outcome cat(const std::string& options = {}) const { return unspool("cat " + options + " " + trace.path()); }
};

}  // namespace

TEST_CASE("cat prints one line a Record, in order, with names") {
  const Outcome outcome = Sample{}.cat();
  CHECK(outcome.exit == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out ==
        R"(  +0.000000000  main(1)         thread.create       worker\n"1"(5)  at=main.cpp:8 seq=1 daemon=yes
  +0.000000005  main(1)         thread.start        worker\n"1"(5)  at=main.cpp:8 seq=2
  +0.000000011  worker\n"1"(5)  thread.begin        worker\n"1"(5)  at=- seq=3 creator=main(1) native_id=777
  +0.000000020  worker\n"1"(5)  lock.acquire        accounts(lock #17)  at=transfer.cpp:31 seq=1 waker=- spun=0ns
  +0.000000021  worker\n"1"(5)  status.hold         accounts(lock #17)  at=transfer.cpp:31 mode=exclusive since=+0.000000020
  +0.000000030  main(1)         lock.block          accounts(lock #17)  at=transfer.cpp:31 seq=1 owner=worker\n"1"(5) owner_site=transfer.cpp:31
  +0.000000031  worker\n"1"(5)  message             warning   request /\x1b[1m took 12.3 ms  logger=net  at=transfer.cpp:31
  +0.000005040  worker\n"1"(5)  lock.release        accounts(lock #17)  at=transfer.cpp:31 seq=2 waiters=1 owner=main(1)
  +0.000005050  main(1)         lock.acquire        accounts(lock #17)  at=transfer.cpp:31 seq=3 waker=worker\n"1"(5) spun=250ns
  +0.000005060  main(1)         lock.release        accounts(lock #17)  at=transfer.cpp:31 seq=4 waiters=0 owner=main(1)
  +0.000005090  worker\n"1"(5)  message             info      plain  at=transfer.cpp:31
  +0.000005190  worker\n"1"(5)  thread.end          worker\n"1"(5)  at=- seq=4 outcome=exception held=0
  +0.000005290  main(1)         thread.continue     worker\n"1"(5)  at=main.cpp:8 seq=5 waker=worker\n"1"(5) waker_site=-
  +0.000005390  main(1)         trace.end           at=main.cpp:8 alive=1
)");
}

TEST_CASE("cat selects a thread by name and by number") {
  const Sample sample;
  CHECK(lines_of(sample.cat("--thread main").out).size() == 7);
  CHECK(lines_of(sample.cat("--thread 5").out).size() == 7);
  const Outcome nobody = sample.cat("--thread nobody");
  CHECK(nobody.exit == 2);
  CHECK(nobody.out.empty());
  CHECK(nobody.err.starts_with("unspool: no thread is called \"nobody\"; the nearest: "));
}

TEST_CASE("cat prints times as clock times and as ticks") {
  const Sample sample;
  CHECK(lines_of(sample.cat("--time clock").out)[0].starts_with("2026-01-02T03:04:05.000000110Z  main(1)"));
  CHECK(lines_of(sample.cat("--time ticks").out)[0].starts_with("110  main(1)"));
}

TEST_CASE("cat prints each Record as the line of JSON that a sink would write, with its ticks and its place") {
  const auto lines = lines_of(Sample{}.cat("--format json").out);
  REQUIRE(lines.size() == 14);
  CHECK(
      lines[5] ==
      R"({"time":"2026-01-02T03:04:05.000000140Z","level":"trace","record":"lock.block","process.pid":4711,)"
      R"("thread.id":1,"thread.name":"main","object.id":)" +
          std::to_string(lock) +
          R"(,"object.kind":"lock","object.name":"accounts","seq":1,"site":5,"code.filepath":"/src/transfer.cpp",)"
          R"("code.lineno":31,"owner":5,"owner.name":"worker\u000a\"1\"","owner_site":5,"ticks":140,"place":"000001/stream-0001@160"})");
  CHECK(lines[6] ==
        R"({"time":"2026-01-02T03:04:05.000000141Z","level":"warning","record":"message","process.pid":4711,)"
        R"("thread.id":5,"thread.name":"worker\u000a\"1\"","site":5,"code.filepath":"/src/transfer.cpp",)"
        R"("code.lineno":31,"code.function":"transfer","logger":"net","body":"request /\u001b[1m took 12.3 ms",)"
        R"("format":"request {} took {:.1f} ms","arguments":{"arg0":"/\u001b[1m","ms":12.34},)"
        R"("ticks":141,"place":"000001/stream-0002@192"})");
  const Json hold = Json::parse(lines[4]);
  CHECK(hold["record"] == "status.hold");
  CHECK(hold["mode.name"] == "exclusive");
  CHECK(hold["since"] == "2026-01-02T03:04:05.000000130Z");
  const Json plain = Json::parse(lines[10]);
  CHECK(plain["body"] == "plain");
  CHECK_FALSE(plain.contains("format"));
}

TEST_CASE("cat with definitions in JSON says first of which process they are") {
  const auto lines = lines_of(Sample{}.cat("--format json --definitions").out);
  const Json process = Json::parse(lines.at(0));
  CHECK(process["record"] == "definition.process");
  CHECK(process["process.executable.name"] == "bank");
  CHECK(process["version"] == "1.1");
  const auto threads = std::ranges::count_if(
      lines, [](const std::string& line) { return Json::parse(line)["record"] == "definition.thread"; });
  CHECK(threads == 3);
}

TEST_CASE("cat with definitions prints exactly the Records that babeltrace2 counts") {
  if (run("command -v babeltrace2").exit != 0) {
    WARN("babeltrace2 is not installed: not compared");
    return;
  }
  const Sample sample;
  const Outcome theirs = run("babeltrace2 " + sample.trace.path());
  CHECK(theirs.err.empty());
  CHECK(theirs.exit == 0);
  const auto their_lines = lines_of(theirs.out);
  const auto ours = lines_of(sample.cat("--definitions").out);
  CHECK(ours.size() == their_lines.size());
  CHECK(ours.size() == sample.trace.records());
  const auto count = [](const std::vector<std::string>& lines, const std::string& what) {
    return std::ranges::count_if(lines,
                                 [&](const std::string& line) { return line.find(' ' + what) != std::string::npos; });
  };
  for (const auto& row : trace::rows()) {
    const std::string name{row.name};
    if (name == "message") continue;  // theirs has the logger in the name
    CHECK(count(ours, name + ' ') == count(their_lines, name + ':'));
  }
}

TEST_CASE("cat of several traces says whose each Record is") {
  const Sample one;
  const Sample two;
  const auto lines = lines_of(unspool("cat " + one.trace.path() + " " + two.trace.path()).out);
  REQUIRE(lines.size() == 28);
  for (const auto& line : lines)
    CHECK(line.starts_with("bank-4711  "));
}

TEST_CASE("cat stops in silence when nobody reads any more") {
  TraceBuilder trace;
  auto& chunk = trace.segment(1).writer(1, 1);
  for (std::uint32_t i = 1; i < 20'000; ++i)
    chunk.transition(i, "lock.acquire", lock, 0, i);
  trace.write();
  const Outcome outcome = unspool("cat " + trace.path() + " | head -n 1");
  CHECK(lines_of(outcome.out).size() == 1);
  CHECK(outcome.err.empty());
  // Also where the shell has SIGPIPE ignored.
  const Outcome ignored = run("trap '' PIPE; " + tool() + " cat " + trace.path() + " | head -n 1");
  CHECK(ignored.err.empty());
}

TEST_CASE("threads says of each thread where it comes from and how it ended") {
  const Sample sample;
  const Outcome table = unspool("threads " + sample.trace.path());
  CHECK(table.exit == 0);
  CHECK(table.out.find("worker\\n\"1\"") != std::string::npos);
  CHECK(table.out.find("exception, joined by main") != std::string::npos);
  CHECK(table.out.find("  daemon  main ") != std::string::npos);
  const Json document = Json::parse(unspool("threads --format json " + sample.trace.path()).out);
  const Json& threads = document["processes"][0]["threads"];
  REQUIRE(threads.size() == 2);
  CHECK(threads[0]["name"] == "main");
  CHECK(threads[0]["origin"] == "main");
  CHECK(threads[0]["records"] == 7);
  CHECK(threads[0]["begin"].is_null());
  CHECK(threads[0]["outcome"].is_null());
  CHECK(threads[1]["number"] == 5);
  CHECK(threads[1]["native_id"] == 1005);
  CHECK(threads[1]["daemon"] == true);
  CHECK(threads[1]["creator"]["name"] == "main");
  CHECK(threads[1]["begin"] == 11);
  CHECK(threads[1]["end"] == 5190);
  CHECK(threads[1]["outcome"] == "exception");
  CHECK(threads[1]["joined_by"][0]["number"] == 1);
  CHECK(threads[1]["waits_for"].is_null());
}

TEST_CASE("threads says what a thread waits for at the end") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.define_thread(1, "main").define_thread(2, "worker").define_object(lock, trace::Kind::lock, "accounts");
  segment.define_site(5, "/src/transfer.cpp", 31, "transfer");
  segment.writer(1, 100).transition(110, "lock.acquire", lock, 5, 1);
  segment.writer(2, 100).transition(120, "lock.block", lock, 5, 1, 1, 5);
  trace.write();
  const Outcome table = unspool("threads " + trace.path());
  CHECK(table.out.find("worker waits for lock \"accounts\" since ") != std::string::npos);
  CHECK(table.out.find("at transfer.cpp:31 (transfer); held by main.") != std::string::npos);
  const Json document = Json::parse(unspool("threads --format json " + trace.path()).out);
  const Json& wait = document["processes"][0]["threads"][1]["waits_for"];
  CHECK(wait["object"]["number"] == lock);
  CHECK(wait["owner"]["number"] == 1);
  CHECK(wait["since"] == 10);
  CHECK(wait["site"]["line"] == 31);
}
