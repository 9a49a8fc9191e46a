// SPDX-License-Identifier: MIT
#include <spool/os/clock.hpp>
#include <spool/sync/waiter.hpp>

#include <utility>

namespace spool::sync {
namespace {

Waiter::Woken sleep_until(Waiter& waiter, os::Deadline deadline) noexcept {
  for (bool in_time = true;;) {
    const std::uint32_t state = waiter.word.load(std::memory_order_acquire);  // acquire: partner is wake_all
    if (state == Waiter::granted) return Waiter::Woken::granted;
    if (state == Waiter::poked) return Waiter::Woken::stop;
    if (!in_time) return Waiter::Woken::deadline;
    in_time = os::park(waiter.word, state, deadline);
  }
}

void poke(os::Word& word) noexcept {
  std::uint32_t undecided = Waiter::waiting;
  // relaxed, both: it only wakes
  if (word.compare_exchange_strong(undecided, Waiter::poked, std::memory_order_relaxed, std::memory_order_relaxed)) {
    os::unpark(&word, 1);
  }
}

}  // namespace

void Waiter::expect(Mode mode) noexcept {
  late = mode == Mode::long_waits;
  recorded = mode != Mode::off && !late;
  if (late) since = os::ticks();
}

Waiter::Woken Waiter::sleep(const Patience& patience) {
  if (patience.stop == nullptr) return sleep_until(*this, patience.deadline);
  const std::stop_callback wake{*patience.stop, [this] { poke(word); }};
  return sleep_until(*this, patience.deadline);
}

void Waiter::await_grant() noexcept {
  for (;;) {
    const std::uint32_t state = word.load(std::memory_order_acquire);  // acquire: partner is wake_all
    if (state == granted) return;
    os::park(word, state);
  }
}

void Chosen::add(Waiter& waiter) {
  waiter.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &waiter;
  last_ = &waiter;
  ++count_;
  if (waiter.recorded) ++told_;
}

void Chosen::wake_all() noexcept {
  for (Waiter* each = first_; each != nullptr;) {
    Waiter* const next = each->next;  // after the store its thread may return, and the waiter be gone
    os::Word* const address = &each->word;
    each->word.store(Waiter::granted, std::memory_order_release);  // release: partner is the acquire of its thread
    os::unpark(address, 1);
    each = next;
  }
}

void WaiterQueue::push(Waiter& waiter) {
  if (!is_ours()) {
    first_ = nullptr;
    last_ = nullptr;
    size_.store(0, std::memory_order_relaxed);  // relaxed, both: under the lock
    told_ = 0;
    process_.store(log::fork_depth(), std::memory_order_relaxed);
  }
  waiter.before = last_;
  waiter.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &waiter;
  last_ = &waiter;
  size_.fetch_add(1, std::memory_order_relaxed);  // relaxed: under the lock
  if (waiter.recorded) ++told_;
}

void WaiterQueue::note_told(Waiter& waiter) {
  waiter.recorded = true;
  ++told_;
}

void WaiterQueue::remove(Waiter& waiter) {
  (waiter.before == nullptr ? first_ : waiter.before->next) = waiter.next;
  (waiter.next == nullptr ? last_ : waiter.next->before) = waiter.before;
  size_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: under the lock
  if (waiter.recorded) --told_;
}

Waiter& WaiterQueue::choose_first(const Waker& waker, Chosen& chosen) {
  Waiter& waiter = *first_;
  remove(waiter);
  waiter.chosen = true;
  waiter.waker = waker.thread;
  waiter.waker_site = waker.site;
  chosen.add(waiter);
  return waiter;
}

}  // namespace spool::sync
