// SPDX-License-Identifier: MIT
//
// 100 million Records in a row, with segments that rotate: what a pair costs then, beside pairs on prepared pages in
// the same run, and what the recorder's own threads use beside it. On tmpfs nothing is written back; with archives zstd
// runs as well.
#include <spool/sync/lock.hpp>

#include "recording.hpp"
#include "rows.hpp"

#include <fmt/format.h>

#include <memory>

namespace bench {
namespace {

using spool::log::Cost;

constexpr std::uint64_t sustained_pairs = 50'000'000;  // two Records each
constexpr std::uint64_t prepared_pairs = 20'000;       // a segment takes 126,000
constexpr double sustained_goal = 1.25;
constexpr double keeper_goal = 5;  // ns a Record
constexpr int rounds = 5;
constexpr const char* memory = "/dev/shm";

double ns_of(std::chrono::nanoseconds span) {
  return static_cast<double>(span.count());
}

/// What all rounds came to, of ours.
struct Sums {
  double wall = 0;  ///< ns
  Cost cost;        ///< of the sustained rounds only
  std::uint64_t segments = 0;
  std::uint64_t archived = 0;
  std::uint64_t unarchived = 0;
};

void add(Sums& sums, const Cost& before, const Cost& after) {
  sums.cost.written.records += after.written.records - before.written.records;
  sums.cost.written.bytes += after.written.bytes - before.written.bytes;
  sums.cost.lost += after.lost - before.lost;
  sums.cost.helped += after.helped - before.helped;
  sums.cost.cpu.keeper += after.cpu.keeper - before.cpu.keeper;
  sums.cost.cpu.archiver += after.cpu.archiver - before.cpu.archiver;
}

/// One sustained run: CPU ns a pair. Not clean where a Record was lost.
Timed run_long(spool::Lock& lock, Sums& sums) {
  spool::log::Recorder& recorder = spool::log::Recorder::instance();
  spool::set_transitions(spool::Mode::all);
  const Cost before = recorder.cost();
  const spool::log::RecorderCounters counters = recorder.counters();
  Timed timed;
  sums.wall += ns_per(1, [&] {
    timed.ns = cpu_ns_per(sustained_pairs, [&] {
      lock.lock();
      lock.unlock();
    });
  });
  const Cost after = recorder.cost();
  const spool::log::RecorderCounters now = recorder.counters();
  add(sums, before, after);
  sums.segments += now.segments - counters.segments;
  sums.archived += now.archived - counters.archived;
  sums.unarchived += now.unarchived - counters.unarchived;
  timed.clean = after.lost == before.lost;
  return timed;
}

std::vector<std::string> facts_of(const Sums& sums) {
  const auto records = static_cast<double>(sums.cost.written.records);
  std::vector<std::string> facts{
      fmt::format("{} Records and {} bytes in {} segments, {} lost, {} segments prepared by the writer",
                  sums.cost.written.records, sums.cost.written.bytes, sums.segments, sums.cost.lost, sums.cost.helped),
      fmt::format("by the clock on the wall {:.1f} ns a pair; {:.2f} ns of the keeper's CPU a Record",
                  2 * sums.wall / records, ns_of(sums.cost.cpu.keeper) / records)};
  if (sums.archived + sums.unarchived != 0) {
    facts.push_back(fmt::format(
        "{} archives, {} segments recycled before the archiver came to them; it used {:.2f} ns of CPU a Record",
        sums.archived, sums.unarchived, ns_of(sums.cost.cpu.archiver) / records));
  }
  return facts;
}

/// The peer: pairs that begin no segment. Many short rounds of them are the round of one long run.
Timed prepared_round(spool::Lock& lock) {
  constexpr int few = 51;
  std::vector<double> times;
  for (int i = 0; i < few; ++i) {
    const Timed timed = between_swaps(spool::Mode::all, prepared_pairs, [&] {
      lock.lock();
      lock.unlock();
    });
    if (timed.clean) times.push_back(timed.ns);
  }
  return {spread_of(times).median, !times.empty()};
}

Rounds sustained() {
  lap_the_ring();
  auto lock = std::shared_ptr<spool::Lock>{new spool::Lock{"bench"}};
  auto sums = std::make_shared<Sums>();
  return {.ours = [=] { return run_long(*lock, *sums); },
          .theirs = [=] { return prepared_round(*lock); },
          .facts = [=] { return facts_of(*sums); }};
}

/// ns of the keeper's CPU a Record.
Rounds keeper_alone() {
  lap_the_ring();
  auto lock = std::shared_ptr<spool::Lock>{new spool::Lock{"bench"}};
  auto all = std::make_shared<Sums>();
  const auto ours = [=] {
    const Cost before = all->cost;
    Timed timed = run_long(*lock, *all);
    const auto records = static_cast<double>(all->cost.written.records - before.written.records);
    timed.ns = ns_of(all->cost.cpu.keeper - before.cpu.keeper) / records;
    return timed;
  };
  return {.ours = ours, .theirs = [] { return Timed{keeper_goal}; }, .facts = [=] { return facts_of(*all); }};
}

}  // namespace

std::vector<Benchmark> sustained_rows() {
  const std::string peer = "prepared pages";
  return {
      {.name = "100 M Records, tmpfs (CPU)",
       .peer = peer,
       .goal = sustained_goal,
       .rounds = rounds,
       .prepare = sustained,
       .directory = memory},
      {.name = "100 M Records, disk (CPU)", .peer = peer, .rounds = rounds, .prepare = sustained},
      {.name = "100 M Records, archived (CPU)",
       .peer = peer,
       .rounds = rounds,
       .prepare = sustained,
       .directory = memory,
       .archived = true},
      {.name = "keeper, a Record (CPU)",
       .peer = "5 ns",
       .goal = 1.0,
       .rounds = rounds,
       .prepare = keeper_alone,
       .directory = memory},
  };
}

}  // namespace bench
