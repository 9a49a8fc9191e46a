// SPDX-License-Identifier: MIT
#include <spool/log/hidden_thread.hpp>
#include <spool/os/clock.hpp>

#include <utility>

#include <signal.h>

namespace spool::log {

void* HiddenThread::enter(void* self) {
  auto& thread = *static_cast<HiddenThread*>(self);
  clockid_t clock = no_clock;
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
    thread.clock_.store(clock, std::memory_order_relaxed);  // relaxed: a number, good for itself
  }
  thread.run_(thread.argument_);
  thread.clock_.store(no_clock, std::memory_order_relaxed);  // relaxed, both: whoever reads in between reads too little
  thread.spent_.fetch_add(os::nanoseconds_of(CLOCK_THREAD_CPUTIME_ID), std::memory_order_relaxed);
  return nullptr;
}

std::chrono::nanoseconds HiddenThread::cpu_time() const noexcept {
  const clockid_t clock = clock_.load(std::memory_order_relaxed);  // relaxed, both: see enter
  const std::uint64_t before = spent_.load(std::memory_order_relaxed);
  const std::uint64_t now = clock == no_clock ? 0 : os::nanoseconds_of(clock);  // 0 where it has just ended
  return std::chrono::nanoseconds{static_cast<std::int64_t>(before + now)};
}

void HiddenThread::forget() {
  if (std::exchange(running_, false)) running_count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
  clock_.store(no_clock, std::memory_order_relaxed);  // relaxed, both: the child has one thread
  spent_.store(0, std::memory_order_relaxed);
}

bool HiddenThread::start(const char* name, void (*run)(void*), void* argument) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  sigdelset(&all, SIGBUS);  // of its own stores: a thread that blocks it is killed
  pthread_sigmask(SIG_SETMASK, &all, &before);
  run_ = run;
  argument_ = argument;
  running_ = pthread_create(&thread_, nullptr, &enter, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (running_) {
    running_count.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    pthread_setname_np(thread_, name);
  }
  return running_;
}

void HiddenThread::join() {
  if (!running_) return;
  pthread_join(thread_, nullptr);
  running_ = false;
  running_count.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
}

}  // namespace spool::log
