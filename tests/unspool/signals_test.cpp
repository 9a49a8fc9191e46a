// SPDX-License-Identifier: MIT
//
// Waits for what nobody holds, in each kind's own terms.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <string>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ObjectNumber object = trace::first_object_number + 5;

Script script_of(Kind kind, const std::string& name) {
  Script script;
  for (trace::ThreadNumber i = 1; i <= 4; ++i)
    script.thread(i, "worker-" + std::to_string(i));
  script.site(10, "/src/bank.cpp", 10, "make");
  script.object(object, kind, name, 10);
  return script;
}

const SignalFigures& only(const Answer& answer) {
  REQUIRE(answer.analysis.signals.figures().size() == 1);
  return answer.analysis.signals.figures()[0];
}

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a condition tells who notified whom, and how soon the waiter ran") {
  Script script = script_of(Kind::condition, "ready");
  script.add(Kind::condition, Verb::notify, 50, 1, object, 11, 0, 0);
  script.add(Kind::condition, Verb::block, 100, 2, object, 20, 1);
  script.add(Kind::condition, Verb::notify, 900, 1, object, 11, 1, 1);
  script.add(Kind::condition, Verb::resume, 930, 2, object, 20, 1, 11);
  const Answer answer{script};
  const SignalFigures& ready = only(answer);
  CHECK(ready.waits.sum() == 830);
  CHECK(ready.latency.max() == 30);
  CHECK(ready.signals == 2);
  CHECK(ready.in_vain == 1);
  REQUIRE(ready.wakers.parts().size() == 1);
  CHECK(ready.wakers.parts()[0].actor == Actor{1, 11});
  CHECK(has(printed(run_waits, script), "notified 2 times, 1 of them with nobody to wake"));
}

TEST_CASE("who let waiters of a queue go on is told with the line, which only its own Record has") {
  Script script = script_of(Kind::queue, "jobs");
  script.add(Kind::queue, Verb::block, 100, 2, object, 20, 1);
  script.add(Kind::queue, Verb::put, 900, 1, object, 11, 1, 1);
  script.add(Kind::queue, Verb::get, 930, 2, object, 20, 1, 0);
  const Answer answer{script};
  REQUIRE(only(answer).wakers.parts().size() == 1);
  CHECK(only(answer).wakers.parts()[0].actor == Actor{1, 11});
}

TEST_CASE("timeouts are told by the line that waited") {
  Script script = script_of(Kind::event, "go");
  script.add(Kind::event, Verb::block, 100, 2, object, 20);
  script.add(Kind::event, Verb::timeout, 200, 2, object, 20);
  script.add(Kind::event, Verb::timeout, 300, 3, object, 20);
  script.add(Kind::event, Verb::resume, 400, 3, object, 21, 1, 11);
  const Answer answer{script};
  CHECK(only(answer).timeouts == 2);
  CHECK(only(answer).passed == 1);
  CHECK(only(answer).timed_out.by_site()[0].count == 2);
  CHECK(has(printed(run_waits, script), "2 waits timed out: 2 at"));
}

TEST_CASE("the last to come to a barrier is told with what the others waited for it, generation by generation") {
  Script script = script_of(Kind::barrier, "phase");
  script.add(Kind::barrier, Verb::block, 100, 1, object, 20, 0, 0);
  script.add(Kind::barrier, Verb::block, 300, 2, object, 20, 1, 0);
  script.add(Kind::barrier, Verb::trip, 1000, 3, object, 21, 2, 0);
  script.add(Kind::barrier, Verb::block, 1010, 3, object, 20, 0, 1);
  script.add(Kind::barrier, Verb::resume, 1020, 1, object, 20, 3, 21);
  script.add(Kind::barrier, Verb::resume, 1030, 2, object, 20, 3, 21);
  script.add(Kind::barrier, Verb::trip, 1110, 2, object, 21, 1, 1);
  script.add(Kind::barrier, Verb::resume, 1120, 3, object, 20, 2, 21);
  const Answer answer{script};
  const auto last = only(answer).last.parts();
  REQUIRE(last.size() == 2);
  CHECK(last[0].actor == Actor{3, 21});
  CHECK(last[0].ticks == 900 + 700);
  CHECK(last[1].actor == Actor{2, 21});
  CHECK(last[1].ticks == 100);
}

TEST_CASE("a barrier's generations are those that have tripped, with an action and without") {
  Script script = script_of(Kind::barrier, "phase");
  for (std::uint32_t i = 0; i < 3; ++i) {
    const trace::Ticks now = 100 * (i + 1);
    script.add(Kind::barrier, Verb::block, now, 1, object, 20, 0, i);
    script.add(Kind::barrier, Verb::begin, now + 10, 2, object, 21, 1, i);
    script.add(Kind::barrier, Verb::trip, now + 20, 2, object, 21, 1, i);
    script.add(Kind::barrier, Verb::resume, now + 30, 1, object, 20, 2, 21);
  }
  script.add(Kind::barrier, Verb::abort, 900, 2, object, 22, 0, 0);
  const Answer answer{script};
  CHECK(only(answer).signals == 3);
}

TEST_CASE("a Queue that was shut down at once holds nothing from then on") {
  Script script = script_of(Kind::queue, "jobs");
  script.add(Kind::queue, Verb::put, 100, 1, object, 11, 0, 2);
  script.add(Kind::queue, Verb::shutdown, 200, 1, object, 12, 1, 0);
  script.add(Kind::queue, Verb::closed, 300, 2, object, 20, 1, 0);
  const Answer answer{script};
  CHECK(only(answer).depth.mean() == Approx(1));
}

TEST_CASE("who ended a wait counts where it was refused, too, and a worker that is sent to rest is not refused") {
  Script script = script_of(Kind::pool, "io");
  script.add(Kind::pool, Verb::block, 100, 2, object, 20, 2, 0);
  script.add(Kind::pool, Verb::begin, 300, 2, object, 20, 1, 1);
  script.add(Kind::pool, Verb::end, 310, 2, object, 20, 1, 0);
  script.add(Kind::pool, Verb::block, 320, 2, object, 20, 2, 0);
  script.add(Kind::pool, Verb::shutdown, 500, 3, object, 22, 0, 0);
  script.add(Kind::pool, Verb::closed, 510, 2, object, 20, 2, 3);
  const Answer answer{script};
  const auto wakers = only(answer).wakers.parts();
  REQUIRE(wakers.size() == 2);
  CHECK(wakers[0].actor.thread == 1);
  CHECK(wakers[0].ticks == 200);
  CHECK(wakers[1].actor.thread == 3);
  CHECK(only(answer).refused == 0);
}

TEST_CASE("a broken barrier's parties are not waited for by the next generation's last") {
  Script script = script_of(Kind::barrier, "phase");
  script.add(Kind::barrier, Verb::block, 100, 1, object, 20, 0, 0);
  script.add(Kind::barrier, Verb::timeout, 500, 1, object, 20, 0, 0);
  script.add(Kind::barrier, Verb::reset, 600, 2, object, 22, 0, 1);
  script.add(Kind::barrier, Verb::block, 700, 1, object, 20, 0, 1);
  script.add(Kind::barrier, Verb::trip, 750, 2, object, 21, 1, 1);
  const Answer answer{script};
  REQUIRE(only(answer).last.parts().size() == 1);
  CHECK(only(answer).last.parts()[0].ticks == 50);
}

TEST_CASE("of a semaphore it is told who had the permits while others waited") {
  Script script = script_of(Kind::semaphore, "connections");
  script.add(Kind::semaphore, Verb::acquire, 100, 1, object, 11, 0, 1);
  script.add(Kind::semaphore, Verb::acquire, 150, 2, object, 12, 0, 0);
  script.add(Kind::semaphore, Verb::block, 200, 3, object, 13, 1);
  script.add(Kind::semaphore, Verb::release, 500, 1, object, 14, 1, 1);
  script.add(Kind::semaphore, Verb::acquire, 510, 3, object, 13, 1, 0);
  script.add(Kind::semaphore, Verb::release, 900, 2, object, 15, 1, 0);
  const Answer answer{script};
  const SignalFigures& figures = only(answer);
  CHECK(figures.waited_for_permits == 310);
  REQUIRE(figures.holders.parts().size() == 3);
  CHECK(figures.holders.parts()[0].actor == Actor{2, 12});
  CHECK(figures.holders.parts()[0].ticks == 310);
  CHECK(figures.holders.parts()[1].actor == Actor{1, 11});
  CHECK(figures.holders.parts()[1].ticks == 300);
  CHECK(figures.holders.parts()[2].ticks == 0);
}

TEST_CASE("a queue's depth is weighed by time, and the sides that wait are told apart") {
  Script script = script_of(Kind::queue, "jobs");
  script.add(Kind::queue, Verb::block, 100, 2, object, 20, 1, 0);
  script.add(Kind::queue, Verb::put, 200, 1, object, 11, 0, 3);
  script.add(Kind::queue, Verb::get, 300, 2, object, 20, 1, 1);
  script.add(Kind::queue, Verb::block, 310, 1, object, 11, 0, 1);
  script.add(Kind::queue, Verb::timeout, 400, 1, object, 11, 0, 1);
  const Answer answer{script};
  const SignalFigures& jobs = only(answer);
  CHECK(jobs.depth.max == 3);
  CHECK(jobs.depth.mean() == Approx((0 * 100 + 3 * 100 + 1 * 100) / 300.0));
  CHECK(jobs.sides[1].sum() == 200);
  CHECK(jobs.sides[0].sum() == 90);
  CHECK(jobs.latency.sum() == 100);
}

TEST_CASE("a pool starves while tasks are queued and all its workers wait inside their own") {
  Script script = script_of(Kind::pool, "crew");
  script.add(Kind::pool, Verb::submit, 100, 1, object, 11, 1);
  script.add(Kind::pool, Verb::begin, 110, 2, object, 20, 1, 1);
  script.add(Kind::pool, Verb::submit, 200, 2, object, 12, 2);
  script.add(Kind::pool, Verb::block, 210, 2, object, 13, 1, 2);  // for the result of what is queued behind it
  script.add(Kind::pool, Verb::timeout, 710, 2, object, 13, 1, 2);
  script.add(Kind::pool, Verb::end, 720, 2, object, 20, 1, 0);
  script.add(Kind::pool, Verb::begin, 730, 2, object, 20, 2, 2);
  script.add(Kind::pool, Verb::end, 750, 2, object, 20, 2, 0);
  const Answer answer{script};
  const SignalFigures& crew = only(answer);
  CHECK(crew.starved == 500);
  CHECK(crew.starvations == 1);
  CHECK(crew.task_waits.max() == 530);
  CHECK(crew.task_waits.count() == 2);
  CHECK(crew.tasks.max() == 610);
  CHECK(crew.depth.max == 1);
  CHECK(has(printed(run_report, script), "starved for 500 ns"));
}

TEST_CASE("a pool with an idle worker does not starve") {
  Script script = script_of(Kind::pool, "crew");
  script.add(Kind::pool, Verb::block, 90, 3, object, 20, 2);
  script.add(Kind::pool, Verb::submit, 100, 1, object, 11, 1);
  script.add(Kind::pool, Verb::begin, 110, 2, object, 20, 1, 1);
  script.add(Kind::pool, Verb::submit, 200, 2, object, 12, 2);
  script.add(Kind::pool, Verb::block, 210, 2, object, 13, 1, 2);
  script.add(Kind::pool, Verb::begin, 300, 3, object, 20, 2, 2);
  const Answer answer{script};
  CHECK(only(answer).starved == 0);
}

TEST_CASE("a timer that fired late tells by how much") {
  Script script = script_of(Kind::timer, "");
  script.add(Kind::timer, Verb::block, 1000, 2, object, 20, 5);
  script.add(Kind::timer, Verb::resume, 5'003'000, 2, object, 20);
  const Answer answer{script};
  CHECK(only(answer).late.max() == 2000);
}

TEST_CASE("waits that go on at the end, and those without an end, are in no sum") {
  Script script = script_of(Kind::event, "go");
  script.add(Kind::event, Verb::block, 100, 2, object, 20);
  script.add(Kind::event, Verb::block, 200, 3, object, 20);
  script.add(Kind::event, Verb::set, 300, 3, object, 20, 0, 0);
  const Answer answer{script};
  CHECK(only(answer).waits.count() == 0);
  CHECK(only(answer).unended == 1);
  CHECK(only(answer).unended_ticks == 200);
  CHECK(only(answer).lost == 1);
}

TEST_CASE("hostile numbers and names end in figures and one line each") {
  Script script = script_of(Kind::semaphore, "bad\n\x1b[31m");
  script.add(Kind::semaphore, Verb::release, 100, 1, object, 11, 0xffff'ffff, 7);
  script.add(Kind::semaphore, Verb::acquire, 50, 2, object, 11, 0, 7);
  script.add(Kind::semaphore, Verb::block, ~trace::Ticks{0}, 2, object, 11);
  script.add(Kind::semaphore, Verb::acquire, 1, 2, object, 11);
  const std::string text = printed(run_waits, script);
  CHECK_FALSE(has(text, "\x1b"));
  CHECK(has(text, "bad\\n"));
}

TEST_CASE("in contended mode nothing is told of a semaphore, a queue or a pool that needs every call") {
  Script script = script_of(Kind::semaphore, "connections");
  script.process.mode = Mode::contended;
  script.add(Kind::semaphore, Verb::block, 200, 3, object, 13, 1);
  script.add(Kind::semaphore, Verb::release, 500, 1, object, 14, 1, 1);
  script.add(Kind::semaphore, Verb::acquire, 510, 3, object, 13, 1, 0);
  script.add(Kind::semaphore, Verb::block, 600, 2, object, 13, 1);
  const std::string text = printed(run_waits, script);
  CHECK_FALSE(has(text, "had a permit meanwhile"));
  CHECK(has(text, "who had its permits meanwhile is not known"));
  Options options;
  options.format = Options::Format::json;
  const Json figures = Json::parse(printed(run_waits, script, options))["processes"][0]["waits"][0];
  for (const char* unknown : {"holders", "waited_for_permits", "at_once", "busy", "signals", "in_vain"}) {
    INFO(unknown);
    CHECK(figures[unknown].is_null());
  }
  CHECK(figures["wait"]["total"] == 310);

  Script queue = script_of(Kind::queue, "jobs");
  queue.process.mode = Mode::contended;
  queue.add(Kind::queue, Verb::block, 200, 3, object, 13, 1, 0);
  queue.add(Kind::queue, Verb::put, 500, 1, object, 14, 0, 1);
  queue.add(Kind::queue, Verb::get, 510, 3, object, 13, 1, 0);
  CHECK_FALSE(has(printed(run_waits, queue), "items in mean"));
  const Json jobs = Json::parse(printed(run_waits, queue, options))["processes"][0]["waits"][0];
  CHECK(jobs["depth"].is_null());
  CHECK(jobs["waits_for"]["item"]["total"] == 310);
}

TEST_CASE("in mode long a wait has its purpose, and a barrier's parties have come when their waits began") {
  Script script = script_of(Kind::queue, "jobs");
  script.process.mode = Mode::long_waits;
  script.add(Kind::status, Verb::wait, 1200, 3, object, 13, 1).since = 200;
  script.add(Kind::queue, Verb::block, 1201, 3, object, 13, 1, 0);
  script.add(Kind::queue, Verb::put, 1500, 1, object, 14, 0, 1);
  script.add(Kind::queue, Verb::get, 1510, 3, object, 13, 1, 0);
  const Answer answer{script};
  CHECK(only(answer).lost == 0);
  CHECK(only(answer).sides[1].sum() == 1310);

  Script barrier = script_of(Kind::barrier, "phase");
  barrier.process.mode = Mode::long_waits;
  barrier.add(Kind::status, Verb::wait, 1100, 1, object, 20, 0).since = 100;
  barrier.add(Kind::barrier, Verb::block, 1101, 1, object, 20, 0, 0);
  barrier.add(Kind::status, Verb::wait, 1150, 2, object, 20, 0).since = 50;
  barrier.add(Kind::barrier, Verb::block, 1151, 2, object, 20, 1, 0);
  barrier.add(Kind::barrier, Verb::trip, 2000, 3, object, 21, 2, 0);
  const Answer phases{barrier};
  REQUIRE(only(phases).last.parts().size() == 1);
  CHECK(only(phases).last.parts()[0].ticks == 1900 + 1950);
}
