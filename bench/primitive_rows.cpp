// SPDX-License-Identifier: MIT
//
// Each primitive beside what the standard library has for it: alone, and with 2 and 4 threads on it, in the modes off and
// all. Lock and Condition have rows of their own. abseil's Mutex stands beside Lock and SharedLock where it is installed.
#include <spool/sync/guards.hpp>
#include <spool/sync/rlock.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/thread/local.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <fmt/format.h>

#ifdef BENCH_HAS_ABSL
#include <absl/synchronization/mutex.h>
#endif

#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>

namespace bench {
namespace {

using spool::Mode;

constexpr std::uint64_t alone = 10'000;
constexpr std::uint64_t together = 3'000;

/// Ours and its peer, apart: neither shares a cache line with anything.
template <class Ours, class Theirs>
struct Pair {
  alignas(128) Ours ours;
  alignas(128) Theirs theirs;
};

/// ns that one of all operations took, of all threads.
template <class Object, class Operation>
Timed round_of(Team* team, Object& object, Operation operation) {
  if (team == nullptr) return {ns_per(alone, [&] { operation(object); })};
  Timed timed = team->run([&](int) {
    for (std::uint64_t i = 0; i < together; ++i)
      operation(object);
  });
  timed.ns /= static_cast<double>(together * static_cast<std::uint64_t>(team->size()));
  return timed;
}

/// The rows of one operation, done by 1, 2 and 4 threads to one object.
template <class Ours, class Theirs, class Operation, class TheirOperation>
void add_rows(std::vector<Benchmark>& rows, const std::string& name, const std::string& peer, Operation operation,
              TheirOperation their_operation) {
  for (const int threads : {1, 2, 4}) {
    for (const Mode mode : {Mode::off, Mode::all}) {
      rows.push_back({.name = fmt::format("{}, {} thread{}, {}", name, threads, threads == 1 ? "" : "s",
                                          spool::trace::name_of(mode)),
                      .peer = peer,
                      .rounds = threads == 1 ? 51 : 21,
                      .prepare = [=]() -> Rounds {
                        auto team = threads == 1 ? nullptr : std::make_shared<Team>(threads);
                        auto pair = std::make_shared<Pair<Ours, Theirs>>();
                        return {.ours =
                                    [=] {
                                      spool::set_transitions(mode);
                                      return round_of(team.get(), pair->ours, operation);
                                    },
                                .theirs = [=] { return round_of(team.get(), pair->theirs, their_operation); }};
                      }});
    }
  }
}

void lock_pair(auto& lock) {
  lock.lock();
  lock.unlock();
}

void nested_pair(auto& lock) {
  lock.lock();
  lock.lock();
  lock.unlock();
  lock.unlock();
}

void shared_pair(auto& lock) {
  lock.lock_shared();
  lock.unlock_shared();
}

void permit_pair(auto& semaphore) {
  semaphore.acquire();
  semaphore.release();
}

/// One permit, as a lock has.
struct StandardSemaphore : std::counting_semaphore<> {
  StandardSemaphore() : std::counting_semaphore<>{1} {}
};

/// One that begins with a value.
struct OurLocal : spool::Local<int> {
  OurLocal() : spool::Local<int>{0} {}
};

struct StandardLocal {
  int* get() {
    static thread_local int value = 0;
    return &value;
  }
};

constexpr auto pair_of = [](auto& lock) { lock_pair(lock); };
constexpr auto nested_pair_of = [](auto& lock) { nested_pair(lock); };
constexpr auto shared_pair_of = [](auto& lock) { shared_pair(lock); };
constexpr auto permit_pair_of = [](auto& semaphore) { permit_pair(semaphore); };

#ifdef BENCH_HAS_ABSL
void add_absl_rows(std::vector<Benchmark>& rows) {
  const auto exclusive = [](absl::Mutex& mutex) {
    mutex.Lock();
    mutex.Unlock();
  };
  const auto shared = [](absl::Mutex& mutex) {
    mutex.ReaderLock();
    mutex.ReaderUnlock();
  };
  add_rows<spool::Lock, absl::Mutex>(rows, "lock pair beside abseil", "absl::Mutex", pair_of, exclusive);
  add_rows<spool::SharedLock, absl::Mutex>(rows, "shared pair beside abseil", "absl::Mutex", shared_pair_of, shared);
}
#endif

}  // namespace

std::vector<Benchmark> primitive_rows() {
  std::vector<Benchmark> rows;
  add_rows<spool::RLock, std::recursive_mutex>(rows, "rlock pair", "std::recursive_mutex", pair_of, pair_of);
  add_rows<spool::RLock, std::recursive_mutex>(rows, "rlock, taken twice", "std::recursive_mutex", nested_pair_of,
                                               nested_pair_of);
  add_rows<spool::SharedLock, std::shared_mutex>(rows, "shared lock, shared pair", "std::shared_mutex", shared_pair_of,
                                                 shared_pair_of);
  add_rows<spool::SharedLock, std::shared_mutex>(rows, "shared lock, exclusive pair", "std::shared_mutex", pair_of,
                                                 pair_of);
  add_rows<spool::Semaphore, StandardSemaphore>(rows, "semaphore pair", "std::counting_semaphore", permit_pair_of,
                                                permit_pair_of);
  add_rows<OurLocal, StandardLocal>(
      rows, "local", "thread_local", [](OurLocal& local) { keep(++*local); },
      [](StandardLocal& local) { keep(++*local.get()); });
#ifdef BENCH_HAS_ABSL
  add_absl_rows(rows);
#endif
  return rows;
}

}  // namespace bench
