// SPDX-License-Identifier: MIT
//
// Clocks that do anything but go on: it is seen, and harms neither order nor durations.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unspool/analyze/clock_changes.hpp>
#include <unspool/builder.hpp>
#include <unspool/read/calendar.hpp>
#include <unspool/reading.hpp>
#include <unspool/render/clock_changes.hpp>
#include <unspool/replay_script.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

using namespace unspool;
using namespace unspool::test;
using unspool_test::Reading;
using unspool_test::TraceBuilder;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t spring = 1'767'323'045 * second;
constexpr std::uint64_t hertz = 2 * second;

/// The clocks of a process, read once a second, with something done to them after the fifth.
std::vector<ClockReading> readings(const std::function<void(ClockReading&)>& trouble, int after = 5) {
  ClockReading now{1000, 7 * second, spring, 9 * second, hertz};
  std::vector<ClockReading> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(now);
    if (i == after - 1) trouble(now);
    now.ticks += hertz;
    now.monotonic += second;
    now.realtime += second;
    now.boottime += second;
  }
  return all;
}

std::vector<ClockChange> changes(const std::function<void(ClockReading&)>& trouble) {
  Process process;
  process.frequency = hertz;
  process.clocks = readings(trouble);
  return clock_changes(process);
}

void sleep(ClockReading& now, std::uint64_t ns, bool counter_goes_on) {
  now.boottime += ns;
  now.realtime += ns;
  if (counter_goes_on) now.ticks += 2 * ns;
}

/// Two threads and a lock, and clock readings around it.
Script waiting(std::vector<ClockReading> clocks) {
  Script script;
  script.process.frequency = hertz;
  script.process.clocks = std::move(clocks);
  script.thread(1, "worker-1");
  script.thread(2, "worker-2");
  script.object(lock(1), Kind::lock, "store", 20);
  script.acquire(2000, 1, lock(1), 50);
  script.block(3000, 2, lock(1), 50, 1, 50);
  script.release(8 * hertz, 1, lock(1));
  script.acquire(8 * hertz + 1000, 2, lock(1), 50, 1);
  script.release(8 * hertz + 2000, 2, lock(1));
  return script;
}

std::string flat(std::string text) {
  for (std::size_t at = 0; (at = text.find("\n  ", at)) != std::string::npos;)
    text.replace(at, 3, " ");
  return text;
}

std::string report_on(const std::function<void(ClockReading&)>& trouble) {
  Script script = waiting(readings(trouble));
  return flat(printed(run_report, script, {}));
}

Json locks_on(const std::function<void(ClockReading&)>& trouble) {
  Script script = waiting(readings(trouble));
  Options options;
  options.format = Options::Format::json;
  return Json::parse(printed(run_locks, script, options));
}

Json& clock_of(Json& document) {
  return document["processes"][0]["clock"];
}

}  // namespace

TEST_CASE("clocks that go on evenly, slewed by NTP or not, are told of by nobody") {
  CHECK(changes([](ClockReading&) {}).empty());
  Process process;
  process.frequency = hertz;
  ClockReading now{1000, 7 * second, spring, 9 * second, hertz};
  for (int i = 0; i < 100; ++i) {
    process.clocks.push_back(now);
    now.ticks += hertz;
    for (std::uint64_t* const each : {&now.monotonic, &now.realtime, &now.boottime})
      *each += second + 400'000;                                           // 400 ppm
    now.realtime = now.realtime - 100'000 + (i % 2 == 0 ? 200'000U : 0U);  // a thread that was held up while it read
  }
  CHECK(clock_changes(process).empty());
  CHECK(report_on([](ClockReading&) {}).find("clock was set") == std::string::npos);
}

TEST_CASE("a suspended machine is seen: when, for how long, and whether the Records' times count it") {
  for (const bool goes_on : {true, false}) {
    const auto found = changes([=](ClockReading& now) { sleep(now, 8 * 3600 * second, goes_on); });
    REQUIRE(found.size() == 1);
    CHECK(found[0].what == ClockChange::What::suspended);
    CHECK(found[0].by == static_cast<std::int64_t>(8 * 3600 * second));
    CHECK(found[0].counted == goes_on);
    CHECK(found[0].from == 1000 + 4 * hertz);
    CHECK(found[0].to == 1000 + 5 * hertz + (goes_on ? 8 * 3600 * hertz : 0));
  }
  const std::string stood = report_on([](ClockReading& now) { sleep(now, 8 * 3600 * second, false); });
  INFO(stood);
  CHECK(stood.find(
            "The machine was suspended for 8 h 0 min between +3.999999 s and +5.000000 s: waits and holds over it do "
            "not count it.") != std::string::npos);
  const std::string went_on = report_on([](ClockReading& now) { sleep(now, 8 * second, true); });
  INFO(went_on);
  CHECK(went_on.find("The machine was suspended for 8.00 s between +3.999999 s and ") != std::string::npos);
  CHECK(went_on.find(": waits and holds over it are longer by that.") != std::string::npos);
}

TEST_CASE("a step of the wall clock is seen, and changes no figure") {
  for (const std::int64_t by :
       {std::int64_t{-3'600'000'000'000}, std::int64_t{2'500'000}, std::int64_t{86'400'000'000'000}}) {
    const auto step = [=](ClockReading& now) { now.realtime += static_cast<std::uint64_t>(by); };
    const auto found = changes(step);
    REQUIRE(found.size() == 1);
    CHECK(found[0].what == ClockChange::What::set);
    CHECK(found[0].by == by);
    Json stepped = locks_on(step);
    Json even = locks_on([](ClockReading&) {});
    CHECK(clock_of(stepped)["changes"] ==
          Json::array({{{"what", "set"}, {"from", 3999999500.0}, {"to", 4999999500.0}, {"by", by}}}));
    clock_of(stepped)["changes"] = Json::array();
    CHECK(stepped == even);
  }
  CHECK(report_on([](ClockReading& now) {
          now.realtime -= 3 * second;
        }).find("The wall clock was set back by 3.00 s between") != std::string::npos);
}

TEST_CASE("a wall clock that is set when the machine wakes up is told beside the sleep") {
  const auto found = changes([](ClockReading& now) {
    sleep(now, 60 * second, false);
    now.realtime += 2 * second;
  });
  REQUIRE(found.size() == 2);
  CHECK(found[0].by == static_cast<std::int64_t>(60 * second));
  CHECK(found[1].what == ClockChange::What::set);
  CHECK(found[1].by == static_cast<std::int64_t>(2 * second));
}

TEST_CASE("a counter that jumps is told, as nothing else would say why a wait is that long") {
  const auto found = changes([](ClockReading& now) { now.ticks += 10 * hertz; });
  REQUIRE(found.size() == 1);
  CHECK(found[0].what == ClockChange::What::counter);
  CHECK(found[0].by == static_cast<std::int64_t>(10 * second));
  CHECK(report_on([](ClockReading& now) { now.ticks += 10 * hertz; }).find("jumped forward by 10.0 s") !=
        std::string::npos);
}

TEST_CASE("of many changes the first three are told, and how many there are") {
  Process process;
  process.frequency = hertz;
  for (int i = 0; i < 7; ++i) {
    std::vector<ClockReading> part = readings([](ClockReading& now) { now.realtime += second; });
    for (ClockReading& each : part) {
      each.ticks += static_cast<std::uint64_t>(i) * 10 * hertz;
      for (std::uint64_t* const clock : {&each.monotonic, &each.realtime, &each.boottime})
        *clock += static_cast<std::uint64_t>(i) * 10 * second;
      each.realtime += static_cast<std::uint64_t>(i) * second;
      process.clocks.push_back(each);
    }
  }
  CHECK(clock_changes(process).size() == 7);
  const std::vector<std::string> told = clock_sentences(process, Times{process, 0});
  REQUIRE(told.size() == 4);
  CHECK(told.back() == "The clocks changed 4 more times (all of them: --format json).");
}

TEST_CASE("untrue readings give some answer and harm nothing") {
  Process process;
  const std::uint64_t most = ~std::uint64_t{0};
  process.clocks = {{most, 1, most, 1, 0}, {0, most, 1, most, 1}, {5, 1, 1, most, 1}, {most, 1, 1, 1, 1}};
  CHECK(clock_changes(process).size() < 20);
  process.frequency = 0;
  CHECK(clock_changes(process).size() < 20);
}

TEST_CASE("the frequency of a trace leaves out the night that the machine slept") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  for (ClockReading each : readings([](ClockReading& now) { sleep(now, 1 * second, true); })) {
    each.ticks += each.ticks / 100'000;  // 10 ppm faster than it was taken for
    segment.define_clock(each.ticks, each.monotonic, each.realtime, each.boottime, hertz);
  }
  trace.write();
  const Reading read{trace.path()};
  CHECK(std::abs(static_cast<double>(read.process().frequency) - 2'000'020'000.0) < 100);
}

TEST_CASE("a segment that is read alone tells the time of day that the log told, however long the process had run") {
  // A month after its start; the frequency of the start was 10 ppm off, which is 26 s by now.
  TraceBuilder trace;
  const std::uint64_t month = 30 * 86'400 * second;
  trace.process.frequency = hertz;
  trace.process.monotonic_zero = spring;
  trace.process.epoch_seconds = static_cast<std::int64_t>(spring / second);
  trace.process.epoch_ticks = 0;
  const std::uint64_t monotonic = 1000 * second + month;
  const trace::Ticks ticks = 2 * monotonic + 2 * (month / 100'000);
  const auto corrected = [&](std::uint64_t nanoseconds) {  // what the recorder knows by then
    const long double frequency = 2.0L * 1.00001L * 1e9L;
    const long double zero =
        static_cast<long double>(monotonic + spring) - static_cast<long double>(ticks) * 1e9L / frequency;
    trace.process.frequency = 2'000'020'000;
    trace.process.epoch_seconds = static_cast<std::int64_t>(zero / 1e9L);
    trace.process.epoch_ticks =
        static_cast<std::uint64_t>((zero / 1e9L - static_cast<long double>(trace.process.epoch_seconds)) * frequency);
    return nanoseconds;
  };
  const std::uint64_t later = corrected(5 * second);
  trace.segment(900)
      .define_clock(ticks, monotonic, spring + monotonic + 77 * second, monotonic, 2'000'020'000)  // it had been set
      .writer(1, ticks)
      .transition(ticks + 2 * later + 2 * later / 100'000, "lock.acquire", unspool_test::object_number(1), 0, 1);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 1);
  const Calendar calendar{read.process()};
  const std::uint64_t told = calendar.realtime(read.records[0].time);
  const std::uint64_t due = spring + monotonic + later;
  CHECK(std::max(told, due) - std::min(told, due) < 1'000);
}

TEST_CASE("of several segments the clock of the earliest counts, as its readings come first") {
  TraceBuilder trace;
  for (const std::uint32_t number : {7U, 8U}) {
    trace.process.epoch_seconds = number * 1000;
    trace.segment(number)
        .writer(1, 100 * number)
        .transition(100 * number + 1, "lock.acquire", unspool_test::object_number(1), 0, number);
  }
  trace.write();
  CHECK(Reading{trace.path()}.process().epoch_seconds == 7000);
}
