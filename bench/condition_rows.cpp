// SPDX-License-Identifier: MIT
//
// Two threads that wake each other in turn, through a condition.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <memory>
#include <mutex>

namespace bench {
namespace {

using spool::Mode;

constexpr int turns = 500;
constexpr int rounds = 21;

struct Ours {
  spool::Lock lock{"ping-pong"};
  spool::Condition changed{lock, "changed"};
  int turn = 0;

  void play(int me) {
    for (int i = 0; i < turns; ++i) {
      const std::lock_guard guard{lock};
      changed.wait([&] { return turn == me; });
      turn = 1 - me;
      changed.notify_one();
    }
  }
};

struct Theirs {
  std::mutex lock;
  std::condition_variable changed;
  int turn = 0;

  void play(int me) {
    for (int i = 0; i < turns; ++i) {
      std::unique_lock guard{lock};
      changed.wait(guard, [&] { return turn == me; });
      turn = 1 - me;
      changed.notify_one();
    }
  }
};

Timed a_turn(Team& team, auto& game) {
  Timed timed = team.run([&](int index) { game.play(index); });
  timed.ns /= 2 * turns;
  return timed;
}

Rounds ping_pong(Mode mode) {
  auto team = std::make_shared<Team>(2);
  auto ours = std::make_shared<Ours>();
  auto theirs = std::make_shared<Theirs>();
  return {.ours =
              [=] {
                spool::set_transitions(mode);
                return a_turn(*team, *ours);
              },
          .theirs = [=] { return a_turn(*team, *theirs); }};
}

}  // namespace

std::vector<Benchmark> condition_rows() {
  std::vector<Benchmark> rows;
  for (const Mode mode : {Mode::off, Mode::all}) {
    rows.push_back({.name = fmt::format("condition, a turn, {}", spool::trace::name_of(mode)),
                    .peer = "std::condition_variable",
                    .rounds = rounds,
                    .prepare = [=] { return ping_pong(mode); }});
  }
  return rows;
}

}  // namespace bench
