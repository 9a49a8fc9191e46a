// SPDX-License-Identifier: MIT
//
// How whole programs fork. Each is a child process: program_fork.cpp has them.
#include "running.hpp"

#include <fstream>
#include <iterator>
#include <set>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The number that the metadata's env gives; 0 where it names none.
long env_of(const std::filesystem::path& trace, const std::string& name) {
  const std::string text = text_of(TraceReader{trace}.segments().front() / "metadata");
  const auto at = text.find(" " + name + " = ");
  return at == std::string::npos ? 0 : std::stol(text.substr(at + name.size() + 4));
}

/// A parent's trace and those of its children, and of theirs.
struct Family {
  explicit Family(const ScratchDirectory& scratch) {
    for (const auto& each : scratch.traces())
      (env_of(each, "parent_pid") == 0 ? parents : children).push_back(each);
    REQUIRE(parents.size() == 1);
  }
  std::vector<std::filesystem::path> parents;
  std::vector<std::filesystem::path> children;
};

std::string directory_variable(const ScratchDirectory& scratch) {
  return "SPOOL_DIR=" + scratch.path().string();
}

void check_whole(const std::filesystem::path& path) {
  INFO(path);
  const TraceReader trace{path};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "trace.end") == 1);
  CHECK(count_of(trace, "trace.loss") == 0);
}

}  // namespace

TEST_CASE("a program with ten busy threads forks a hundred times, and every trace is whole") {
  for (const bool traced : {false, true}) {
    const ScratchDirectory scratch;
    const Ended ended =
        run("forks", traced ? std::vector<std::string>{directory_variable(scratch)} : std::vector<std::string>{});
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.empty());
    if (!traced) continue;
    const Family family{scratch};
    check_whole(family.parents.front());
    check_locks_gapless(TraceReader{family.parents.front()});
    CHECK(family.children.size() == 5);  // who only calls exec or _exit leaves nothing behind
    for (const auto& child : family.children) {
      check_whole(child);
      CHECK(env_of(child, "parent_pid") == env_of(family.parents.front(), "vpid"));
    }
  }
}

TEST_CASE("the child of a fork is the forking thread alone, and ends with it") {
  CHECK(run("forks_in_thread").exit_code == 0);
  const ScratchDirectory scratch;
  const Ended ended = run("forks_in_thread", {directory_variable(scratch)});
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "joined at the end\n");
  const Family family{scratch};
  REQUIRE(family.children.size() == 1);
  check_whole(family.children.front());
}

TEST_CASE("a thread that spool has not met may fork") {
  CHECK(run("forks_in_foreign").exit_code == 0);
  const ScratchDirectory scratch;
  CHECK(run("forks_in_foreign", {directory_variable(scratch)}).exit_code == 0);
}

TEST_CASE("locks of threads that stayed behind are reported, not waited for") {
  const ScratchDirectory scratch;
  const Ended ended = run("leaves_holders", {directory_variable(scratch)});
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  CHECK_THAT(ended.out, Contains("wait for an orphaned lock \"accounts\"") && Contains("held by thread holder (2)") &&
                            Contains("by thread MainThread (1)") && Contains("program_fork.cpp") &&
                            Contains("its holder stayed behind in the parent of a fork, where it acquired it at"));
  const Family family{scratch};
  REQUIRE(family.children.size() == 1);
  check_whole(family.children.front());
  const TraceReader trace{family.children.front()};
  CHECK(count_of(trace, "lock.orphan") == 4);
  const auto orphan = std::ranges::find(trace.records(), "lock.orphan", &ReadRecord::name);
  CHECK(orphan->fields[2] == 2);
  CHECK(orphan->fields[3] != 0);
  CHECK(count_of(trace, "status.hold") == 1);  // its own
  CHECK(count_of(trace, "message") == 2 + 4);
  CHECK(trace.records().front().name == "status.hold");
  CHECK(trace.records()[1].name == "message");
}

TEST_CASE("an orphaned lock is reported also where nothing is recorded") {
  const Ended ended = run("leaves_holders");
  CHECK(ended.exit_code == 0);
  CHECK(lines_of(ended.err) == 4);
  CHECK_THAT(ended.err, Contains("[error] (MainThread) wait for an orphaned lock \"accounts\"") &&
                            Contains("at a line that is not known"));
}

TEST_CASE("conditions and events work in the child, whoever waited in the parent") {
  CHECK(run("leaves_waiters").exit_code == 0);
  const ScratchDirectory scratch;
  CHECK(run("leaves_waiters", {directory_variable(scratch)}).exit_code == 0);
}

TEST_CASE("vfork, posix_spawn and system are unharmed and leave nothing behind") {
  const ScratchDirectory scratch;
  const Ended ended = run("becomes_others", {directory_variable(scratch)});
  CHECK(ended.exit_code == 0);
  check_whole(scratch.trace());
}

TEST_CASE("exec cuts the trace off, and it is readable") {
  const ScratchDirectory scratch;
  const Ended ended = run("execs", {directory_variable(scratch)});
  CHECK(ended.exit_code == 0);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "lock.acquire") > 0);
  CHECK(count_of(trace, "trace.end") == 0);
}

TEST_CASE("the child of a child names its own parent") {
  const ScratchDirectory scratch;
  CHECK(run("forks_twice", {directory_variable(scratch)}).exit_code == 0);
  const auto traces = scratch.traces();
  // Neither parent has anything to say before it forks, and only the first was recording from its start.
  REQUIRE(traces.size() == 2);
  const Family family{scratch};
  CHECK(env_of(family.children.front(), "parent_pid") != 0);
  CHECK(env_of(family.children.front(), "parent_pid") != env_of(family.parents.front(), "vpid"));
}

TEST_CASE("a child that has moved away writes beside its parent's trace") {
  const ScratchDirectory scratch;
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  const Ended ended = run("moves_away", {"SPOOL_DIR=."});
  std::filesystem::current_path(here);
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  CHECK(scratch.traces().size() == 2);
}

TEST_CASE("sinks of the child work, and no line is written twice") {
  for (const bool traced : {false, true}) {
    const ScratchDirectory scratch;
    const auto file = scratch.path() / "lines";
    std::vector<std::string> environment{"LINES=" + file.string()};
    if (traced) environment.push_back(directory_variable(scratch));
    const Ended ended = run("forks_with_sink", environment);
    CHECK(ended.exit_code == 0);
    CHECK(ended.err.empty());
    std::ifstream in{file};
    std::multiset<std::string> lines;
    for (std::string line; std::getline(in, line);)
      lines.insert(line);
    for (int i = 0; i < 8; ++i)
      CHECK(lines.count("MainThread child " + std::to_string(i)) == 1);
    const std::set<std::string> different{lines.begin(), lines.end()};
    CHECK(different.size() == lines.size());
    CHECK(lines.contains("writer line 0"));
    CHECK(scratch.traces().size() == (traced ? 9 : 0));
  }
}
