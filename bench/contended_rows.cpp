// SPDX-License-Identifier: MIT
//
// Several threads on one lock. What this measures is mostly the scheduler and the machine, so look at the spread.
#include <spool/sync/lock.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <fmt/format.h>

#include <memory>
#include <mutex>

namespace bench {
namespace {

using spool::Mode;

constexpr std::uint64_t pairs = 5000;
constexpr int rounds = 51;

struct Shared {
  alignas(128) spool::Lock ours{"contended"};
  alignas(128) std::mutex theirs;
  alignas(128) std::uint64_t counter = 0;
};

/// ns a pair, over all threads: what the lock lets through.
Timed through(Team& team, auto& lock, std::uint64_t& counter) {
  Timed timed = team.run([&](int) {
    for (std::uint64_t i = 0; i < pairs; ++i) {
      lock.lock();
      keep(++counter);
      lock.unlock();
    }
  });
  timed.ns /= static_cast<double>(pairs * static_cast<std::uint64_t>(team.size()));
  return timed;
}

Rounds on_one_lock(int threads, Mode mode) {
  auto team = std::make_shared<Team>(threads);
  auto shared = std::make_shared<Shared>();
  return {.ours =
              [=] {
                spool::set_transitions(mode);
                return through(*team, shared->ours, shared->counter);
              },
          .theirs = [=] { return through(*team, shared->theirs, shared->counter); }};
}

}  // namespace

std::vector<Benchmark> contended_rows() {
  std::vector<Benchmark> rows;
  for (const int threads : {2, 4}) {
    for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
      rows.push_back({.name = fmt::format("one lock, {} threads, {}", threads, spool::trace::name_of(mode)),
                      .peer = "std::mutex",
                      .rounds = rounds,
                      .prepare = [=] { return on_one_lock(threads, mode); }});
    }
  }
  return rows;
}

}  // namespace bench
