// SPDX-License-Identifier: MIT
//
// Plain holds: which two Records are read as one, where they come among the others, and that no answer depends on it.
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unspool/builder.hpp>
#include <unspool/order/ahead.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/find.hpp>
#include <unspool/read/trace.hpp>
#include <unspool/render/command.hpp>
#include <unspool/replay/audience.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace unspool_test;
using unspool::Merge;
using unspool::PlainHold;
using unspool::Record;

namespace {

const auto lock = object_number(1);
const auto other = object_number(2);

std::unique_ptr<unspool::Trace> opened(const TraceBuilder& builder) {
  builder.write();
  std::string refusal;
  auto trace = unspool::Trace::open(unspool::find_traces(builder.path(), refusal).front(), refusal);
  REQUIRE(trace != nullptr);
  return trace;
}

/// "1:hold#1-2 2:block#2 ...": thread, what, sequences.
std::string told(const TraceBuilder& builder) {
  const auto trace = opened(builder);
  Merge merge{*trace};
  std::string text;
  std::vector<PlainHold> holds;
  Record record;
  for (auto given = Merge::Given::record; given != Merge::Given::end;) {
    holds.clear();
    given = merge.next(record, holds, 1);
    for (const PlainHold& hold : holds)
      text += fmt::format("{}:hold#{}-{} ", hold.thread, hold.seq, hold.seq + 1);
    if (given == Merge::Given::record)
      text +=
          fmt::format("{}:{}#{} ", record.thread, record.row->name.substr(record.row->name.find('.') + 1), record.seq);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

/// Gives Records one by one, whatever it is asked for.
class Apart final : public unspool::RecordSource {
 public:
  explicit Apart(unspool::RecordSource& source) : source_{source} {}
  bool next(Record& record) override { return source_.next(record); }

 private:
  unspool::RecordSource& source_;
};

std::string report(const std::string& path, bool joined) {
  std::string refusal;
  const auto trace = unspool::Trace::open(unspool::find_traces(path, refusal).front(), refusal);
  REQUIRE(trace != nullptr);
  unspool::Ahead ahead{std::make_unique<Merge>(*trace)};
  Apart apart{ahead};
  std::vector<unspool::Input> inputs;
  if (joined) {
    inputs.push_back({trace->process(), ahead, 0});
  } else {
    inputs.push_back({trace->process(), apart, 0});
  }
  unspool::Options options;
  options.format = unspool::Options::Format::json;
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = ::open_memstream(&text, &size);
  unspool::run_report(inputs, options, out);
  std::fclose(out);
  std::string made{text, size};
  std::free(text);
  return made;
}

/// Threads that do legal things with a few locks in a made-up time: nested, spun, waited for, given up, released by
/// others.
class Bustle {
 public:
  Bustle(TraceBuilder& trace, std::uint32_t seed) : trace_{trace}, random_{seed} { begin_segment(); }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ += 1 + random(300);
      if (i == steps / 2) begin_segment();
      step(random(threads));
    }
  }

 private:
  static constexpr std::uint32_t threads = 5;
  static constexpr std::uint32_t locks = 7;

  struct Lock {
    std::uint32_t owner = 0;
    std::uint32_t depth = 0;
    trace::SiteNumber site = 0;
    trace::Sequence seq = 0;
    std::uint32_t releaser = 0;
    std::deque<std::uint32_t> waiters;
  };

  std::uint32_t random(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  static bool is_recursive(std::uint32_t number) { return number % 3 == 0; }
  static std::string row(std::uint32_t number, const char* verb) {
    return (is_recursive(number) ? "rlock." : "lock.") + std::string{verb};
  }

  void begin_segment() {
    SegmentBuilder& segment = trace_.segment(++number_);
    segment.define_mode(trace::Mode::all).define_clock(1, 1, 1, 1'000'000'000);
    for (std::uint32_t i = 0; i < 9; ++i)
      segment.define_site(i + 1, "a.cpp", i + 1);
    for (std::uint32_t i = 0; i < locks; ++i)
      segment.define_object(object_number(i + 1), is_recursive(i) ? trace::Kind::rlock : trace::Kind::lock, "",
                            1 + i % 2);
    for (std::uint32_t i = 0; i < threads; ++i) {
      segment.define_thread(i + 1, "t" + std::to_string(i + 1));
      writers_[i] = &segment.writer(i + 1, now_);
    }
  }

  void put(std::uint32_t thread, std::uint32_t number, const char* verb, trace::Sequence seq, std::uint32_t a,
           std::uint32_t b) {
    writers_[thread]->transition(now_, row(number, verb), object_number(number + 1), sites_[thread], seq, a, b);
  }

  void step(std::uint32_t thread) {
    std::vector<std::uint32_t>& held = held_[thread];
    if (waits_.contains(thread)) return try_again(thread);
    sites_[thread] = 2 + random(7);
    if (!held.empty() && random(3) != 0) return release(thread, held.back());
    if (held.size() < 3) return want(thread, random(locks));
  }

  void want(std::uint32_t thread, std::uint32_t number) {
    Lock& wanted = locks_[number];
    if (wanted.owner == 0 && wanted.waiters.empty()) return acquire(thread, number, random(10) == 0 ? 7 : 0);
    if (wanted.owner == thread + 1) {
      if (!is_recursive(number)) return;
      return put(thread, number, "enter", ++wanted.seq, ++wanted.depth, 0);
    }
    if (random(3) == 0) return put(thread, number, "busy", wanted.seq, wanted.owner, wanted.site);
    // In order of their numbers, or all would stand still soon.
    if (!held_[thread].empty() && *std::ranges::max_element(held_[thread]) >= number) return;
    put(thread, number, "block", wanted.seq, wanted.owner, wanted.site);
    wanted.waiters.push_back(thread);
    waits_[thread] = number;
  }

  void try_again(std::uint32_t thread) {
    const std::uint32_t number = waits_[thread];
    Lock& wanted = locks_[number];
    if (wanted.owner == 0 && wanted.waiters.front() == thread) {
      wanted.waiters.pop_front();
    } else if (random(40) == 0) {
      std::erase(wanted.waiters, thread);
      waits_.erase(thread);
      return put(thread, number, "timeout", wanted.seq, wanted.owner, wanted.site);
    } else {
      return;
    }
    waits_.erase(thread);
    acquire(thread, number, 0);
  }

  void acquire(std::uint32_t thread, std::uint32_t number, std::uint32_t spun) {
    Lock& taken = locks_[number];
    // A call that could have been given up names itself.
    const std::uint32_t waker = random(5) == 0 ? thread + 1 : taken.releaser;
    put(thread, number, "acquire", ++taken.seq, waker, spun);
    taken.owner = thread + 1;
    taken.depth = 1;
    taken.site = sites_[thread];
    held_[thread].push_back(number);
  }

  void release(std::uint32_t thread, std::uint32_t number) {
    Lock& given = locks_[number];
    if (given.depth > 1) return put(thread, number, "leave", ++given.seq, --given.depth, 0);
    std::uint32_t by = thread;
    if (!is_recursive(number) && random(30) == 0) {
      const auto other_thread = random(threads);
      if (!waits_.contains(other_thread)) by = other_thread;
    }
    put(by, number, "release", ++given.seq, static_cast<std::uint32_t>(given.waiters.size()), thread + 1);
    given.owner = given.depth = 0;
    given.releaser = by + 1;
    std::erase(held_[thread], number);
  }

  TraceBuilder& trace_;
  std::mt19937 random_;
  trace::Ticks now_ = 10;
  std::uint32_t number_ = 0;
  std::map<std::uint32_t, ChunkBuilder*> writers_;
  std::map<std::uint32_t, trace::SiteNumber> sites_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> held_;
  std::map<std::uint32_t, std::uint32_t> waits_;
  std::map<std::uint32_t, Lock> locks_;
};

}  // namespace

TEST_CASE("an acquire and its release that nobody waited for are one plain hold") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(30, "lock.release", lock, 6, 2, 0, 1);
  segment.writer(2, 1)
      .transition(40, "rlock.acquire", other, 5, 1, 1, 0)
      .transition(50, "rlock.release", other, 5, 2, 0, 2);
  const auto read = opened(trace);
  Merge merge{*read};
  std::vector<PlainHold> holds;
  Record record;
  CHECK(merge.next(record, holds, 10) == Merge::Given::end);
  REQUIRE(holds.size() == 2);
  CHECK(holds[0].since == 10);
  CHECK(holds[0].until == 30);
  CHECK(holds[0].thread == 1);
  CHECK(holds[0].object() == lock);
  CHECK(holds[0].kind() == trace::Kind::lock);
  CHECK(holds[0].site == 5);
  CHECK(holds[0].release_site == 6);
  CHECK(holds[0].seq == 1);
  CHECK(holds[1].kind() == trace::Kind::rlock);
  CHECK(holds[1].waker == 1);
}

TEST_CASE("what is more than an acquire and its release is given Record by Record") {
  struct Row {
    const char* what;
    const char* second;
    trace::ObjectNumber object;
    trace::Sequence seq;
    std::uint32_t spun, waiters, owner;
    trace::Ticks until;
    const char* expected;
  };
  const auto row = GENERATE(values<Row>({
      {"somebody waits", "lock.release", lock, 2, 0, 1, 1, 30, "1:acquire#1 1:release#2"},
      {"it has spun", "lock.release", lock, 2, 9, 0, 1, 30, "1:acquire#1 1:release#2"},
      {"another's hold is released", "lock.release", lock, 2, 0, 0, 2, 30, "1:acquire#1 1:release#2"},
      {"a Record is missing", "lock.release", lock, 3, 0, 0, 1, 30, "1:acquire#1 1:release#3"},
      {"another lock is released", "lock.release", other, 2, 0, 0, 1, 30, "1:acquire#1 1:release#2"},
      {"it is released as another kind", "rlock.release", lock, 2, 0, 0, 1, 30, "1:acquire#1 1:release#2"},
      {"the time goes back", "lock.release", lock, 2, 0, 0, 1, 9, "1:acquire#1 1:release#2"},
      {"it is taken again", "lock.acquire", lock, 2, 0, 0, 1, 30, "1:acquire#1 1:acquire#2"},
  }));
  INFO(row.what);
  TraceBuilder trace;
  trace.segment(1)
      .writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 1, 0, row.spun)
      .transition(row.until, row.second, row.object, 5, row.seq, row.waiters, row.owner);
  CHECK(told(trace) == row.expected);
}

TEST_CASE("an acquire that ended a wait is no plain hold") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(30, "lock.release", lock, 5, 2, 1, 1)
      .transition(50, "lock.acquire", lock, 5, 5, 2, 0)
      .transition(60, "lock.release", lock, 5, 6, 0, 1);
  segment.writer(2, 1)
      .transition(20, "lock.block", lock, 5, 1, 1, 5)
      .transition(35, "lock.acquire", lock, 5, 3, 1, 0)
      .transition(40, "lock.release", lock, 5, 4, 0, 2);
  CHECK(told(trace) == "1:acquire#1 2:block#1 1:release#2 2:acquire#3 2:release#4 1:hold#5-6");
}

TEST_CASE("a hold waits for the Record of another thread that made it possible, and others for it") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  // Thread 1's clock is far behind that of thread 2, thread 3's even more.
  segment.writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 3, 2, 0)
      .transition(20, "lock.release", lock, 5, 4, 0, 1);
  segment.writer(2, 1)
      .transition(510, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(520, "lock.release", lock, 5, 2, 0, 2);
  segment.writer(3, 1).transition(5, "lock.busy", lock, 5, 4, 0, 0);
  CHECK(told(trace) == "2:hold#1-2 1:hold#3-4 3:busy#4");
}

TEST_CASE("nested holds are not torn") {
  TraceBuilder trace;
  trace.segment(1)
      .writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(20, "lock.acquire", other, 5, 1, 0, 0)
      .transition(30, "lock.release", other, 5, 2, 0, 1)
      .transition(40, "lock.release", lock, 5, 2, 0, 1);
  CHECK(told(trace) == "1:acquire#1 1:hold#1-2 1:release#2");
}

TEST_CASE("who holds something gives one hold at its time, as another thread may release what they hold") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 1)
      .transition(10, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(20, "lock.acquire", other, 5, 1, 0, 0)
      .transition(30, "lock.release", other, 5, 2, 0, 1)
      .transition(50, "lock.acquire", other, 5, 3, 1, 0)
      .transition(60, "lock.release", other, 5, 4, 0, 1);
  segment.writer(2, 1).transition(40, "lock.release", lock, 5, 2, 0, 1);
  CHECK(told(trace) == "1:acquire#1 1:hold#1-2 2:release#2 1:hold#3-4");
}

TEST_CASE("holds are found across the pieces in which a file is read") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  auto& writer = segment.writer(1, 1);
  constexpr trace::Sequence pairs = 3000;
  writer.transition(2, "lock.busy", lock, 5, 0, 0, 0);  // so that a piece ends between an acquire and its release
  for (trace::Sequence i = 0; i < pairs; ++i)
    writer.transition(10 + 2 * i, "lock.acquire", lock, 5, 2 * i + 1, 0, 0)
        .transition(11 + 2 * i, "lock.release", lock, 5, 2 * i + 2, 0, 1);
  const auto read = opened(trace);
  Merge merge{*read};
  std::vector<PlainHold> holds;
  Record record;
  CHECK(merge.next(record, holds, 10) == Merge::Given::record);
  CHECK(holds.empty());
  CHECK(merge.next(record, holds, 2 * pairs) == Merge::Given::end);
  CHECK(holds.size() == pairs);
}

TEST_CASE("a wait that was given up within a plain hold is told as that holder's") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.define_object(lock, trace::Kind::lock, "accounts");
  segment.writer(1, 1)
      .transition(5, "lock.acquire", lock, 5, 1, 0, 0)
      .transition(6, "lock.release", lock, 5, 2, 0, 1)
      .transition(10, "lock.acquire", lock, 5, 3, 1, 0)
      .transition(90, "lock.release", lock, 5, 4, 0, 1);
  segment.writer(2, 1).transition(20, "lock.block", lock, 6, 3, 1, 5).transition(70, "lock.timeout", lock, 6, 3, 1, 5);
  trace.write();
  const std::string joined = report(trace.path(), true);
  CHECK(joined == report(trace.path(), false));
  CHECK(joined.find("\"hand_over\": 0") != std::string::npos);
}

// The story: `unspool path` is handed over as an Observer, which has a function for plain holds, so that holds were
// joined; what it made of acquires that had spun was gone, and its path was another.
TEST_CASE("one whose type is not known hears Records one by one") {
  struct OfHolds : unspool::Observer {
    void acquired(const unspool::ObjectState&, const Record&, trace::Ticks, bool) override {}
    void held_plainly(unspool::HoldsOfObjects) override {}
  } of_holds;
  CHECK(unspool::Audience{of_holds}.takes_holds);
  unspool::Observer& unknown = of_holds;
  CHECK_FALSE(unspool::Audience{unknown}.takes_holds);
}

TEST_CASE("no answer depends on whether holds are joined") {
  const auto seed = GENERATE(range(1U, 41U));
  INFO("seed " << seed);
  TraceBuilder trace;
  Bustle{trace, seed}.run(4000);
  trace.write();
  const std::string joined = report(trace.path(), true);
  CHECK((joined == report(trace.path(), false)));
}
