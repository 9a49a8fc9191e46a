// SPDX-License-Identifier: MIT
//
// What comes before what in every run, so that two orders cannot meet; and, beside each, what looks like it and may
// meet.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

#include <functional>

using namespace unspool;
using namespace unspool::test;

namespace {

void put(Course& course, trace::ThreadNumber who, std::uint32_t size) {
  course.next(Kind::queue, Verb::put, who, thing, 0, 0, size);
}
void get(Course& course, trace::ThreadNumber who, std::uint32_t size) {
  course.next(Kind::queue, Verb::get, who, thing, 0, 0, size);
}
void blocks_to_put(Course& course, trace::ThreadNumber who, std::uint32_t size) {
  course.next(Kind::queue, Verb::block, who, thing, 0, 0, size);
}

/// Of a thread 1 that joins thread 2 with a held.
std::size_t found_at_join(const std::function<void(Course&)>& before) {
  Course course;
  course.start(1, 2);
  before(course);
  course.ends(2);
  course.joins(1, 2);
  course.give(1, a);
  return found(course).size();
}

}  // namespace

TEST_CASE("a join with a lock held is harmless if the joined thread had asked for it before that was acquired") {
  const auto asks = [](Course& course) {
    course.take(2, a);
    course.give(2, a);
  };
  const auto tells = [](Course& course) { course.next(Kind::event, Verb::set, 2, thing); };
  const auto hears = [](Course& course) { course.next(Kind::event, Verb::resume, 1, thing, 0, 2); };
  CHECK(found_at_join([&](Course& course) {
          asks(course);
          tells(course);
          hears(course);
          course.take(1, a);
        }) == 0);
  CHECK(found_at_join([&](Course& course) {
          tells(course);
          asks(course);
          hears(course);
          course.take(1, a);
        }) == 1);
  CHECK(found_at_join([&](Course& course) {  // it asks once more
          asks(course);
          tells(course);
          hears(course);
          asks(course);
          course.take(1, a);
        }) == 1);
  CHECK(found_at_join([&](Course& course) {  // what it heard of it with the lock held came too late
          asks(course);
          tells(course);
          course.take(1, a);
          hears(course);
        }) == 1);
}

TEST_CASE("a join with a lock held is told where so much was asked for that the last time is not known") {
  CHECK(found_at_join([](Course& course) {
          for (std::uint64_t i = 0; i < 40; ++i) {
            course.take(2, i == 0 ? a : lock(200 + i));
            course.give(2, i == 0 ? a : lock(200 + i));
          }
          course.next(Kind::event, Verb::set, 2, thing);
          course.next(Kind::event, Verb::resume, 1, thing, 0, 2);
          course.take(1, a);
        }) == 1);
}

TEST_CASE("the shutdown of a Queue comes before whom it refuses, unless somebody else might have shut it down") {
  const auto script = [](trace::ThreadNumber first, trace::ThreadNumber second) {
    Course course;
    course.both(1, a, b);
    course.next(Kind::queue, Verb::block, 2, thing, 0, 1, 0);
    course.next(Kind::queue, Verb::shutdown, first, thing, 0, 0, 1);
    if (second != 0) course.next(Kind::queue, Verb::shutdown, second, thing);
    course.next(Kind::queue, Verb::closed, 2, thing, 0, 1, first);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(1, 0)).empty());
  CHECK(found(script(3, 0)).size() == 1);
  CHECK(found(script(1, 3)).size() == 1);
}

TEST_CASE("the shutdown of a pool comes before whom it refuses") {
  Course course;
  course.both(1, a, b);
  course.next(Kind::pool, Verb::shutdown, 1, thing);
  course.next(Kind::pool, Verb::closed, 2, thing, 0, 0, 1);
  course.both(2, b, a);
  CHECK(found(course).empty());
}

TEST_CASE("a Timer's cancel comes before the end of its thread, unless it came too late") {
  const auto script = [](bool in_time) {
    Course course;
    course.both(1, a, b);
    course.next(Kind::timer, Verb::block, 4, thing);
    if (in_time) course.next(Kind::timer, Verb::abort, 1, thing, 0, 1);
    if (in_time) course.next(Kind::timer, Verb::cancel, 4, thing, 0, 1);
    if (!in_time) course.next(Kind::timer, Verb::resume, 4, thing);
    course.ends(4);
    course.joins(2, 4);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(true)).empty());
  CHECK(found(script(false)).size() == 1);
}

TEST_CASE("who breaks a Barrier comes before whom that refuses; its other parties do not, nor who times out") {
  const auto script = [](trace::ThreadNumber steps, Verb how, trace::ThreadNumber again) {
    Course course;
    course.both(steps, a, b);
    course.next(Kind::barrier, Verb::block, 2, thing, 0, 0, 0);
    if (how == Verb::timeout) course.next(Kind::barrier, Verb::block, 1, thing, 0, 1, 0);
    course.next(Kind::barrier, how, 1, thing, 0, 1);
    course.next(Kind::barrier, Verb::broken, 2, thing, 0, 1);
    if (again != 0) course.next(Kind::barrier, Verb::abort, again, thing);
    if (again != 0) course.next(Kind::barrier, Verb::broken, 2, thing, 0, 1);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(1, Verb::abort, 0)).empty());
  CHECK(found(script(1, Verb::reset, 0)).empty());
  CHECK(found(script(3, Verb::abort, 0)).size() == 1);
  CHECK(found(script(1, Verb::timeout, 0)).size() == 1);
}

TEST_CASE("of two who abort a Barrier either would have been enough for who comes later") {
  Course course;
  course.both(1, a, b);
  course.next(Kind::barrier, Verb::abort, 1, thing);
  course.next(Kind::barrier, Verb::abort, 3, thing);
  course.next(Kind::barrier, Verb::broken, 2, thing, 0, 1);
  course.both(2, b, a);
  CHECK(found(course).size() == 1);
}

TEST_CASE("a get comes before the put that needs its room") {
  const auto script = [](std::uint32_t capacity, bool waits) {
    Course course;
    for (std::uint32_t i = 1; i <= capacity; ++i)
      put(course, 2, i);
    if (waits) blocks_to_put(course, 2, capacity);
    course.both(1, a, b);
    get(course, 1, capacity - 1);
    put(course, 2, capacity);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(1, true)).empty());
  CHECK(found(script(3, true)).empty());
  CHECK(found(script(1, false)).size() == 1);  // nobody has ever seen it full: it may be larger
}

TEST_CASE("a put that needs room comes after the get though it had not to wait; one that needs none does not") {
  const auto script = [](bool steps_early) {
    Course course;
    put(course, 2, 1);
    put(course, 2, 2);
    blocks_to_put(course, 2, 2);
    get(course, 1, 1);
    put(course, 2, 2);
    get(course, 1, 1);
    if (steps_early) course.both(1, a, b);
    get(course, 1, 0);
    if (!steps_early) course.both(1, a, b);
    put(course, 2, 1);
    if (!steps_early) course.both(2, b, a);  // has needed two gets of three
    put(course, 2, 2);
    if (steps_early) course.both(2, b, a);
    return course;
  };
  CHECK(found(script(true)).empty());
  CHECK(found(script(false)).size() == 1);
}

TEST_CASE("of two getters either may have made the room") {
  Course course;
  put(course, 2, 1);
  put(course, 2, 2);
  blocks_to_put(course, 2, 2);
  get(course, 3, 1);
  course.both(1, a, b);
  get(course, 1, 0);
  put(course, 2, 1);
  put(course, 2, 2);
  course.both(2, b, a);
  CHECK(found(course).size() == 1);
}

TEST_CASE("a permit that is needed comes from the only one who gives them, however many there were at first") {
  const auto turns = [](std::uint32_t at_first) {
    Course course;
    for (std::uint32_t i = 0; i < 2; ++i) {
      acquire(course, 1, at_first - 1);
      course.both(1, a, b);
      course.next(Kind::event, Verb::set, 1, lock(21 + i));
      course.next(Kind::event, Verb::resume, 2, lock(21 + i), 0, 1);
      course.both(2, b, a);
      release(course, 2);
    }
    return course;
  };
  CHECK(found(turns(1)).empty());
  CHECK(found(turns(2)).size() == 1);
}

TEST_CASE("who took the second permit might have taken the first") {
  const auto script = [](bool other_takes) {
    Course course;
    release(course, 1);
    acquire(course, other_takes ? 3 : 2);
    course.both(1, a, b);
    release(course, 1);
    acquire(course, 2);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(false)).empty());
  CHECK(found(script(true)).size() == 1);
}

TEST_CASE("what is held from before a start until after the join keeps the started thread out as well") {
  const auto family = [](Course& course, trace::ThreadNumber parent, trace::ThreadNumber child,
                         trace::ObjectNumber outer, trace::ObjectNumber inner, bool lets_go) {
    course.take(parent, gate);
    course.start(parent, child);
    if (lets_go) {
      course.give(parent, gate);
      course.take(parent, gate);
    }
    course.both(child, outer, inner);
    course.ends(child);
    course.joins(parent, child);
    course.give(parent, gate);
  };
  Course children;
  family(children, 1, 11, a, b, false);
  family(children, 2, 12, b, a, false);
  CHECK(found(children).empty());
  Course one_child;
  family(one_child, 1, 11, a, b, false);
  one_child.take(2, gate);
  one_child.both(2, b, a);
  one_child.give(2, gate);
  CHECK(found(one_child).empty());
  Course lets_go;
  family(lets_go, 1, 11, a, b, true);
  family(lets_go, 2, 12, b, a, false);
  CHECK(found(lets_go).size() == 1);
}

TEST_CASE("a parent's one permit keeps out as its locks do") {
  const auto script = [](std::uint32_t more) {
    Course course;
    for (const auto& [parent, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
      acquire(course, parent, more);
      course.start(parent, parent + 10);
      course.both(parent + 10, outer, inner);
      course.ends(parent + 10);
      course.joins(parent, parent + 10);
      release(course, parent);
    }
    return course;
  };
  CHECK(found(script(0)).empty());
  CHECK(found(script(1)).size() == 1);
}

TEST_CASE("a lock that is released before the join keeps nobody out") {
  Course course;
  for (const auto& [parent, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
    course.take(parent, gate);
    course.start(parent, parent + 10);
    course.both(parent + 10, outer, inner);
    course.ends(parent + 10);
    course.give(parent, gate);
    course.joins(parent, parent + 10);
  }
  CHECK(found(course).size() == 1);
}

TEST_CASE("a parent's lock keeps neither its children apart nor itself from them") {
  Course siblings;
  siblings.take(1, gate);
  siblings.start(1, 11);
  siblings.start(1, 12);
  siblings.both(11, a, b);
  siblings.both(12, b, a);
  siblings.ends(11);
  siblings.ends(12);
  siblings.joins(1, 11);
  siblings.joins(1, 12);
  siblings.give(1, gate);
  CHECK(found(siblings).size() == 1);
  Course itself;
  itself.take(1, gate);
  itself.start(1, 11);
  itself.both(11, a, b);
  itself.both(1, b, a);
  itself.ends(11);
  itself.joins(1, 11);
  itself.give(1, gate);
  CHECK(found(itself).size() == 1);
}

TEST_CASE(
    "what is held around a thread's life is held around those that it starts and joins, and keeps not these apart") {
  const auto grandchild = [](Course& course, trace::ThreadNumber parent, trace::ThreadNumber child,
                             trace::ThreadNumber its_child, auto outer, auto inner, bool joined) {
    course.take(parent, gate);
    course.start(parent, child);
    course.start(child, its_child);
    course.both(its_child, outer, inner);
    course.ends(its_child);
    if (joined) course.joins(child, its_child);
    course.ends(child);
    course.joins(parent, child);
    course.give(parent, gate);
  };
  for (const bool joined : {true, false}) {
    Course course;
    grandchild(course, 1, 11, 21, a, b, joined);
    course.take(2, gate);
    course.both(2, b, a);
    course.give(2, gate);
    CHECK(found(course).size() == (joined ? 0 : 1));
  }
  Course cousins;
  cousins.take(1, gate);
  for (const auto& [child, outer, inner] : {std::tuple{11U, a, b}, std::tuple{12U, b, a}}) {
    cousins.start(1, child);
    cousins.start(child, child + 10);
    cousins.both(child + 10, outer, inner);
    cousins.ends(child + 10);
    cousins.joins(child, child + 10);
  }
  for (const trace::ThreadNumber child : {11U, 12U}) {
    cousins.ends(child);
    cousins.joins(1, child);
  }
  cousins.give(1, gate);
  CHECK(found(cousins).size() == 1);
}

// A waiter that ran only after the next signal seemed to have been woken by that one, with all that lay between the
// two.
TEST_CASE("a waiter that is slow to run knows what the signal knew that woke it, and no later one") {
  const auto event = [](bool late) {
    Course course;
    course.next(Kind::event, Verb::block, 2, thing);
    course.next(Kind::event, Verb::set, 1, thing, 0, 1, 0);
    if (!late) course.next(Kind::event, Verb::resume, 2, thing, 0, 1);
    course.next(Kind::event, Verb::clear, 1, thing);
    course.both(1, a, b);
    course.next(Kind::event, Verb::set, 1, thing, 0, 0, 0);
    course.next(Kind::event, Verb::resume, 2, thing, 0, 1);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(event(true)).size() == 1);
  CHECK(found(event(false)).empty());
  Course notified;
  notified.next(Kind::condition, Verb::block, 2, condition(1));
  notified.next(Kind::condition, Verb::block, 3, condition(1));
  notified.next(Kind::condition, Verb::notify, 1, condition(1), 0, 1, 2);
  notified.both(1, a, b);
  notified.next(Kind::condition, Verb::notify, 1, condition(1), 0, 1, 1);
  notified.next(Kind::condition, Verb::resume, 2, condition(1), 0, 1);
  notified.both(2, b, a);
  CHECK(found(notified).size() == 1);
}

TEST_CASE("who comes to a Barrier for the next round, while the action of this one runs, does not come before it") {
  Course course;
  course.next(Kind::barrier, Verb::block, 2, thing, 0, 0, 0);
  course.both(1, a, b);
  course.next(Kind::barrier, Verb::block, 1, thing, 0, 0, 1);
  course.next(Kind::barrier, Verb::trip, 3, thing, 0, 1, 0);
  course.next(Kind::barrier, Verb::resume, 2, thing, 0, 3);
  course.both(2, b, a);
  CHECK(found(course).size() == 1);
}

TEST_CASE("a Barrier's action comes after what each party did before it came") {
  const auto script = [](std::uint32_t generation) {
    Course course;
    course.both(1, b, a);
    course.next(Kind::barrier, Verb::block, 1, thing, 0, 0, generation);
    course.next(Kind::barrier, Verb::begin, 2, thing, 0, 1, 0);
    course.both(2, a, b);
    course.next(Kind::barrier, Verb::trip, 2, thing, 0, 1, 0);
    return course;
  };
  CHECK(found(script(0)).empty());
  CHECK(found(script(1)).size() == 1);
}

TEST_CASE("what is done by a join of a Queue is not what is done until it runs") {
  Course course;
  put(course, 3, 1);
  course.next(Kind::queue, Verb::block, 2, thing, 0, 2, 1);
  get(course, 1, 0);
  course.next(Kind::queue, Verb::done, 1, thing);
  course.both(1, a, b);
  put(course, 3, 1);
  get(course, 1, 0);
  course.next(Kind::queue, Verb::done, 1, thing);
  course.next(Kind::queue, Verb::resume, 2, thing, 0, 1);
  course.both(2, b, a);
  CHECK(found(course).size() == 1);
}

TEST_CASE("a worker's earlier task does not come before what a later one tells") {
  const auto script = [](bool locks) {
    Course course;
    for (std::uint32_t task = 1; task <= 2; ++task)
      course.next(Kind::pool, Verb::submit, 3, lock(40), 0, task);
    course.next(Kind::pool, Verb::begin, 1, lock(40), 0, 1, 3);
    course.both(1, a, b);
    course.next(Kind::pool, Verb::end, 1, lock(40), 0, 1);
    course.next(Kind::pool, Verb::begin, 1, lock(40), 0, 2, 3);
    if (locks) course.take(1, c);
    if (locks) course.give(1, c);
    course.next(Kind::event, Verb::set, 1, thing);
    course.next(Kind::event, Verb::resume, 2, thing, 0, 1);
    course.both(2, b, a);
    return course;
  };
  CHECK(found(script(false)).size() == 1);
  CHECK(found(script(true)).size() == 1);
}
