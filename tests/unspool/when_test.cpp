// SPDX-License-Identifier: MIT
//
// Which tick a person means by a moment.
#include <catch2/catch.hpp>
#include <unspool/read/when.hpp>
#include <unspool/render/moment.hpp>
#include <unspool/render/style.hpp>

#include <string>

using namespace unspool;

namespace {

/// Tick 0 is 2024-05-01T12:00:00Z; a tick is a nanosecond.
Process noon() {
  Process process;
  process.clocks.push_back({0, 0, 1'714'564'800'000'000'000, 0, 1'000'000'000});
  return process;
}

constexpr trace::Ticks second = 1'000'000'000;

trace::Ticks at(const std::string& text, trace::Ticks first = 0, trace::Ticks last = 100 * second) {
  const auto when = When::parse(text);
  REQUIRE(when);
  return when->at(noon(), first, last);
}

}  // namespace

TEST_CASE("offsets count from the first Record, or back from the last") {
  CHECK(at("+12.5s", second) == second + 12'500'000'000);
  CHECK(at("2", second) == 3 * second);
  CHECK(at("+300ms") == 300'000'000);
  CHECK(at("+7us") == 7000);
  CHECK(at("+2m") == 120 * second);
  CHECK(at("-3s") == 97 * second);
  CHECK(at("-3h") == 0);
  CHECK(at("end") == ~trace::Ticks{0});
}

TEST_CASE("a time of day is that of the trace's day, or of the next where it would lie before the trace") {
  CHECK(at("12:00:07.5") == 7'500'000'000);
  CHECK(at("12:01") == 60 * second);
  CHECK(at("11:00") == 23 * 3600 * second);
  CHECK(at("11:59:59.5") == 0);  // the first Record's second may have been cut when it was printed
  CHECK(at("11:30") == 0);       // as may its hour: from then on is from the begin on
}

TEST_CASE("RFC 3339 may have a zone") {
  CHECK(at("2024-05-01T12:00:01Z") == second);
  CHECK(at("2024-05-01T14:00:01.25+02:00") == 1'250'000'000);
  CHECK(at("2024-05-01 12:00:01") == second);
  CHECK(at("2024-04-30T12:00:00Z") == 0);
  CHECK(at("2024-02-29T12:00:00Z") == 0);
}

TEST_CASE("what is no moment is none") {
  for (const char* const text :
       {"", "+", "-", "+s", "+1x", "now", "25:00", "12:60", "1e3", "+1e300", "12:00:07.5x", "+99999999999999999999h",
        "2024-13-01T00:00:00Z", "2024-04-31T00:00:00Z", "2023-02-29T00:00:00Z", "+-3s", "+nan", "+inf"}) {
    INFO(text);
    CHECK_FALSE(When::parse(text));
  }
}

TEST_CASE("an untrue clock in the input gives some tick and harms nothing") {
  Process process;
  process.frequency = 0;
  CHECK(When::parse("+1s")->at(process, 5, 9) == 6);
  process.clocks.push_back({~trace::Ticks{0}, 0, ~std::uint64_t{0}, 0, 0});
  CHECK(When::parse("12:00")->at(process, 5, 9) <= ~trace::Ticks{0});
  CHECK(When::parse("2024-05-01T12:00:01Z")->at(process, 5, 9) <= ~trace::Ticks{0});
}

namespace {

/// Of a server with a TSC: 2.1 ticks a nanosecond, a clock that was measured a little wrong at first, and a second
/// reading.
Process server() {
  Process process;
  process.frequency = 2'100'000'123;
  process.epoch_seconds = 1'714'564'800;
  process.epoch_ticks = 77;
  process.clocks.push_back({1'000'000'000, 500'000'000, 1'714'564'800'476'000'000, 0, 2'100'000'000});
  process.clocks.push_back({43'000'000'000, 20'500'010'000, 1'714'564'820'999'000'000, 0, 2'100'000'000});
  return process;
}

}  // namespace

TEST_CASE("a time of day that was asked for is printed as it was asked for") {
  const Process process = server();
  for (const char* const text : {"2024-05-01T12:00:07.500Z", "2024-05-01T12:00:31.001Z", "2024-05-01T12:00:00.100Z"}) {
    const trace::Ticks time = When::parse(text)->at(process, 0, 0);
    CHECK(Times{process, 0}.calendar(time) == text);
  }
}

TEST_CASE("tables, cat and log lines tell the same time of day, and --at finds it again") {
  const Process process = server();
  trace::Timeline line;  // as the sinks of the process have it
  line.begin(2'100'000'000, process.epoch_seconds, process.epoch_ticks);
  for (const ClockReading& each : process.clocks)
    line.read(each.ticks, each.monotonic);
  for (const trace::Ticks time : {trace::Ticks{5}, trace::Ticks{2'000'000'001}, trace::Ticks{60'000'000'019}}) {
    const std::string clock = utc(line.realtime(time), 9);
    CHECK(Moments{process, 0}.clock(time) == clock);
    CHECK(Times{process, 0}.calendar(time) == clock.substr(0, 23) + "Z");
    const trace::Ticks found = When::parse(clock)->at(process, 0, 0);
    CHECK(found >= time);  // a moment includes the Record that it was taken from
    CHECK(line.realtime(found) == line.realtime(time));
  }
}
