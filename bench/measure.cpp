// SPDX-License-Identifier: MIT
#include "measure.hpp"

#include <algorithm>
#include <string>

namespace bench {
namespace {

constexpr int tries = 20;

Timed cleanest(const Round& round) {
  Timed last;
  for (int i = 0; i < tries; ++i) {
    last = round();
    if (last.clean) break;
  }
  return last;
}

void take(const Round& round, std::vector<double>& into, int& unclean) {
  const Timed timed = cleanest(round);
  into.push_back(timed.ns);
  if (!timed.clean) ++unclean;
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
  for (int i = 0; i < benchmark.rounds; ++i) {
    take(rounds.ours, samples.ours, samples.unclean);
    if (rounds.theirs) take(rounds.theirs, samples.theirs, samples.unclean);
  }
  if (rounds.facts) samples.facts = rounds.facts();
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
