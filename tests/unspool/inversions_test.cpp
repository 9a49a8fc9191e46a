// SPDX-License-Identifier: MIT
//
// Orders of locks that could deadlock, and what keeps them apart.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

using namespace unspool;
using namespace unspool::test;

TEST_CASE("two threads that take two locks in opposite orders could deadlock") {
  Course course;
  course.both(1, a, b);
  course.both(2, b, a);
  const Answer answer{course};
  const auto& all = answer.analysis.inversions.all();
  REQUIRE(all.size() == 1);
  CHECK(all[0].certainty == Certainty::likely);
  CHECK(all[0].severity == Severity::warning);
  CHECK_FALSE(all[0].happened);
  const auto& links = all[0].cycle.links;
  REQUIRE(links.size() == 2);
  CHECK(links[0].by->thread != links[1].by->thread);
  CHECK(links[0].key->inner == links[1].key->outer);
  CHECK(links[0].by->outer_since == 1010);
  CHECK(links[0].by->time == 1020);
  CHECK(links[0].key->outer_site == a % 100);
  CHECK(links[0].key->inner_site == b % 100);
  CHECK(answer.analysis.inversions.any_findings());
}

TEST_CASE("the same order everywhere, or one thread alone, cannot deadlock") {
  Course course;
  course.both(1, a, b);
  course.both(2, a, b);
  course.both(1, b, c);
  course.both(2, a, c);
  CHECK(found(course).empty());
  Course alone;
  alone.both(1, a, b);
  alone.both(1, b, a);
  alone.take(2, a);
  CHECK(found(alone).empty());
}

TEST_CASE("a ring of three is one finding, and by two threads only a possible one") {
  Course course;
  course.both(1, a, b);
  course.both(2, b, c);
  course.both(3, c, a);
  const auto three = found(course);
  REQUIRE(three.size() == 1);
  CHECK(three[0].cycle.links.size() == 3);
  CHECK(three[0].certainty == Certainty::likely);
  Course fewer;
  fewer.both(1, a, b);
  fewer.both(1, b, c);
  fewer.both(2, c, a);
  const auto two = found(fewer);
  REQUIRE(two.size() == 1);
  CHECK(two[0].certainty == Certainty::possible);
  CHECK(two[0].doubt.few_threads);
}

TEST_CASE("each pair in the wrong order is told, the shortest ring first") {
  Course course;
  course.both(1, a, b);
  course.both(2, b, a);
  course.both(2, b, c);
  course.both(3, c, a);
  const auto all = found(course);
  REQUIRE(all.size() == 2);
  CHECK(all[0].cycle.links.size() == 2);
  CHECK(all[1].cycle.links.size() == 3);
}

TEST_CASE("a lock that is held around both orders keeps them apart; around one it does not") {
  Course gated;
  for (const auto& [thread, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
    gated.take(thread, gate);
    gated.both(thread, outer, inner);
    gated.give(thread, gate);
  }
  CHECK(found(gated).empty());
  Course half;
  half.take(1, gate);
  half.both(1, a, b);
  half.give(1, gate);
  half.both(2, b, a);
  CHECK(found(half).size() == 1);
}

TEST_CASE("a longer ring is found where a gate closes the short one") {
  Course course;
  course.take(1, gate);
  course.both(1, a, b);
  course.give(1, gate);
  course.take(2, gate);
  course.both(2, b, a);
  course.give(2, gate);
  course.both(3, b, c);
  course.both(4, c, a);
  const auto all = found(course);
  REQUIRE(all.size() == 1);
  CHECK(all[0].cycle.links.size() == 3);
}

TEST_CASE("a gate that is only read keeps nobody apart") {
  Course course;
  for (const auto& [thread, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
    course.read(thread, gate);
    course.both(thread, outer, inner);
    course.stop_reading(thread, gate);
  }
  CHECK(found(course).size() == 1);
}

TEST_CASE("a start or a join in between keeps two orders apart") {
  Course started;
  started.both(1, a, b);
  started.start(1, 2);
  started.begin(started.now, 2);
  started.both(2, b, a);
  CHECK(found(started).empty());
  Course ended;
  ended.start(3, 1);
  ended.start(3, 2);
  ended.both(1, a, b);
  ended.ends(1);
  ended.joins(3, 1);
  ended.both(3, b, a);
  CHECK(found(ended).empty());
  ended.both(2, b, a);
  CHECK(found(ended).size() == 1);
}

TEST_CASE("what was before a start and comes again after it is not kept apart") {
  Course course;
  course.both(1, a, b);
  course.start(1, 2);
  course.both(2, b, a);
  course.both(1, a, b);
  CHECK(found(course).size() == 1);
}

TEST_CASE("orders that follow each other through a third thread are known to") {
  Course course;
  course.both(1, a, b);
  course.ends(1);
  course.joins(2, 1);
  course.start(2, 3);
  course.start(3, 4);
  course.both(4, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("an Event keeps two orders apart, unless somebody else might have set it") {
  const auto script = [](bool other_sets) {
    Course course;
    course.both(1, a, b);
    course.next(Kind::event, Verb::set, 1, thing);
    if (other_sets) course.next(Kind::event, Verb::set, 3, thing, 0, 0, 1);
    course.next(Kind::event, Verb::resume, 2, thing);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(false)).empty());
  CHECK(found(script(true)).size() == 1);
}

TEST_CASE("a Condition's notify comes before what the woken does") {
  Course course;
  course.both(1, a, b);
  course.next(Kind::condition, Verb::block, 2, condition(1));
  course.next(Kind::condition, Verb::notify, 1, condition(1), 0, 1, 1);
  course.next(Kind::condition, Verb::resume, 2, condition(1), 0, 1);
  course.both(2, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("an item of a Queue comes from its putter, if there was but one") {
  const auto script = [](bool other_puts) {
    Course course;
    course.both(1, a, b);
    course.next(Kind::queue, Verb::put, 1, thing, 0, 0, 1);
    if (other_puts) course.next(Kind::queue, Verb::put, 3, thing, 0, 0, 2);
    course.next(Kind::queue, Verb::get, 2, thing, 0, 0, other_puts ? 1 : 0);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(false)).empty());
  CHECK(found(script(true)).size() == 1);
}

TEST_CASE("who waits for all items to be done comes after those who did them") {
  Course course;
  course.both(1, a, b);
  course.next(Kind::queue, Verb::done, 1, thing);
  course.next(Kind::queue, Verb::resume, 2, thing);
  course.both(2, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("a Barrier keeps two rounds apart") {
  Course course;
  course.both(1, a, b);
  course.next(Kind::barrier, Verb::block, 1, thing);
  course.next(Kind::barrier, Verb::trip, 2, thing, 0, 1);
  course.next(Kind::barrier, Verb::resume, 1, thing, 0, 2);
  course.both(2, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("a semaphore that is a signal keeps two orders apart, one that is a lock does not") {
  Course signal;
  signal.both(1, a, b);
  signal.next(Kind::semaphore, Verb::release, 1, thing, 0, 1);
  signal.next(Kind::semaphore, Verb::acquire, 2, thing, 0, 0, 0);
  signal.both(2, b, a);
  CHECK(found(signal).empty());
  Course as_lock;
  for (const trace::ThreadNumber thread : {1U, 2U}) {
    as_lock.next(Kind::semaphore, Verb::acquire, thread, thing, 0, 0, 0);
    as_lock.next(Kind::semaphore, Verb::release, thread, thing, 0, 1);
    as_lock.both(thread, thread == 1 ? a : b, thread == 1 ? b : a);
  }
  CHECK(found(as_lock).size() == 1);
}

TEST_CASE("tasks of a pool are apart if the result of one was there before the other was submitted") {
  const auto script = [](bool result_first) {
    Course course;
    course.next(Kind::pool, Verb::submit, 3, thing, 0, 1);
    if (!result_first) course.next(Kind::pool, Verb::submit, 3, thing, 0, 2);
    course.next(Kind::pool, Verb::begin, 1, thing, 0, 1, 3);
    course.both(1, a, b);
    course.next(Kind::pool, Verb::end, 1, thing, 0, 1);
    if (result_first) {
      course.next(Kind::pool, Verb::resume, 3, thing, 0, 1, 1);
      course.next(Kind::pool, Verb::submit, 3, thing, 0, 2);
    }
    course.next(Kind::pool, Verb::begin, 2, thing, 0, 2, 3);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(true)).empty());
  CHECK(found(script(false)).size() == 1);
}
