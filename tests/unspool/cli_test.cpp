// SPDX-License-Identifier: MIT
//
// The command line: exit codes, and that each problem is one sentence on stderr.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/builder.hpp>
#include <unspool/running.hpp>

#include <filesystem>

using namespace unspool_test;
namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);

struct Good {
  TraceBuilder trace;
  Good() {
    auto& segment = trace.segment(1);
    segment.define_thread(1, "main").define_object(lock, trace::Kind::lock, "accounts");
    segment.writer(1, 100).transition(110, "lock.acquire", lock, 0, 1).transition(120, "lock.release", lock, 0, 2);
    trace.write();
  }
  /// One Record less, and said.
  void damage() const { fs::resize_file(trace.segment_path(1) + "/stream-0001", 96 + 40); }
};

/// Two threads that wait for each other's lock.
void write_deadlock(TraceBuilder& trace) {
  auto& segment = trace.segment(1);
  segment.define_thread(1, "main").define_thread(2, "worker");
  segment.define_object(lock, trace::Kind::lock, "a").define_object(object_number(2), trace::Kind::lock, "b");
  segment.writer(1, 100)
      .transition(110, "lock.acquire", lock, 0, 1)
      .transition(130, "lock.block", object_number(2), 0, 1, 2);
  segment.writer(2, 100)
      .transition(120, "lock.acquire", object_number(2), 0, 1)
      .transition(140, "lock.block", lock, 0, 1, 1);
  trace.write();
}

}  // namespace

TEST_CASE("0: a good trace, with any command, and without one it is report") {
  const Good good;
  for (const std::string command : {"report", "threads", "locks", "joins", "deadlocks", "misuse", "check", "cat"}) {
    const Outcome outcome = unspool(command + " " + good.trace.path());
    CHECK(outcome.exit == 0);
    CHECK(outcome.err.empty());
    CHECK_FALSE(outcome.out.empty());
  }
  CHECK(unspool(good.trace.path()).out == unspool("report " + good.trace.path()).out);
  CHECK(unspool("--format json " + good.trace.path()).out ==
        unspool("report " + good.trace.path() + " --format json").out);
}

TEST_CASE("1: findings, also where the input is damaged besides") {
  TraceBuilder trace;
  write_deadlock(trace);
  CHECK(unspool("deadlocks " + trace.path()).exit == 1);
  CHECK(unspool("report " + trace.path()).exit == 1);
  CHECK(unspool("cat " + trace.path()).exit == 0);
  CHECK(unspool("threads " + trace.path()).exit == 0);
  write_file(trace.segment_path(1) + "/stream-0003", "broken");
  const Outcome outcome = unspool("deadlocks " + trace.path());
  CHECK(outcome.exit == 1);
  CHECK(outcome.err.find("/stream-0003: ends inside the packet header") != std::string::npos);
}

TEST_CASE("2: wrong usage, said in one line") {
  const Good good;
  for (const std::string arguments : {"", "--format xml /", "--nonsense", "locks", "cat --time never /",
                                      "deadlocks --redact '' /", "lock /", "why worker-1"}) {
    const Outcome outcome = unspool(arguments);
    CHECK(outcome.exit == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.starts_with("unspool: "));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(unspool("lock " + good.trace.path()).err.find("nearest: \"locks\"") != std::string::npos);
  CHECK(unspool("why worker-1").err.find("a thread and a trace") != std::string::npos);
  CHECK(unspool("deadlocks --redact '' " + good.trace.path()).err.find("the key is empty") != std::string::npos);
}

TEST_CASE("3: damaged input, analysed as far as it goes") {
  const Good good;
  good.damage();
  for (const std::string command : {"report", "threads", "locks", "joins", "deadlocks", "cat"}) {
    const Outcome outcome = unspool(command + " " + good.trace.path());
    CHECK(outcome.exit == 3);
    CHECK_FALSE(outcome.out.empty());
    CHECK(outcome.err.starts_with("unspool: " + good.trace.segment_path(1) + "/stream-0001: is cut short"));
  }
  const auto document = nlohmann::json::parse(unspool("locks --format json " + good.trace.path()).out);
  const auto& problems = document["processes"][0]["problems"];
  REQUIRE(problems.size() == 2);
  CHECK(problems[0]["severity"] == "damage");
}

TEST_CASE("3: one of several traces cannot be read") {
  const Good good;
  const Outcome outcome = unspool("report " + good.trace.path() + " /no/such/trace");
  CHECK(outcome.exit == 3);
  CHECK(outcome.err == "unspool: /no/such/trace: there is no such file or directory\n");
  CHECK_FALSE(outcome.out.empty());
}

TEST_CASE("4: nothing can be read") {
  const TemporaryDirectory directory;
  const Outcome outcome = unspool(directory.path());
  CHECK(outcome.exit == 4);
  CHECK(outcome.out.empty());
  CHECK(outcome.err ==
        "unspool: " + directory.path() + ": is an empty directory; give a directory PROGRAM-PID.spool\n");
}

TEST_CASE("a directory of traces, a trace, and a segment are read alike") {
  const Good good;
  const std::string lines = unspool("cat " + good.trace.path()).out;
  CHECK_FALSE(lines.empty());
  CHECK(unspool("cat " + good.trace.parent()).out == lines);
  CHECK(unspool("cat " + good.trace.segment_path(1)).out == lines);
  CHECK(unspool("cat " + good.trace.path() + "/").out == lines);
}

TEST_CASE("a path in a problem cannot control the terminal") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/\x1b[2J";
  fs::create_directory(path);
  const Outcome outcome = unspool("'" + path + "'");
  CHECK(outcome.err.find('\x1b') == std::string::npos);
  CHECK(outcome.err.find("\\x1b[2J") != std::string::npos);
}

TEST_CASE("version and help go to stdout") {
  const Outcome version = unspool("--version");
  CHECK(version.exit == 0);
  CHECK(version.out.starts_with("unspool "));
  CHECK(version.out.find("(trace format 1.1)") != std::string::npos);
  const Outcome help = unspool("--help");
  CHECK(help.exit == 0);
  CHECK(help.out.find("Exit codes:") != std::string::npos);
}

TEST_CASE("output that cannot be written is said") {
  const Good good;
  const Outcome outcome = unspool("cat " + good.trace.path() + " > /dev/full");
  CHECK(outcome.exit == 4);
  CHECK(outcome.err == "unspool: the output could not be written (No space left on device)\n");
}
