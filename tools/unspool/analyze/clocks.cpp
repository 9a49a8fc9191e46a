// SPDX-License-Identifier: MIT
#include <unspool/analyze/clocks.hpp>

#include <utility>

namespace unspool {

namespace {

constexpr std::uint32_t most_components = 1024;
constexpr std::uint32_t plenty_of_components = 256;

}  // namespace

bool Moment::precedes(const Moment& later) const {
  if (component == unknown || later.seen == nullptr || component >= later.seen->size()) return false;
  return (*later.seen)[component] >= epoch;
}

Moment Clocks::mark(trace::ThreadNumber thread) {
  Life& mine = life(thread);
  if (mine.component == Moment::unknown) {
    if (components_ == most_components) {
      ++beyond_;
      return {Moment::unknown, 0, mine.seen};
    }
    mine.component = components_++;
    mine.told = true;
  }
  if (mine.told) {
    ++mine.epoch;
    mine.told = false;
    mine.sent = nullptr;
  }
  if (std::exchange(mine.other_task, false)) mine.sent = nullptr;
  return {mine.component, mine.epoch, mine.seen};
}

Moment Clocks::mark_if_plenty(trace::ThreadNumber thread) {
  const Life& mine = life(thread);
  const bool has_one = mine.component != Moment::unknown || components_ < plenty_of_components;
  return has_one && !mine.runs_tasks ? mark(thread) : Moment{};
}

Clock Clocks::seen(trace::ThreadNumber thread) const {
  const auto found = lives_.find(thread);
  return found == lives_.end() ? nullptr : found->second.seen;
}

/// What this thread knows, itself included.
Clock Clocks::send(trace::ThreadNumber thread) {
  const auto found = lives_.find(thread);
  if (found == lives_.end()) return nullptr;
  Life& mine = found->second;
  if (mine.component == Moment::unknown || mine.other_task) return mine.seen;
  mine.told = true;
  if (mine.sent != nullptr) return mine.sent;
  auto sent = mine.seen == nullptr ? std::make_shared<std::vector<std::uint32_t>>()
                                   : std::make_shared<std::vector<std::uint32_t>>(*mine.seen);
  if (sent->size() <= mine.component) sent->resize(mine.component + std::size_t{1});
  (*sent)[mine.component] = mine.epoch;
  return mine.sent = std::move(sent);
}

void Clocks::receive(trace::ThreadNumber thread, const Clock& clock) {
  if (clock == nullptr) return;
  Life& mine = life(thread);
  Clock seen = joined(mine.seen, clock);
  if (seen == mine.seen) return;
  mine.seen = std::move(seen);
  mine.sent = nullptr;
}

}  // namespace unspool
