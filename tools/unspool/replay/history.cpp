// SPDX-License-Identifier: MIT
#include <unspool/replay/history.hpp>

#include <algorithm>
#include <utility>

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

namespace {

/// As the other, where the last tenure stands by itself.
void divide(std::span<const Tenure> tenures, const Tenure& last, trace::Ticks from, trace::Ticks until,
            std::vector<Share>& shares) {
  trace::Ticks cut = from;
  for (std::size_t i = 0; i < tenures.size(); ++i) {
    const Tenure& after = i + 1 == tenures.size() ? last : tenures[i + 1];
    const trace::Ticks next = std::clamp(after.from, cut, until);
    add_share(shares, tenures[i].holder, next - cut);
    cut = next;
  }
  add_share(shares, last.holder, until - cut);
}

}  // namespace

void divide(std::span<const Tenure> tenures, trace::Ticks from, trace::Ticks until, std::vector<Share>& shares) {
  if (!tenures.empty()) divide(tenures.first(tenures.size() - 1), tenures.back(), from, until, shares);
}

void History::keep_now(trace::Ticks until) {
  past_->recent.push_back(now_);
  if (past_->recent.size() >= most_recent) past_->sum_up(until, waiting_ > past_->fresh.size());
}

void History::change_shared(const Holder& who, trace::Ticks at, bool comes, const Tenure& now) {
  if (waiting_ == 0) {
    now_ = now;
    return;
  }
  Past& past = *past_;
  Together& together = past.together;
  const bool first = comes && now_.holder.tenant == Holder::Tenant::nobody;
  const bool goes_on = !first && past.is_together() && together.changes.size() < Together::most_changes;
  const bool late = goes_on && at < together.latest;
  if (!goes_on) together.changes.clear();
  together.changes.push_back({at, who, comes});
  together.latest = late ? together.latest : at;
  if (late) {
    sort_together();
  } else {
    change(now.holder, now.from, now.from_known);
    if (!goes_on) together.first = first ? past.recent.size() : 0;
  }
  together.end = past.recent.size();
}

void History::hold_together(Pasts& pasts, std::span<const Tenure> readers) {
  if (past_ == nullptr) past_ = pasts.take();
  Together& together = past_->together;
  const Tenure first = std::ranges::min(readers, {}, &Tenure::from);
  past_->recent.push_back({{Holder::Tenant::nobody, 0, 0}, first.from, false});
  together.first = past_->recent.size();
  together.changes.clear();
  together.latest = 0;
  for (const Tenure& each : readers) {
    together.changes.push_back({each.from, each.holder, true});
    together.latest = std::max(together.latest, each.from);
  }
  sort_together();
  together.end = past_->recent.size();
}

void History::forget() {
  now_.holder = Holder{};
  now_.from_known = false;
  if (past_ != nullptr) past_->together.first = 0;
}

/// By the times: nobody's while whoever was let in has not come yet.
void History::sort_together() {
  Past& past = *past_;
  std::vector<Together::Change> changes = past.together.changes;
  std::ranges::stable_sort(changes, {}, &Together::Change::at);
  std::vector<Holder> present;
  past.recent.resize(past.together.first);
  for (const Together::Change& each : changes) {
    const auto found = std::ranges::find(present, each.who);
    if (each.comes) present.push_back(each.who);
    if (!each.comes && found != present.end()) present.erase(found);
    const Holder none{Holder::Tenant::nobody, 0, 0};
    const Tenure tenure{present.empty()       ? none
                        : present.size() == 1 ? present.front()
                                              : several(present),
                        each.at, true};
    if (&each != &changes.front()) past.recent.push_back(now_);
    now_ = tenure;
  }
  for (const Ticket ticket : past.fresh)
    past.waits[ticket].first = std::min(past.waits[ticket].first, past.together.first);
}

/// The first of the recent tenures that a wait since then needs.
std::size_t History::first_for(trace::Ticks since, const Holder& before) {
  using enum Holder::Tenant;
  std::vector<Tenure>& recent = past_->recent;
  std::size_t first = recent.size();
  const Holder::Tenant tenant = now_.holder.tenant;
  const bool began_later = tenant == thread || tenant == others;
  const bool ended_later = tenant == nobody && before.tenant != nobody;
  if (!(began_later || ended_later) || !now_.from_known || since >= now_.from) return first;
  if (recent.empty()) recent.push_back({before, since, false});
  while (first > 0 && recent[first - 1].from > since)
    --first;
  return first > 0 ? first - 1 : 0;
}

History::Ticket History::begin_wait(Pasts& pasts, trace::Ticks since, const Holder& before) {
  if (past_ == nullptr) past_ = pasts.take();
  Past& past = *past_;
  const std::size_t first = first_for(since, before);
  if (past.free.empty()) {
    past.free.push_back(static_cast<Ticket>(past.waits.size()));
    past.waits.emplace_back();
  }
  const Ticket ticket = past.free.back();
  past.free.pop_back();
  Open& wait = past.waits[ticket];
  wait.since = since;
  wait.first = first;
  wait.block = 0;
  wait.fresh = past.fresh.size();
  wait.shares.clear();
  past.fresh.push_back(ticket);
  ++waiting_;
  return ticket;
}

void History::end_wait(Pasts& pasts, Ticket ticket) {
  Past& past = *past_;
  Open& wait = past.waits[ticket];
  if (wait.fresh == settled) {
    --(wait.block == past.next_block ? past.next_starts : past.block(wait.block)->starts);
  } else {
    past.waits[past.fresh.back()].fresh = wait.fresh;
    past.fresh[wait.fresh] = past.fresh.back();
    past.fresh.pop_back();
  }
  past.free.push_back(ticket);
  if (--waiting_ == 0) pasts.put(std::move(past_));
}

std::unique_ptr<History::Past> History::Pasts::take() {
  if (spare_.empty()) return std::make_unique<Past>();
  std::unique_ptr<Past> past = std::move(spare_.back());
  spare_.pop_back();
  return past;
}

void History::Pasts::put(std::unique_ptr<Past> past) {
  constexpr std::size_t most_waits = 64;  // a crowd's is given back
  if (past->waits.size() > most_waits) return;
  past->together.first = 0;
  past->recent.clear();
  past->blocks.clear();
  past->merge_at = first_merge;
  spare_.push_back(std::move(past));
}

trace::Ticks History::divide_wait(Ticket ticket, trace::Ticks until, std::vector<Share>& shares, bool let_in) const {
  const Past& past = *past_;
  const Open& wait = past.waits[ticket];
  std::span<const Tenure> recent{past.recent};
  const Tenure* last = &now_;
  if (let_in && past.is_together() && recent[past.together.first - 1].from >= wait.since) {
    last = &recent[past.together.first - 1];
    recent = recent.first(past.together.first - 1);
  }
  if (wait.fresh != settled) {
    until = std::max(until, wait.since);
    divide(recent.subspan(std::min(wait.first, recent.size())), *last, wait.since, until, shares);
    return until;
  }
  for (const Share& share : wait.shares)
    add_share(shares, share.holder, share.ticks);
  for (auto each = std::ranges::lower_bound(past.blocks, wait.block, {}, &Block::number); each != past.blocks.end();
       ++each) {
    for (const Share& share : each->shares)
      add_share(shares, share.holder, share.ticks);
  }
  until = std::max(until, past.edge);
  divide(recent, *last, past.edge, until, shares);
  return until;
}

std::vector<History::Block>::iterator History::Past::block(std::uint64_t number) {
  return std::ranges::lower_bound(blocks, number, {}, &Block::number);
}

/// The recent tenures, the last of which ends at `until`, become a block; only with `needed` does a wait need it.
void History::Past::sum_up(trace::Ticks until, bool needed) {
  const trace::Ticks begin = needed ? edge : recent.front().from;
  const trace::Ticks end = std::max(begin, until);
  if (needed) {
    // Where no wait begins it is part of the block before.
    if (next_starts != 0 || blocks.empty()) blocks.push_back({next_block, next_starts, {}});
    divide(recent, begin, end, blocks.back().shares);
  } else {
    blocks.clear();
  }
  ++next_block;
  next_starts = 0;
  settle_fresh(end);
  recent.clear();
  together.first = 0;
  edge = end;
  if (blocks.size() > merge_at) merge_blocks();
}

/// A wait that began before `until` has its first part now; one that its own clock puts later stays fresh.
bool History::Past::settle(Open& wait, trace::Ticks until) {
  if (wait.since > until) {
    wait.first = 0;
    return false;
  }
  const std::span<const Tenure> tenures{recent};
  divide(tenures.subspan(std::min(wait.first, tenures.size() - 1)), wait.since, until, wait.shares);
  wait.block = next_block;
  wait.fresh = settled;
  ++next_starts;
  return true;
}

void History::Past::settle_fresh(trace::Ticks until) {
  std::erase_if(fresh, [&](Ticket ticket) { return settle(waits[ticket], until); });
  for (std::size_t i = 0; i < fresh.size(); ++i)
    waits[fresh[i]].fresh = i;
}

void History::Past::merge_blocks() {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    if (blocks[i].starts != 0) {
      if (++kept != i) blocks[kept] = std::move(blocks[i]);
      continue;
    }
    for (const Share& share : blocks[i].shares)
      add_share(blocks[kept].shares, share.holder, share.ticks);
  }
  blocks.resize(std::min(blocks.size(), kept + 1));
  merge_at = first_merge + 2 * blocks.size();
}

}  // namespace unspool
