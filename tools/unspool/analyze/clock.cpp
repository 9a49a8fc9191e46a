// SPDX-License-Identifier: MIT
#include <unspool/analyze/clock.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_releases = 32;
constexpr std::size_t most_gifts = 64;
constexpr std::size_t most_givers = 2;
constexpr std::size_t most_threads = 1024;

/// Numbers may wrap.
bool is_after(trace::Sequence a, trace::Sequence b) {
  return static_cast<std::int32_t>(a - b) > 0;
}

bool includes(const std::vector<std::uint32_t>& all, const std::vector<std::uint32_t>& some) {
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (some[i] > (i < all.size() ? all[i] : 0)) return false;
  }
  return true;
}

}  // namespace

Clock joined(const Clock& a, const Clock& b) {
  if (a == b || b == nullptr) return a;
  if (a == nullptr || includes(*b, *a)) return b;
  if (includes(*a, *b)) return a;
  auto both = std::make_shared<std::vector<std::uint32_t>>(std::max(a->size(), b->size()));
  for (std::size_t i = 0; i < both->size(); ++i)
    (*both)[i] = std::max(i < a->size() ? (*a)[i] : 0, i < b->size() ? (*b)[i] : 0);
  return both;
}

Clock common_of(const Clock& a, const Clock& b) {
  if (a == nullptr || b == nullptr) return nullptr;
  if (a == b || includes(*b, *a)) return a;
  if (includes(*a, *b)) return b;
  auto both = std::make_shared<std::vector<std::uint32_t>>(std::min(a->size(), b->size()));
  for (std::size_t i = 0; i < both->size(); ++i)
    (*both)[i] = std::min((*a)[i], (*b)[i]);
  return both;
}

void Releases::add(Release release) {
  if (last_.size() == most_releases) {
    last_.erase(last_.begin());
    forgot_ = true;
  }
  last_.push_back(std::move(release));
}

const Release* Releases::first_after(trace::Sequence seq, trace::ThreadNumber by) const {
  if (forgot_ && is_after(last_.front().seq, seq)) return nullptr;
  const auto found = std::ranges::find_if(
      last_, [&](const Release& each) { return is_after(each.seq, seq) && (by == 0 || each.by == by); });
  return found == last_.end() ? nullptr : &*found;
}

const Release* Releases::last_until(trace::Sequence seq) const {
  const auto found =
      std::find_if(last_.rbegin(), last_.rend(), [&](const Release& each) { return !is_after(each.seq, seq); });
  return found == last_.rend() ? nullptr : &*found;
}

const Release* Releases::at(trace::Sequence seq) const {
  const auto found = std::ranges::find(last_, seq, &Release::seq);
  return found == last_.end() ? nullptr : &*found;
}

void Gifts::add(std::uint64_t count, const Clock& clock) {
  const std::uint64_t first = given_ + 1;
  given_ += count;
  if (!gifts_.empty() && gifts_.back().clock == clock) return;
  if (gifts_.size() == most_gifts) gifts_.erase(gifts_.begin() + most_gifts / 2);
  gifts_.push_back({first, clock});
}

Clock Gifts::nth(std::uint64_t n) const {
  const auto later = std::ranges::upper_bound(gifts_, std::min(n, given_), {}, &Gift::first);
  return later == gifts_.begin() ? nullptr : std::prev(later)->clock;
}

bool Account::count(trace::ThreadNumber thread, std::int64_t by) {
  if (balances_.size() >= most_threads && !balances_.contains(thread)) crowded_ = true;
  if (!crowded_) balances_[thread] += by;
  return !crowded_;
}

void Account::give(trace::ThreadNumber thread, std::uint64_t count, const Clock& clock, bool in_order) {
  given_ += count;
  if (!this->count(thread, static_cast<std::int64_t>(count))) return;
  auto giver = std::ranges::find(givers_, thread, &Giver::thread);
  if (giver == givers_.end()) {
    if (givers_.size() > most_givers) return;
    givers_.push_back({thread, true, {}});
    giver = std::prev(givers_.end());
  }
  giver->in_order &= in_order;
  giver->gifts.add(count, clock);
}

Account::Taken Account::take(trace::ThreadNumber thread, std::int64_t at_first, bool in_order) {
  if (!count(thread, -1) || !in_order) return {};
  const Giver* other = nullptr;
  for (const Giver& each : givers_) {
    if (each.thread == thread) continue;
    if (other != nullptr || !each.in_order) return {};
    other = &each;
  }
  const std::int64_t needed = -balances_[thread] - at_first;
  if (other == nullptr || needed <= 0) return {true, nullptr};
  return {true, other->gifts.nth(static_cast<std::uint64_t>(needed))};
}

std::int64_t Account::balance(trace::ThreadNumber thread) const {
  const auto found = balances_.find(thread);
  return found == balances_.end() ? 0 : found->second;
}

}  // namespace unspool
