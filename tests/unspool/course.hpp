// SPDX-License-Identifier: MIT
//
// Records of locks taken one inside the other, for tests of their orders. Knows no rules.
#pragma once

#include <unspool/replay_script.hpp>

#include <tuple>

namespace unspool::test {

inline constexpr trace::ObjectNumber a = lock(1);
inline constexpr trace::ObjectNumber b = lock(2);
inline constexpr trace::ObjectNumber c = lock(3);
inline constexpr trace::ObjectNumber gate = lock(9);
inline constexpr trace::ObjectNumber thing = lock(20);  ///< an Event, a Queue, ...
inline constexpr trace::ObjectNumber data = lock(30);
inline constexpr trace::ObjectNumber other_data = lock(31);

/// Records that follow each other, a thread's calls in one line.
struct Course : Script {
  trace::Ticks now = 1000;

  Record& next(Kind kind, Verb verb, trace::ThreadNumber who, trace::ObjectNumber object, trace::SiteNumber where = 0,
               std::uint32_t x = 0, std::uint32_t y = 0) {
    return add(kind, verb, now += 10, who, object, where, x, y);
  }
  void take(trace::ThreadNumber who, trace::ObjectNumber object) {
    acquire(now += 10, who, object, static_cast<trace::SiteNumber>(object % 100));
  }
  void give(trace::ThreadNumber who, trace::ObjectNumber object) { release(now += 10, who, object, 99, who); }
  void try_to_take(trace::ThreadNumber who, trace::ObjectNumber object) { acquire(now += 10, who, object, 77, who); }
  void both(trace::ThreadNumber who, trace::ObjectNumber outer, trace::ObjectNumber inner) {
    take(who, outer);
    take(who, inner);
    give(who, inner);
    give(who, outer);
  }
  void read(trace::ThreadNumber who, trace::ObjectNumber object) {
    next(Kind::shared_lock, Verb::acquire_shared, who, object, 50, 0, 1);
  }
  void stop_reading(trace::ThreadNumber who, trace::ObjectNumber object, std::uint32_t left = 0) {
    next(Kind::shared_lock, Verb::release_shared, who, object, 51, 0, left);
  }
  void write(trace::ThreadNumber who, trace::ObjectNumber object) {
    next(Kind::shared_lock, Verb::acquire, who, object, 52);
  }
  void stop_writing(trace::ThreadNumber who, trace::ObjectNumber object) {
    next(Kind::shared_lock, Verb::release, who, object, 53, 0, who);
  }
  void read_both(trace::ThreadNumber who, trace::ObjectNumber outer, trace::ObjectNumber inner) {
    read(who, outer);
    read(who, inner);
    stop_reading(who, inner);
    stop_reading(who, outer);
  }
  void writes(trace::ThreadNumber who, trace::ObjectNumber object) {
    write(who, object);
    stop_writing(who, object);
  }
  void start(trace::ThreadNumber who, trace::ThreadNumber other) { next(Kind::thread, Verb::start, who, other); }
  void ends(trace::ThreadNumber who) { end(now += 10, who); }
  void joins(trace::ThreadNumber who, trace::ThreadNumber other) { joined(now += 10, who, other, 60); }
};

/// Of the semaphore `thing`: permits are given, and one is taken, which leaves so many.
inline void release(Course& course, trace::ThreadNumber who, std::uint32_t count = 1) {
  course.next(Kind::semaphore, Verb::release, who, thing, 0, count);
}
inline void acquire(Course& course, trace::ThreadNumber who, std::uint32_t left = 0) {
  course.next(Kind::semaphore, Verb::acquire, who, thing, 0, 0, left);
}

inline std::vector<Inversion> found(const Script& script) {
  const Answer answer{script};
  return answer.analysis.inversions.all();
}

}  // namespace unspool::test
