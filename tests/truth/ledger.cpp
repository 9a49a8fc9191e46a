// SPDX-License-Identifier: MIT
#include "ledger.hpp"

#include <algorithm>

namespace truth {
namespace {

/// A span cut to a wait.
struct Window {
  std::int64_t since;
  std::int64_t until;

  double part(std::int64_t from, std::int64_t to) const {
    return static_cast<double>(std::max<std::int64_t>(0, std::min(to, until) - std::max(from, since)));
  }
};

}  // namespace

Score& Score::operator+=(const Score& other) {
  right += other.right;
  uncertain += other.uncertain;
  wrong += other.wrong;
  return *this;
}

Ledger::Ledger(std::vector<Call> calls) : holds_{std::move(calls)} {
  std::erase_if(holds_, [](const Call& call) { return !call.got; });
  std::ranges::sort(holds_, {}, &Call::had);
}

bool Ledger::exclusive() const {
  return std::ranges::adjacent_find(holds_, [](const Call& a, const Call& b) { return a.giving > b.had; }) ==
         holds_.end();
}

std::map<Actor, Ledger::Bounds> Ledger::bounds_of(std::int64_t since, std::int64_t until) const {
  const Window wait{since, until};
  std::map<Actor, Bounds> all;
  auto each = std::ranges::lower_bound(holds_, since, {}, &Call::giving);
  if (each != holds_.begin()) --each;
  for (; each != holds_.end(); ++each) {
    const bool first = each == holds_.begin();
    const bool last = std::next(each) == holds_.end();
    const std::int64_t before = first ? each->asked : std::prev(each)->giving;
    const std::int64_t after = last ? each->gave : std::min(each->gave, std::next(each)->had);
    Bounds& holder = all[{each->thread, each->line}];
    const double held = wait.part(each->had, each->giving);
    holder.least += held;
    holder.seen += held;
    holder.most += wait.part(std::max(each->asked, before), after);
    if (before >= until) break;
    Bounds& free = all[nobody];
    const std::int64_t gave = first ? before : std::min(std::prev(each)->gave, each->had);
    free.least += wait.part(gave, each->asked);
    free.seen += wait.part(gave, each->had);
    free.most += wait.part(before, each->had);
  }
  if (!holds_.empty()) all[nobody].most += wait.part(holds_.back().giving, until);
  return all;
}

/// What one actor got too much another one lacks; the larger of the two sums is wrong.
Score Ledger::judge(std::int64_t since, std::int64_t until, const std::map<Actor, double>& answer) const {
  Score score;
  double excess = 0;
  double lack = 0;
  std::map<Actor, Bounds> truth = bounds_of(since, until);
  for (const auto& [actor, time] : answer) {
    const Bounds& bounds = truth[actor];
    score.right += std::min(time, bounds.seen);
    excess += std::max(0.0, time - bounds.most);
  }
  for (const auto& [actor, bounds] : truth) {
    const auto given = answer.find(actor);
    lack += std::max(0.0, bounds.least - (given == answer.end() ? 0 : given->second));
  }
  score.wrong = std::max(excess, lack);
  score.uncertain = std::max(0.0, static_cast<double>(until - since) - score.right - score.wrong);
  return score;
}

}  // namespace truth
