// SPDX-License-Identifier: MIT
//
// The one order of all Records: by time, corrected by sequence numbers, stalled by nothing.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/order/heap.hpp>
#include <unspool/order/sequences.hpp>
#include <unspool/reading.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace unspool_test;
using unspool::Record;

namespace {

const auto lock = object_number(1);
const auto other = object_number(2);

/// "2:lock.acquire#3 ...": thread, Record, sequence.
std::string told(const Reading& read) {
  std::string text;
  for (const Record& record : read.records) {
    if (!text.empty()) text += ' ';
    text += std::to_string(record.thread) + ':' + std::string{record.row->name.substr(5)} + '#' +
            std::to_string(record.seq);
  }
  return text;
}

}  // namespace

TEST_CASE("Records of several threads come by time") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1).transition(10, "lock.busy", lock, 0, 0).transition(30, "lock.busy", lock, 0, 0);
  segment.writer(2, 1).transition(20, "lock.busy", lock, 0, 0).transition(40, "lock.busy", lock, 0, 0);
  trace.write();
  const Reading read{trace.path()};
  CHECK(std::ranges::is_sorted(read.records, {}, &Record::time));
  CHECK(told(read) == "1:busy#0 2:busy#0 1:busy#0 2:busy#0");
}

TEST_CASE("on one object the sequence decides, not the clock") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  // Thread 2's clock is 50 ticks behind: its acquire seems to precede the release that allowed it.
  segment.writer(1, 1).transition(100, "lock.acquire", lock, 0, 1).transition(140, "lock.release", lock, 0, 2);
  segment.writer(2, 1).transition(95, "lock.acquire", lock, 0, 3).transition(105, "lock.release", lock, 0, 4);
  segment.writer(3, 1).transition(120, "lock.busy", other, 0, 0);
  trace.write();
  const Reading read{trace.path()};
  CHECK(told(read) == "1:acquire#1 3:busy#0 1:release#2 2:acquire#3 2:release#4");
  CHECK(read.problems().empty());
}

TEST_CASE("a Record that quotes a number comes after the one that it quotes") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1).transition(100, "lock.acquire", lock, 0, 1).transition(200, "lock.release", lock, 0, 2);
  segment.writer(2, 1).transition(90, "lock.block", lock, 0, 1, 1).transition(190, "lock.acquire", lock, 0, 3);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:acquire#1 2:block#1 1:release#2 2:acquire#3");
}

TEST_CASE("a Record that others have seen before its time comes when they have, and holds nobody back") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  // 2 and 3 were let in as readers by 1; 3 runs first, and waits for another lock while 2 does not run yet.
  segment.writer(1, 1)
      .transition(100, "shared_lock.acquire", lock, 0, 1)
      .transition(200, "shared_lock.release", lock, 0, 2);
  segment.writer(2, 1)
      .transition(110, "shared_lock.block_shared", lock, 0, 1, 1)
      .transition(900, "shared_lock.acquire_shared", lock, 0, 3, 1, 2);
  segment.writer(3, 1)
      .transition(120, "shared_lock.block_shared", lock, 0, 1, 1)
      .transition(300, "shared_lock.acquire_shared", lock, 0, 4, 1, 2)
      .transition(310, "lock.block", other, 0, 1, 4)
      .transition(610, "lock.acquire", other, 0, 3, 4);
  segment.writer(4, 1).transition(250, "lock.acquire", other, 0, 1).transition(600, "lock.release", other, 0, 2);
  trace.write();
  const Reading read{trace.path()};
  std::vector<trace::Ticks> times;
  for (const Record& record : read.records)
    times.push_back(record.time);
  CHECK(times == std::vector<trace::Ticks>{100, 110, 120, 200, 250, 900, 300, 310, 600, 610});
}

TEST_CASE("clocks that are seconds apart do not change the order on objects") {
  // Four threads hand two locks around; then each thread's clock is shifted by its own amount.
  std::mt19937 random{7};
  const std::map<std::uint32_t, std::uint64_t> shifts{{1, 0}, {2, 2'500'000'000}, {3, 1'000}, {4, 900'000'000}};
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  std::map<std::uint32_t, ChunkBuilder*> writers;
  for (const auto& [thread, shift] : shifts)
    writers[thread] = &segment.writer(thread, 1);
  std::map<trace::ObjectNumber, std::uint32_t> sequences;
  for (trace::Ticks time = 10; time < 5000; time += 10) {
    const std::uint32_t thread = 1 + random() % 4;
    const auto object = random() % 2 == 0 ? lock : other;
    const std::string_view row = sequences[object] % 2 == 0 ? "lock.acquire" : "lock.release";
    writers[thread]->transition(time + shifts.at(thread), row, object, 0, ++sequences[object]);
  }
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 499);
  std::map<trace::ObjectNumber, std::uint32_t> got;
  std::map<std::uint32_t, trace::Ticks> last;
  for (const Record& record : read.records) {
    REQUIRE(record.seq == ++got[record.object]);
    REQUIRE(record.time >= last[record.thread]);
    last[record.thread] = record.time;
  }
}

TEST_CASE("a number that never comes holds nothing back for ever") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1).transition(100, "lock.acquire", lock, 0, 1).transition(300, "lock.busy", other, 0, 0);
  // Number 2 was never written: the thread was killed inside its release.
  segment.writer(2, 1).transition(200, "lock.acquire", lock, 0, 3).transition(210, "lock.release", lock, 0, 4);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:acquire#1 1:busy#0 2:acquire#3 2:release#4");
}

TEST_CASE("where older segments are gone, a missing number holds back for ten milliseconds only") {
  TraceBuilder trace;
  trace.process.frequency = 1'000'000'000;
  auto& segment = trace.segment(7);
  segment.writer(1, 1).transition(100, "lock.acquire", lock, 0, 1001).transition(50'000'000, "lock.busy", other, 0, 0);
  segment.writer(2, 1)
      .transition(200, "lock.release", lock, 0, 1005)
      .transition(20'000'000, "lock.acquire", lock, 0, 1006);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.process().cut);
  CHECK(told(read) == "1:acquire#1001 2:release#1005 2:acquire#1006 1:busy#0");
}

TEST_CASE("where older segments are gone, a Record that was written late still comes before those that quote it") {
  TraceBuilder trace;
  trace.process.frequency = 1'000'000'000;
  auto& segment = trace.segment(7);
  // The owner was off its processor for 8 ms between its acquire and the Record of it.
  segment.writer(1, 1)
      .transition(100, "lock.release", lock, 0, 1000)
      .transition(8'000'200, "lock.acquire", lock, 0, 1001);
  segment.writer(2, 1).transition(300, "lock.block", lock, 0, 1001, 1).transition(8'000'300, "lock.busy", other, 0, 0);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:release#1000 1:acquire#1001 2:block#1001 2:busy#0");
}

TEST_CASE("threads that all wait for each other go on with the earliest") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  // Impossible in a true trace: each waits for a number that the other has behind its own wait.
  segment.writer(1, 1).transition(100, "lock.acquire", lock, 0, 2).transition(110, "lock.acquire", other, 0, 1);
  segment.writer(2, 1).transition(105, "lock.acquire", other, 0, 2).transition(115, "lock.acquire", lock, 0, 1);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:acquire#2 1:acquire#1 2:acquire#2 2:acquire#1");
}

TEST_CASE("sequence numbers go round") {
  TraceBuilder trace;
  auto& segment = trace.segment(9);
  segment.writer(1, 1)
      .transition(100, "lock.acquire", lock, 0, 0xffff'fffe)
      .transition(140, "lock.release", lock, 0, 0xffff'ffff);
  segment.writer(2, 1).transition(130, "lock.acquire", lock, 0, 0).transition(150, "lock.release", lock, 0, 1);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:acquire#4294967294 1:release#4294967295 2:acquire#0 2:release#1");
}

TEST_CASE("a thread's packets are one chain over chunks and segments") {
  TraceBuilder trace;
  // The second chunk of the segment was written first.
  trace.segment(1).writer(1, 50).transition(60, "lock.acquire", lock, 0, 3);
  trace.segment(1).writer(1, 10).transition(20, "lock.acquire", lock, 0, 1).transition(30, "lock.release", lock, 0, 2);
  trace.segment(2).writer(1, 70).transition(80, "lock.release", lock, 0, 4);
  trace.write();
  CHECK(told(Reading{trace.path()}) == "1:acquire#1 1:release#2 1:acquire#3 1:release#4");
}

TEST_CASE("the heap gives the earliest, also after changes in its middle") {
  std::mt19937 random{3};
  unspool::Heap::Places places(200);
  unspool::Heap heap{places};
  std::map<std::uint32_t, trace::Ticks> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto chain = static_cast<std::uint32_t>(random() % 200);
    const trace::Ticks time = random() % 50;
    if (!model.contains(chain)) {
      heap.push(chain, time);
      model[chain] = time;
    } else if (random() % 2 == 0) {
      heap.change(chain, time);
      model[chain] = time;
    } else {
      heap.erase(chain);
      model.erase(chain);
    }
    REQUIRE(heap.empty() == model.empty());
    if (model.empty()) continue;
    const auto least = std::ranges::min_element(model, {}, [](const auto& each) {
      return std::pair{each.second, each.first};
    });
    REQUIRE(heap.first() == least->first);
    REQUIRE(heap.first_time() == least->second);
  }
}

TEST_CASE("sequences of many objects are kept apart") {
  unspool::Sequences sequences;
  for (std::uint64_t i = 1; i <= 100'000; ++i)
    sequences.of(i * 65'536 % trace::max_object_number + 1).advance(static_cast<std::uint32_t>(i));
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    REQUIRE(sequences.of(i * 65'536 % trace::max_object_number + 1).last == static_cast<std::uint32_t>(i));
  }
}
