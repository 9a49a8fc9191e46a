// SPDX-License-Identifier: MIT
#include "measure.hpp"

#include "core_share.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

namespace bench {
namespace {

constexpr int tries = 20;

/// Somebody else's turn on a core takes tens of milliseconds, so it is waited for.
Timed cleanest(const Round& round, bool core_alone, std::vector<double>& crowded) {
  Timed last;
  for (int i = 0; i < tries; ++i) {
    const bool alone_before = !core_alone || is_core_alone();
    last = round();
    const bool alone = alone_before && (!core_alone || is_core_alone());
    if (!alone) {
      if (last.clean) crowded.push_back(last.ns);
      last.clean = false;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    if (last.clean) break;
  }
  return last;
}

void take(const Round& round, bool core_alone, std::vector<double>& into, Samples& samples,
          std::vector<double>& crowded) {
  const Timed timed = cleanest(round, core_alone, crowded);
  into.push_back(timed.ns);
  if (!timed.clean) ++samples.unclean;
}

double at(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

}  // namespace

Samples run(const Benchmark& benchmark) {
  const Rounds rounds = benchmark.prepare();
  for (int i = 0; i < std::max(1, benchmark.rounds / 10); ++i) {
    rounds.ours();
    if (rounds.theirs) rounds.theirs();
  }
  Samples samples;
  std::vector<double> theirs_crowded;
  for (int i = 0; i < benchmark.rounds; ++i) {
    take(rounds.ours, benchmark.core_alone, samples.ours, samples, samples.crowded);
    if (rounds.theirs) take(rounds.theirs, benchmark.core_alone, samples.theirs, samples, theirs_crowded);
  }
  if (rounds.facts) samples.facts = rounds.facts();
  if (!samples.crowded.empty()) {
    samples.facts.push_back(fmt::format("{:.1f} ns (median of {}) while somebody else used the same core",
                                        spread_of(samples.crowded).median, samples.crowded.size()));
  }
  if (samples.unclean != 0) {
    samples.facts.push_back(std::to_string(samples.unclean) + " of " +
                            std::to_string(samples.ours.size() + samples.theirs.size()) +
                            " rounds were disturbed each time they were tried");
  }
  return samples;
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  constexpr double quarter = 0.25;
  return {at(values, 2 * quarter), values.front(), at(values, quarter), at(values, 3 * quarter), values.back()};
}

double paired_ratio(const Samples& samples) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(samples.ours.size(), samples.theirs.size()); ++i) {
    ratios.push_back(samples.ours[i] / samples.theirs[i]);
  }
  return spread_of(std::move(ratios)).median;
}

}  // namespace bench
