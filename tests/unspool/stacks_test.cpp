// SPDX-License-Identifier: MIT
//
// Call stacks at waits: from a process that was killed to what every question says of them; and from traces that lie.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/builder.hpp>
#include <unspool/running.hpp>

#include <filesystem>

using namespace unspool_test;
using Catch::Matchers::Contains;

namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);

trace::Value of(std::uint64_t number) {
  return number;
}

std::string program() {
  const char* const build = std::getenv("SPOOL_BUILD_DIR");  // NOLINT(concurrency-mt-unsafe)
  return (build != nullptr ? std::string{build} : std::string{"."}) + "/tests/unit_program";
}

/// The program as clang would have made it: nothing in it says which addresses a compilation unit has.
std::string program_without_ranges(const TemporaryDirectory& directory) {
  std::string copy = directory.path() + "/unit_program";
  REQUIRE(std::system(("objcopy --remove-section .debug_aranges " + program() + " " + copy).c_str()) == 0);  // NOLINT
  return copy;
}

/// The trace of a run.
struct Run {
  TemporaryDirectory directory;
  std::string trace;
  Outcome outcome;

  explicit Run(const std::string& name, const std::string& environment = "SPOOL_STACKS=on",
               const std::string& binary = program()) {
    outcome = run("SPOOL_KEEP=1M SPOOL_DIR=" + directory.path() + " " + environment + " " + binary + " " + name);
    for (const auto& each : fs::directory_iterator{directory.path()})
      trace = each.path();
  }
};

/// A thread that waits for a lock, with the call stack number 3.
struct Sample {
  TraceBuilder trace;
  SegmentBuilder& segment = trace.segment(1);

  Sample() {
    segment.define_thread(1, "main", trace::Origin::main).define_thread(5, "worker", trace::Origin::spool, 1);
    segment.define_object(lock, trace::Kind::lock, "accounts").define_site(1, "mutex.hpp", 10);
    segment.writer(1, 10).transition(20, "lock.acquire", lock, 1, 1);
    segment.writer(5, 10)
        .transition(30, "lock.block", lock, 1, 1, 1, 1)
        .record(31, "status.stack", lock, {of(3), of(0)});
  }

  void frame(std::uint64_t number, std::uint64_t inlined, std::string_view function, std::string_view file,
             std::uint64_t line) {
    segment.definitions().record(1, "definition.frame", 0,
                                 {of(number), of(inlined), of(line), of(0x1234), "/srv/bin/server", file, function});
  }
  void stack(std::uint64_t number, std::uint64_t frame, std::uint64_t caller) {
    segment.definitions().record(1, "definition.stack", 0, {of(number), of(frame), of(caller)});
  }
  Outcome ask(const std::string& question) {
    trace.write();
    return unspool(question + " " + trace.path());
  }
};

}  // namespace

TEST_CASE("after kill -9 each stuck thread's calls are told, though they all wait at a wrapper's line") {
  const TemporaryDirectory copies;
  const bool as_by_clang = GENERATE(false, true);
  const Run run{"stuck_in_a_wrapper", "SPOOL_STACKS=on", as_by_clang ? program_without_ranges(copies) : program()};
  CHECK(run.outcome.exit == 128 + 9);
  const Outcome state = unspool("state " + run.trace);
  INFO(state.out << state.err);
  CHECK(state.exit == 0);
  CHECK_THAT(state.out, Contains("in Mutex::lock() at program_stacks.cpp:"));
  CHECK_THAT(state.out, Contains("in pay_salaries(Mutex&) at program_stacks.cpp:"));
  CHECK_THAT(state.out, Contains("in inlined_call(Mutex&) at program_stacks.cpp:"));
  CHECK_THAT(state.out, Contains("in close_books(Mutex&) at program_stacks.cpp:"));
  CHECK(state.out.find("in spool::sync") == std::string::npos);
  CHECK(unspool("check " + run.trace).exit == 0);
}

TEST_CASE("the json form has every call with its place in the program") {
  const Run run{"stuck_in_a_wrapper"};
  const auto json = nlohmann::json::parse(unspool("state --format json " + run.trace).out);
  bool found = false;
  for (const auto& thread : json["processes"][0]["threads"]) {
    if (thread["name"] != "payer") continue;
    const auto& stack = thread["waits_for"]["stack"];
    REQUIRE(stack.is_array());
    REQUIRE(stack.size() >= 3);
    for (const auto& call : stack) {
      if (call["function"] != "Mutex::lock()") continue;
      CHECK(call["line"] > 0);
      CHECK_THAT(call["module"].get<std::string>(), Contains("unit_program"));
      CHECK(call["offset"] > 0);
      found = true;
    }
  }
  CHECK(found);
}

TEST_CASE("waits that have ended are told by call stack, also of a process that ended at once") {
  const Run run{"waits_once"};
  CHECK(run.outcome.exit == 0);
  const Outcome locks = unspool("locks " + run.trace);
  INFO(locks.out);
  CHECK_THAT(locks.out, Contains("(1 time, 100 %) in"));
  CHECK_THAT(locks.out, Contains("in pay_salaries(Mutex&) at program_stacks.cpp:"));
}

TEST_CASE("without SPOOL_STACKS there are none, and a value that is none is said") {
  const Run run{"waits_once", "SPOOL_STACKS=some"};
  CHECK_THAT(run.outcome.err,
             Contains("SPOOL_STACKS=some is not understood and ignored; it takes on, off or a number"));
  CHECK(unspool("cat " + run.trace).out.find("status.stack") == std::string::npos);
}

TEST_CASE("frames that nobody came to name are told by module and offset") {
  Sample sample;
  sample.frame(1, 0, "", "", 0);
  sample.stack(3, 1, 0);
  CHECK_THAT(sample.ask("state").out, Contains("in server+0x1234\n"));
}

TEST_CASE(
    "functions that were put into one another are calls of their own, and a later definition replaces an earlier") {
  Sample sample;
  sample.frame(1, 0, "stale_name", "stale.cpp", 1);
  sample.frame(1, 0, "inner", "a.cpp", 11);
  sample.frame(1, 1, "outer", "b.cpp", 22);
  sample.stack(3, 1, 0);
  const Outcome state = sample.ask("state");
  INFO(state.out);
  CHECK_THAT(state.out, Contains("in inner at a.cpp:11\n      in outer at b.cpp:22\n"));
  CHECK(state.out.find("stale") == std::string::npos);
}

TEST_CASE("a stack that calls itself, or frames that nobody defined, end somewhere") {
  Sample sample;
  sample.frame(1, 0, "again", "a.cpp", 1);
  sample.stack(3, 1, 4);
  sample.stack(4, 9, 3);
  const Outcome state = sample.ask("state");
  CHECK(state.exit == 0);
  CHECK_THAT(state.out, Contains("in again at a.cpp:1"));
  CHECK_THAT(state.out, Contains("and further calls"));
}

TEST_CASE("what a frame is called is hostile") {
  Sample sample;
  sample.frame(1, 0, "f\x1b[31m\n\xff", "a\x07.cpp", 1);
  sample.stack(3, 1, 0);
  for (const std::string question : {"state", "deadlocks", "state --format json", "locks --format json", "cat"}) {
    const Outcome outcome = sample.ask(question);
    INFO(question << outcome.out);
    CHECK(outcome.out.find('\x1b') == std::string::npos);
    CHECK(outcome.out.find('\x07') == std::string::npos);
    CHECK(outcome.out.find('\xff') == std::string::npos);
  }
}

TEST_CASE("redacted calls say nothing of the program, and are as many") {
  Sample sample;
  sample.frame(1, 0, "spool::sync::Lock::lock()", "lock.cpp", 1);
  sample.frame(2, 0, "secret_function()", "secret.cpp", 7);
  sample.stack(3, 1, 2);
  sample.stack(2, 2, 0);
  const Outcome state = sample.ask("state --redact key");
  INFO(state.out);
  CHECK(state.out.find("secret") == std::string::npos);
  CHECK(state.out.find("std::") == std::string::npos);
  CHECK_THAT(state.out, Contains("      in function-"));
  const std::string dump = sample.trace.parent() + "/dump.jsonl";
  write_file(dump, sample.ask("cat --format json --definitions --redact key").out);
  CHECK(read_file(dump).find("secret") == std::string::npos);
  const Outcome again = unspool("state " + dump);
  INFO(again.out << again.err);
  CHECK_THAT(again.out, Contains("      in function-"));
}
