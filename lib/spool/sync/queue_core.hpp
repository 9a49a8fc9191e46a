// SPDX-License-Identifier: MIT
//
// What all queues have in common: who waits, who may go, how many items there are, and the Records. Owns no item;
// those, and the faces for the user, are queue.hpp's.
//
// Nobody overtakes: an item that is put while getters wait is promised to the first of them, room that becomes free is
// promised to the first putter, and what is promised is nobody else's. Whoever was promised something wakes, takes the
// inner lock again and makes its put or get itself, so that the user's code runs in the thread that called.
//
// Invariants, whenever the inner lock is free:
//   Q1  a getter waits only while each item is promised: size <= promised_items
//   Q2  a putter waits only while all room is taken or promised: size + promised_room >= maxsize
//   Q3  once it is shut down nobody waits but joiners; size grows no more
#pragma once

#include <spool/log/control.hpp>
#include <spool/log/object.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <cstddef>
#include <stdexcept>

namespace spool {

namespace log {
struct Writer;
}

/// A queue had no item for a call that returns one and does not wait. Python's queue.Empty.
class EmptyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A queue had no room for a call that does not wait. Python's queue.Full.
class FullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A queue, or a pool, takes nothing more, or has nothing more to give. Python's queue.ShutDown.
class ShutDownError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace spool

namespace spool::sync {

class Notes;

/// What a call wants; `what` in the Records.
enum class QueueCall : std::uint32_t { put = 0, get = 1, join = 2 };

/// Thread-safe, but for what it says.
class QueueCore {
 public:
  constexpr QueueCore(std::size_t maxsize, Name name, const Site& site)
      : maxsize_{maxsize}, object_{trace::Kind::queue, name, site} {}
  QueueCore(const QueueCore&) = delete;
  QueueCore& operator=(const QueueCore&) = delete;
  /// Aborts while a call waits, unless the process is ending.
  ~QueueCore();

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }  // relaxed: old by the time it is read
  std::size_t maxsize() const { return maxsize_; }
  bool is_shut_down() const { return word_.peek().state == shut; }

  void task_done(const Site& site);
  bool join(const Patience& patience, const Site& site);

  [[noreturn]] void throw_empty() const;
  [[noreturn]] void throw_full() const;

  log::ObjectState& object() { return object_; }

 private:
  friend class QueueTurn;
  friend class QueueShutdown;
  enum State : std::uint32_t { open = 0, shut = 1 };

  std::uint32_t lock_word(const Site& site);

  // All below: under the word's lock.
  bool may(QueueCall call, std::uint32_t state) const;
  bool is_closed_for(QueueCall call, std::uint32_t state) const;
  WaiterQueue& waiters_for(QueueCall call) { return call == QueueCall::put ? putters_ : getters_; }
  void promise_what_is_free(std::uint32_t state, const Waker& waker, Chosen& chosen);
  void record(log::Writer& me, trace::Verb verb, const Site& site, std::uint32_t a, std::uint32_t b,
              const Waker& named = {});
  std::uint32_t told_size() const { return static_cast<std::uint32_t>(size()); }

  // Outside it.
  trace::Sequence last_sequence() const { return sequence_.load(std::memory_order_relaxed); }  // relaxed: a quote
  bool wait_for_join(const Notes& notes, Waiter& waiter, const BlockFields& fields, const Patience& patience);
  void tell_closed(log::Writer& me, QueueCall call, const Waker& closer, const Site& site);
  [[noreturn]] void throw_shut_down() const;

  StateWord word_;
  WaiterQueue putters_;
  WaiterQueue getters_;
  WaiterQueue joiners_;
  std::size_t maxsize_;  ///< 0: no limit
  std::atomic<std::size_t> size_{0};
  std::size_t promised_items_ = 0;  ///< to getters that wake now
  std::size_t promised_room_ = 0;   ///< to putters that wake now
  std::uint32_t process_ = 0;       ///< log::fork_depth() of the process that made the promises
  std::size_t unfinished_ = 0;
  Waker finisher_;  ///< of the last item, when none was left
  Waker closer_;    ///< who shut it down
  std::atomic<trace::Sequence> sequence_{0};
  log::ObjectState object_;
};

/// One put or get. Its constructor waits until it is this call's turn; from then to its end it holds the inner lock,
/// and the caller may move one item in or out. Without finish() nothing has changed, and what was this call's is
/// offered to the next.
class QueueTurn {
 public:
  /// Throws ShutDownError.
  QueueTurn(QueueCore& core, QueueCall call, const Patience& patience, const Site& site);
  ~QueueTurn();
  QueueTurn(const QueueTurn&) = delete;
  QueueTurn& operator=(const QueueTurn&) = delete;

  /// False: out of patience; the lock is not held.
  explicit operator bool() const { return is_mine_; }
  /// The item is in, or out.
  void finish() noexcept;

 private:
  void wait(std::uint32_t state, const Patience& patience);
  void return_after_wait();
  [[noreturn]] void refuse(bool recorded, const Waker& closer);
  void tell(trace::Verb verb, std::uint32_t size);
  void unlock() noexcept;

  QueueCore& core_;
  const Site& site_;
  log::Writer& me_;
  Waiter waiter_;
  Mode mode_;
  QueueCall call_;
  std::uint32_t state_ = 0;  ///< of the word, while it is locked
  bool is_mine_ = false;
  bool is_done_ = false;
  bool has_waited_ = false;
};

/// A shutdown: holds the inner lock from its constructor to its end, so that the caller can take the items out.
class QueueShutdown {
 public:
  QueueShutdown(QueueCore& core, bool immediate, const Site& site);
  ~QueueShutdown();
  QueueShutdown(const QueueShutdown&) = delete;
  QueueShutdown& operator=(const QueueShutdown&) = delete;

 private:
  QueueCore& core_;
  Chosen chosen_;
};

}  // namespace spool::sync
