// SPDX-License-Identifier: MIT
#include "team.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <pthread.h>
#include <sched.h>

namespace bench {
namespace {

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// ns that this thread has been kept waiting for a CPU; 0 where the kernel does not tell.
double delayed_so_far() {
  double used = 0;
  double delayed = 0;
  std::ifstream{"/proc/thread-self/schedstat"} >> used >> delayed;
  return delayed;
}

/// The CPUs in turn: where the scheduler chooses, threads of a short round run one after the other on one CPU, and what
/// they share is never contended.
void pin(std::thread& thread, int index) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int skip = index % std::max(1, CPU_COUNT(&allowed));
  std::size_t cpu = 0;
  while (!CPU_ISSET(cpu, &allowed) || skip-- > 0)
    ++cpu;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_setaffinity_np(thread.native_handle(), sizeof one, &one);
}

}  // namespace

Team::Team(int size) : gate_{size + 1}, spans_(static_cast<std::size_t>(size)) {
  members_.reserve(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    members_.emplace_back([this, i] { serve(i); });
    pin(members_.back(), i);
  }
}

Team::~Team() {
  work_ = nullptr;
  gate_.arrive_and_wait();
  for (std::thread& member : members_)
    member.join();
}

Timed Team::run(const std::function<void(int)>& work) {
  work_ = &work;
  ready_.store(0, std::memory_order_relaxed);  // relaxed: the gate orders it
  gate_.arrive_and_wait();
  gate_.arrive_and_wait();
  const double first = std::ranges::min(spans_, {}, &Span::begun).begun;
  const double last = std::ranges::max(spans_, {}, &Span::ended).ended;
  const double delayed = std::ranges::max(spans_, {}, &Span::delayed).delayed;
  constexpr double tolerated = 0.05;
  const bool enough = static_cast<unsigned>(size()) <= std::thread::hardware_concurrency();
  return {last - first, !enough || delayed <= tolerated * (last - first)};
}

void Team::serve(int index) {
  for (;;) {
    gate_.arrive_and_wait();
    if (work_ == nullptr) return;
    Span& span = spans_[static_cast<std::size_t>(index)];
    const double delayed_before = delayed_so_far();
    start_together();
    span.begun = now();
    (*work_)(index);
    span.ended = now();
    span.delayed = delayed_so_far() - delayed_before;
    gate_.arrive_and_wait();
  }
}

/// The gate wakes one after the other, which takes longer than many a round: so they also meet here, awake. Who gives
/// its CPU away here may not have it back when the others begin; so it waits on, unless it stands in another's way.
void Team::start_together() {
  ready_.fetch_add(1, std::memory_order_relaxed);  // relaxed, both: a meeting, it publishes nothing
  const bool crowded = static_cast<unsigned>(size()) > std::thread::hardware_concurrency();
  constexpr int patience = 10'000'000;
  for (int i = 0; ready_.load(std::memory_order_relaxed) < size(); ++i) {
    if (crowded || i > patience) std::this_thread::yield();
  }
}

}  // namespace bench
