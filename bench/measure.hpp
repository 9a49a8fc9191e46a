// SPDX-License-Identifier: MIT
//
// The measuring core: ours and its peer in turns, within one process, reduced to medians. Owns the method; what is
// measured stands in the *_rows.cpp, how it is printed in report.hpp.
//
// A lone figure from a shared machine says little: the frequency drifts and neighbours come and go. So rounds are short
// and many, each of ours is followed by one of the peer (A B A B ...), and the median is what is told; a round that was
// descheduled is an outlier among them. The loop around an operation is not subtracted: it has a row of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace bench {

/// The compiler must believe that `value` is read, and that any memory may have changed.
template <class T>
void keep(const T& value) {
  if constexpr (std::is_integral_v<T>) {
    asm volatile("" : : "r"(value) : "memory");
  } else {
    asm volatile("" : : "g"(&value) : "memory");
  }
}

/// ns that one of `count` operations took.
template <class F>
double ns_per(std::uint64_t count, F&& operation) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    operation();
    asm volatile("" : : : "memory");  // no operation may be merged with the next
  }
  const std::chrono::duration<double, std::nano> passed = Clock::now() - begun;
  return passed.count() / static_cast<double>(count);
}

/// The same in CPU time of this thread, for what takes longer than a turn on the CPU.
template <class F>
double cpu_ns_per(std::uint64_t count, F&& operation) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double begun = now();
  (void)ns_per(count, operation);
  return (now() - begun) / static_cast<double>(count);
}

/// One round: ns an operation, and whether it is what was to be measured. One that is not (a segment was begun, a
/// thread waited for a CPU) is run again, up to some times.
struct Timed {
  double ns = 0;
  bool clean = true;
};
using Round = std::function<Timed()>;

/// What a benchmark does once it is prepared.
struct Rounds {
  Round ours;
  Round theirs = {};                                     ///< empty: no peer
  std::function<std::vector<std::string>()> facts = {};  ///< to be said after the last round
};

struct Benchmark {
  std::string name;
  std::string peer = {};
  std::optional<double> goal = {};  ///< the greatest ratio that is good
  int rounds = 101;
  std::function<Rounds()> prepare;
  std::string directory = {};                                     ///< where its trace lies; empty: beside the program
  bool archived = false;                                          ///< segments become archives meanwhile
  std::function<void(const std::string& directory)> before = {};  ///< in the row's process, before it records
  bool core_alone = false;  ///< one thread, whose core nobody else may use: other rounds are told apart
};

/// What the rounds said, in their order.
struct Samples {
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> crowded;  ///< of ours, while somebody else used the core; where that counts
  int unclean = 0;              ///< rounds of either that were taken although they were not clean
  std::vector<std::string> facts;
};

/// Runs the rounds, after some that do not count.
Samples run(const Benchmark& benchmark);

struct Spread {
  double median = 0;
  double low = 0;  ///< the least
  double first_quartile = 0;
  double third_quartile = 0;
  double high = 0;  ///< the greatest
};
Spread spread_of(std::vector<double> values);

/// The median of the ratios of each round to the peer's round that followed it.
double paired_ratio(const Samples& samples);

}  // namespace bench
