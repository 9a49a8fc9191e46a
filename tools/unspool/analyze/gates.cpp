// SPDX-License-Identifier: MIT
#include <unspool/analyze/gates.hpp>

#include <algorithm>
#include <utility>

namespace unspool {
namespace {

constexpr std::size_t most_gates = 100'000;
constexpr std::size_t most_permits = 16;  // of one thread
constexpr std::size_t most_parents = 100'000;

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
  const bool fits = gives ? semaphore.holder == record.thread && record.a == 1 : semaphore.holder == 0 && record.b == 0;
  const bool is_one_more = std::exchange(semaphore.is_new, false);
  if (!follows || !fits || (is_one_more && gates_ >= most_gates)) return refuse(record.object, semaphore, is_one_more);
  if (is_one_more) ++gates_;
  if (gives) {
    drop_permit(record.thread, record.object);
    semaphore.holder = 0;
    return;
  }
  semaphore.holder = record.thread;
  auto& permits = permits_[record.thread];
  if (permits.size() < most_permits) permits.push_back({{record.object, false}, record.time});
}

void Gates::refuse(trace::ObjectNumber object, Semaphore& semaphore, bool at_once) {
  semaphore.is_gate = false;
  if (at_once) return;
  if (semaphore.holder != 0) drop_permit(semaphore.holder, object);
  none_.insert(object);
}

void Gates::drop_permit(trace::ThreadNumber thread, trace::ObjectNumber object) {
  const auto found = permits_.find(thread);
  if (found == permits_.end()) return;
  std::erase_if(found->second, [&](const HeldFrom& each) { return each.lock.object == object; });
  if (found->second.empty()) permits_.erase(found);
}

void Gates::started(trace::ThreadNumber thread, trace::ThreadNumber other, std::vector<HeldFrom> held) {
  if (parents_.size() >= most_parents) return;
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
  if (parent.locks.empty()) parents_.erase(found);
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
      if ((!x->shared || !y->shared) && !none_.contains(x->object)) return true;
      ++x;
      ++y;
    }
  }
  return false;
}

/// A parent's locks keep neither its children apart nor itself from them.
bool Gates::let_both(trace::ThreadNumber a, const HeldLocks& held_by_a, trace::ThreadNumber b,
                     const HeldLocks& held_by_b) const {
  if (exclude(held_by_a, held_by_b)) return false;
  if (a == b || parents_.empty()) return true;
  const Parent* const of_a = parent_of(a);
  const Parent* const of_b = parent_of(b);
  if (of_a != nullptr && of_a->thread != b && exclude(of_a->locks, held_by_b)) return false;
  if (of_b != nullptr && of_b->thread != a && exclude(held_by_a, of_b->locks)) return false;
  return of_a == nullptr || of_b == nullptr || of_a->thread == of_b->thread || !exclude(of_a->locks, of_b->locks);
}

}  // namespace unspool
