// SPDX-License-Identifier: MIT
#include <unspool/order/straighten.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace unspool {
namespace {

/// The Record that has to come before this one on its object, by number.
trace::Sequence needed_by(const Record& record) {
  return record.row->advances ? record.seq - 1 : record.seq;
}

}  // namespace

bool Straighten::offer(const HeldRecord& record) {
  if (kept_ > 0) {
    const auto found = by_thread_.find(record.record.thread);
    if (found != by_thread_.end() && !chains_[found->second].records.empty()) {
      keep(record, found->second);
      return false;
    }
  }
  if (!must_wait(record.record)) {
    advance(record.record);
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
      give_up_on(held_.first());
    if (ready_.empty() || ready_.first_time() > until) return nullptr;
    const std::uint32_t index = ready_.first();
    Chain& chain = chains_[index];
    ready_.erase(index);
    if (must_wait(chain.records.front()->record)) {
      hold(index);
      continue;
    }
    given_ = std::move(chain.records.front());
    chain.records.pop_front();
    --kept_;
    if (!chain.records.empty()) ready_.push(index, chain.records.front()->record.time);
    advance(given_->record);
    return given_.get();
  }
}

Straighten::Chain& Straighten::keep(const HeldRecord& record, std::uint32_t index) {
  Chain& chain = chains_[index];
  chain.records.push_back(std::make_unique<HeldRecord>(record));
  ++kept_;
  return chain;
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
  if (!is_sequenced(record)) return false;
  const Progress& object = objects_.of(record.object);
  if (object.has(needed_by(record))) return false;
  // Each Record that advances goes through the list.
  std::size_t waiters = 0;
  for (std::uint32_t each = object.waiter; each != Progress::nobody; each = chains_[each].next_waiter)
    ++waiters;
  return waiters < most_waiters;
}

/// Requires: its first Record has to wait.
void Straighten::hold(std::uint32_t index) {
  Chain& chain = chains_[index];
  const Record& record = chain.records.front()->record;
  Progress& object = objects_.of(record.object);
  chain.need = needed_by(record);
  chain.next_waiter = std::exchange(object.waiter, index);
  held_.push(index, record.time);
}

void Straighten::advance(const Record& record) {
  if (!is_sequenced(record) || !record.row->advances) return;
  Progress& object = objects_.of(record.object);
  object.advance(record.seq);
  if (object.waiter != Progress::nobody) wake(object);
}

/// What the chain waits for is taken to be lost, and all before it.
void Straighten::give_up_on(std::uint32_t index) {
  Progress& object = objects_.of(chains_[index].records.front()->record.object);
  object.advance(chains_[index].need);
  wake(object);
}

void Straighten::wake(Progress& object) {
  std::uint32_t* link = &object.waiter;
  while (*link != Progress::nobody) {
    const std::uint32_t index = *link;
    Chain& chain = chains_[index];
    if (!object.has(chain.need)) {
      link = &chain.next_waiter;
      continue;
    }
    *link = chain.next_waiter;
    held_.erase(index);
    ready_.push(index, chain.records.front()->record.time);
  }
}

bool Straighten::lost_patience(trace::Ticks now) const {
  const trace::Ticks since = held_.first_time();
  const trace::Ticks until = since + std::min(patience_, std::numeric_limits<trace::Ticks>::max() - since);
  return kept_ > most_held || until < now || now == std::numeric_limits<trace::Ticks>::max();
}

}  // namespace unspool
