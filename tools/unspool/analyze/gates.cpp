// SPDX-License-Identifier: MIT
#include <unspool/analyze/gates.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most_gates = 100'000;
constexpr std::size_t most_room = 64;            // more threads than that are hardly ever in one ring
constexpr std::size_t most_permits = most_room;  // of one thread
constexpr std::size_t most_parents = 100'000;
constexpr std::size_t most_holding_none = most_parents / 2;
constexpr std::size_t most_generations = 16;

std::size_t permits_in(const HeldLocks& held, const HeldLock& semaphore) {
  const auto [first, last] = std::equal_range(held.begin(), held.end(), semaphore);
  return static_cast<std::size_t>(last - first);
}

}  // namespace

std::span<const HeldFrom> Gates::permits_of(trace::ThreadNumber thread) const {
  const auto found = permits_.find(thread);
  return found == permits_.end() ? std::span<const HeldFrom>{} : found->second;
}

void Gates::semaphore(const Record& record) {
  const bool gives = record.row->effect == trace::Effect::give;
  if (!gives && record.row->effect != trace::Effect::take) return;
  Semaphore& semaphore = semaphores_[record.object];
  const bool follows = record.seq == semaphore.last + 1;
  semaphore.last = record.seq;
  if (!semaphore.is_gate) return;
  const bool is_one_more = std::exchange(semaphore.is_new, false);
  const bool fits =
      follows && (!is_one_more || gates_ < most_gates) && (gives ? give(record, semaphore) : take(record, semaphore));
  if (!fits) return refuse(record.object, semaphore, is_one_more);
  if (is_one_more) ++gates_;
}

/// Of the first Record it is known how many there are.
bool Gates::take(const Record& record, Semaphore& semaphore) {
  const std::size_t left = record.b;
  if (semaphore.permits == 0) {
    if (left >= most_room) return false;
    semaphore.permits = left + 1;
    if (left != 0) room_[record.object] = semaphore.permits;
  }
  if (semaphore.holders.size() + left >= semaphore.permits) return false;
  semaphore.holders.push_back(record.thread);
  auto& permits = permits_[record.thread];
  if (permits.size() < most_permits) permits.push_back({{record.object, false}, record.time});
  return true;
}

bool Gates::give(const Record& record, Semaphore& semaphore) {
  auto& holders = semaphore.holders;
  const auto one = std::ranges::find(holders, record.thread);
  if (one == holders.end() || record.a != 1) return false;
  holders.erase(one);
  const auto left = static_cast<std::size_t>(std::ranges::count(holders, record.thread));
  keep_permits(record.thread, record.object, left);
  return true;
}

void Gates::refuse(trace::ObjectNumber object, Semaphore& semaphore, bool at_once) {
  semaphore.is_gate = false;
  room_.erase(object);
  if (at_once) return;
  for (const trace::ThreadNumber each : std::exchange(semaphore.holders, {}))
    keep_permits(each, object, 0);
  none_.insert(object);
}

void Gates::destroyed(trace::ObjectNumber object) {
  const auto found = semaphores_.find(object);
  if (found == semaphores_.end()) return;
  for (const trace::ThreadNumber each : found->second.holders)
    keep_permits(each, object, 0);
  semaphores_.erase(found);
}

/// The oldest.
void Gates::keep_permits(trace::ThreadNumber thread, trace::ObjectNumber object, std::size_t count) {
  const auto found = permits_.find(thread);
  if (found == permits_.end()) return;
  std::erase_if(found->second, [&](const HeldFrom& each) {
    if (each.lock.object != object) return false;
    if (count == 0) return true;
    --count;
    return false;
  });
  if (found->second.empty()) permits_.erase(found);
}

void Gates::started(trace::ThreadNumber thread, trace::ThreadNumber other, std::vector<HeldFrom> held) {
  if (parents_.size() >= most_parents) return;
  if (held.empty() && (!parents_.contains(thread) || holding_none_ >= most_holding_none)) return;
  holding_none_ += held.empty() ? 1 : 0;
  std::ranges::sort(held);
  parents_[other] = {thread, false, std::move(held), {}};
}

/// What was released in between it may hold again, but since another time.
void Gates::joined(trace::ThreadNumber thread, trace::ThreadNumber other, const std::vector<HeldFrom>& held) {
  const auto found = parents_.find(other);
  if (found == parents_.end()) return;
  Parent& parent = found->second;
  if (parent.thread != thread || parent.has_joined) return;
  parent.has_joined = true;
  for (const HeldFrom& each : parent.held) {
    if (std::ranges::find(held, each) != held.end()) parent.locks.push_back(each.lock);
  }
  if (!parent.locks.empty() || parents_.contains(thread)) return;
  holding_none_ -= parent.held.empty() ? 1 : 0;
  parents_.erase(found);
}

const Gates::Parent* Gates::parent_of(trace::ThreadNumber thread) const {
  const auto found = parents_.find(thread);
  return found == parents_.end() || !found->second.has_joined ? nullptr : &found->second;
}

bool Gates::exclude(const HeldLocks& a, const HeldLocks& b) const {
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (x->object < y->object) {
      ++x;
    } else if (y->object < x->object) {
      ++y;
    } else {
      const bool excludes = !x->shared || !y->shared;
      if (excludes && !none_.contains(x->object) && !room_.contains(x->object)) return true;
      ++x;
      ++y;
    }
  }
  return false;
}

bool Gates::has_room(const HeldLocks& held, std::span<const HeldLocks* const> others) const {
  if (room_.empty()) return true;
  return std::ranges::all_of(held, [&](const HeldLock& each) {
    const auto room = room_.find(each.object);
    if (room == room_.end()) return true;
    std::size_t taken = permits_in(held, each);
    for (const HeldLocks* other : others)
      taken += permits_in(*other, each);
    return taken <= room->second;
  });
}

/// Its own locks, and what its ancestors held around its life.
std::vector<Gates::Around> Gates::around(trace::ThreadNumber thread, const HeldLocks& held) const {
  std::vector<Around> out{{thread, &held}};
  for (const Parent* parent = parent_of(thread); parent != nullptr && out.size() < most_generations;
       parent = parent_of(parent->thread))
    out.push_back({parent->thread, &parent->locks});
  return out;
}

/// What one thread holds keeps neither itself from its descendants nor these apart.
bool Gates::let_both(trace::ThreadNumber a, const HeldLocks& held_by_a, trace::ThreadNumber b,
                     const HeldLocks& held_by_b) const {
  if (exclude(held_by_a, held_by_b)) return false;
  if (a == b || parents_.empty()) return true;
  const std::vector<Around> around_b = around(b, held_by_b);
  return std::ranges::none_of(around(a, held_by_a), [&](const Around& one) {
    return std::ranges::any_of(
        around_b, [&](const Around& other) { return one.holder != other.holder && exclude(*one.locks, *other.locks); });
  });
}

}  // namespace unspool
