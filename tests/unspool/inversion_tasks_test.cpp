// SPDX-License-Identifier: MIT
//
// Tasks of a pool whose results are waited for with a lock held that they ask for.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

using namespace unspool;
using namespace unspool::test;
using Catch::Matchers::Contains;

namespace {

constexpr trace::ThreadNumber waiter = 1;
constexpr trace::ThreadNumber worker = 2;
constexpr std::uint32_t for_result = 1;

/// What a task does and how its result is waited for.
struct Tasks : Course {
  void begins(std::uint32_t task) { next(Kind::pool, Verb::begin, worker, thing, 0, task, waiter); }
  void is_done(std::uint32_t task) { next(Kind::pool, Verb::end, worker, thing, 0, task, 0); }
  void blocks(std::uint32_t task) { next(Kind::pool, Verb::block, waiter, thing, 60, for_result, task); }
  void has_result(std::uint32_t task) { next(Kind::pool, Verb::resume, waiter, thing, 60, worker, task); }
  void gives_up(std::uint32_t task) { next(Kind::pool, Verb::timeout, waiter, thing, 60, for_result, task); }
  void runs(std::uint32_t task, trace::ObjectNumber asked) {
    begins(task);
    take(worker, asked);
    give(worker, asked);
    is_done(task);
  }
};

}  // namespace

TEST_CASE("a task's result that is waited for with a lock held which the task asks for could be a deadlock") {
  const auto script = [](trace::ObjectNumber asked, bool waits) {
    Tasks tasks;
    tasks.runs(1, asked);
    tasks.take(waiter, a);
    if (waits) tasks.blocks(1);
    tasks.has_result(1);
    tasks.give(waiter, a);
    return tasks;
  };
  for (const bool waits : {false, true}) {
    const auto all = found(script(a, waits));
    REQUIRE(all.size() == 1);
    CHECK(all[0].danger == Danger::task_under_lock);
    CHECK(all[0].certainty == Certainty::likely);
    CHECK(all[0].severity == Severity::warning);
    CHECK(all[0].join.joiner == waiter);
    CHECK(all[0].join.asker == worker);
    CHECK(all[0].join.task == TaskKey{thing, 1});
    CHECK(all[0].join.target_site == a % 100);
    CHECK(found(script(b, waits)).empty());
  }
  Tasks limited;
  limited.runs(1, a);
  limited.take(waiter, a);
  limited.next(Kind::pool, Verb::block, waiter, thing, 60, for_result, 1).row = trace::row_named("pool.block_timed");
  limited.has_result(1);
  limited.give(waiter, a);
  REQUIRE(found(limited).size() == 1);
  CHECK(found(limited)[0].severity == Severity::note);
  Tasks told = script(a, true);
  const std::string text = printed(run_order, told);
  CHECK_THAT(text, Contains("a task's result is waited for with a lock held that the task asks for"));
  CHECK_THAT(text, Contains("waits for  task 1 of pool"));
  CHECK_THAT(text, Contains("Advice: Release lock") && Contains("before the wait at"));
}

TEST_CASE("a task that still waits for the lock did deadlock") {
  Tasks tasks;
  tasks.take(waiter, a);
  tasks.begins(1);
  tasks.blocks(1);
  tasks.block(tasks.now += 10, worker, a, 17, waiter, 1);
  const auto all = found(tasks);
  REQUIRE(all.size() == 1);
  CHECK(all[0].danger == Danger::task_under_lock);
  CHECK(all[0].happened);
  CHECK(all[0].certainty == Certainty::likely);  // as `unspool deadlocks` has it
  CHECK(all[0].severity == Severity::error);
}

TEST_CASE("what another task of the same worker asked for keeps nobody waiting") {
  Tasks tasks;
  tasks.runs(1, a);
  tasks.runs(2, b);
  tasks.take(waiter, a);
  tasks.has_result(2);
  tasks.give(waiter, a);
  CHECK(found(tasks).empty());
}

TEST_CASE("a result that was there before the lock was acquired is no wait") {
  Tasks tasks;
  tasks.runs(1, a);
  tasks.has_result(1);
  tasks.take(waiter, a);
  tasks.has_result(1);
  tasks.give(waiter, a);
  CHECK(found(tasks).empty());
}

TEST_CASE("what a task asked for before it told others of that may be known to be past") {
  Tasks tasks;
  tasks.begins(1);
  tasks.take(worker, a);
  tasks.give(worker, a);
  tasks.next(Kind::event, Verb::set, worker, lock(21));
  tasks.is_done(1);
  tasks.take(waiter, a);
  tasks.has_result(1);
  tasks.give(waiter, a);
  CHECK(found(tasks).empty());
}

TEST_CASE("a wait for a result that gives up, and a task that only tries the lock, end by themselves") {
  Tasks gives_up;
  gives_up.runs(1, a);
  gives_up.take(waiter, a);
  gives_up.blocks(2);
  gives_up.gives_up(2);
  gives_up.blocks(1);
  gives_up.has_result(1);
  gives_up.give(waiter, a);
  CHECK(found(gives_up).empty());
  Tasks tries;
  tries.begins(1);
  tries.try_to_take(worker, a);
  tries.give(worker, a);
  tries.is_done(1);
  tries.take(waiter, a);
  tries.has_result(1);
  tries.give(waiter, a);
  CHECK(found(tries).empty());
}

// The story: a pool was shut down under a lock, after the results of its tasks that had asked for it.
TEST_CASE("a worker is joined with a lock held: only tasks whose end nobody knew before that matter") {
  const auto script = [](auto between) {
    Tasks tasks;
    tasks.runs(1, a);
    between(tasks);
    tasks.take(waiter, a);
    tasks.ends(worker);
    tasks.joins(waiter, worker);
    tasks.give(waiter, a);
    return tasks;
  };
  const auto all = found(script([](Tasks&) {}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].danger == Danger::join_under_lock);
  CHECK(all[0].join.asker == worker);
  CHECK(found(script([](Tasks& tasks) { tasks.has_result(1); })).empty());
  constexpr std::uint32_t all_tasks = 0;
  CHECK(found(script([](Tasks& tasks) { tasks.has_result(all_tasks); })).empty());
  CHECK(found(script([](Tasks& tasks) {
          tasks.runs(2, a);
          tasks.has_result(1);
        })).size() == 1);
}

TEST_CASE("two who read share the lock, one who writes does not") {
  const auto script = [](bool writes) {
    Tasks tasks;
    tasks.begins(1);
    tasks.read(worker, data);
    tasks.stop_reading(worker, data);
    tasks.is_done(1);
    if (writes) {
      tasks.write(waiter, data);
    } else {
      tasks.read(waiter, data);
    }
    tasks.has_result(1);
    return tasks;
  };
  CHECK(found(script(false)).empty());
  CHECK(found(script(true)).size() == 1);
}
