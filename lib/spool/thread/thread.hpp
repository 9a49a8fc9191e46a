// SPDX-License-Identifier: MIT
//
// Thread: Python's threading.Thread. Owns starting, joining and naming; who a thread is for the log is
// log/identity.hpp, what happens when the program ends is shutdown.hpp.
//
//   spool::Thread worker{{.name = "worker"}, [](int n) { ... }, 3};
//   worker.start();
//   worker.join();
#pragma once

#include <spool/log/identity.hpp>
#include <spool/os/park.hpp>
#include <spool/thread/task.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace spool {

/// What may be said of a thread before it starts.
struct ThreadOptions {
  std::string name = {};            ///< any length and content; empty: "Thread-N"
  std::optional<bool> daemon = {};  ///< default: as the creating thread
  std::size_t stack_size = 0;       ///< bytes; 0: the system's default
  Site site = Site::current();      ///< where it is created
};

namespace thread {
class ThreadState;
}

/// A handle: copies name the same thread, and dropping all of them never blocks, kills or detaches anything: a running
/// thread keeps itself alive. Thread-safe.
///
///   created ──start──▶ started (is_alive) ──target returns or throws──▶ ended
///
/// A subclass overrides run(). It must be owned by a std::shared_ptr when it is started (spool::make_thread does both),
/// for the running thread then owns it too, and it cannot be destroyed under its own run(); else start throws. One that
/// only brings a target, and says so by plain_type(), is a handle as a Thread is.
///
/// Memory ordering: start() happens before the target; the thread's end, thread_local destructors included, happens
/// before the return of a successful join.
/// Records: create, start (by the creator), begin, end (by the thread itself), and those of join.
class Thread : public std::enable_shared_from_this<Thread> {
 public:
  /// A thread that runs `function(arguments...)`, not yet started.
  template <class F, class... Args>
  requires(thread::Runnable<F, Args...> && !std::is_base_of_v<Thread, std::decay_t<F>> &&
           !std::is_same_v<std::decay_t<F>, ThreadOptions>) explicit Thread(F&& function, Args&&... arguments)
      : Thread{ThreadOptions{.site = {}},
               thread::make_task(std::forward<F>(function), std::forward<Args>(arguments)...)} {}
  template <class F, class... Args>
  requires thread::Runnable<F, Args...> Thread(ThreadOptions options, F&& function, Args&&... arguments)
      : Thread{std::move(options), thread::make_task(std::forward<F>(function), std::forward<Args>(arguments)...)} {}
  /// For subclasses.
  explicit Thread(ThreadOptions options);
  Thread() : Thread{ThreadOptions{.site = {}}} {}
  Thread(const Thread&) = default;
  Thread& operator=(const Thread&) = default;
  virtual ~Thread() = default;

  /// Starts it, once. Throws MisuseError on a second call or for a subclass that no shared_ptr owns, std::system_error
  /// when the system makes no thread; then nothing is left behind and start may be tried again.
  /// Records: start; and refuse, with the system's errno, when it makes no thread.
  void start(const Site& site = Site::current());

  /// Waits until it has ended; any number of times, by any number of threads. Throws MisuseError before start, of
  /// oneself, and for a thread that spool did not start.
  /// Records: continue; after a wait block, continue.
  void join(const Site& site = Site::current());
  /// False when it has not ended after `span`. Records: as join, or block, timeout.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> span, const Site& site = Site::current()) {
    return join_until_deadline(os::deadline_after(span), nullptr, site);
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool join_until(const std::chrono::time_point<Clock, Duration>& time,
                                const Site& site = Site::current()) {
    return join_until_deadline(os::deadline_at(time), nullptr, site);
  }
  /// False when `stop` asked to stop first. Records: as join, or block, cancel.
  [[nodiscard]] bool join(const std::stop_token& stop, const Site& site = Site::current()) {
    return join_until_deadline(os::never, &stop, site);
  }
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(const std::stop_token& stop, std::chrono::duration<Rep, Period> span,
                              const Site& site = Site::current()) {
    return join_until_deadline(os::deadline_after(span), &stop, site);
  }

  /// Started and not ended.
  bool is_alive() const;

  std::string name() const;
  /// At any time. The system's name (15 bytes, a longer one loses its middle) follows when a thread renames itself.
  void set_name(std::string name);

  bool daemon() const;
  /// Throws MisuseError after start.
  void set_daemon(bool daemon, const Site& site = Site::current());

  /// The thread's number in the trace; known from the beginning.
  trace::ThreadNumber ident() const;
  /// The kernel's id; 0 before the thread runs.
  std::uint32_t native_id() const;

  /// Asks the target to stop, through the std::stop_token that it takes as its first parameter.
  bool request_stop();
  std::stop_token stop_token() const;

  /// What the target threw, after the end; nullptr if it returned.
  std::exception_ptr exception() const;

  friend bool operator==(const Thread& left, const Thread& right) { return left.identity_ == right.identity_; }

 protected:
  /// What the thread does; a subclass overrides it. Here: the target, if there is one.
  virtual void run();
  /// The class whose objects are plain handles: all that the thread runs is the target, which owns what it needs. A
  /// subclass without a run() of its own overrides it with its own type. (Not the type of `*this`: what is derived from
  /// that subclass may have a run() again.)
  virtual const std::type_info& plain_type() const { return typeid(Thread); }

  Thread(ThreadOptions options, std::unique_ptr<thread::Task> task);
  log::Identity& identity() const { return *identity_; }

 private:
  friend class thread::ThreadState;
  friend Thread current_thread();
  friend Thread main_thread();
  friend std::vector<Thread> enumerate();

  explicit Thread(std::shared_ptr<log::Identity> identity) : identity_{std::move(identity)} {}

  thread::ThreadState* state() const;  ///< nullptr for threads that spool did not start
  bool join_until_deadline(os::Deadline deadline, const std::stop_token* stop, const Site& site);
  void check_joinable(const Site& site) const;

  std::shared_ptr<log::Identity> identity_;
};

/// Makes a thread of a subclass, owned as it must be: `auto t = spool::make_thread<Fetcher>(url); t->start();`
template <std::derived_from<Thread> T, class... Args>
std::shared_ptr<T> make_thread(Args&&... arguments) {
  return std::make_shared<T>(std::forward<Args>(arguments)...);
}

/// The calling thread. One that spool did not start is "MainThread" or "Dummy-N", a daemon as in Python.
Thread current_thread();
Thread main_thread();
/// All threads alive: main, started ones, foreign ones that have used spool; none of spool's own.
std::vector<Thread> enumerate();
std::size_t active_count();

/// What an excepthook is told.
struct ExceptHookArgs {
  std::exception_ptr exception;
  Thread thread;
};
using ExceptHook = std::function<void(const ExceptHookArgs&)>;

/// Replaces what happens when a thread's target throws, and returns the hook before. The default logs an error with the
/// exception's type and text. A hook that throws itself is logged as an error too. Thread-safe.
ExceptHook set_excepthook(ExceptHook hook);

}  // namespace spool
