// SPDX-License-Identifier: MIT
#include <unspool/analyze/clocks.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace unspool {

namespace {

constexpr std::uint32_t most_components = 1024;
constexpr std::uint32_t plenty_of_components = 256;

/// What a thread knows, itself included.
template <class Life>
Clock all_of(Life& mine) {
  if (mine.sent != nullptr) return mine.sent;
  auto sent = mine.seen == nullptr ? std::make_shared<std::vector<std::uint32_t>>()
                                   : std::make_shared<std::vector<std::uint32_t>>(*mine.seen);
  if (sent->size() <= mine.component) sent->resize(mine.component + std::size_t{1});
  (*sent)[mine.component] = mine.epoch;
  return mine.sent = std::move(sent);
}

}  // namespace

bool Moment::precedes(const Moment& later) const {
  if (component == unknown || later.seen == nullptr || component >= later.seen->size()) return false;
  return (*later.seen)[component] >= epoch;
}

Moment Clocks::mark(trace::ThreadNumber thread) {
  Life& mine = life(thread);
  if (mine.ended) live_on(mine);
  if (mine.component == Moment::unknown && !inherit(mine)) {
    if (components_ == most_components) {
      ++beyond_;
      return {Moment::unknown, 0, mine.seen};
    }
    mine.component = components_++;
    mine.epoch = 0;
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
  Life& mine = life(thread);
  if (mine.runs_tasks) return {};
  const bool has_one =
      mine.component != Moment::unknown || components_ < plenty_of_components || (!mine.ended && inherit(mine));
  return has_one ? mark(thread) : Moment{};
}

/// Who knows of its end may go on with its component.
void Clocks::end(trace::ThreadNumber thread) {
  const auto found = lives_.find(thread);
  if (found == lives_.end()) return;
  Life& mine = found->second;
  if (mine.component == Moment::unknown || mine.runs_tasks || std::exchange(mine.ended, true)) return;
  chains_.push_back({mine.component, mine.epoch});
}

/// Its destructors still take locks.
void Clocks::live_on(Life& mine) {
  mine.ended = false;
  const auto is_its_own = [&](const Chain& each) {
    return each.component == mine.component && each.epoch == mine.epoch;
  };
  if (std::erase_if(chains_, is_its_own) == 0) leave_chain(mine);
}

/// The component of a thread whose end this one knows; the last one that ended first.
bool Clocks::inherit(Life& mine) {
  if (mine.seen == nullptr || mine.runs_tasks) return false;
  const auto knows = [&](const Chain& each) {
    return each.component < mine.seen->size() && (*mine.seen)[each.component] >= each.epoch;
  };
  const auto found = std::find_if(chains_.rbegin(), chains_.rend(), knows);
  if (found == chains_.rend()) return false;
  mine.component = found->component;
  mine.epoch = found->epoch;
  mine.told = mine.inherited = true;
  chains_.erase(std::next(found).base());
  return true;
}

void Clocks::leave_chain(Life& mine) {
  mine.seen = all_of(mine);
  mine.sent = nullptr;
  mine.component = Moment::unknown;
  mine.inherited = false;
}

Clock Clocks::seen(trace::ThreadNumber thread) const {
  const auto found = lives_.find(thread);
  return found == lives_.end() ? nullptr : found->second.seen;
}

Clock Clocks::send(trace::ThreadNumber thread) {
  const auto found = lives_.find(thread);
  if (found == lives_.end()) return nullptr;
  Life& mine = found->second;
  if (mine.component == Moment::unknown || mine.other_task) return mine.seen;
  mine.told = true;
  return all_of(mine);
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
