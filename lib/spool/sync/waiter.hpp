// SPDX-License-Identifier: MIT
//
// A thread that waits at a primitive with an inner lock (state_word.hpp), and the queue it stands in. What it waits
// for, and who is granted what, is the primitive's.
//
//   the waiter                        who grants
//   [lock] push() [unlock]
//   the block Record
//   sleep() ...                       [lock] choose() takes it out of the queue; the Record [unlock]
//                                     wake_all(): word = granted, the last access to the waiter; unpark
//   ... granted: returns
//   ... deadline or stop: [lock] not chosen: remove() [unlock], and it has given up
//                         chosen: [unlock] await_grant()
//
// What ends a wait is decided under the inner lock, so that nothing is granted to a waiter that has given up. A granted
// waiter returns after the granter's last access to the object, which it may therefore destroy.
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/identity.hpp>
#include <spool/log/status.hpp>
#include <spool/os/park.hpp>
#include <spool/trace/ids.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>

namespace spool::sync {

/// How long a call may wait.
struct Patience {
  os::Deadline deadline = os::never;
  const std::stop_token* stop = nullptr;

  /// A mere try: it never sleeps.
  bool is_none() const { return deadline == os::Deadline::min(); }
  /// It never ends by itself.
  bool is_endless() const { return deadline == os::never && stop == nullptr; }
  log::WaitEnd limit() const { return log::limit_of(deadline, stop != nullptr); }
  static constexpr Patience none() { return {os::Deadline::min(), nullptr}; }
};

/// A span that is zero or less is a mere try; a huge one is for ever.
template <class Rep, class Period>
Patience patience_for(std::chrono::duration<Rep, Period> span, const std::stop_token* stop = nullptr) {
  if (!(span > span.zero())) return Patience::none();
  return {os::deadline_after(span), stop};
}

/// On the stack of the thread that waits; under the inner lock, but for `word`.
struct Waiter {
  enum State : std::uint32_t { waiting = 0, poked = 1, granted = 2 };

  os::Word word{waiting};
  bool chosen = false;           ///< its wait is decided, and `granted` will follow
  bool recorded = false;         ///< its block is in the trace, so what ends the wait will be; see expect()
  bool late = false;             ///< it is recorded once it has lasted so long: see Notes::sleep
  bool refused = false;          ///< chosen to go without: broken, or shut down
  std::uint32_t what = 0;        ///< what it wants: the primitive's
  trace::Ticks since = 0;        ///< where it is late: when it began
  trace::Sequence sequence = 0;  ///< of the Record that ends its wait, where that advances
  trace::ThreadNumber waker = 0;
  trace::SiteNumber waker_site = 0;
  Waiter* next = nullptr;
  Waiter* before = nullptr;

  /// Before it is pushed: how this wait is recorded.
  void expect(Mode mode) noexcept;

  /// How sleep() came back.
  enum class Woken : std::uint8_t { granted, deadline, stop };

  /// Until granted, the deadline or stop. The latter two are no decision yet.
  Woken sleep(const Patience& patience);
  /// For a waiter that is chosen: soon.
  void await_grant() noexcept;
};

/// Who chose a waiter.
struct Waker {
  trace::ThreadNumber thread = 0;
  trace::SiteNumber site = 0;
};

/// What a block Record says.
struct BlockFields {
  trace::Verb verb = trace::Verb::block;
  trace::Sequence quoted = 0;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  Waker owner = {};
};

/// Those chosen in one call, in the order in which they stood; woken after the inner lock is free.
class Chosen {
 public:
  void add(Waiter& waiter);
  std::uint32_t count() const { return count_; }
  /// Whose wait is in the trace.
  std::uint32_t told() const { return told_; }
  void wake_all() noexcept;

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t told_ = 0;
};

/// First come, first served. Each call is under the inner lock; the size may be looked at any time. In the child of a
/// fork it is empty: who stood in it stayed behind, and its stack is somebody else's by now.
class WaiterQueue {
 public:
  constexpr WaiterQueue() = default;
  std::uint32_t size() const { return is_ours() ? size_.load(std::memory_order_relaxed) : 0; }  // relaxed: a quote
  /// Those whose wait is in the trace.
  std::uint32_t told() const { return is_ours() ? told_ : 0; }
  Waiter* first() const { return is_ours() ? first_ : nullptr; }
  void push(Waiter& waiter);
  /// One that stands in it is in the trace from now on.
  void note_told(Waiter& waiter);
  void remove(Waiter& waiter);
  /// The first is taken out and decided.
  Waiter& choose_first(const Waker& waker, Chosen& chosen);

 private:
  bool is_ours() const { return process_.load(std::memory_order_relaxed) == log::fork_depth(); }  // relaxed: as size_

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::atomic<std::uint32_t> size_{0};
  std::uint32_t told_ = 0;
  std::atomic<std::uint32_t> process_{0};  ///< fork_depth() of the process whose threads stand in it
};

}  // namespace spool::sync
