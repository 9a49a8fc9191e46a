// SPDX-License-Identifier: MIT
//
// The inside of a ThreadPool: its queue, who waits for what, and the Records. Owns the tasks while they are queued; the
// threads are thread_pool.hpp's, results are future.hpp's.
//
//   a task    fresh ──submit──▶ queued ──a worker takes it──▶ running ──it returns or throws──▶ done
//                                  └──cancel, shutdown──▶ cancelled
//
// All of it is decided under one inner lock. Room in the queue is promised as in a Queue (sync/queue_core.hpp); a task
// that is submitted while a worker is idle is handed to it at once. Invariants, whenever the lock is free:
//   P1  a worker is idle only while the queue is empty, and only while the pool is open
//   P2  a submitter waits only while the pool is open
#pragma once

#include <spool/log/object.hpp>
#include <spool/sync/state_word.hpp>
#include <spool/sync/waiter.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>

namespace spool::log {
struct Writer;
}

namespace spool::thread {

class PoolCore;

/// What a wait is for; `what` in the Records.
enum class PoolWait : std::uint32_t { room = 0, result = 1, work = 2, all = 3 };

/// A task and what comes of it: shared by its pool and its Future.
class PoolTask {
 public:
  PoolTask() = default;
  PoolTask(const PoolTask&) = delete;
  PoolTask& operator=(const PoolTask&) = delete;
  virtual ~PoolTask() = default;

  enum State : std::uint32_t { fresh, queued, running, done, cancelled };
  State state() const { return state_.load(std::memory_order_acquire); }  // acquire: partner is the release in settle
  bool is_over() const { return state() >= done; }
  /// 0 before it is submitted.
  std::uint32_t number() const { return number_; }
  PoolCore& pool() const { return *pool_; }
  /// What it threw; once it is over.
  const std::exception_ptr& exception() const { return exception_; }

 private:
  friend class PoolCore;
  friend class TaskQueue;

  virtual void invoke() = 0;
  /// Destroys the function, and what it owns.
  virtual void forget() noexcept = 0;
  void run() noexcept;

  std::atomic<State> state_{fresh};
  std::exception_ptr exception_;
  std::shared_ptr<PoolCore> pool_;
  std::uint32_t number_ = 0;
  trace::ThreadNumber submitter_ = 0;
  Site site_;  ///< of its submission; that of its begin and end too

  // Under the pool's inner lock.
  sync::WaiterQueue waiters_;
  sync::Waker finisher_;
  std::shared_ptr<PoolTask> next_;  ///< the queue's own hold on it
  PoolTask* before_ = nullptr;
};

/// First in, first out, and any can be taken out of the middle. Allocates nothing.
class TaskQueue {
 public:
  std::uint32_t size() const { return size_; }
  void push(std::shared_ptr<PoolTask> task) noexcept;
  std::shared_ptr<PoolTask> remove(PoolTask& task) noexcept;
  /// nullptr: there is none.
  std::shared_ptr<PoolTask> pop() noexcept { return first_ == nullptr ? nullptr : remove(*first_); }

 private:
  std::shared_ptr<PoolTask> first_;
  PoolTask* last_ = nullptr;
  std::uint32_t size_ = 0;
};

/// Thread-safe. Shared by the ThreadPool, its workers, and the Futures.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
 public:
  /// `max_queued` 0: no limit.
  PoolCore(std::size_t max_queued, Name name, const Site& site)
      : max_queued_{max_queued}, object_{trace::Kind::pool, name, site} {}
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;
  ~PoolCore() = default;

  /// False: out of patience. Throws ShutDownError.
  bool submit(const std::shared_ptr<PoolTask>& task, const sync::Patience& patience, const Site& site);
  /// What a worker does, from its begin to its end.
  void work();
  /// Until the task is over.
  bool wait(PoolTask& task, const sync::Patience& patience, const Site& site);
  /// True: it was queued, and will not run.
  bool cancel(PoolTask& task, const Site& site);
  /// Until all tasks are over.
  bool join(const sync::Patience& patience, const Site& site);
  /// No task is taken any more; those queued are run still, or dropped.
  void shutdown(bool drop_queued, const Site& site);
  /// The ThreadPool is gone: the last Record.
  void note_destroyed();

  std::uint32_t queued() const {
    return queued_count_.load(std::memory_order_relaxed);
  }  // relaxed: old when it is read
  bool is_shut_down() const { return word_.peek().state == shut; }
  bool is_own_worker() const;
  /// In the child of a fork, where its workers are not; but for one whose task has forked.
  bool is_orphaned() const { return process_ != log::fork_depth(); }
  log::ObjectState& object() { return object_; }

 private:
  enum State : std::uint32_t { open = 0, shut = 1 };
  struct IdleWorker : sync::Waiter {
    std::shared_ptr<PoolTask> task;
  };
  class Call;

  // Under the word's lock.
  bool has_room() const { return max_queued_ == 0 || queue_.size() + promised_room_ < max_queued_; }
  void promise_room(const sync::Waker& waker, sync::Chosen& chosen);
  void enqueue(std::shared_ptr<PoolTask> task, const sync::Waker& waker, sync::Chosen& chosen);
  std::shared_ptr<PoolTask> take();
  void settle(PoolTask& task, PoolTask::State state, const sync::Waker& waker, sync::Chosen& chosen);
  void note_queued() { queued_count_.store(queue_.size(), std::memory_order_relaxed); }  // relaxed: see queued()

  bool wait_for_room(Call& call, sync::Waiter& waiter, const sync::Patience& patience);
  bool wait_in(Call& call, std::uint32_t state, sync::WaiterQueue& queue, PoolWait what, std::uint32_t task,
               const sync::Patience& patience);
  bool give_up_orphan(Call& call, std::uint32_t state, PoolWait what, std::uint32_t task,
                      const sync::Patience& patience);
  [[noreturn]] void refuse_room(Call& call, bool recorded);
  [[noreturn]] void refuse(Call& call, PoolWait what, bool recorded, const sync::Waker& closer);
  std::shared_ptr<PoolTask> next_task(bool& has_waited);
  void begin(PoolTask& task, bool has_waited);
  void finish(PoolTask& task);
  bool drop_one(const Site& site);

  sync::StateWord word_;
  TaskQueue queue_;
  sync::WaiterQueue submitters_;
  sync::WaiterQueue idle_;
  sync::WaiterQueue joiners_;
  std::size_t max_queued_;
  std::uint32_t process_ = log::fork_depth();  ///< that made it
  std::size_t promised_room_ = 0;              ///< to submitters that wake now
  std::uint32_t last_number_ = 0;
  std::uint64_t unfinished_ = 0;
  bool is_dropping_ = false;  ///< what is queued is not for workers any more
  bool is_destroyed_ = false;
  sync::Waker finisher_;  ///< of the last task, when none was left
  sync::Waker closer_;
  std::atomic<std::uint32_t> queued_count_{0};
  std::atomic<trace::Sequence> sequence_{0};
  log::ObjectState object_;
};

/// At the end of the program: a pool that nobody has shut down lets its workers go once its queue is empty. `pool` is
/// known from now on; daemon workers need no such end.
void end_with_program(const std::shared_ptr<PoolCore>& pool);
/// Shuts down all that are known.
void end_pools();

}  // namespace spool::thread
