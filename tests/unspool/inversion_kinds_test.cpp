// SPDX-License-Identifier: MIT
//
// Orders of locks with tries, limits, readers and joins; how they are told, and what bounds the search.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

using namespace unspool;
using namespace unspool::test;

TEST_CASE("a try that did not wait cannot deadlock, but what it holds keeps others out") {
  Course course;
  course.both(1, a, b);
  course.take(2, b);
  course.try_to_take(2, a);
  course.give(2, a);
  course.give(2, b);
  CHECK(found(course).empty());
  Course outer;
  outer.both(1, a, b);
  outer.try_to_take(2, b);
  outer.take(2, a);
  CHECK(found(outer).size() == 1);
}

TEST_CASE("a call that locks several may wait for each of them, with what was held before it") {
  constexpr trace::SiteNumber several = 70;
  const auto course = [](bool fails_first) {
    Course made;
    made.take(2, c);
    made.acquire(made.now += 10, 2, a, several);
    if (fails_first) {  // it lets go what it has, and waits for the other
      made.add(Kind::lock, Verb::busy, made.now += 10, 2, b, several, 3, 5);
      made.give(2, a);
      made.block(made.now += 10, 2, b, several, 3, 5);
      made.acquire(made.now += 10, 2, b, several, 3);
      made.acquire(made.now += 10, 2, a, several, 2);
    } else {
      made.acquire(made.now += 10, 2, b, several, 2);
    }
    made.give(2, a);
    made.give(2, b);
    made.give(2, c);
    return made;
  };
  for (const bool fails_first : {false, true}) {
    Course against = course(fails_first);
    against.both(1, b, c);
    const auto all = found(against);
    REQUIRE(all.size() == 1);
    CHECK(all[0].severity == Severity::warning);
    Course within = course(fails_first);
    within.both(1, b, a);
    within.both(1, a, b);
    CHECK(found(within).empty());
  }
}

TEST_CASE("a wait with a limit is a note") {
  Course course;
  course.both(1, a, b);
  course.take(2, b);
  course.block(course.now += 10, 2, a, 70, 1, 5);
  course.add(Kind::lock, Verb::timeout, course.now += 10, 2, a, 70);
  course.give(2, b);
  const Answer answer{course};
  const auto& all = answer.analysis.inversions.all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].limited);
  CHECK(all[0].severity == Severity::note);
  CHECK_FALSE(answer.analysis.inversions.any_findings());
  // Two threads that try again for ever are stuck for good all the same.
  Options options;
  options.width = 1000;
  const std::string text = printed(run_order, course, options);
  INFO(text);
  CHECK(text.find("for ever if it is then tried anew") != std::string::npos);
}

TEST_CASE("where each of them would give up, nobody is stuck") {
  Course course;
  for (const auto& [who, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
    course.take(who, outer);
    course.block(course.now += 10, who, inner, 70 + who, 3, 5);
    course.records.back().row = trace::row_named("lock.block_timed");
    course.add(Kind::lock, Verb::timeout, course.now += 10, who, inner, 70 + who);
    course.give(who, outer);
  }
  CHECK(found(course).empty());
  // One that would wait for good makes it a note all the same.
  course.both(1, a, b);
  REQUIRE(found(course).size() == 1);
  CHECK(found(course)[0].severity == Severity::note);
}

TEST_CASE("how often a thread made a step counts those with a wait and those without") {
  Course course;
  for (int i = 0; i < 3; ++i)
    course.both(1, a, b);
  course.take(1, a);
  course.block(course.now += 10, 1, b, static_cast<trace::SiteNumber>(b % 100), 3, 5);
  course.take(1, b);
  course.give(1, b);
  course.give(1, a);
  course.both(2, b, a);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  std::uint64_t times = 0;
  for (const LinkOf& each : all[0].cycle.links)
    times += each.times;
  CHECK(times == 4 + 1);
}

TEST_CASE("a wait that ended well at a line where others gave up counts as one with a limit") {
  Course course;
  course.both(1, a, b);
  course.take(2, b);
  course.block(course.now += 10, 2, a, 70, 1, 5);
  course.acquire(course.now += 10, 2, a, 70, 1);
  course.give(2, a);
  course.add(Kind::lock, Verb::busy, course.now += 10, 2, c, 70);
  course.give(2, b);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].limited);
}

// The story: try_lock_for(10 s) that had to wait and got the lock was told as a warning.
TEST_CASE("a wait that ended well and was begun with a limit is a note, whatever else happens at its line") {
  const auto script = [](std::string_view block) {
    Course course;
    course.both(1, a, b);
    course.take(2, b);
    Record& waits = course.add(Kind::lock, Verb::block, course.now += 10, 2, a, 70, 1, 5);
    waits.row = &*std::ranges::find(trace::rows(), block, &trace::Row::name);
    course.acquire(course.now += 10, 2, a, 70, 1);
    course.give(2, a);
    course.give(2, b);
    return course;
  };
  for (const std::string_view block : {"lock.block_timed", "lock.block_stoppable"}) {
    const auto all = found(script(block));
    REQUIRE(all.size() == 1);
    CHECK(all[0].limited);
    CHECK(all[0].severity == Severity::note);
  }
  REQUIRE(found(script("lock.block")).size() == 1);
  CHECK_FALSE(found(script("lock.block"))[0].limited);
}

TEST_CASE("two threads that are stuck so are a certain finding") {
  Course course;
  course.take(1, a);
  course.take(2, b);
  course.block(course.now += 10, 1, b, 71, 2, 2);
  course.block(course.now += 10, 2, a, 72, 1, 1);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].happened);
  CHECK(all[0].certainty == Certainty::certain);
  CHECK(all[0].severity == Severity::error);
}

TEST_CASE("readers in both orders need a writer for each lock") {
  Course readers;
  readers.read_both(1, data, other_data);
  readers.read_both(2, other_data, data);
  CHECK(found(readers).empty());
  readers.writes(3, data);
  CHECK(found(readers).empty());
  readers.writes(3, other_data);
  CHECK(found(readers).empty());  // who waits for the one does not wait for the other
  readers.writes(4, other_data);
  const auto all = found(readers);
  REQUIRE(all.size() == 1);
  CHECK(all[0].cycle.writers.size() == 2);
}

TEST_CASE("a reader and a writer in opposite orders could deadlock") {
  Course course;
  course.read(1, data);
  course.take(1, a);
  course.give(1, a);
  course.stop_reading(1, data);
  course.take(2, a);
  course.writes(2, data);
  course.give(2, a);
  CHECK(found(course).size() == 1);
}

TEST_CASE("a reader that asks again needs a writer, who is not kept apart") {
  Course course;
  course.read(1, data);
  course.next(Kind::shared_lock, Verb::acquire_shared, 1, data, 55, 0, 2);
  course.stop_reading(1, data, 1);
  course.stop_reading(1, data);
  CHECK(found(course).empty());
  Course before = course;
  course.writes(2, data);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].danger == Danger::read_again);
  CHECK_FALSE(all[0].happened);
  Course stands = course;
  stands.read(1, data);
  stands.next(Kind::shared_lock, Verb::block, 2, data, 52, 1, 50);
  stands.next(Kind::shared_lock, Verb::block_shared, 1, data, 55, 2, 52);
  REQUIRE(found(stands).size() == 1);
  CHECK(found(stands)[0].happened);
  Course destroyed = course;
  destroyed.next(Kind::shared_lock, Verb::destroy, 1, data);
  CHECK(found(destroyed).size() == 1);
  before.start(1, 2);
  before.writes(2, data);
  CHECK(found(before).empty());
}

TEST_CASE("a join with a lock held that the joined thread asked for could deadlock") {
  const auto script = [](trace::ObjectNumber asked) {
    Course course;
    course.take(2, asked);
    course.give(2, asked);
    course.take(1, a);
    course.ends(2);
    course.joins(1, 2);
    course.give(1, a);
    return course;
  };
  const auto all = found(script(a));
  REQUIRE(all.size() == 1);
  CHECK(all[0].danger == Danger::join_under_lock);
  CHECK(all[0].join.joiner == 1);
  CHECK(all[0].join.target == 2);
  CHECK(found(script(b)).empty());
}

// The story: main held a lock and joined a thread that joins another one, which asks for it; nothing was found.
TEST_CASE("whoever joins a thread waits for those that it joins") {
  Course course;
  course.take(3, a);
  course.give(3, a);
  course.ends(3);
  course.joins(2, 3);
  course.take(1, a);
  course.ends(2);
  course.joins(1, 2);
  course.give(1, a);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].danger == Danger::join_under_lock);
  CHECK(all[0].join.target == 2);
  CHECK(all[0].join.asker == 3);
  REQUIRE(all[0].join.via.size() == 1);
  CHECK(all[0].join.via[0].joiner == 2);
  CHECK(all[0].join.via[0].target == 3);
  CHECK(all[0].certainty == Certainty::likely);
  const std::string text = printed(run_order, course);
  CHECK(text.find("a thread is joined with a lock held that one it joins asks for") != std::string::npos);
}

TEST_CASE("a thread that was joined before the lock was taken, in every run, keeps nobody waiting") {
  const auto script = [](bool tells) {
    Course course;
    course.take(3, a);
    course.give(3, a);
    course.ends(3);
    course.joins(2, 3);
    if (tells) course.next(Kind::event, Verb::set, 2, thing);
    course.next(Kind::event, Verb::resume, 1, thing);
    course.take(1, a);
    course.ends(2);
    course.joins(1, 2);
    course.give(1, a);
    return course;
  };
  CHECK(found(script(true)).empty());
  CHECK(found(script(false)).size() == 1);
}

TEST_CASE("a join with a limit, with a lock held that the joined thread asked for, is a note") {
  const auto script = [](std::string_view block) {
    Course course;
    course.take(2, a);
    course.give(2, a);
    course.take(1, a);
    course.next(Kind::thread, Verb::block, 1, 2, 60, 2).row = trace::row_named(block);
    course.ends(2);
    course.joins(1, 2);
    course.give(1, a);
    return course;
  };
  for (const std::string_view limited : {"thread.block_timed", "thread.block_stoppable"}) {
    const auto all = found(script(limited));
    REQUIRE(all.size() == 1);
    CHECK(all[0].severity == Severity::note);
    CHECK(all[0].limited);
  }
  const auto unlimited = found(script("thread.block"));
  REQUIRE(unlimited.size() == 1);
  CHECK(unlimited[0].severity == Severity::warning);
}

TEST_CASE("a join that would have given up keeps nobody waiting, nor does one by a third thread that is known of") {
  Course gives_up;
  gives_up.take(3, a);
  gives_up.give(3, a);
  gives_up.next(Kind::thread, Verb::block, 2, 3, 60, 3);
  gives_up.next(Kind::thread, Verb::timeout, 2, 3, 60, 3);
  gives_up.ends(3);
  gives_up.take(1, a);
  gives_up.ends(2);
  gives_up.joins(1, 2);
  gives_up.give(1, a);
  CHECK(found(gives_up).empty());

  Course known;
  known.take(3, a);
  known.give(3, a);
  known.ends(3);
  known.joins(2, 3);
  known.joins(4, 3);
  known.ends(4);
  known.joins(1, 4);
  known.take(1, a);
  known.ends(2);
  known.joins(1, 2);
  known.give(1, a);
  CHECK(found(known).empty());
}

TEST_CASE("two that are stuck behind a join of a join are a certain finding") {
  Course course;
  course.take(1, a);
  course.next(Kind::lock, Verb::block, 3, a, 9, 1, 1);
  course.next(Kind::thread, Verb::block, 2, 3, 60, 3);
  course.next(Kind::thread, Verb::block, 1, 2, 61, 2);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].happened);
  CHECK(all[0].join.asker == 3);
}

TEST_CASE("hand over hand, and the same order again, are in order") {
  Course course;
  for (const trace::ThreadNumber thread : {1U, 2U, 1U, 2U}) {
    course.take(thread, a);
    course.take(thread, b);
    course.give(thread, a);
    course.take(thread, c);
    course.give(thread, b);
    course.give(thread, c);
  }
  CHECK(found(course).empty());
}

TEST_CASE("the same mistake with other locks of the class is one finding with instances") {
  Course course;
  course.site(12, "/src/account.hpp", 12, "Account");
  course.site(40, "/src/transfer.cpp", 40, "transfer");
  course.site(41, "/src/transfer.cpp", 41, "transfer");
  for (std::uint64_t i = 0; i < 3; ++i) {
    const trace::ObjectNumber one = lock(100 + 2 * i);
    const trace::ObjectNumber two = lock(101 + 2 * i);
    course.object(one, Kind::lock, "account-" + std::to_string(2 * i), 12);
    course.object(two, Kind::lock, "account-" + std::to_string(2 * i + 1), 12);
    for (const auto& [thread, outer, inner] : {std::tuple{1U, one, two}, std::tuple{2U, two, one}}) {
      course.acquire(course.now += 10, thread, outer, 40);
      course.acquire(course.now += 10, thread, inner, 41);
      course.give(thread, inner);
      course.give(thread, outer);
    }
  }
  const auto all = found(course);
  REQUIRE(all.size() == 3);
  CHECK(all[0].fingerprint == all[1].fingerprint);
  CHECK(all[0].fingerprint == all[2].fingerprint);
  bool findings = false;
  const std::string text = printed(run_order, course, {}, &findings);
  CHECK(findings);
  CHECK_THAT(text, Catch::Contains("LOCK ORDER, warning, likely: two locks are taken in both orders.") &&
                       Catch::Contains("3 instances") && Catch::Contains("transfer.cpp:41") &&
                       Catch::Contains("std::scoped_lock"));
}

TEST_CASE("the story names threads, locks, times and lines, and escapes what is hostile") {
  Course course;
  course.thread(1, "evil\x1b[2J");
  course.thread(2, "worker-2");
  course.object(a, Kind::lock, "a\n<b>", 0);
  course.object(b, Kind::lock, "journal", 0);
  course.both(1, a, b);
  course.both(2, b, a);
  const std::string text = printed(run_order, course);
  CHECK_THAT(text, Catch::Contains("journal") && Catch::Contains("worker-2") && Catch::Contains("asks for"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text, Catch::Contains("Advice: Take"));
}

TEST_CASE("as JSON each step has its thread, locks, sites and times") {
  Course course;
  course.both(1, a, b);
  course.both(2, b, a);
  Options options;
  options.format = Options::Format::json;
  const Json document = Json::parse(printed(run_order, course, options));
  const Json& process = document["processes"][0];
  CHECK(process["order_known"] == true);
  REQUIRE(process["inversions"].size() == 1);
  const Json& one = process["inversions"][0];
  CHECK(one["what"] == "inversion");
  CHECK(one["count"] == 1);
  CHECK(one["steps"].size() == 2);
  CHECK(one["steps"][0]["thread"]["number"] == 1);
  CHECK(one["steps"][0]["asks_for"]["number"] == b);
}

TEST_CASE("a clean run says how many orders it saw; the report names what it found") {
  Course course;
  course.both(1, a, b);
  bool findings = true;
  CHECK_THAT(printed(run_order, course, {}, &findings), Catch::Contains("No lock order that could deadlock."));
  CHECK_FALSE(findings);
  course.both(2, b, a);
  CHECK_THAT(printed(run_report, course), Catch::Contains("Lock order: 1 place that could deadlock"));
}

TEST_CASE("outside of mode all it says that it cannot know") {
  Course course;
  course.process.mode = Mode::contended;
  course.both(1, a, b);
  course.both(2, b, a);
  bool findings = true;
  CHECK_THAT(printed(run_order, course, {}, &findings), Catch::Contains("not known"));
  CHECK_FALSE(findings);
}

TEST_CASE("what was lost makes no false alarm: a lock whose release is missing counts as held by nobody") {
  Course course;
  course.take(1, a);
  course.skip(a);  // the release
  course.take(2, a);
  course.give(2, a);
  course.take(1, b);
  course.give(1, b);
  course.both(2, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("a lock that another thread releases makes a finding only possible") {
  Course course;
  course.both(1, a, b);
  course.both(2, b, a);
  course.take(1, a);
  course.release(course.now += 10, 2, a, 99, 1);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].certainty == Certainty::possible);
}

TEST_CASE("a destroyed lock is remembered only where it stands between two others") {
  Course course;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    course.both(1, a, lock(1000 + i));
    course.add(Kind::lock, Verb::destroy, course.now += 10, 1, lock(1000 + i));
  }
  course.both(1, a, b);
  course.both(2, b, a);
  course.add(Kind::lock, Verb::destroy, course.now += 10, 1, b);
  const Answer answer{course};
  CHECK(answer.analysis.inversions.links() == 2);
  CHECK(answer.analysis.inversions.all().size() == 1);
}

TEST_CASE("a ring of a thousand threads is found") {
  constexpr std::uint32_t size = 1000;
  Course course;
  for (std::uint32_t i = 0; i < size; ++i)
    course.both(1 + i, lock(100 + i), lock(100 + (i + 1) % size));
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].cycle.links.size() == size);
}

TEST_CASE("locks that are all entangled under one gate are no finding") {
  Course course;
  for (trace::ThreadNumber thread = 1; thread <= 12; ++thread) {
    course.take(thread, gate);
    for (std::uint64_t i = 0; i < 12; ++i) {
      for (std::uint64_t k = 0; k < 12; ++k) {
        if (i != k) course.both(thread, lock(100 + i), lock(100 + k));
      }
    }
    course.give(thread, gate);
  }
  CHECK(found(course).empty());
}

TEST_CASE("a search among too many rings ends, and says that it is incomplete") {
  constexpr std::uint64_t layers = 20;
  Course course;
  trace::ThreadNumber thread = 0;
  const auto gated = [&](trace::ObjectNumber outer, trace::ObjectNumber inner) {
    course.take(++thread, gate);
    course.both(thread, outer, inner);
    course.give(thread, gate);
  };
  const auto at = [](std::uint64_t layer, std::uint64_t side) { return lock(100 + 2 * layer + side); };
  for (const std::uint64_t side : {0U, 1U}) {
    gated(a, at(0, side));
    gated(at(layers - 1, side), a);
  }
  for (std::uint64_t layer = 0; layer + 1 < layers; ++layer) {
    for (const std::uint64_t from : {0U, 1U}) {
      for (const std::uint64_t to : {0U, 1U})
        course.both(++thread, at(layer, from), at(layer + 1, to));
    }
  }
  const Answer answer{course};
  CHECK(answer.analysis.inversions.all().empty());
  CHECK(answer.analysis.inversions.is_search_cut());
  CHECK_THAT(printed(run_order, course), Catch::Contains("Incomplete"));
}

TEST_CASE("arbitrary Records are judged without a crash") {
  std::uint32_t state = 12345;
  const auto draw = [&](std::uint32_t below) {
    state = state * 1'664'525 + 1'013'904'223;
    return (state >> 8U) % below;
  };
  for (int round = 0; round < 20; ++round) {
    Script script;
    for (int i = 0; i < 3000; ++i) {
      const trace::Row& row = trace::rows()[draw(static_cast<std::uint32_t>(trace::rows().size()))];
      const bool of_thread = row.kind == Kind::thread;
      const trace::ObjectNumber object = of_thread ? 1 + draw(8) : lock(draw(12));
      script.add(row.kind, row.verb, draw(100'000), draw(9), object, draw(6), draw(9), draw(4)).since = draw(1000);
    }
    Options options;
    options.format = round % 2 == 0 ? Options::Format::json : Options::Format::table;
    CHECK_FALSE(printed(run_order, script, options).empty());
  }
}
