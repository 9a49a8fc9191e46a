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
constexpr std::uint64_t turns = 2000;  // with work; short enough for a round that nobody disturbs
constexpr int rounds = 51;

struct Shared {
  alignas(128) spool::Lock ours{"contended"};
  alignas(128) std::mutex theirs;
  alignas(128) std::uint64_t counter = 0;
};

/// How long a thread has the lock in each turn, and how long it does something else; ns.
struct Share {
  int inside = 0;
  int outside = 0;
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

/// About so many ns, of a kind that no other thread slows down.
void work(int ns) {
  std::uint64_t value = 3;
  for (int i = 0; i < ns; ++i) {
    asm volatile("imul %0, %0" : "+r"(value));  // three cycles, each waits for the one before
  }
}

/// What a server does: a few ns with the lock, and many more without it. ns a turn, over all threads.
Timed turns_through(Team& team, auto& lock, std::uint64_t& counter, const Share& share) {
  Timed timed = team.run([&](int) {
    for (std::uint64_t i = 0; i < turns; ++i) {
      lock.lock();
      keep(++counter);
      work(share.inside);
      lock.unlock();
      work(share.outside);
    }
  });
  timed.ns /= static_cast<double>(turns * static_cast<std::uint64_t>(team.size()));
  return timed;
}

Rounds with_work(int threads, Mode mode, Share share) {
  auto team = std::make_shared<Team>(threads);
  auto shared = std::make_shared<Shared>();
  return {.ours =
              [=] {
                spool::set_transitions(mode);
                return turns_through(*team, shared->ours, shared->counter, share);
              },
          .theirs = [=] { return turns_through(*team, shared->theirs, shared->counter, share); }};
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
  for (const int threads : {2, 4}) {
    for (const Mode mode : {Mode::off, Mode::all}) {
      for (const Share share : {Share{20, 100}, Share{50, 200}, Share{100, 300}}) {
        rows.push_back({.name = fmt::format("one lock and work, {} threads, {}+{} ns, {}", threads, share.inside,
                                            share.outside, spool::trace::name_of(mode)),
                        .peer = "std::mutex",
                        .rounds = 2 * rounds - 1,
                        .prepare = [=] { return with_work(threads, mode, share); }});
      }
    }
  }
  return rows;
}

}  // namespace bench
