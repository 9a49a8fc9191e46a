// SPDX-License-Identifier: MIT
#include <unspool/replay/history.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_holders = 128;

/// So many tenures are kept one by one, and then summed up.
constexpr std::size_t most_recent = 512;

}  // namespace

void add_share(std::vector<Share>& shares, const Holder& holder, trace::Ticks ticks) {
  if (ticks == 0) return;
  auto found = std::ranges::find(shares, holder, &Share::holder);
  if (found == shares.end() && shares.size() >= most_holders) {
    const Holder others{Holder::Tenant::others, 0, 0};
    // Hand-over and unknown keep a share of their own: they are what must not hide in somebody's.
    if (holder.tenant == Holder::Tenant::thread) return add_share(shares, others, ticks);
  }
  if (found == shares.end()) {
    shares.push_back({holder, ticks});
  } else {
    found->ticks += ticks;
  }
}

void divide(std::span<const Tenure> tenures, trace::Ticks from, trace::Ticks until, std::vector<Share>& shares) {
  trace::Ticks cut = from;
  for (std::size_t i = 0; i < tenures.size(); ++i) {
    const bool last = i + 1 == tenures.size();
    const trace::Ticks next = last ? until : std::clamp(tenures[i + 1].from, cut, until);
    add_share(shares, tenures[i].holder, next - cut);
    cut = next;
  }
}

void History::change(const Tenure& tenure) {
  if (waiting_ == 0) {
    recent_.resize(1);
    recent_[0] = tenure;
    blocks_.clear();
    return;
  }
  recent_.push_back(tenure);
  if (recent_.size() >= most_recent) sum_up();
}

History::Ticket History::begin_wait(trace::Ticks since) {
  if (free_.empty()) {
    free_.push_back(static_cast<Ticket>(waits_.size()));
    waits_.emplace_back();
  }
  const Ticket ticket = free_.back();
  free_.pop_back();
  Open& wait = waits_[ticket];
  wait.since = since;
  wait.first = recent_.size() - 1;
  wait.block = 0;
  wait.fresh = fresh_.size();
  wait.shares.clear();
  fresh_.push_back(ticket);
  ++waiting_;
  return ticket;
}

void History::end_wait(Ticket ticket) {
  Open& wait = waits_[ticket];
  if (wait.fresh == settled) {
    --(wait.block == next_block_ ? next_starts_ : block(wait.block)->starts);
  } else {
    waits_[fresh_.back()].fresh = wait.fresh;
    fresh_[wait.fresh] = fresh_.back();
    fresh_.pop_back();
  }
  free_.push_back(ticket);
  --waiting_;
}

trace::Ticks History::divide_wait(Ticket ticket, trace::Ticks until, std::vector<Share>& shares) const {
  const Open& wait = waits_[ticket];
  const std::span<const Tenure> recent{recent_};
  if (wait.fresh != settled) {
    until = std::max(until, wait.since);
    divide(recent.subspan(wait.first), wait.since, until, shares);
    return until;
  }
  for (const Share& share : wait.shares)
    add_share(shares, share.holder, share.ticks);
  for (auto each = std::ranges::lower_bound(blocks_, wait.block, {}, &Block::number); each != blocks_.end(); ++each) {
    for (const Share& share : each->shares)
      add_share(shares, share.holder, share.ticks);
  }
  until = std::max(until, edge_);
  divide(recent, edge_, until, shares);
  return until;
}

std::vector<History::Block>::iterator History::block(std::uint64_t number) {
  return std::ranges::lower_bound(blocks_, number, {}, &Block::number);
}

/// All recent tenures but the one that goes on become a block.
void History::sum_up() {
  const bool needed = waiting_ > fresh_.size();
  const trace::Ticks begin = needed ? edge_ : recent_.front().from;
  const trace::Ticks end = std::max(begin, recent_.back().from);
  if (needed) {
    // Where no wait begins it is part of the block before.
    if (next_starts_ != 0 || blocks_.empty()) blocks_.push_back({next_block_, next_starts_, {}});
    divide(std::span{recent_}.first(recent_.size() - 1), begin, end, blocks_.back().shares);
  } else {
    blocks_.clear();
  }
  ++next_block_;
  next_starts_ = 0;
  settle_fresh(end);
  recent_.assign(1, Tenure{recent_.back()});
  edge_ = end;
  if (blocks_.size() > merge_at_) merge_blocks();
}

/// A wait that began before `until` has its first part now; one that its own clock puts later stays fresh.
bool History::settle(Open& wait, trace::Ticks until) {
  if (wait.since > until) {
    wait.first = 0;
    return false;
  }
  const std::span<const Tenure> tenures{recent_};
  const std::size_t first = std::min(wait.first, recent_.size() - 2);
  divide(tenures.subspan(first, recent_.size() - 1 - first), wait.since, until, wait.shares);
  wait.block = next_block_;
  wait.fresh = settled;
  ++next_starts_;
  return true;
}

void History::settle_fresh(trace::Ticks until) {
  std::erase_if(fresh_, [&](Ticket ticket) { return settle(waits_[ticket], until); });
  for (std::size_t i = 0; i < fresh_.size(); ++i)
    waits_[fresh_[i]].fresh = i;
}

void History::merge_blocks() {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < blocks_.size(); ++i) {
    if (blocks_[i].starts != 0) {
      if (++kept != i) blocks_[kept] = std::move(blocks_[i]);
      continue;
    }
    for (const Share& share : blocks_[i].shares)
      add_share(blocks_[kept].shares, share.holder, share.ticks);
  }
  blocks_.resize(std::min(blocks_.size(), kept + 1));
  merge_at_ = 8 + 2 * blocks_.size();
}

}  // namespace unspool
