// SPDX-License-Identifier: MIT
//
// Semaphores that keep threads of a ring apart, and what looks like it.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

#include <tuple>

using namespace unspool;
using namespace unspool::test;

TEST_CASE("a semaphore of one permit is a gate, unless it ever has another or is released by another thread") {
  const auto script = [](std::uint32_t more, trace::ThreadNumber releaser) {
    Course course;
    for (const auto& [thread, outer, inner] : {std::tuple{1U, a, b}, std::tuple{2U, b, a}}) {
      acquire(course, thread, more);
      course.both(thread, outer, inner);
      release(course, releaser == 0 ? thread : releaser);
    }
    return course;
  };
  CHECK(found(script(0, 0)).empty());
  CHECK(found(script(1, 0)).size() == 1);
  CHECK(found(script(0, 4)).size() == 1);
  Course later = script(0, 0);
  release(later, 3);
  CHECK(found(later).size() == 1);
  Course gap = script(0, 0);
  gap.skip(thing);
  acquire(gap, 3);
  CHECK(found(gap).size() == 1);
}

TEST_CASE("a semaphore keeps a ring of more threads than it has permits from closing") {
  const auto ring = [](std::uint32_t threads, std::uint32_t permits, std::uint32_t without) {
    Course course;
    for (trace::ThreadNumber each = 1; each <= threads; ++each) {
      const bool sits_down = each > without;
      if (sits_down) acquire(course, each, permits - 1);
      course.both(each, lock(each), lock(each % threads + 1));
      if (sits_down) release(course, each);
    }
    return course;
  };
  CHECK(found(ring(5, 4, 0)).empty());
  CHECK(found(ring(5, 5, 0)).size() == 1);
  CHECK(found(ring(5, 4, 1)).size() == 1);
  CHECK(found(ring(3, 2, 0)).empty());
  CHECK(found(ring(3, 70, 0)).size() == 1);
  Course given = ring(5, 4, 0);
  release(given, 9);
  CHECK(found(given).size() == 1);
}

TEST_CASE("of a semaphore that one thread has two permits of there is still one permit for the thread") {
  Course course;
  for (trace::ThreadNumber each = 1; each <= 3; ++each) {
    acquire(course, each, 1);
    acquire(course, each, 0);
    release(course, each);
    course.both(each, lock(each), lock(each % 3 + 1));
    release(course, each);
  }
  CHECK(found(course).empty());
}

TEST_CASE("threads that take two permits each need two each") {
  const auto ring = [](std::uint32_t threads, std::uint32_t permits) {
    Course course;
    for (trace::ThreadNumber each = 1; each <= threads; ++each) {
      acquire(course, each, permits - 1);
      acquire(course, each, permits - 2);
      course.both(each, lock(each), lock(each % threads + 1));
      release(course, each);
      release(course, each);
    }
    return course;
  };
  CHECK(found(ring(2, 3)).empty());
  CHECK(found(ring(2, 4)).size() == 1);
  CHECK(found(ring(3, 5)).empty());
  CHECK(found(ring(3, 6)).size() == 1);
}

TEST_CASE("a gate of one permit has to be acquired around both orders") {
  Course course;
  acquire(course, 1);
  course.both(1, a, b);
  release(course, 1);
  course.both(2, b, a);
  CHECK(found(course).size() == 1);
}

// The story: permits taken between the two locks counted as taken around both, so that the ring was not told.
TEST_CASE("a permit that is taken inside a ring keeps nobody from closing it") {
  const auto ring = [](std::uint32_t threads, std::uint32_t permits) {
    Course course;
    for (trace::ThreadNumber each = 1; each <= threads; ++each) {
      course.take(each, lock(each));
      acquire(course, each, permits - 1);
      course.take(each, lock(each % threads + 1));
      course.give(each, lock(each % threads + 1));
      release(course, each);
      course.give(each, lock(each));
    }
    return course;
  };
  CHECK(found(ring(2, 1)).size() == 1);
  CHECK(found(ring(5, 4)).size() == 1);
}

TEST_CASE("a writer between two readers needs a permit too, where all have one") {
  const auto script = [](std::uint32_t permits) {
    Course course;
    const auto with_permit = [&](trace::ThreadNumber who, const auto& does) {
      acquire(course, who, permits - 1);
      does();
      release(course, who);
    };
    with_permit(1, [&] { course.read_both(1, data, other_data); });
    with_permit(2, [&] { course.read_both(2, other_data, data); });
    with_permit(3, [&] { course.writes(3, data); });
    with_permit(4, [&] { course.writes(4, other_data); });
    return course;
  };
  CHECK(found(script(4)).size() == 1);
  CHECK(found(script(3)).empty());
}
