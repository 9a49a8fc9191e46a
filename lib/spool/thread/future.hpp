// SPDX-License-Identifier: MIT
//
// Future: what comes of a task of a ThreadPool. std::future's manners, and Python's concurrent.futures.Future's cancel.
//
//   spool::Future<int> sum = pool.submit(add, 1, 2);
//   if (!sum.wait_for(5s)) sum.cancel();
//   use(sum.get());                       // the value, or the task's exception
#pragma once

#include <spool/sync/waiter.hpp>
#include <spool/thread/pool_core.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

namespace spool {

/// The result of a task that was cancelled, or dropped when its pool was shut down. Python's CancelledError.
class CancelledError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace thread {

/// A task that gives an R: where the value waits to be fetched.
template <class R>
class ResultTask : public PoolTask {
  using Kept = std::conditional_t<std::is_void_v<R>, std::monostate,
                                  std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>;

 public:
  R take() {
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(**kept_);
    } else if constexpr (!std::is_void_v<R>) {
      return std::move(*kept_);
    }
  }

 protected:
  template <class F>
  void keep_result_of(F& function) {
    if constexpr (std::is_void_v<R>) {
      function();
    } else if constexpr (std::is_reference_v<R>) {
      auto&& result = function();
      kept_ = &result;
    } else {
      kept_.emplace(function());
    }
  }

 private:
  std::optional<Kept> kept_;
};

template <class R, class F>
class FunctionTask final : public ResultTask<R> {
 public:
  explicit FunctionTask(F function) : function_(std::move(function)) {}

 private:
  void invoke() override { this->keep_result_of(*function_); }
  void forget() noexcept override { function_.reset(); }

  std::optional<F> function_;
};

}  // namespace thread

/// A handle to one task; it can be moved, not copied, and be dropped at any time: the task runs all the same. It may
/// outlive the pool. Thread-safe but for moving and get(), which empties it.
///
/// Memory ordering: submit() happens before the task; the task, and the destruction of its function and arguments,
/// before the return of each wait that finds it done.
/// Requires: valid(), for all but valid() itself; else std::future_error, as std::future's.
/// Records: as each call says, of the pool and with the task's number. In mode `contended`: waits that blocked, and the
/// end or drop that ended them.
template <class R>
class Future {
 public:
  Future() = default;
  Future(Future&&) noexcept = default;
  Future& operator=(Future&&) noexcept = default;
  Future(const Future&) = delete;
  Future& operator=(const Future&) = delete;
  ~Future() = default;

  /// Of a task, and not fetched yet.
  bool valid() const noexcept { return task_ != nullptr; }

  /// Waits until the task is over, then gives its value, once; or throws what it threw, or CancelledError.
  /// Records: as wait().
  R get(const Site& site = Site::current()) {
    wait(site);
    const std::shared_ptr<thread::ResultTask<R>> task = std::move(task_);
    if (task->state() == thread::PoolTask::cancelled) throw CancelledError{"the task was cancelled"};
    if (task->exception() != nullptr) std::rethrow_exception(task->exception());
    return task->take();
  }

  /// Waits until the task is over: it returned, threw or was cancelled.
  /// Records: continue, with who finished it; after a wait block, continue. By a worker of the same pool: a task that
  /// waits for a task.
  void wait(const Site& site = Site::current()) const { (void)wait_with({}, site); }
  /// False when it is still not over after `span`. Zero or less looks once; a huge span waits without end.
  /// Records: as wait(); or block, timeout; of a mere look that fails busy.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) const {
    return wait_with(sync::patience_for(span), site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) const {
    return wait_with({os::deadline_at(time)}, site);
  }
  /// False when `stop` asked to stop first. Records: as wait(), or block, cancel.
  [[nodiscard]] bool wait(const std::stop_token& stop, const Site& site = Site::current()) const {
    return wait_with({os::never, &stop}, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) const {
    return wait_with(sync::patience_for(span, &stop), site);
  }

  /// What the task threw, when it is over; nullptr if it returned. Waits, and leaves the Future as it is. Throws
  /// CancelledError. Records: as wait().
  std::exception_ptr exception(const Site& site = Site::current()) const {
    wait(site);
    if (is_cancelled()) throw CancelledError{"the task was cancelled"};
    return task_->exception();
  }

  /// If the task has not begun it never will, and whoever waits for it goes on. False: it runs, or is done.
  /// Records: drop, if it was queued still.
  bool cancel(const Site& site = Site::current()) { return task().pool().cancel(*task_, site); }

  /// It returned, threw or was cancelled.
  bool is_done() const { return task().is_over(); }
  bool is_running() const { return task().state() == thread::PoolTask::running; }
  bool is_cancelled() const { return task().state() == thread::PoolTask::cancelled; }
  /// As in the Records: the pool's tasks are numbered from 1.
  std::uint32_t number() const { return task().number(); }

 private:
  friend class ThreadPool;
  explicit Future(std::shared_ptr<thread::ResultTask<R>> task) : task_{std::move(task)} {}

  thread::ResultTask<R>& task() const {
    if (task_ == nullptr) throw std::future_error{std::future_errc::no_state};
    return *task_;
  }
  bool wait_with(const sync::Patience& patience, const Site& site) const {
    return task().pool().wait(*task_, patience, site);
  }

  std::shared_ptr<thread::ResultTask<R>> task_;
};

}  // namespace spool
