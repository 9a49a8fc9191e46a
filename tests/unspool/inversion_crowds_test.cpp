// SPDX-License-Identifier: MIT
//
// Orders of locks among thousands of threads that nest alike: what is kept of them, and that it is enough.
#include <catch2/catch.hpp>
#include <unspool/course.hpp>

#include <deque>

using namespace unspool;
using namespace unspool::test;

namespace {

constexpr trace::ThreadNumber main_thread = 1;
constexpr trace::ThreadNumber first_request = 10;
constexpr trace::ThreadNumber x = 5;
constexpr trace::ThreadNumber y = 6;
constexpr trace::ThreadNumber z = 7;

/// A server that makes a thread for each request.
struct Server : Course {
  trace::ThreadNumber newest = first_request;

  template <class Work>
  void request(Work work) {
    const trace::ThreadNumber thread = newest++;
    start(main_thread, thread);
    work(thread);
    ends(thread);
    joins(main_thread, thread);
  }
  void requests(int count, trace::ObjectNumber outer, trace::ObjectNumber inner) {
    for (int i = 0; i < count; ++i)
      request([&](trace::ThreadNumber thread) { both(thread, outer, inner); });
  }
  /// So many at a time; each is joined by main before another one starts.
  template <class Work>
  void requests_beside(int count, std::size_t at_a_time, Work work) {
    std::deque<trace::ThreadNumber> alive;
    for (int i = 0; i < count; ++i) {
      alive.push_back(newest++);
      start(main_thread, alive.back());
      work(i, alive.back());
      ends(alive.back());
      if (alive.size() < at_a_time) continue;
      joins(main_thread, alive.front());
      alive.pop_front();
    }
    for (const trace::ThreadNumber each : alive)
      joins(main_thread, each);
  }
  void start_both() {
    start(main_thread, x);
    start(main_thread, y);
  }
};

void check_found(const Script& script) {
  const Answer answer{script};
  const Inversions& inversions = answer.analysis.inversions;
  REQUIRE(inversions.all().size() == 1);
  CHECK(inversions.all()[0].certainty == Certainty::likely);
  CHECK(inversions.left_out() == 0);
  CHECK(inversions.threads_without_clock() == 0);
}

void check_none(const Script& script) {
  const Answer answer{script};
  CHECK(answer.analysis.inversions.all().empty());
  CHECK(answer.analysis.inversions.left_out() == 0);
}

}  // namespace

// The story: of the same two locks, nested at the same lines, the first 256 threads were kept. A server that makes a
// thread for each request had used them up in its first second, and no order that could deadlock was found after it.
TEST_CASE("two threads in opposite orders are found after hundreds that have nested them alike") {
  for (const int requests : {300, 3000}) {
    Server server;
    server.requests(requests, a, b);
    server.start_both();
    server.both(x, a, b);
    server.both(y, b, a);
    check_found(server);
  }
}

TEST_CASE("one request among thousands that takes them the other way round, while others run, is found") {
  for (const int which : {20, 1500, 2990}) {
    Server server;
    server.requests_beside(3000, 5, [&](int i, trace::ThreadNumber thread) {
      i == which ? server.both(thread, b, a) : server.both(thread, a, b);
    });
    check_found(server);
  }
}

TEST_CASE("a ring of three is found among thousands of requests, also where its last step comes late") {
  Server server;
  server.start(main_thread, z);
  server.requests_beside(2000, 5, [&](int i, trace::ThreadNumber thread) {
    i == 1000 ? server.both(thread, b, c) : server.both(thread, a, b);
  });
  server.both(z, c, a);
  check_found(server);
}

TEST_CASE("thousands of requests, one after the other, are in order whichever way they nest") {
  Server server;
  for (int i = 0; i < 1500; ++i) {
    server.requests(1, a, b);
    server.requests(1, b, a);
  }
  check_none(server);
}

TEST_CASE("hundreds that nest alike beside each other hide nobody, and those that are not kept are counted") {
  Server server;
  server.requests_beside(2000, 600, [&](int, trace::ThreadNumber thread) { server.both(thread, a, b); });
  server.start_both();
  server.both(x, a, b);
  server.both(y, b, a);
  const Answer answer{server};
  REQUIRE(answer.analysis.inversions.all().size() == 1);
  CHECK(answer.analysis.inversions.all()[0].certainty == Certainty::likely);
  CHECK(answer.analysis.inversions.left_out() != 0);
}

TEST_CASE("a writer between two readers is found after hundreds that wrote before") {
  Server server;
  for (int i = 0; i < 500; ++i)
    server.request([&](trace::ThreadNumber thread) { server.writes(thread, data); });
  server.start_both();
  server.read(x, data);
  server.next(Kind::shared_lock, Verb::acquire_shared, x, data, 50, 0, 2);
  server.stop_reading(x, data, 1);
  server.stop_reading(x, data);
  server.writes(y, data);
  check_found(server);
}

// The story: two threads hand over to each other hundreds of times. Only once, in the middle, do both nest at the same
// time; of a thread's moments the first four and the last four were kept.
TEST_CASE("of a thread that nests for ever that one time is remembered at which another one is beside it") {
  for (const int which : {3, 200, 390}) {
    Server server;
    server.start(main_thread, x);
    for (int i = 0; i < 400; ++i) {
      const auto helper = static_cast<trace::ThreadNumber>(100 + i);
      if (i == which) {
        server.start(x, helper);
        server.both(x, a, b);
        server.both(helper, b, a);
        server.ends(helper);
        server.joins(x, helper);
      } else {
        server.both(x, a, b);
        server.start(x, helper);
        server.ends(helper);
        server.joins(x, helper);
      }
    }
    check_found(server);
  }
}

TEST_CASE("joins under locks that the joined threads do not ask for are forgotten") {
  Server server;
  for (int i = 0; i < 10'001; ++i) {
    server.take(main_thread, gate);
    server.requests(1, a, b);
    server.give(main_thread, gate);
  }
  server.start(main_thread, x);
  server.take(main_thread, a);
  server.joins(main_thread, x);
  server.give(main_thread, a);
  CHECK(found(server).empty());
  server.start(main_thread, y);
  server.take(y, a);
  server.give(y, a);
  server.take(main_thread, a);
  server.joins(main_thread, y);
  check_found(server);
}

// The story: which locks were held together was never forgotten, nor how many moments had been: 100,000 requests with a
// lock of their own, long destroyed, and what came after them was not kept.
TEST_CASE("locks that are destroyed make room for those that come") {
  Course course;
  for (const trace::ObjectNumber each : {a, b})
    course.object(each, Kind::lock, "shared", 70);
  for (std::uint64_t i = 0; i < 210'000; ++i) {
    const trace::ObjectNumber own = lock(1000 + i);
    course.object(own, Kind::lock, "own", 71);
    course.acquire(course.now += 10, 3, own, 71);
    course.take(3, a);
    course.give(3, a);
    course.give(3, own);
    course.next(Kind::lock, Verb::destroy, 3, own);
  }
  course.both(x, a, b);
  course.both(y, b, a);
  check_found(course);
}

TEST_CASE("a thread that nobody has joined goes on in no other's name, nor does one after its end") {
  Server left;
  left.start_both();
  left.both(x, a, b);
  left.ends(x);
  left.both(y, b, a);
  check_found(left);
  Server ended;
  ended.start_both();
  ended.both(y, b, a);
  ended.both(x, a, c);
  ended.ends(x);
  ended.joins(main_thread, x);
  ended.requests(1, a, c);
  ended.both(x, a, b);
  check_found(ended);
}
