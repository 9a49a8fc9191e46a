// SPDX-License-Identifier: MIT
//
// Timer: a thread that waits, then calls a function. Python's threading.Timer. Owns the waiting and who ends it; the
// rest of its life is Thread's.
//
//   spool::Timer timer{30s, [] { spool::warning("still not done"); }};
//   timer.start();
//   ...
//   timer.cancel();                     // in time: the function is never called
#pragma once

#include <spool/thread/thread.hpp>

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

namespace spool {

namespace thread {

/// The waiting of one Timer, shared by its handles and its thread.
class Countdown;

using Seconds = std::chrono::duration<long double>;  ///< any duration type fits

/// Its own type, so that thread.hpp need not know of it.
class CountdownTask : public Task {
 public:
  CountdownTask(std::shared_ptr<Countdown> countdown, std::unique_ptr<Task> function)
      : countdown_{std::move(countdown)}, function_{std::move(function)} {}
  void run(const std::stop_token& stop) override;

 private:
  std::shared_ptr<Countdown> countdown_;
  std::unique_ptr<Task> function_;
};

}  // namespace thread

/// A handle, as every Thread: copies name the same timer, and it may be destroyed at any time; what has started goes
/// on.
/// Thread-safe.
///
///   waiting ──the interval has passed──▶ fired: the function is called, once
///      └──cancel(), request_stop()──▶ cancelled: it never is
///
/// The interval begins when the thread does. Zero or less: at once; a huge one: never, until it is cancelled. What the
/// function throws goes the way of every thread's exception. join, is_alive, name, daemon: as a Thread's; so a program
/// waits at its end for a timer that runs and is no daemon.
/// Memory ordering: start() happens before the function; a cancel() before the return of a join that it lets go on.
/// Records: those of its thread. Of the waiting, by that thread and with the line of start(): block, with the
/// milliseconds; then continue when it fires; or cancel, with who cancelled and where. Those of cancel(). In mode
/// `contended` all of them: a timer always waits.
class Timer : public Thread {
 public:
  /// Will call `function(arguments...)`, moved in as a Thread does it, also as to a first std::stop_token.
  template <class Rep, class Period, class F, class... Args>
  requires thread::Runnable<F, Args...> Timer(std::chrono::duration<Rep, Period> interval, F&& function,
                                              Args&&... arguments)
      : Timer{ThreadOptions{.site = {}}, interval, std::forward<F>(function), std::forward<Args>(arguments)...} {}
  template <class Rep, class Period, class F, class... Args>
  requires thread::Runnable<F, Args...> Timer(ThreadOptions options, std::chrono::duration<Rep, Period> interval,
                                              F&& function, Args&&... arguments)
      : Timer{std::move(options), make_countdown(thread::Seconds{interval}),
              thread::make_task(std::forward<F>(function), std::forward<Args>(arguments)...)} {}

  /// As Thread::start.
  void start(const Site& site = Site::current());

  /// From now on the function will not be called, unless it has been: true if it is this call that sees to it. Before
  /// start() too: the thread then ends as soon as it is started.
  /// Records: abort, with whether it woke the thread; nothing when the timer had fired or was cancelled before.
  bool cancel(const Site& site = Site::current());

  log::ObjectState& log_object();

 protected:
  const std::type_info& plain_type() const override { return typeid(Timer); }

 private:
  Timer(const ThreadOptions& options, std::shared_ptr<thread::Countdown> countdown,
        std::unique_ptr<thread::Task> function);
  static std::shared_ptr<thread::Countdown> make_countdown(thread::Seconds interval);

  std::shared_ptr<thread::Countdown> countdown_;
};

}  // namespace spool
