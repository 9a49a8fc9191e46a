// SPDX-License-Identifier: MIT
//
// Random schedules whose simulator keeps the truth: who had the lock during each tick of each wait. Replay, from the
// Records alone, has to say exactly the same; and where Records are missing or damaged, its sums still have to be the
// waits'.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <map>
#include <optional>
#include <random>

using namespace unspool;
using namespace unspool::test;

namespace {

using Who = std::pair<trace::ThreadNumber, trace::SiteNumber>;  ///< {0, 0}: nobody
using Truth = std::map<Who, trace::Ticks>;

class Simulator {
 public:
  Script script;
  std::vector<Truth> waits;  ///< in the order in which they ended

  Simulator(unsigned seed, trace::ThreadNumber threads, unsigned locks)
      : random_{seed}, threads_(threads + 1), owners_(locks) {}

  void run(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
      pass(random(20));
      step(next_thread());
    }
  }

 private:
  struct State {
    enum { idle, waiting, holding } is = idle;
    unsigned lock = 0;
    Truth truth;
  };

  /// The first five are busy. The others seldom get their turn, and wait over many tenures.
  trace::ThreadNumber next_thread() {
    const std::size_t all = threads_.size() - 1;
    const bool busy = all <= 5 || random(30) != 0;
    return 1 + (busy ? random(std::min<std::size_t>(all, 5)) : 5 + random(all - 5));
  }

  unsigned random(std::size_t below) { return static_cast<unsigned>(random_() % below); }

  void pass(trace::Ticks ticks) {
    now_ += ticks;
    for (State& thread : threads_) {
      if (thread.is == State::waiting && ticks != 0) thread.truth[owners_[thread.lock].value_or(Who{0, 0})] += ticks;
    }
  }

  void step(trace::ThreadNumber number) {
    State& thread = threads_[number];
    if (thread.is == State::idle) thread.lock = random(owners_.size());
    auto& owner = owners_[thread.lock];
    const trace::ObjectNumber object = lock(thread.lock);
    const trace::SiteNumber site = 10 + random(3);
    switch (thread.is) {
      case State::idle:
        if (!owner) return take(number, thread, site);
        script.block(now_, number, object, site, owner->first, owner->second);
        thread.is = State::waiting;
        thread.truth.clear();
        return;
      case State::holding:
        script.release(now_, number, object, site, number);
        owner.reset();
        thread.is = State::idle;
        return;
      case State::waiting:
        if (!owner && random(2) == 0) return take(number, thread, site);
        if (owner && random(4) == 0) return script.block(now_, number, object, site, owner->first, owner->second);
        if (random(8) != 0) return;
        script.add(Kind::lock, random(2) == 0 ? Verb::timeout : Verb::cancel, now_, number, object, site);
        waits.push_back(thread.truth);
        thread.is = State::idle;
    }
  }

  void take(trace::ThreadNumber number, State& thread, trace::SiteNumber site) {
    if (thread.is == State::waiting) waits.push_back(thread.truth);
    script.acquire(now_, number, lock(thread.lock), site);
    owners_[thread.lock] = Who{number, site};
    thread.is = State::holding;
  }

  std::mt19937 random_;
  trace::Ticks now_ = 1;
  std::vector<State> threads_;
  std::vector<std::optional<Who>> owners_;
};

class Waits : public Observer {
 public:
  std::vector<Wait> all;
  void waited(const ObjectState*, const Wait& wait) override { all.push_back(wait); }
};

std::vector<Wait> replayed(const Script& script) {
  Waits waits;
  ListSource source{script.records};
  Replay replay{script.process, Audience{waits}};
  replay.run(source);
  return waits.all;
}

/// Empty when a share is nobody's and nobody known.
Truth truth_of(const Wait& wait) {
  Truth truth;
  for (const Share& share : wait.shares)
    truth[{share.holder.thread, share.holder.site}] += share.ticks;
  return truth;
}

trace::Ticks sum(const Wait& wait) {
  trace::Ticks ticks = 0;
  for (const Share& share : wait.shares)
    ticks += share.ticks;
  return ticks;
}

}  // namespace

TEST_CASE("every wait's holders and hand-over are those of the simulator, tick by tick") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Simulator simulator{seed, 2 + seed % 9, 1 + seed % 4};
    simulator.run(3000);
    const std::vector<Wait> waits = replayed(simulator.script);
    std::size_t ended = 0;
    for (const Wait& wait : waits) {
      CHECK(sum(wait) == wait.ticks());
      if (wait.ending == Ending::unended) continue;
      REQUIRE(ended < simulator.waits.size());
      INFO("seed " << seed << ", wait " << ended);
      REQUIRE(truth_of(wait) == simulator.waits[ended]);
      ++ended;
    }
    REQUIRE(ended == simulator.waits.size());
    REQUIRE(ended > 10);
  }
}

TEST_CASE("waits that last over thousands of tenures, beside short ones, are as exact") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    Simulator simulator{seed, 25, 1};
    simulator.run(150'000);
    const std::vector<Wait> waits = replayed(simulator.script);
    std::size_t ended = 0;
    for (const Wait& wait : waits) {
      if (wait.ending == Ending::unended) continue;
      REQUIRE(ended < simulator.waits.size());
      REQUIRE(truth_of(wait) == simulator.waits[ended]);
      ++ended;
    }
    REQUIRE(ended == simulator.waits.size());
  }
}

TEST_CASE("whatever Records are missing, twice there or damaged, each wait's shares sum to it") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Simulator simulator{seed, 5, 2};
    simulator.run(2000);
    std::mt19937 random{seed};
    std::vector<Record> damaged;
    for (Record record : simulator.script.records) {
      const auto what = random() % 40;
      if (what == 0) continue;
      if (what == 1) damaged.push_back(record);
      if (what == 2) record.thread = static_cast<trace::ThreadNumber>(random() % 8);
      if (what == 3) record.time = random();
      if (what == 4) record.row = &trace::rows()[random() % trace::rows().size()];
      if (what == 5) record.object = random() % 2 == 0 ? random() : lock(random() % 3);
      if (what == 6) record.a = record.b = static_cast<std::uint32_t>(random());
      damaged.push_back(record);
    }
    simulator.script.records = damaged;
    for (const Wait& wait : replayed(simulator.script)) {
      if (wait.kind != Kind::lock) continue;
      REQUIRE(sum(wait) == wait.ticks());
      for (const Share& share : wait.shares)
        REQUIRE(share.ticks <= wait.ticks());  // no sum by wrapping round
    }
    Script& script = simulator.script;
    script.process.mode = seed % 2 == 0 ? Mode::all : Mode::contended;
    CHECK_FALSE(printed(run_report, script).empty());
  }
}
