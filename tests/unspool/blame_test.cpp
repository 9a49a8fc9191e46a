// SPDX-License-Identifier: MIT
//
// Waited time along the chains of waits, held against a schedule's own account of who held what.
#include <catch2/catch.hpp>
#include <unspool/analyze/blame.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace unspool;
using namespace unspool::test;

namespace {

using StepRole = BlameStep::Role;

struct Blamed {
  explicit Blamed(const Script& script) : source{script.records}, blame{script.process} {
    const Analysis analysis{script.process, source, &blame};
    for (const LockFigures& each : analysis.locks.figures())
      waited += each.all_waited();
    waited += analysis.joins.totals().waited;
  }

  /// Of the chains that end with this thread at this line.
  trace::Ticks at(StepRole role, trace::ThreadNumber thread = 0, trace::SiteNumber site = 0) const {
    trace::Ticks sum = 0;
    for (const Blame::Node& node : blame.nodes()) {
      if (node.step.role == role && node.step.thread == thread && node.step.site == site) sum += node.ticks;
    }
    return sum;
  }
  trace::Ticks sum() const {
    trace::Ticks all = 0;
    for (const Blame::Node& node : blame.nodes())
      all += node.ticks;
    return all;
  }

  ListSource source;
  Blame blame;
  trace::Ticks waited = 0;  ///< as the other analyses have it
};

std::string folded(Script& script) {
  return printed(
      [](auto inputs, const Options& options, std::FILE* out) { return run_blame(inputs, options, true, out); },
      script);
}

std::string text(Script& script) {
  return printed(
      [](auto inputs, const Options& options, std::FILE* out) { return run_blame(inputs, options, false, out); },
      script);
}

}  // namespace

TEST_CASE("the time of a chain of waits is that of the thread at its end, while it is at its end") {
  Script script;
  script.acquire(100, 3, lock(2), 32);
  script.acquire(110, 2, lock(1), 21);
  script.block(200, 1, lock(1), 11, 2, 21);
  script.block(300, 2, lock(2), 22, 3, 32);  // from here on thread 1 waits for thread 3
  script.release(700, 3, lock(2), 33);
  script.acquire(720, 2, lock(2), 22, 3);
  script.release(800, 2, lock(1), 23);
  script.acquire(850, 1, lock(1), 11, 2);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 2, 21) == 100 + 80);
  CHECK(blamed.at(StepRole::runs, 3, 32) == 2 * 400);
  CHECK(blamed.at(StepRole::hand_over) == 2 * 20 + 50);
  CHECK(blamed.sum() == 650 + 420);
  CHECK(blamed.blame.total() == blamed.waited);
}

TEST_CASE("who joins waits for the thread, and for whom that waits") {
  Script script;
  script.acquire(100, 3, lock(1), 31);
  script.join(200, 1, 2, 10);
  script.block(300, 2, lock(1), 20, 3, 31);
  script.release(800, 3, lock(1), 33);
  script.acquire(800, 2, lock(1), 20, 3);
  script.end(900, 2);
  script.joined(910, 1, 2, 10);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 3, 31) == 2 * 500);
  CHECK(blamed.at(StepRole::runs, 2, 0) == 200);
  CHECK(blamed.at(StepRole::ended, 2, 0) == 10);
  CHECK(blamed.sum() == blamed.waited);
}

TEST_CASE("a holder that waits for a signal is told with what it waits for") {
  Script script;
  script.acquire(100, 2, lock(1), 21);
  script.block(200, 1, lock(1), 11, 2, 21);
  script.add(Kind::condition, Verb::block, 300, 2, condition(1), 25);
  script.add(Kind::condition, Verb::resume, 900, 2, condition(1), 25, 1, 1);
  script.release(950, 2, lock(1), 22);
  script.acquire(950, 1, lock(1), 11, 2);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::signal, 2, 25) == 600);
  CHECK(blamed.at(StepRole::runs, 2, 21) == 150);
}

TEST_CASE("waits that go on at the end count up to there, and a circle ends") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 20);
  script.block(200, 1, lock(2), 11, 2, 20);
  script.block(300, 2, lock(1), 21, 1, 10);
  script.add(Kind::message, Verb::text, 1000, 3, 0);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 2, 20) == 100);
  CHECK(blamed.at(StepRole::cycle, 1, 10) + blamed.at(StepRole::cycle, 2, 20) == 2 * 700);
  CHECK(blamed.sum() == blamed.waited);
}

TEST_CASE("folded stacks have a line a chain, the waiter first, and sum to the same") {
  Script script;
  script.thread(1, "a;b\n1");
  script.acquire(100, 3, lock(2), 32);
  script.block(200, 1, lock(2), 11, 3, 32);
  script.release(700, 3, lock(2), 33);
  script.acquire(720, 1, lock(2), 11, 3);
  const std::string lines = folded(script);
  INFO(lines);
  CHECK(std::ranges::count(lines, '\n') == 2);
  CHECK(lines.find("a,b\\n1 waits for lock") == 0);
  CHECK(lines.find("thread 3 runs, and took it at unknown line 500\n") != std::string::npos);
  CHECK(lines.find("not yet taken by anybody 20\n") != std::string::npos);
  CHECK(text(script).find("96.2 %") != std::string::npos);
}

TEST_CASE("over a random schedule every wait's time goes to whoever held the lock then, or to hand-over") {
  Script script;
  std::mt19937 random{7};  // NOLINT(cert-msc51-cpp): the same schedule each time
  constexpr trace::ThreadNumber threads = 12;
  constexpr std::size_t locks = 4;
  std::map<trace::ThreadNumber, std::size_t> waits;   // thread → lock
  std::map<std::size_t, trace::ThreadNumber> holder;  // lock → thread
  std::map<trace::ThreadNumber, trace::Ticks> truth;  // who held what others waited for
  trace::Ticks hand_over = 0;
  trace::Ticks now = 1000;
  for (int i = 0; i < 20'000; ++i) {
    const trace::Ticks step = 1 + random() % 50;
    for (const auto& [thread, wanted] : waits) {
      if (const auto held = holder.find(wanted); held != holder.end()) {
        truth[held->second] += step;
      } else {
        hand_over += step;
      }
    }
    now += step;
    const auto thread = static_cast<trace::ThreadNumber>(1 + random() % threads);
    const std::size_t wanted = random() % locks;
    const auto owned = std::ranges::find_if(holder, [&](const auto& each) { return each.second == thread; });
    const auto waiting = waits.find(thread);
    if (waiting != waits.end()) {
      if (holder.contains(waiting->second)) continue;
      script.acquire(now, thread, lock(waiting->second), thread, 1);
      holder[waiting->second] = thread;
      waits.erase(waiting);
    } else if (owned != holder.end()) {
      script.release(now, thread, lock(owned->first), thread);
      holder.erase(owned);
    } else if (holder.contains(wanted)) {
      script.block(now, thread, lock(wanted), thread, holder[wanted], holder[wanted]);
      waits[thread] = wanted;
    } else {
      script.acquire(now, thread, lock(wanted), thread);
      holder[wanted] = thread;
    }
  }
  // The last Record's time is where the waits that go on end.
  const trace::Ticks beyond = now - script.records.back().time;
  for (const auto& [thread, wanted] : waits) {
    const auto held = holder.find(wanted);
    (held == holder.end() ? hand_over : truth[held->second]) -= beyond;
  }
  const Blamed blamed{script};
  for (const auto& [thread, ticks] : truth)
    CHECK(blamed.at(StepRole::runs, thread, thread) == ticks);
  CHECK(blamed.at(StepRole::hand_over) == hand_over);
  CHECK(blamed.at(StepRole::unknown) == 0);
  CHECK(blamed.sum() == blamed.waited);
}

TEST_CASE("any Records, in any order, sum to the waits' time") {
  Script script;
  std::mt19937 random{3};  // NOLINT(cert-msc51-cpp): the same each time
  const auto below = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (int i = 0; i < 20'000; ++i) {
    const trace::Row& row = trace::rows()[random() % trace::rows().size()];
    if (row.kind == Kind::message || row.kind == Kind::definition || row.kind == Kind::trace) continue;
    const trace::ObjectNumber object =
        row.kind == Kind::thread ? trace::ObjectNumber{1 + below(5)} : trace::first_object_number + below(6);
    script.add(row.kind, row.verb, 1000 + below(5000), 1 + below(5), object, below(3), below(7), below(5));
  }
  const Blamed blamed{script};
  CHECK(blamed.sum() == blamed.blame.total());
}
