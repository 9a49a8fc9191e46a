// SPDX-License-Identifier: MIT
//
// What a lock and unlock by one thread costs, in each mode, beside std::mutex and beside the clock: a recorded pair
// reads the time twice, and that is most of its cost.
//
// Every process here has several threads (the keeper, at least): glibc spares a single-threaded one the atomic
// operations, which no program that needs a lock would see.
#include <spool/log/writer.hpp>
#include <spool/os/clock.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace bench {
namespace {

using spool::Mode;

constexpr std::uint64_t pairs = 20'000;  // a segment takes 126,000
constexpr double off_goal = 1.0;
constexpr double contended_goal = 1.1;
constexpr double all_goal = 2.6;
constexpr double apart_goal = 1.2;

/// Apart, so that neither shares a cache line with anything.
struct Locks {
  alignas(128) spool::Lock ours{"bench"};
  alignas(128) std::mutex theirs;
};

Timed clock_round() {
  return {ns_per(pairs, [] { keep(spool::os::ticks()); })};
}

void pair_of(auto& lock) {
  lock.lock();
  lock.unlock();
}

void guarded_pair_of(auto& lock) {
  const std::lock_guard guard{lock};
}

Round mutex_round(const std::shared_ptr<Locks>& locks) {
  return [locks] { return Timed{ns_per(pairs, [&] { pair_of(locks->theirs); })}; };
}

Rounds beside_mutex(Mode mode) {
  auto locks = std::make_shared<Locks>();
  return {.ours = [=] { return in_mode(mode, pairs, [&] { pair_of(locks->ours); }); }, .theirs = mutex_round(locks)};
}

Rounds all_beside_clock() {
  lap_the_ring();
  auto locks = std::make_shared<Locks>();
  const auto before = spool::log::Recorder::instance().counters();
  return {.ours = [=] { return between_swaps(Mode::all, pairs, [&] { pair_of(locks->ours); }); },
          .theirs = clock_round,
          .facts = [=] { return std::vector{counted_since(before)}; }};
}

Rounds all_beside_mutex() {
  Rounds rounds = all_beside_clock();
  rounds.theirs = mutex_round(std::make_shared<Locks>());
  return rounds;
}

/// The least that a recorded pair can be: two atomic operations, two readings of the clock, two times 32 bytes and how
/// many bytes there are. Nothing is looked up, and nothing is made sure of.
class BareMinimum {
 public:
  void pair() {
    std::uint32_t word = 0;
    // acquire, release: those of a lock, of which nobody else knows
    while (!word_.compare_exchange_strong(word, 1, std::memory_order_acquire))
      word = 0;
    record(1);
    record(2);
    word_.exchange(0, std::memory_order_release);
  }

 private:
  void record(std::uint64_t id) {
    std::uint64_t* const to = &bytes_[position_];
    to[0] = spool::os::ticks();
    to[1] = id;
    to[2] = ++sequence_;
    to[3] = 0;
    __builtin_prefetch(to + spool::log::prefetched_bytes / sizeof *to, 1);
    position_ = (position_ + 4) & (words - 1);
    committed_.store(position_, std::memory_order_release);  // release: as of a packet, of which nobody else knows
  }

  static constexpr std::size_t words = std::size_t{8} << 20U;
  alignas(128) std::atomic<std::uint32_t> word_{0};
  std::uint64_t sequence_ = 0;
  std::atomic<std::uint64_t> committed_{0};
  std::size_t position_ = 0;
  std::vector<std::uint64_t> bytes_ = std::vector<std::uint64_t>(words);
};

Rounds all_beside_bare_minimum() {
  Rounds rounds = all_beside_clock();
  auto bare = std::make_shared<BareMinimum>();
  rounds.theirs = [=] { return Timed{ns_per(pairs, [&] { bare->pair(); })}; };
  return rounds;
}

Rounds guard_beside_guard(Mode mode) {
  if (mode != Mode::off) lap_the_ring();
  auto locks = std::make_shared<Locks>();
  return {.ours = [=] { return between_swaps(mode, pairs, [&] { guarded_pair_of(locks->ours); }); },
          .theirs = [=] { return Timed{ns_per(pairs, [&] { guarded_pair_of(locks->theirs); })}; }};
}

/// Half the difference of a pair with and one without recording, within the same round.
Rounds record_alone() {
  lap_the_ring();
  auto locks = std::make_shared<Locks>();
  const auto ours = [=] {
    const auto pair = [&] { pair_of(locks->ours); };
    Timed timed = between_swaps(Mode::all, pairs, pair);
    timed.ns = (timed.ns - in_mode(Mode::off, pairs, pair).ns) / 2;
    return timed;
  };
  return {.ours = ours, .theirs = clock_round};
}

/// Has all that was written until now go to the disk. The kernel protects a page again when it has written it back, so
/// that the next store into it faults.
void write_back() {
  std::error_code gone;  // the keeper renames what it recycles
  std::filesystem::recursive_directory_iterator entry{spool::trace_directory(), gone};
  for (; entry != std::filesystem::recursive_directory_iterator{}; entry.increment(gone)) {
    const int file = open(entry->path().c_str(), O_RDONLY | O_CLOEXEC);
    fdatasync(file);
    close(file);
  }
}

/// A process that needs minutes for a lap of the ring finds every page written back: the keeper must prepare them anew.
Rounds all_after_write_back() {
  Rounds rounds = all_beside_clock();
  const Round measured = rounds.ours;
  rounds.ours = [=] {
    write_back();
    std::this_thread::sleep_for(std::chrono::milliseconds{1100});  // such a lap takes longer than a second
    begin_segments(3);                                             // beyond the spare, which was prepared before
    return measured();
  };
  return rounds;
}

/// ns a pair, each member with a lock of its own.
Round apart(int members, Mode mode) {
  auto team = std::make_shared<Team>(members);
  auto locks = std::make_shared<std::array<Locks, 2>>();
  return [=] {
    spool::set_transitions(mode);
    Timed timed = team->run([&](int index) {
      Locks& mine = (*locks)[static_cast<std::size_t>(index)];
      for (std::uint64_t i = 0; i < pairs; ++i)
        pair_of(mine.ours);
    });
    timed.ns /= static_cast<double>(pairs);
    return timed;
  };
}

/// Locks and threads that have nothing to do with each other must not slow each other down.
Rounds two_threads_two_locks(Mode mode) {
  if (mode != Mode::off) lap_the_ring();
  return {.ours = apart(2, mode), .theirs = apart(1, mode)};
}

template <class L>
void make_and_destroy() {
  L lock;
  keep(lock);
}

template <class L>
void make_use_and_destroy() {
  L lock;
  pair_of(lock);
}

Rounds birth_and_death() {
  constexpr std::uint64_t count = 50'000;
  return {.ours = [] { return in_mode(Mode::all, count, make_and_destroy<spool::Lock>); },
          .theirs = [] { return Timed{ns_per(count, make_and_destroy<std::mutex>)}; }};
}

Rounds short_life(Mode mode) {
  constexpr std::uint64_t count = 2000;
  return {.ours = [=] { return in_mode(mode, count, make_use_and_destroy<spool::Lock>); },
          .theirs = [] { return Timed{ns_per(count, make_use_and_destroy<std::mutex>)}; }};
}

}  // namespace

std::vector<Benchmark> lock_rows() {
  const std::string clock = choose_clock();
  const auto empty_loop = [] { return Rounds{.ours = [] { return Timed{ns_per(pairs, [] {})}; }}; };
  const auto clock_alone = [] { return Rounds{.ours = clock_round}; };
  constexpr int few = 5;
  std::vector<Benchmark> rows{
      {.name = "loop with nothing in it", .prepare = empty_loop},
      {.name = clock, .prepare = clock_alone},
      {.name = "lock pair, off",
       .peer = "std::mutex",
       .goal = off_goal,
       .prepare = [] { return beside_mutex(Mode::off); }},
      {.name = "lock pair, contended",
       .peer = "std::mutex",
       .goal = contended_goal,
       .prepare = [] { return beside_mutex(Mode::contended); }},
      {.name = "lock pair, all", .peer = clock, .goal = all_goal, .prepare = all_beside_clock},
      {.name = "lock pair, all, on tmpfs",
       .peer = clock,
       .goal = all_goal,
       .prepare = all_beside_clock,
       .directory = "/dev/shm"},
      {.name = "lock pair, all, after write-back", .peer = clock, .rounds = 2 * few, .prepare = all_after_write_back},
      {.name = "lock pair, all (to std::mutex)", .peer = "std::mutex", .prepare = all_beside_mutex},
      {.name = "lock pair, all (to the least there is)", .peer = "least there is", .prepare = all_beside_bare_minimum},
      {.name = "Record: (all - off) / 2", .peer = clock, .prepare = record_alone},
      {.name = "lock_guard, off", .peer = "std::mutex", .prepare = [] { return guard_beside_guard(Mode::off); }},
      {.name = "lock_guard, all", .peer = "std::mutex", .prepare = [] { return guard_beside_guard(Mode::all); }},
      {.name = "2 threads, 2 locks, off",
       .peer = "1 thread",
       .prepare = [] { return two_threads_two_locks(Mode::off); }},
      {.name = "2 threads, 2 locks, all",
       .peer = "1 thread",
       .goal = apart_goal,
       .prepare = [] { return two_threads_two_locks(Mode::all); }},
      {.name = "lock made and destroyed", .peer = "std::mutex", .rounds = 4 * few, .prepare = birth_and_death},
      {.name = "made, used once, destroyed, off",
       .peer = "std::mutex",
       .prepare = [] { return short_life(Mode::off); }},
      {.name = "made, used once, destroyed, all",
       .peer = "std::mutex",
       .prepare = [] { return short_life(Mode::all); }},
  };
  for (Benchmark& row : rows)
    row.core_alone = !row.name.starts_with("2 threads");
  return rows;
}

}  // namespace bench
