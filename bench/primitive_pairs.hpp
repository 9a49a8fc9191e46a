// SPDX-License-Identifier: MIT
//
// One operation of a primitive beside its peer's: by one thread, and by 2 and 4 threads on one object, in the modes off
// and all. What the peers are stands in the *_rows.cpp.
#pragma once

#include <spool/sync/annotations.hpp>

#include "recording.hpp"
#include "rows.hpp"
#include "team.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace bench {

inline constexpr std::uint64_t alone = 10'000;
inline constexpr std::uint64_t together = 3'000;

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
    for (const spool::Mode mode : {spool::Mode::off, spool::Mode::all}) {
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

inline void lock_pair(auto& lock) {
  lock.lock();
  lock.unlock();
}

/// clang 14's analysis knows no lock that may be taken twice.
inline void nested_pair(auto& lock) SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  lock.lock();
  lock.lock();
  lock.unlock();
  lock.unlock();
}

inline void shared_pair(auto& lock) {
  lock.lock_shared();
  lock.unlock_shared();
}

inline void permit_pair(auto& semaphore) {
  semaphore.acquire();
  semaphore.release();
}

inline constexpr auto pair_of = [](auto& lock) { lock_pair(lock); };
inline constexpr auto nested_pair_of = [](auto& lock) { nested_pair(lock); };
inline constexpr auto shared_pair_of = [](auto& lock) { shared_pair(lock); };
inline constexpr auto permit_pair_of = [](auto& semaphore) { permit_pair(semaphore); };

}  // namespace bench
