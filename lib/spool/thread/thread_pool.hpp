// SPDX-License-Identifier: MIT
//
// ThreadPool: named threads that run what is submitted. Python's ThreadPoolExecutor with a queue that can be bounded.
// Owns the workers; the queue is pool_core.hpp's, results are future.hpp's.
//
//   spool::ThreadPool pool{4, {.name = "io", .max_queued = 100}};        // threads io-0 ... io-3
//   spool::Future<std::string> page = pool.submit(fetch, url);           // waits while 100 are queued
//   use(page.get());
#pragma once

#include <spool/sync/queue_core.hpp>
#include <spool/thread/future.hpp>
#include <spool/thread/pool_core.hpp>
#include <spool/thread/thread.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace spool {

/// What may be said of a pool when it is made.
struct PoolOptions {
  std::string name = {};        ///< workers are NAME-0, NAME-1, ...; empty: ThreadPoolExecutor-N_0, ... as Python's
  std::size_t max_queued = 0;   ///< submit waits while so many tasks are queued; 0: no limit
  bool daemon = false;          ///< the end of the program does not wait for the workers
  std::size_t stack_size = 0;   ///< of a worker, bytes; 0: the system's default
  Site site = Site::current();  ///< where it is made
};

/// What a pool can run: called once, with nothing.
template <class F>
concept PoolFunction = std::invocable < std::decay_t<F>
& > ;

/// Thread-safe. Tasks begin in the order in which they were submitted, each in one of the workers, which all start with
/// the pool. What a task throws goes to its Future, and to nobody else; the worker goes on.
///
///   open ──shutdown──▶ shut down: submit throws ShutDownError; the workers end when the queue is empty
///
/// A task that waits for another of its pool can wait for ever: when every worker does so, nobody is left to run what
/// they wait for. The Records show it: a worker's block, with the task that it waits for. The same holds for a task
/// that submits to its own pool when that is full.
///
/// At the end of the program a pool that was not shut down is: it takes no more tasks, those that are queued are run,
/// and the workers, as all threads that are no daemons, are waited for. (Python does the same.)
///
/// In the child of a fork the pool is orphaned: its workers stayed behind. submit(), join() and a Future's wait() log
/// an error; those for ever then throw MisuseError with the same words, the others return empty or false. A shutdown
/// cancels what is queued and waits for nobody. A worker whose task has forked is, in the child, the main thread: it
/// ends that process when the task returns.
///
/// Memory ordering: submit() happens before the task; see Future.
/// Records: as each call says. By the workers: begin, with who submitted, and end, with 0 for returned and 1 for threw,
/// both with the line of the submission; while idle block and, at the shutdown, closed, with the pool's own line.
/// In an orphaned pool: orphan in place of a block.
/// In mode `contended`: waits that blocked, and what ended them.
class ThreadPool {
 public:
  /// As many as Python's pool has: one a processor and 4 more, 32 at most.
  static std::size_t default_workers();

  /// Throws std::invalid_argument for no workers, std::system_error when the system makes no thread; then none is left.
  explicit ThreadPool(std::size_t workers = default_workers(), const Site& site = Site::current())
      : ThreadPool{workers, PoolOptions{.site = site}} {}
  ThreadPool(std::size_t workers, PoolOptions options);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// shutdown(), then waits: what is queued is run. Aborts in a worker of its own.
  /// Records: shutdown, unless it was shut down; those of joining the workers; destroy.
  ~ThreadPool();

  /// Has a worker call `function(arguments...)`, both moved or copied in as std::thread does it. Waits for room in the
  /// queue. Throws ShutDownError. (A Site cannot follow any number of arguments: for more than four take a lambda.)
  /// Records: submit, with the task's number and, after a wait, who made the room; after a wait block, submit. Shut
  /// down: closed, with who did it.
  template <PoolFunction F>
  auto submit(F&& function, const Site& site = Site::current()) {
    return *submit_with({}, site, std::forward<F>(function));
  }
  template <class F, class A>
  auto submit(F&& function, A&& a,
              const Site& site = Site::current()) requires std::invocable<std::decay_t<F>, std::decay_t<A>> {
    return submit(bind(std::forward<F>(function), std::forward<A>(a)), site);
  }
  template <class F, class A, class B>
  auto submit(F&& function, A&& a, B&& b, const Site& site = Site::current()) requires
      std::invocable<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>> {
    return submit(bind(std::forward<F>(function), std::forward<A>(a), std::forward<B>(b)), site);
  }
  template <class F, class A, class B, class C>
  auto submit(F&& function, A&& a, B&& b, C&& c, const Site& site = Site::current()) requires
      std::invocable<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>, std::decay_t<C>> {
    return submit(bind(std::forward<F>(function), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c)), site);
  }
  template <class F, class A, class B, class C, class D>
  auto submit(F&& function, A&& a, B&& b, C&& c, D&& d, const Site& site = Site::current()) requires
      std::invocable<std::decay_t<F>, std::decay_t<A>, std::decay_t<B>, std::decay_t<C>, std::decay_t<D>> {
    return submit(
        bind(std::forward<F>(function), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<D>(d)),
        site);
  }

  /// Empty when the queue had no room for `span`; zero or less is a mere try. (The function was moved in, and is gone.)
  /// Records: as submit(), or block, timeout; of a mere try that fails busy.
  template <class Rep, class Period, PoolFunction F>
  [[nodiscard]] auto submit_for(std::chrono::duration<Rep, Period> span, F&& function,
                                const Site& site = Site::current()) {
    return submit_with(sync::patience_for(span), site, std::forward<F>(function));
  }
  template <class Clock, class Duration, PoolFunction F>
  [[nodiscard]] auto submit_until(const std::chrono::time_point<Clock, Duration>& time, F&& function,
                                  const Site& site = Site::current()) {
    return submit_with({os::deadline_at(time)}, site, std::forward<F>(function));
  }
  /// Empty when `stop` asked to stop first. Records: as submit(), or block, cancel.
  template <PoolFunction F>
  [[nodiscard]] auto submit(const std::stop_token& stop, F&& function, const Site& site = Site::current()) {
    return submit_with({os::never, &stop}, site, std::forward<F>(function));
  }
  template <class Rep, class Period, PoolFunction F>
  [[nodiscard]] auto submit_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span, F&& function,
                                const Site& site = Site::current()) {
    return submit_with(sync::patience_for(span, &stop), site, std::forward<F>(function));
  }
  /// Never waits; empty when the queue is full. Records: submit, busy or closed.
  template <PoolFunction F>
  [[nodiscard]] auto try_submit(F&& function, const Site& site = Site::current()) {
    return submit_with(sync::Patience::none(), site, std::forward<F>(function));
  }

  /// Waits until all tasks that were submitted are over. (Not in a task of this pool: it would wait for itself.)
  /// Records: continue, with who finished the last; after a wait block, continue.
  void join(const Site& site = Site::current()) { (void)core_->join({}, site); }
  /// False when some are not. Records: as join(), or block, timeout; of a mere look that fails busy.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return core_->join(sync::patience_for(span), site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool join_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) {
    return core_->join({os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as join(), or block, cancel.
  [[nodiscard]] bool join(const std::stop_token& stop, const Site& site = Site::current()) {
    return core_->join({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) {
    return core_->join(sync::patience_for(span, &stop), site);
  }

  /// No task is taken any more: submit throws ShutDownError, also where it waits. `cancel_pending`: those that are
  /// queued are cancelled; else they are run. `wait`: until the workers have ended; MisuseError in one of them. May be
  /// called again.
  /// Records: shutdown, with how many were queued and how many of them are dropped; a drop for each; then those of
  /// joining the workers.
  void shutdown(bool wait = true, bool cancel_pending = false, const Site& site = Site::current());

  /// How many tasks wait for a worker; old by the time it is read.
  std::size_t queued() const { return core_->queued(); }
  bool is_shut_down() const { return core_->is_shut_down(); }
  /// Handles of the workers.
  const std::vector<Thread>& workers() const { return workers_; }

  log::ObjectState& log_object() { return core_->object(); }

 private:
  /// A function that is called with nothing, once, and moves the arguments on.
  template <class F, class... Args>
  static auto bind(F&& function, Args&&... arguments) {
    return
        [function = std::decay_t<F>(std::forward<F>(function)),
         arguments = std::tuple<std::decay_t<Args>...>(std::forward<Args>(arguments)...)]() mutable -> decltype(auto) {
          return std::apply(
              [&](auto&... each) -> decltype(auto) { return std::invoke(std::move(function), std::move(each)...); },
              arguments);
        };
  }

  template <class F>
  auto submit_with(const sync::Patience& patience, const Site& site, F&& function) {
    using R = std::invoke_result_t<std::decay_t<F>&>;
    auto task = std::make_shared<thread::FunctionTask<R, std::decay_t<F>>>(std::forward<F>(function));
    std::optional<Future<R>> future;
    if (core_->submit(task, patience, site)) future = Future<R>{std::move(task)};
    return future;
  }

  void join_workers(const Site& site);

  std::shared_ptr<thread::PoolCore> core_;
  std::vector<Thread> workers_;
};

}  // namespace spool
