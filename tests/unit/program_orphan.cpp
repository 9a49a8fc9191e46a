// SPDX-License-Identifier: MIT
//
// What the child of a fork finds where threads of its parent were in the middle of something.
#include <spool/spool.hpp>

#include "program.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spool::test;
using namespace std::chrono_literals;

namespace {

/// Forks, and gives what the child came to; a child that hangs is killed by its alarm.
template <class Child>
int in_child(Child child) {
  const pid_t made = fork();
  if (made == 0) {
    is_forked = true;
    alarm(20);
    std::exit(child());
  }
  int status = 0;
  (void)waitpid(made, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

template <class... Words>
void until(std::atomic<bool>& flag) {
  while (!flag.load())
    std::this_thread::yield();
}

/// Does the call throw a MisuseError? Says its words.
template <class Call>
bool is_refused(Call call) {
  try {
    call();
  } catch (const spool::MisuseError& problem) {
    say(problem.what());
    return true;
  }
  return false;
}

/// A daemon that never ends.
template <class Body>
spool::Thread stay(Body body) {
  spool::Thread thread{spool::ThreadOptions{.name = "stayed", .daemon = true}, std::move(body)};
  thread.start();
  return thread;
}

/// The thread gets a signal whose handler never returns: from now on it does nothing more.
void stop_for_good(const spool::Thread& thread) {
  static std::atomic<bool> stopped{false};
  stopped.store(false);
  std::signal(SIGUSR1, [](int) {
    stopped.store(true);
    for (;;)
      pause();
  });
  (void)syscall(SYS_tgkill, getpid(), thread.native_id(), SIGUSR1);
  until(stopped);
}

void until_asleep(const spool::Thread& thread) {
  for (;; std::this_thread::yield()) {
    std::FILE* const file =
        std::fopen(("/proc/self/task/" + std::to_string(thread.native_id()) + "/stat").c_str(), "r");
    if (file == nullptr) continue;
    std::array<char, 200> text{};
    (void)std::fread(text.data(), 1, text.size() - 1, file);
    (void)std::fclose(file);
    if (std::string{text.data()}.find(") S ") != std::string::npos) return;
  }
}

/// An item whose move takes for ever in one thread.
struct Slow {
  explicit Slow(bool waits) : is_slow{waits} {}
  Slow(Slow&& other) noexcept : is_slow{std::exchange(other.is_slow, false)} {
    if (!is_slow) return;
    is_inside.store(true);
    for (;;)
      pause();
  }
  Slow& operator=(Slow&&) = default;
  Slow(const Slow&) = delete;
  Slow& operator=(const Slow&) = delete;
  ~Slow() = default;

  bool is_slow;
  static inline std::atomic<bool> is_inside{false};
};

/// A thread was inside the queue's inner lock.
int leaves_queue_midway() {
  static spool::Queue<Slow> queue{0, "jobs"};
  (void)stay([] { queue.put(Slow{true}); });
  until(Slow::is_inside);
  return in_child([] {
    if (!is_refused([] { queue.put(Slow{false}); })) return 1;
    if (!is_refused([] { (void)queue.get(); })) return 2;
    if (!is_refused([] { (void)queue.try_get(); })) return 3;
    if (!is_refused([] { (void)queue.get_for(1h); })) return 4;
    if (!is_refused([] { queue.task_done(); })) return 5;
    if (!is_refused([] { (void)queue.join_for(1h); })) return 6;
    if (!is_refused([] { queue.shutdown(); })) return 7;
    return queue.size() == 0 ? 0 : 8;
  });
}

/// A waiter was promised an item, and has not taken it.
int leaves_promises() {
  static spool::Queue<int> queue;
  const spool::Thread getter = stay([] { (void)queue.get(); });
  until_asleep(getter);
  stop_for_good(getter);
  queue.put(7);
  return in_child([] { return queue.get_for(10s) == 7 ? 0 : 1; });
}

int leaves_barrier_waiters() {
  static spool::Barrier barrier{2};
  spool::Thread waiter = stay([] { barrier.wait(); });
  while (barrier.n_waiting() != 1)
    std::this_thread::yield();
  return in_child([] {
    if (barrier.n_waiting() != 0) return 1;
    std::ptrdiff_t index = -1;
    spool::Thread other{[&] { index = barrier.wait(); }};
    other.start();
    const std::ptrdiff_t mine = barrier.wait();
    other.join();
    if (mine + index != 1) return 2;
    try {
      (void)barrier.wait_for(1ms);
      return 3;
    } catch (const spool::BrokenBarrierError&) {}
    return 0;
  });
}

/// The action of the barrier runs in a thread that is not in the child, or forks itself.
int leaves_barrier_action() {
  static std::atomic<bool> runs{false};
  static bool is_child = false;
  auto* const stuck = new spool::Barrier{1, [] {
                                           if (is_child) return;
                                           runs.store(true);
                                           for (;;)
                                             pause();
                                         }};
  (void)stay([stuck] { stuck->wait(); });
  until(runs);
  const int worst = in_child([&] {
    is_child = true;
    if (stuck->wait() != 0) return 1;
    delete stuck;
    return 0;
  });
  static int result = -1;
  spool::Barrier forks{2, [] {
                         const pid_t child = fork();
                         if (child == 0) {
                           is_forked = true;
                           is_child = true;
                           alarm(20);
                           return;
                         }
                         int status = 0;
                         (void)waitpid(child, &status, 0);
                         result = WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
                       }};
  spool::Thread other{[&] { (void)forks.wait(); }};
  other.start();
  while (forks.n_waiting() != 1)
    std::this_thread::yield();
  const std::ptrdiff_t index = forks.wait();
  if (is_child) std::exit(index == 1 && forks.n_waiting() == 0 ? 0 : 2);
  other.join();
  return worst + result;
}

/// A writer stayed behind, and readers behind whom a writer waits.
int leaves_shared_holders() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
  static std::atomic<int> inside{0};
  static spool::SharedLock written{"written"};
  static spool::SharedLock shared{"shared"};
  (void)stay([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    written.lock();
    shared.lock_shared();
    ++inside;
    for (;;)
      pause();
  });
  while (inside.load() != 1)
    std::this_thread::yield();
  until_asleep(stay([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS { shared.lock(); }));
  const bool is_recorded = !spool::trace_directory().empty();
  return in_child([=]() SPOOL_NO_THREAD_SAFETY_ANALYSIS {
    if (!is_refused([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS { written.lock(); })) return 1;
    if (!is_refused([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS { written.lock_shared(); })) return 2;
    if (written.try_lock() || written.try_lock_shared()) return 3;
    if (written.try_lock_for(1h) || written.try_lock_shared_for(1h)) return 4;
    std::stop_source stop;
    if (written.lock(stop.get_token())) return 5;
    shared.lock_shared();
    shared.unlock_shared();
    if (!is_recorded) return shared.try_lock_for(1ms) ? 6 : 0;
    if (!is_refused([]() SPOOL_NO_THREAD_SAFETY_ANALYSIS { shared.lock(); })) return 7;
    return shared.try_lock_for(1h) ? 8 : 0;
  });
}

/// A pool without its workers.
int leaves_pool_behind() {
  static spool::Event never;
  static std::atomic<bool> runs{false};
  auto* const pool = new spool::ThreadPool{1, {.name = "io", .max_queued = 2, .daemon = true}};
  static std::atomic<const spool::ThreadPool*> reachable;  // for ever
  reachable.store(pool);
  static spool::Future<int> running = pool->submit([] {
    runs.store(true);
    never.wait();
    return 1;
  });
  static spool::Future<int> queued = pool->submit([] { return 2; });
  static spool::Future<int> dropped = pool->submit([] { return 3; });
  until(runs);
  return in_child([pool] {
    if (!is_refused([&] { (void)pool->submit([] {}); })) return 1;
    if (!is_refused([&] { pool->join(); })) return 2;
    if (!is_refused([&] { (void)running.get(); })) return 3;
    if (pool->join_for(1h) || queued.wait_for(1h) || pool->try_submit([] {}).has_value()) return 4;
    std::stop_source stop;
    if (pool->join(stop.get_token())) return 5;
    if (!queued.cancel()) return 6;
    pool->shutdown();
    if (!dropped.is_cancelled()) return 7;
    try {
      (void)pool->submit([] {});
      return 8;
    } catch (const spool::ShutDownError&) {}
    delete pool;
    spool::ThreadPool own{2};
    return own.submit([] { return 0; }).get();
  });
}

/// A task forks: in the child it is the only thread, and the last thing that the process does.
int forks_in_task() {
  static std::atomic<int> others{0};
  static int result = -1;
  static spool::ThreadPool pool{1};
  (void)pool.submit([] {
    const pid_t child = fork();
    if (child == 0) {
      is_forked = true;
      alarm(20);
      std::atexit([] {
        if (others.load() != 0) _exit(7);
      });
      return;
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    result = WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
  });
  for (int i = 0; i < 3; ++i)
    (void)pool.submit([] { ++others; });
  pool.join();
  return others.load() == 3 ? result : 1;
}

/// What else a thread may have been waiting in.
int leaves_other_waiters() {
  static spool::Semaphore permits{0};
  static spool::Timer timer{1h, [] {}};
  timer.set_daemon(true);
  timer.start();
  const spool::Thread waiter = stay([] { permits.acquire(); });
  until_asleep(waiter);
  return in_child([] {
    permits.release();
    if (!permits.try_acquire() || permits.try_acquire()) return 1;
    (void)timer.cancel();
    timer.join();
    return timer.is_alive() ? 2 : 0;
  });
}

}  // namespace

Programs spool::test::orphan_programs() {
  return {
      {"forks_in_task", forks_in_task},
      {"leaves_barrier_action", leaves_barrier_action},
      {"leaves_barrier_waiters", leaves_barrier_waiters},
      {"leaves_other_waiters", leaves_other_waiters},
      {"leaves_pool_behind", leaves_pool_behind},
      {"leaves_promises", leaves_promises},
      {"leaves_queue_midway", leaves_queue_midway},
      {"leaves_shared_holders", leaves_shared_holders},
  };
}
