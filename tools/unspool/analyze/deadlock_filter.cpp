// SPDX-License-Identifier: MIT
//
// Which findings are left out after the replay: by a filter, or as a baseline accepts them.
#include <unspool/analyze/deadlocks.hpp>

#include <algorithm>

namespace unspool {

std::size_t Deadlocks::leave_out(const std::function<bool(const Cycle&)>& chosen) {
  const std::size_t before = cycles_.size();
  for (Waiting& waiting : waiting_) {
    if (waiting.cycle < before) waiting.cycle = Waiting::left_out;
  }
  std::erase_if(cycles_, chosen);
  number_cycles();
  return before - cycles_.size();
}

bool Deadlocks::passes(std::size_t index, const Filter& filter) const {
  Wait wait = waiting_[index].wait;
  wait.until = std::max(last_time_, wait.since);
  return filter.passes(wait);
}

bool Deadlocks::concerns(const Cycle& cycle, const Filter& filter) const {
  const auto passes_it = [&](std::size_t each) { return passes(each, filter); };
  return std::ranges::any_of(cycle.members, passes_it) || std::ranges::any_of(cycle.hanging, passes_it);
}

std::size_t Deadlocks::leave_out(const Filter& filter) {
  if (!filter.is_on()) return 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].cycle == Waiting::no_cycle && !passes(i, filter)) waiting_[i].cycle = Waiting::left_out;
  }
  return leave_out([&](const Cycle& cycle) { return !concerns(cycle, filter); });
}

}  // namespace unspool
