// SPDX-License-Identifier: MIT
//
// Programs whose waits all have the line of a wrapper, and one that tells where it is.
#include <spool/log/recorder.hpp>
#include <spool/os/symbols.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

using namespace spool::test;

/// As a server has them: one class of its own around the lock.
class Mutex {
 public:
  [[gnu::noinline]] void lock() {
    lock_.lock();
    asm volatile("");  // no tail call: that would leave no frame
  }
  void unlock() { lock_.unlock(); }

 private:
  spool::Lock lock_{"wrapped"};
};

[[gnu::noinline]] void pay_salaries(Mutex& mutex) {
  const std::lock_guard guard{mutex};
}

[[gnu::noinline]] void close_books(Mutex& mutex) {
  const std::lock_guard guard{mutex};
}

[[gnu::always_inline]] inline void inlined_call(Mutex& mutex) {
  pay_salaries(mutex);
  asm volatile("");
}

namespace {

/// So many threads wait, and their call stacks have names.
void await_named(std::size_t wanted) {
  const auto is_named = [](const std::string& call) { return call.find("unit_program+") == std::string::npos; };
  for (;;) {
    const auto threads = spool::log::Recorder::instance().look_at_threads().threads;
    const auto waits = std::ranges::count_if(threads, [&](const auto& each) {
      return each.wait.record != 0 && !each.wait.calls.empty() && std::ranges::all_of(each.wait.calls, is_named);
    });
    if (static_cast<std::size_t>(waits) >= wanted) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

/// Two threads stuck behind one wrapper, the segments of whose waits are long gone; then kill -9.
int stuck_in_a_wrapper() {
  Mutex mutex;
  mutex.lock();
  spool::Thread payer{spool::ThreadOptions{.name = "payer"}, [&] { inlined_call(mutex); }};
  spool::Thread closer{spool::ThreadOptions{.name = "closer"}, [&] { close_books(mutex); }};
  payer.start();
  closer.start();
  await_named(2);
  auto& recorder = spool::log::Recorder::instance();
  constexpr std::uint64_t laps = 12;
  spool::Lock other{"other"};
  for (const std::uint64_t last = recorder.counters().segments + laps; recorder.counters().segments < last;) {
    other.lock();
    other.unlock();
  }
  return std::raise(SIGKILL);
}

/// Ends at once: what was not looked up by then is looked up at the end.
int waits_once() {
  Mutex mutex;
  mutex.lock();
  spool::Thread payer{spool::ThreadOptions{.name = "payer"}, [&] { pay_salaries(mutex); }};
  payer.start();
  while (spool::log::Recorder::instance().look_at_threads().threads.back().wait.record == 0)
    std::this_thread::yield();
  mutex.unlock();
  payer.join();
  return 0;
}

}  // namespace

Programs spool::test::stack_programs() {
  return {{"stuck_in_a_wrapper", stuck_in_a_wrapper}, {"waits_once", waits_once}};
}
