// SPDX-License-Identifier: MIT
#include <unspool/order/straighten.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace unspool {

/// Chains whose first Record has become possible go from `held_` to `ready_`.
auto Straighten::waker() {
  return [this](std::uint32_t index) {
    held_.erase(index);
    ready_.push(index, chains_[index].front()->record.time);
  };
}

bool Straighten::offer(const HeldRecord& record) {
  if (kept_ > 0) {
    const auto found = by_thread_.find(record.record.thread);
    if (found != by_thread_.end() && !chains_[found->second].empty()) {
      keep(record, found->second);
      return false;
    }
  }
  if (!must_wait(record.record)) {
    given(record.record);
    return true;
  }
  const std::uint32_t index = chain_of(record.record.thread);
  keep(record, index);
  hold(index);
  return false;
}

const HeldRecord* Straighten::take(trace::Ticks until) {
  for (;;) {
    while (!held_.empty() && lost_patience(until))
      objects_.give_up_on(held_.first(), waker());
    if (ready_.empty() || ready_.first_time() > until) return nullptr;
    const std::uint32_t index = ready_.first();
    Chain& chain = chains_[index];
    ready_.erase(index);
    if (must_wait(chain.front()->record)) {
      hold(index);
      continue;
    }
    given_ = std::move(chain.front());
    chain.pop_front();
    --kept_;
    if (!chain.empty()) ready_.push(index, chain.front()->record.time);
    given(given_->record);
    return given_.get();
  }
}

void Straighten::keep(const HeldRecord& record, std::uint32_t index) {
  chains_[index].push_back(std::make_unique<HeldRecord>(record));
  ++kept_;
}

std::uint32_t Straighten::chain_of(trace::ThreadNumber thread) {
  const auto [found, made] = by_thread_.try_emplace(thread, static_cast<std::uint32_t>(chains_.size()));
  if (made) {
    chains_.emplace_back();
    places_.push_back(0);
  }
  return found->second;
}

bool Straighten::must_wait(const Record& record) {
  return is_sequenced(record) && objects_.must_wait(record);
}

/// Requires: its first Record has to wait.
void Straighten::hold(std::uint32_t index) {
  const Record& record = chains_[index].front()->record;
  objects_.wait(index, record);
  held_.push(index, record.time);
}

void Straighten::given(const Record& record) {
  if (is_sequenced(record)) objects_.given(record, waker());
}

bool Straighten::lost_patience(trace::Ticks now) const {
  const trace::Ticks since = held_.first_time();
  const trace::Ticks until = since + std::min(patience_, std::numeric_limits<trace::Ticks>::max() - since);
  return kept_ > most_held || until < now || now == std::numeric_limits<trace::Ticks>::max();
}

}  // namespace unspool
