// SPDX-License-Identifier: MIT
//
// Queue, LifoQueue and PriorityQueue: hand items from thread to thread. Python's queue module, with the shutdown of
// 3.13.
//
//   spool::Queue<Job> jobs{100, "jobs"};                    // at most 100 at a time
//   jobs.put(std::move(job));                               // one thread; waits while it is full
//   while (std::optional<Job> job = jobs.get_for(5s)) ...   // another; nothing when none came in 5 s
//   jobs.shutdown();                                        // gets drain it, then throw spool::ShutDownError
//
//   Python               here                        when it does not come about
//   put(x)               put(x)                      waits
//   put(x, timeout=s)    put_for(x, s)               false; x is still the caller's
//   put_nowait(x)        put_nowait(x), try_put(x)   throws FullError; false
//   get()                get()                       waits
//   get(timeout=s)       get_for(s)                  an empty optional
//   get_nowait()         get_nowait(), try_get()     throws EmptyError; an empty optional
//   qsize()              size()
#pragma once

#include <spool/sync/queue_core.hpp>
#include <spool/sync/queue_items.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace spool::sync {

/// The face of all three. Thread-safe; first come, first served: an item that is put while getters wait is the first
/// one's, free room the first putter's, and no later call takes it from them.
///
///   open ──shutdown──▶ shut down: puts throw ShutDownError, gets take what is left, then throw it too
///
/// T may be move-only. It is copied and moved, and a PriorityQueue's compare called, under the queue's inner lock: it
/// must be short, and must not use the same queue. When it throws, the call throws; the queue is as it was before, and
/// what the call might have taken is offered to the next.
/// Memory ordering: a put happens before the get that returns its item, the last task_done() before the return of each
/// join() that it lets go on, a shutdown() before each ShutDownError.
/// Requires: not destroyed while a call waits (logged, then abort, unless the process is ending). A thread whose get()
/// or join() has returned may destroy it, though the put() or task_done() that ended the wait has not returned yet.
/// Records: as each call says; all with the caller's line. In mode `contended`: waits that blocked, and what ended
/// them.
template <class T, class Kept>
class QueueOf {
 public:
  QueueOf(const QueueOf&) = delete;
  QueueOf& operator=(const QueueOf&) = delete;

  /// Waits for room, then adds the item. Throws ShutDownError.
  /// Records: put, with the size afterwards and, after a wait, who made the room; after a wait block, put. Shut down:
  /// closed, with who did it. When the item's constructor throws: nothing, or, after a wait, continue.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void put(U&& item, const Site& site = Site::current()) { (void)put_with(std::forward<U>(item), {}, site); }

  /// False when there was no room for `span`; then, and when it is shut down, the item has not been moved from. Zero or
  /// less is a mere try, a huge span waits without end.
  /// Records: as put(), or block, timeout; of a mere try that fails busy.
  template <class Rep, class Period, class U = T>
  requires std::constructible_from<T, U&&>
  [[nodiscard]] bool put_for(U&& item, std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return put_with(std::forward<U>(item), patience_for(span), site);
  }
  /// The same until a point in time of any clock; a clock that is set meanwhile does not matter.
  template <class Clock, class Duration, class U = T>
  requires std::constructible_from<T, U&&>
  [[nodiscard]] bool put_until(U&& item, const std::chrono::time_point<Clock, Duration>& time,
                               const Site& site = Site::current()) {
    return put_with(std::forward<U>(item), {os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as put(), or block, cancel.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  [[nodiscard]] bool put(U&& item, const std::stop_token& stop, const Site& site = Site::current()) {
    return put_with(std::forward<U>(item), {os::never, &stop}, site);
  }
  template <class Rep, class Period, class U = T>
  requires std::constructible_from<T, U&&>
  [[nodiscard]] bool put_for(U&& item, const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                             const Site& site = Site::current()) {
    return put_with(std::forward<U>(item), patience_for(span, &stop), site);
  }
  /// Never waits; false when it is full. Records: put, busy or closed.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  [[nodiscard]] bool try_put(U&& item, const Site& site = Site::current()) {
    return put_with(std::forward<U>(item), Patience::none(), site);
  }
  /// The same, but throws FullError.
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void put_nowait(U&& item, const Site& site = Site::current()) {
    if (!put_with(std::forward<U>(item), Patience::none(), site)) core_.throw_full();
  }

  /// Waits for an item, and takes it out. Throws ShutDownError once it is shut down and empty.
  /// Records: get, with the size afterwards and, after a wait, who put the item; after a wait block, get. Shut down:
  /// closed, with who did it. When the item's move constructor throws: nothing, or, after a wait, continue.
  T get(const Site& site = Site::current()) {
    QueueTurn turn{core_, QueueCall::get, {}, site};
    return take(turn);
  }
  /// Empty when none came for `span`. Zero or less is a mere try, a huge span waits without end.
  /// Records: as get(), or block, timeout; of a mere try that fails busy.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T> get_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return get_with(patience_for(span), site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] std::optional<T> get_until(const std::chrono::time_point<Clock, Duration>& time,
                                           const Site& site = Site::current()) {
    return get_with({os::deadline_at(time)}, site);
  }
  /// Empty when `stop` asked to stop first. Records: as get(), or block, cancel.
  [[nodiscard]] std::optional<T> get(const std::stop_token& stop, const Site& site = Site::current()) {
    return get_with({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T> get_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                                         const Site& site = Site::current()) {
    return get_with(patience_for(span, &stop), site);
  }
  /// Never waits. Records: get, busy or closed.
  [[nodiscard]] std::optional<T> try_get(const Site& site = Site::current()) {
    return get_with(Patience::none(), site);
  }
  /// The same, but throws EmptyError.
  T get_nowait(const Site& site = Site::current()) {
    QueueTurn turn{core_, QueueCall::get, Patience::none(), site};
    if (!turn) core_.throw_empty();
    return take(turn);
  }

  // As of some moment during the call: by the time it is looked at, others may have changed it.
  std::size_t size() const noexcept { return core_.size(); }
  bool empty() const noexcept { return size() == 0; }
  /// Never, without a limit.
  bool full() const noexcept { return maxsize() != 0 && size() >= maxsize(); }
  /// 0: no limit.
  std::size_t maxsize() const noexcept { return core_.maxsize(); }
  bool is_shut_down() const noexcept { return core_.is_shut_down(); }

  /// An item that get() returned has been dealt with. Throws MisuseError when called more often than items were put.
  /// Records: done, with how many items are unfinished and how many joins that lets go on.
  void task_done(const Site& site = Site::current()) { core_.task_done(site); }

  /// Waits until task_done() was called for each item that was ever put.
  /// Records: continue, with who finished the last and where; after a wait block, continue.
  void join(const Site& site = Site::current()) { (void)core_.join({}, site); }
  /// False when some were unfinished still. Records: as join(), or block, timeout; of a mere look that fails busy.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return core_.join(patience_for(span), site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool join_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) {
    return core_.join({os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as join(), or block, cancel.
  [[nodiscard]] bool join(const std::stop_token& stop, const Site& site = Site::current()) {
    return core_.join({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) {
    return core_.join(patience_for(span, &stop), site);
  }

  /// From now on puts throw ShutDownError, those that wait too; gets go on until it is empty, then they throw as well.
  /// `immediate`: the items are dropped, and count as finished; who joins goes on unless a thread still works on an
  /// item that it got before. May be called again.
  /// Records: shutdown, with how many waits it ended.
  void shutdown(bool immediate = false, const Site& site = Site::current()) {
    typename Kept::Items dropped;  // destroyed when the inner lock is free
    const QueueShutdown shutdown{core_, immediate, site};
    if (immediate) kept_.swap(dropped);
  }

  log::ObjectState& log_object() { return core_.object(); }

 protected:
  QueueOf(std::size_t maxsize, Kept kept, Name name, const Site& site)
      : core_{maxsize, name, site}, kept_(std::move(kept)) {}
  ~QueueOf() = default;

 private:
  template <class U>
  bool put_with(U&& item, const Patience& patience, const Site& site) {
    QueueTurn turn{core_, QueueCall::put, patience, site};
    if (!turn) return false;
    kept_.push(std::forward<U>(item));
    turn.finish();
    return true;
  }

  /// The item is made where the caller gets it: a move that throws finds it still in the queue.
  T take(QueueTurn& turn) {
    T item(std::move(kept_.next()));
    kept_.drop_next();
    turn.finish();
    return item;
  }

  std::optional<T> get_with(const Patience& patience, const Site& site) {
    std::optional<T> item;
    QueueTurn turn{core_, QueueCall::get, patience, site};
    if (!turn) return item;
    item.emplace(std::move(kept_.next()));
    kept_.drop_next();
    turn.finish();
    return item;
  }

  QueueCore core_;
  Kept kept_;
};

}  // namespace spool::sync

namespace spool {

/// First in, first out.
template <class T>
class Queue final : public sync::QueueOf<T, sync::OldestFirst<T>> {
 public:
  /// `maxsize` 0: no limit.
  Queue(const Site& site = Site::current()) : Queue{0, {}, site} {}  // NOLINT(google-explicit-constructor)
  explicit Queue(std::size_t maxsize, Name name = {}, const Site& site = Site::current())
      : sync::QueueOf<T, sync::OldestFirst<T>>{maxsize, {}, name, site} {}
};

/// Last in, first out.
template <class T>
class LifoQueue final : public sync::QueueOf<T, sync::NewestFirst<T>> {
 public:
  LifoQueue(const Site& site = Site::current()) : LifoQueue{0, {}, site} {}  // NOLINT(google-explicit-constructor)
  explicit LifoQueue(std::size_t maxsize, Name name = {}, const Site& site = Site::current())
      : sync::QueueOf<T, sync::NewestFirst<T>>{maxsize, {}, name, site} {}
};

/// The smallest first, as Python's; or by another order: `compare(a, b)` says whether a comes out before b. Equal items
/// come out in the order in which they were put, which Python's do not promise.
template <class T, class Compare = std::less<T>>
class PriorityQueue final : public sync::QueueOf<T, sync::BestFirst<T, Compare>> {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  PriorityQueue(const Site& site = Site::current()) : PriorityQueue{0, {}, site} {}
  explicit PriorityQueue(std::size_t maxsize, Name name = {}, const Site& site = Site::current())
      : PriorityQueue{maxsize, Compare{}, name, site} {}
  PriorityQueue(std::size_t maxsize, Compare compare, Name name = {}, const Site& site = Site::current())
      : sync::QueueOf<T, sync::BestFirst<T, Compare>>{maxsize, sync::BestFirst<T, Compare>{std::move(compare)}, name,
                                                      site} {}
};

}  // namespace spool
