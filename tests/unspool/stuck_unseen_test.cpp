// SPDX-License-Identifier: MIT
//
// Who is stuck as far as a mode tells that does not record every step: hope_unseen.hpp, and pools whose tasks begin
// unseen.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber main_thread = 1;
constexpr trace::ThreadNumber worker = 2;
constexpr trace::ThreadNumber other = 3;
constexpr trace::ObjectNumber object = trace::first_object_number + 77;
constexpr std::uint32_t get_call = 1;
constexpr trace::SiteNumber pool_site = 60;

/// Main, and two threads that it made where the pool was made.
Script threads(Mode mode) {
  Script script;
  script.process.mode = mode;
  script.process.tells_limits = true;
  script.thread(main_thread, "MainThread");
  script.process.threads[main_thread].origin = trace::Origin::main;
  script.begin(1, main_thread);
  for (const trace::ThreadNumber each : {worker, other}) {
    script.thread(each, "thread-" + std::to_string(each));
    script.process.threads[each].creator = main_thread;
    script.add(Kind::thread, Verb::create, 2, main_thread, each, pool_site);
    script.begin(3, each);
  }
  return script;
}

/// Each got what the other put, and waits for the next; what main put first nobody waited for.
Script actors(Mode mode) {
  Script script = threads(mode);
  script.add(Kind::queue, Verb::put, 10, worker, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 11, other, object, 31, 0, 0);
  script.add(Kind::queue, Verb::put, 12, other, object + 1, 32, 0, 1);
  script.add(Kind::queue, Verb::get, 13, worker, object + 1, 33, 0, 0);
  script.add(Kind::queue, Verb::block, 20, worker, object + 1, 33, get_call, 0);
  script.add(Kind::queue, Verb::block, 21, other, object, 31, get_call, 0);
  return script;
}

std::vector<Cycle> findings(const Script& script) {
  const Answer answer{script};
  return answer.analysis.deadlocks.cycles();
}

std::string told(Script script) {
  Options options;
  options.width = 300;
  return printed(run_deadlocks, script, options);
}

Json json_of(Script script) {
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_deadlocks, script, options))["processes"][0];
}

constexpr Mode modes_in_part[] = {Mode::contended, Mode::long_waits};

}  // namespace

// The story: main had put the first item before the actors waited for it, which these modes do not record, and sat in
// read().
TEST_CASE("actors at rest are none where main goes on, who may have put unseen") {
  for (const Mode mode : modes_in_part) {
    const Script script = actors(mode);
    CHECK(findings(script).empty());
    const std::string text = told(script);
    INFO(text);
    CHECK(text.find("MainThread may do it: mode " + std::string{trace::name_of(mode)} + " does not tell") !=
          std::string::npos);
  }
  CHECK(findings(actors(Mode::all)).size() == 1);
}

TEST_CASE("actors at rest are likely stuck where main waits for them, and none where spool does not know all threads") {
  for (const Mode mode : modes_in_part) {
    Script script = actors(mode);
    script.join(30, main_thread, worker, 40);
    REQUIRE(findings(script).size() == 1);
    CHECK(findings(script)[0].certainty == Certainty::likely);
    script.process.unknown_threads = 1;
    CHECK(findings(script).empty());
  }
}

TEST_CASE("a finding in which somebody waits for a lock's owner stays where main goes on") {
  Script script = threads(Mode::contended);
  script.add(Kind::queue, Verb::put, 10, worker, object, 30, 0, 1);
  script.add(Kind::queue, Verb::get, 11, other, object, 31, 0, 0);
  script.block(20, worker, lock(1), 33, other, 34);
  script.add(Kind::queue, Verb::block, 21, other, object, 31, get_call, 0);
  REQUIRE(findings(script).size() == 1);
  CHECK(findings(script)[0].members.size() == 2);
  CHECK(findings(script)[0].certainty == Certainty::possible);
}

namespace {

enum class Call : std::uint32_t { result = 1, work = 2, all = 3 };

/// The worker, whose task began unseen, wants the lock that main has; the other is idle; main waits for the task.
Script pool_task(Mode mode, Call call) {
  Script script = threads(mode);
  script.object(object, Kind::pool, "", pool_site);
  script.add(Kind::pool, Verb::block, 20, other, object, pool_site, static_cast<std::uint32_t>(Call::work), 0);
  script.block(21, worker, lock(1), 33, main_thread, 34);
  script.add(Kind::pool, Verb::block, 22, main_thread, object, 35, static_cast<std::uint32_t>(call),
             call == Call::result ? 1 : 0);
  return script;
}

}  // namespace

// The story: the idle worker counted as one who would run the task, so that the wait seemed to go on by itself.
TEST_CASE("a task that began unseen is run by no worker that is idle") {
  const Call call = GENERATE(Call::result, Call::all);
  for (const Mode mode : modes_in_part) {
    const Script script = pool_task(mode, call);
    REQUIRE(findings(script).size() == 1);
    CHECK(findings(script)[0].members.size() == 2);
    CHECK(findings(script)[0].certainty == Certainty::likely);
  }
}

TEST_CASE("a task that was submitted after the worker became idle may be queued") {
  Script script = pool_task(Mode::contended, Call::result);
  script.add(Kind::pool, Verb::submit, 30, main_thread, object, 35, 1);
  CHECK(findings(script).empty());
}

TEST_CASE("a task that began unseen goes on with a worker that does not wait") {
  Script script = threads(Mode::contended);
  script.object(object, Kind::pool, "", pool_site);
  script.add(Kind::pool, Verb::block, 20, other, object, pool_site, static_cast<std::uint32_t>(Call::work), 0);
  script.add(Kind::pool, Verb::block, 22, main_thread, object, 35, static_cast<std::uint32_t>(Call::result), 1);
  CHECK(findings(script).empty());
}

TEST_CASE("what findings say of the past is what is recorded, unless everything was") {
  Script script = actors(Mode::contended);
  script.join(30, main_thread, worker, 40);
  CHECK(told(script).find("thread-2 is recorded to have put into it once, the last time") != std::string::npos);
  CHECK(json_of(script)["deadlocks"][0]["threads"][0]["hopes_for"][0]["times_known"] == false);
  script.process.mode = Mode::all;
  CHECK(told(script).find("thread-2 put into it once, the last time") != std::string::npos);
  CHECK(json_of(script)["deadlocks"][0]["threads"][0]["hopes_for"][0]["times_known"] == true);
}

TEST_CASE("nobody is only recorded to have done what a mode records in part") {
  struct Row {
    Kind kind;
    std::uint32_t call;
    const char* in_part;
    const char* all;
  };
  const Row rows[] = {
      {Kind::event, 1, "which nobody is recorded to have set,", "which nobody ever set,"},
      {Kind::semaphore, 1, "which nobody is recorded to have released a permit of,",
       "which nobody ever released a permit of,"},
      {Kind::barrier, 1, "to which too few are recorded to have come,", "to which too few have come,"},
      {Kind::queue, 0, "which nobody is recorded to have got from,", "which nobody ever got from,"},
      {Kind::queue, 1, "which nobody is recorded to have put into,", "which nobody ever put into,"},
  };
  for (const Row& row : rows) {
    Script script = threads(Mode::long_waits);
    script.end(10, other);
    script.add(row.kind, Verb::block, 20, worker, object, 31, row.call, 0);
    script.join(30, main_thread, worker, 40);
    const std::string in_part = told(script);
    INFO(in_part);
    CHECK(in_part.find(row.in_part) != std::string::npos);
    script.process.mode = Mode::all;
    const std::string text = told(script);
    INFO(text);
    CHECK(text.find(row.all) != std::string::npos);
  }
}
