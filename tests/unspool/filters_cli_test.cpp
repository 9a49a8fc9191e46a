// SPDX-License-Identifier: MIT
//
// Filters, baselines and CSV as they are asked for on the command line, with their exit codes.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/running.hpp>

#include <filesystem>

using namespace unspool_test;
namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);

/// Two threads that wait for each other's lock.
struct Stuck {
  TraceBuilder trace;
  Stuck() {
    auto& segment = trace.segment(1);
    segment.define_thread(1, "main").define_thread(2, "worker-1").define_thread(3, "worker-2");
    segment.define_object(lock, trace::Kind::lock, "a").define_object(object_number(2), trace::Kind::lock, "b");
    segment.writer(1, 100)
        .transition(110, "lock.acquire", lock, 0, 1)
        .transition(130, "lock.block", object_number(2), 0, 1, 2);
    segment.writer(2, 100)
        .transition(120, "lock.acquire", object_number(2), 0, 1)
        .transition(140, "lock.block", lock, 0, 1, 1);
    trace.write();
  }
  Outcome ask(const std::string& arguments) const { return unspool(arguments + " " + trace.path()); }
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a filter before or behind the input, once or several times, never swallows the input") {
  const Stuck stuck;
  const std::string path = stuck.trace.path();
  CHECK(has(unspool("locks --thread main " + path).out, "Only thread main (1 of 3)"));
  CHECK(has(unspool("locks " + path + " --thread main --thread 'worker-*'").out, "main, worker-* (3 of 3)"));
  CHECK(has(unspool("--thread=main " + path).out, "Only thread main (1 of 3)"));
}

TEST_CASE("2: a filter that fits nothing says so, with the nearest names, and prints nothing") {
  const Stuck stuck;
  const Outcome outcome = stuck.ask("locks --thread wroker-1");
  CHECK(outcome.exit == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err ==
        "unspool: no thread is called \"wroker-1\"; the nearest: \"worker-1\", \"worker-2\", \"main\"\n");
  CHECK(stuck.ask("locks --object c").exit == 2);
  CHECK(stuck.ask("locks --kind lok").exit == 2);
  CHECK(stuck.ask("locks --process nothing").exit == 2);
}

TEST_CASE("2: values that mean nothing, and options that the command does not have") {
  const Stuck stuck;
  for (const std::string arguments :
       {"locks --from yesterday", "locks --to 12:", "locks --min-wait long", "locks --min-wait -1ms",
        "locks --from +2s --to +1s", "cat --min-wait 1ms", "--min-wait 1ms cat", "state --from +1s",
        "locks --baseline /dev/null", "report --baseline /no/such/file", "locks --thread"}) {
    const Outcome outcome = stuck.ask(arguments);
    INFO(arguments << ": " << outcome.err);
    CHECK(outcome.exit == 2);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
}

TEST_CASE("a deadlock that the filter leaves out is no finding") {
  const Stuck stuck;
  CHECK(stuck.ask("deadlocks --thread worker-1").exit == 1);
  CHECK(stuck.ask("deadlocks --thread worker-2").exit == 0);
}

TEST_CASE("cat prints the Records that pass") {
  const Stuck stuck;
  const auto lines = [&](const std::string& filters) {
    const std::string out = stuck.ask("cat " + filters).out;
    return std::count(out.begin(), out.end(), '\n');
  };
  CHECK(lines("") == 4);
  CHECK(lines("--thread main") == 2);
  CHECK(lines("--object b") == 2);
  CHECK(lines("--thread main --object b") == 1);
  CHECK(lines("--kind lock") == 4);
  CHECK(lines("--from +20ns") == 2);
  CHECK(lines("--from -10ns") == 2);
  CHECK(lines("--from +10ns --to +20ns") == 2);
}

TEST_CASE("the processes that are asked for are read, and the others are counted") {
  const Stuck one;
  Stuck other;
  const std::string both = one.trace.path() + " " + other.trace.path();
  const Outcome all = unspool("locks " + both);
  CHECK_FALSE(has(all.out, "left out"));
  CHECK(unspool("locks --process nobody " + both).exit == 2);
  const std::string name = fs::path{one.trace.path()}.filename().string();
  CHECK(has(unspool("locks --process '" + name + "' " + both).out, "Only process " + name));
}

TEST_CASE("csv has a header, lines that end by CR LF, and the same exit codes") {
  const Stuck stuck;
  const Outcome outcome = stuck.ask("deadlocks --format csv");
  CHECK(outcome.exit == 1);
  CHECK(outcome.out.starts_with("program,pid,certainty,severity,cause,fingerprint,since,"));
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\r') == 2);
  const Outcome cat = stuck.ask("cat --format csv --thread main");
  CHECK(cat.out.starts_with("time,level,record,process.pid,thread.id,thread.name,object.id,"));
  CHECK(std::count(cat.out.begin(), cat.out.end(), '\n') == 3);
  CHECK(has(cat.out, "lock.block"));
}

TEST_CASE("findings of a baseline are counted and not told, and are no findings") {
  const Stuck stuck;
  const std::string file = stuck.trace.parent() + "/known.txt";
  const Outcome written = stuck.ask("deadlocks --write-baseline " + file);
  CHECK(written.exit == 0);
  CHECK(has(written.out, "DEADLOCK"));
  CHECK(has(read_file(file), " deadlock # main waits for lock \"b\" at "));
  for (const std::string command : {"deadlocks", "report"}) {
    const Outcome outcome = stuck.ask(command + " --baseline " + file);
    CHECK(outcome.exit == 0);
    CHECK(outcome.err.empty());
    CHECK_FALSE(has(outcome.out, "DEADLOCK"));
    CHECK(has(outcome.out, "Known and not told, as the baseline has them: 1 deadlock, 1 lock order, 0 misuses."));
    CHECK(has(outcome.out, "No new deadlock. (1 that the baseline accepts)"));
    CHECK_FALSE(has(outcome.out, "as part of no deadlock"));
  }
  CHECK(has(stuck.ask("deadlocks --format json --baseline " + file).out, "\"deadlocks\": 1"));
}

TEST_CASE("a line of the baseline that fits nothing any more is told, and goes when it is written anew") {
  const Stuck stuck;
  const std::string file = stuck.trace.parent() + "/known.txt";
  write_file(file,
             "# a comment\n\n0123456789abcdef deadlock # that of July\n00000000000000aa later # of a newer unspool\n");
  const Outcome outcome = stuck.ask("deadlocks --baseline " + file);
  CHECK(outcome.exit == 1);
  CHECK(outcome.err == "unspool: note: " + file +
                           ":3: nothing has the fingerprint 0123456789abcdef any more (deadlock: that of July)\n");
  CHECK(stuck.ask("deadlocks --thread worker-2 --baseline " + file).err.empty());
  CHECK(stuck.ask("deadlocks --baseline " + file + " --write-baseline " + file).exit == 0);
  const std::string text = read_file(file);
  CHECK_FALSE(has(text, "July"));
  CHECK(has(text, "00000000000000aa later # of a newer unspool"));
  CHECK(stuck.ask("deadlocks --baseline " + file).exit == 0);
}

TEST_CASE("2: a baseline with a line that is none says which one") {
  const Stuck stuck;
  const std::string file = stuck.trace.parent() + "/known.txt";
  for (const std::string line : {"xyz deadlock", "0123456789abcdef", "0123456789abcdeg deadlock", "12 deadlock",
                                 "0123456789abcdef =cmd", "\x1b[2J"}) {
    write_file(file, "# first\n" + line + "\n");
    const Outcome outcome = stuck.ask("deadlocks --baseline " + file);
    INFO(line);
    CHECK(outcome.exit == 2);
    CHECK(outcome.err.starts_with("unspool: " + file + ":2: "));
    CHECK_FALSE(has(outcome.err, "\x1b"));
  }
}

TEST_CASE("4: a baseline that cannot be written is said") {
  const Stuck stuck;
  const Outcome outcome = stuck.ask("deadlocks --write-baseline /no/such/place/known.txt");
  CHECK(outcome.exit == 4);
  CHECK(has(outcome.err, "cannot be written (No such file or directory)"));
}
