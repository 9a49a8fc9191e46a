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

TEST_CASE("in mode long a link of a chain is one since its wait began, and not since that was recorded") {
  Script script;
  script.process.mode = Mode::long_waits;
  script.add(Kind::status, Verb::wait, 1100, 1, 2, 11, 2).since = 100;
  script.join(1101, 1, 2, 11);
  script.add(Kind::status, Verb::wait, 3000, 2, lock(1), 22, 3, 31).since = 2000;
  script.block(3001, 2, lock(1), 22, 3, 31);
  script.release(5000, 3, lock(1), 33);
  script.acquire(5020, 2, lock(1), 22, 3);
  script.end(5100, 2);
  script.joined(5120, 1, 2, 11);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 2) == 1900 + 80);
  CHECK(blamed.at(StepRole::runs, 3, 31) == 2 * 3000);
  CHECK(blamed.at(StepRole::hand_over) == 2 * 20);
  CHECK(blamed.blame.total() == blamed.waited);
}

TEST_CASE("in mode long the time of a lock that was taken unseen is that of whoever releases it") {
  Script script;
  script.process.mode = Mode::long_waits;
  script.add(Kind::status, Verb::wait, 1110, 2, lock(1), 20, 1, 10).since = 110;
  script.block(1111, 2, lock(1), 20, 1, 10);
  script.release(2000, 1, lock(1), 0, 1);
  script.add(Kind::status, Verb::wait, 3500, 4, lock(1), 40).since = 2500;
  script.block(3501, 4, lock(1), 40);  // it saw nobody: that says nothing of 3
  script.release(5000, 3, lock(1), 0, 3);
  script.acquire(5010, 2, lock(1), 20, 3);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 3) == 3000 + 2500);
  CHECK(blamed.at(StepRole::hand_over) == 10 + 10);
  CHECK(blamed.sum() == blamed.waited);
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

TEST_CASE("a holder that waits for a signal until its time limit is told with what it waits for") {
  Script script;
  script.acquire(100, 2, lock(1), 21);
  script.block(200, 1, lock(1), 11, 2, 21);
  script.add(Kind::event, Verb::block, 300, 2, condition(1), 25);
  script.add(Kind::event, Verb::timeout, 900, 2, condition(1), 25);
  script.release(950, 2, lock(1), 22);
  script.acquire(950, 1, lock(1), 11, 2);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::limit) == 2 * 600);
  CHECK(blamed.at(StepRole::signal, 2, 25) == 0);
  CHECK(blamed.at(StepRole::runs, 2, 21) == 150);
  CHECK(blamed.blame.total() == 750);
  CHECK(blamed.blame.signal_total() == 600);
}

TEST_CASE("a holder that still waits for a signal at the end is told as such") {
  Script script;
  script.acquire(100, 2, lock(1), 21);
  script.block(200, 1, lock(1), 11, 2, 21);
  script.add(Kind::event, Verb::block, 300, 2, condition(1), 25);
  script.add(Kind::message, Verb::text, 1000, 3, 0);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::signal, 2, 25) == 700);
  CHECK(blamed.at(StepRole::runs, 2, 21) == 100);
  CHECK(blamed.blame.signal_total() == 0);
}

TEST_CASE("who waits for a signal waits for all that its giver waits for meanwhile") {
  Script script;
  script.acquire(100, 3, lock(1), 31);
  script.add(Kind::event, Verb::block, 200, 1, condition(1), 11);
  script.block(300, 2, lock(1), 21, 3, 31);  // thread 2 cannot set it before thread 3 gives the lock back
  script.release(800, 3, lock(1), 33);
  script.acquire(810, 2, lock(1), 21, 3);
  script.add(Kind::event, Verb::set, 850, 2, condition(1), 22);
  script.add(Kind::event, Verb::resume, 900, 1, condition(1), 11, 2, 22);
  const Blamed blamed{script};
  CHECK(blamed.blame.signal_total() == 700);
  CHECK(blamed.at(StepRole::runs, 3, 31) == 2 * 500);  // of thread 2's wait, and of thread 1's
  CHECK(blamed.at(StepRole::hand_over) == 2 * 10);
  CHECK(blamed.at(StepRole::gives, 2, 22) == 100 + 40);
  CHECK(blamed.at(StepRole::woken) == 50);
  CHECK(blamed.sum() == 510 + 700);
  const std::string told = text(script);
  INFO(told);
  CHECK(told.find("thread 2 ran, and set it at unknown line") != std::string::npos);
}

TEST_CASE("who waits for a holder that waits for a signal waits for who gives it") {
  Script script;
  script.acquire(100, 2, lock(1), 21);
  script.block(200, 1, lock(1), 11, 2, 21);
  script.add(Kind::queue, Verb::block, 300, 2, condition(1), 25, 1);
  script.acquire(350, 4, lock(2), 41);
  script.block(400, 3, lock(2), 32, 4, 41);
  script.release(600, 4, lock(2), 42);
  script.acquire(600, 3, lock(2), 32, 4);
  script.add(Kind::queue, Verb::put, 800, 3, condition(1), 31);
  script.add(Kind::queue, Verb::get, 900, 2, condition(1), 25, 3, 31);
  script.release(950, 2, lock(1), 22);
  script.acquire(950, 1, lock(1), 11, 2);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::signal, 2, 25) == 0);
  CHECK(blamed.at(StepRole::runs, 4, 41) == 3 * 200);  // thread 3 waited for it, thread 2 for that, thread 1 for that
  CHECK(blamed.at(StepRole::gives, 3, 31) == 2 * 300);
  CHECK(blamed.at(StepRole::woken) == 2 * 100);
  CHECK(blamed.at(StepRole::runs, 2, 21) == 150);
  CHECK(blamed.sum() == blamed.blame.total() + blamed.blame.signal_total());
}

TEST_CASE("of a Condition's wait the one for its lock is a wait of its own") {
  Script script;
  script.add(Kind::condition, Verb::block, 100, 1, condition(1), 12);
  script.acquire(150, 2, lock(1), 22);
  script.add(Kind::condition, Verb::notify, 200, 2, condition(1), 23, 1);
  script.block(210, 1, lock(1), 12, 2, 22);
  script.release(300, 2, lock(1), 22);
  script.acquire(310, 1, lock(1), 12, 2);
  script.add(Kind::condition, Verb::resume, 320, 1, condition(1), 12, 2, 23);
  const Blamed blamed{script};
  CHECK(blamed.blame.total() == 100);
  CHECK(blamed.blame.signal_total() == 220 - 100);
  CHECK(blamed.at(StepRole::gives, 2, 23) == 100);
  CHECK(blamed.at(StepRole::woken) == 20);
}

TEST_CASE("waits of a giver from long ago are put together, and none of their time goes astray") {
  Script script;
  constexpr trace::Ticks rounds = 2000;
  script.add(Kind::event, Verb::block, 500, 1, condition(1), 11);
  for (trace::Ticks i = 1; i <= rounds; ++i) {
    script.acquire(1000 * i, 3, lock(1), 31);
    script.block(1000 * i + 100, 2, lock(1), 21, 3, 31);
    script.release(1000 * i + 400, 3, lock(1), 31);
    script.acquire(1000 * i + 400, 2, lock(1), 21, 3);
    script.release(1000 * i + 500, 2, lock(1), 21);
  }
  script.add(Kind::event, Verb::set, 3'000'000, 2, condition(1), 22);
  script.add(Kind::event, Verb::resume, 3'000'000, 1, condition(1), 11, 2, 22);
  const Blamed blamed{script};
  CHECK(blamed.at(StepRole::runs, 3, 31) == 2 * 300 * rounds);
  CHECK(blamed.at(StepRole::gives, 2, 22) == 3'000'000 - 500 - 300 * rounds);
}

TEST_CASE("threads alike are one branch of the tree, and each its own in folded stacks") {
  Script script;
  script.acquire(100, 9, lock(1), 31);
  for (trace::ThreadNumber each = 1; each <= 5; ++each)
    script.block(200, each, lock(1), 11, 9, 31);
  script.release(700, 9, lock(1), 31);
  for (trace::ThreadNumber each = 1; each <= 5; ++each) {
    script.acquire(700 + each, each, lock(1), 11, 9);
    script.release(700 + each, each, lock(1), 11);
  }
  const std::string told = text(script);
  INFO(told);
  CHECK(told.find("5 threads wait for lock") != std::string::npos);
  const std::string lines = folded(script);
  INFO(lines);
  for (int each = 1; each <= 5; ++each)
    CHECK(lines.find("thread " + std::to_string(each) + " waits for lock") != std::string::npos);
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

/// The recorder's last look at the clocks.
void lives_on(Script& script, trace::Ticks until) {
  const ClockReading start = script.process.clocks.front();
  script.process.clocks.push_back({until, start.monotonic + until, start.realtime + until, 0, start.frequency});
}

// The story: three threads that had been deadlocked for a second were said to have waited for 500 us, most of it for
// "threads that ran".
TEST_CASE("waits that go on at the end count up to the last sign of life, in every answer") {
  Script script;
  script.acquire(100, 1, lock(1), 10);
  script.acquire(110, 2, lock(2), 20);
  script.block(200, 1, lock(2), 11, 2, 20);
  script.block(300, 2, lock(1), 21, 1, 10);
  script.join(310, 3, 1, 30);
  CHECK(text(script).find("Threads waited 120 ns in all for locks and joins up to the last Record.") !=
        std::string::npos);
  lives_on(script, 1'000'300);
  const Blamed blamed{script};
  CHECK(blamed.waited == 1'000'100 + 1'000'000 + 999'990);
  CHECK(blamed.sum() == blamed.waited);
  CHECK(blamed.at(StepRole::runs, 2, 20) == 100);
  CHECK(text(script).find("a circle of waits, in which nobody runs") != std::string::npos);
  const std::string report = printed(run_report, script);
  CHECK(report.find("that ran") == std::string::npos);
  Options json;
  json.format = Options::Format::json;
  CHECK(Json::parse(printed(run_deadlocks, script, json))["processes"][0]["deadlocks"][0]["lasted"] == 1'000'000);
}

// The story: with a filter the tree named threads whose waits were left out, in place of those that were told.
TEST_CASE("the tree has only what the filter leaves") {
  Script script;
  script.thread(1, "first");
  script.thread(2, "second");
  script.thread(3, "third");
  script.thread(4, "fourth");
  script.acquire(100, 1, lock(1), 10);
  script.block(110, 2, lock(1), 20, 1, 10);
  script.release(200, 1, lock(1));
  script.acquire(201, 2, lock(1), 10, 1);
  script.block(210, 3, lock(1), 20, 2, 10);
  script.release(300, 2, lock(1));
  script.acquire(301, 3, lock(1), 20, 2);
  Options options;
  options.wanted.threads = {"third"};
  const std::string told =
      printed([](auto inputs, const Options& how, std::FILE* out) { return run_blame(inputs, how, false, out); },
              script, options);
  INFO(told);
  CHECK(told.find("third waits for") != std::string::npos);
  CHECK(told.find("second ran") != std::string::npos);
  CHECK(told.find("first ran") == std::string::npos);
  CHECK(told.find("2 threads") == std::string::npos);
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
  CHECK(lines.find("thread 3 ran, holding a lock taken at unknown line 500\n") != std::string::npos);
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

TEST_CASE("with a little effort it gives up where too many threads wait at once, and says so") {
  Script script;
  constexpr trace::ThreadNumber waiting = 3000;
  trace::Ticks now = 1000;
  script.acquire(now, 1, lock(1), 11);
  for (trace::ThreadNumber each = 2; each <= waiting; ++each)
    script.block(++now, each, lock(1), 21, 1, 11);
  for (int i = 0; i < 500; ++i) {
    script.release(++now, 1, lock(1), 12);
    script.acquire(++now, 1, lock(1), 11);
  }
  ListSource source{script.records};
  Blame blame{script.process, {}, Blame::Effort::little};
  const Analysis analysis{script.process, source, &blame};
  CHECK(blame.has_given_up());
  CHECK(blame.total() == 0);
  CHECK(blame.nodes().size() == 1);
  CHECK(printed(run_report, script).find("it takes a reading of its own") != std::string::npos);
}

TEST_CASE("a little effort gives up as soon as it foresees that all the Records take several times of what there is") {
  const auto gives_up = [](std::uint64_t about_records) {
    Script script;
    constexpr trace::ThreadNumber waiting = 400;
    trace::Ticks now = 1000;
    script.acquire(now, 1, lock(1), 11);
    for (trace::ThreadNumber each = 2; each <= waiting; ++each)
      script.block(++now, each, lock(1), 21, 1, 11);
    for (int i = 0; i < 60; ++i) {
      script.release(++now, 1, lock(1), 12);
      script.acquire(++now, 1, lock(1), 11);
    }
    script.process.about_records = about_records;
    ListSource source{script.records};
    Blame blame{script.process, {}, Blame::Effort::little};
    const Analysis analysis{script.process, source, &blame};
    return blame.has_given_up();
  };
  CHECK_FALSE(gives_up(0));
  CHECK_FALSE(gives_up(2'000));
  CHECK(gives_up(5'000'000));
}

TEST_CASE("past the chains that are kept apart, time waited for signals is not put with that for locks") {
  Script script;
  trace::Ticks now = 0;
  for (trace::SiteNumber line = 1; line <= Blame::most_nodes; ++line) {
    script.acquire(now += 10, 3, lock(1), 31);
    script.block(now += 10, 2, lock(1), line, 3, 31);
    script.release(now += 10, 3, lock(1), 31);
    script.acquire(now += 10, 2, lock(1), line, 3);
    script.release(now += 10, 2, lock(1), line);
  }
  script.add(Kind::event, Verb::block, now += 10, 1, condition(1), 11);
  script.add(Kind::event, Verb::set, now += 500, 2, condition(1), 22);
  script.add(Kind::event, Verb::resume, now, 1, condition(1), 11, 2, 22);
  const Blamed blamed{script};
  REQUIRE(blamed.at(StepRole::rest) > 500);
  CHECK(blamed.blame.signal_total() == 500);
  CHECK(blamed.sum() == blamed.blame.total() + blamed.blame.signal_total());
  const std::string told = text(script);
  const auto signals = told.find("Threads waited 500 ns in all for what others gave");
  INFO(told);
  REQUIRE(signals != std::string::npos);
  CHECK(told.find("chains past the number that is kept apart", signals) != std::string::npos);
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
  CHECK(blamed.sum() == blamed.blame.total() + blamed.blame.signal_total());
}
