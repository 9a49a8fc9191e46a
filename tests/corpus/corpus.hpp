// SPDX-License-Identifier: MIT
//
// Small programs that come to rest: stuck, in a way that could have got stuck, or healthy. `verdicts.txt` says what is
// right to say of each; `run` starts them, kills them when they rest, and asks unspool.
//
// What puts the threads in order here are the standard library's latches: spool sees nothing of them.
#pragma once

#include <spool/spool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

namespace corpus {

using namespace std::chrono_literals;
using Guard = std::unique_lock<spool::Lock>;
using Programs = std::map<std::string, std::function<void()>>;

template <class F>
spool::Thread start(std::string name, F function, const spool::Site& site = spool::Site::current()) {
  spool::Thread thread{spool::ThreadOptions{.name = std::move(name), .site = site}, std::move(function)};
  thread.start(site);
  return thread;
}

/// A thread that has done its work.
template <class F>
void run(std::string name, F function, const spool::Site& site = spool::Site::current()) {
  start(std::move(name), std::move(function), site).join(site);
}

/// Busy for good with something that spool does not see, as in accept(). Main says that it has come here.
[[noreturn]] inline void serve() {
  if (::getpid() == ::gettid()) {
    std::puts("main serves");
    (void)std::fflush(stdout);
  }
  for (;;)
    ::pause();
}

/// First one thread, then, while it lives on, another.
template <class First, class Second>
[[noreturn]] void apart(First first, Second second) {
  auto* const first_done = new std::latch{1};
  auto* const second_done = new std::latch{1};
  start("first", [=] {
    first();
    first_done->count_down();
    serve();
  });
  start("second", [=] {
    first_done->wait();
    second();
    second_done->count_down();
    serve();
  });
  second_done->wait();
  serve();
}

/// One thread after the other, while those before live on. Each is told its number.
template <class Work>
[[noreturn]] void in_turn(std::size_t threads, Work work) {
  auto* const turn = new std::atomic<std::size_t>{0};
  for (std::size_t i = 0; i < threads; ++i) {
    start("philosopher-" + std::to_string(i), [=] {
      for (std::size_t now = *turn; now != i; now = *turn)
        turn->wait(now);
      work(i);
      ++*turn;
      turn->notify_all();
      serve();
    });
  }
  for (std::size_t now = *turn; now != threads; now = *turn)
    turn->wait(now);
  serve();
}

/// One lock inside the other.
template <class Outer, class Inner>
void both(Outer& outer, Inner& inner) {
  const std::lock_guard guard{outer};
  const std::lock_guard inner_guard{inner};
}

Programs stuck_locks();
Programs stuck_waits();
Programs stuck_queues();
Programs stuck_mixed();
Programs stuck_nasty();
Programs stuck_parts();
Programs could_deadlock();
Programs could_deadlock_too();
Programs healthy();
Programs healthy_orders();
Programs orders_kept();
Programs healthy_idle();
Programs healthy_nasty();
Programs healthy_successors();
Programs crowds();

}  // namespace corpus
