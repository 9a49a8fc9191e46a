// SPDX-License-Identifier: MIT
#include <spool/log/control.hpp>
#include <spool/log/message.hpp>
#include <spool/thread/pool_core.hpp>
#include <spool/thread/shutdown.hpp>
#include <spool/thread/thread.hpp>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace spool::thread {
namespace {

bool is_to_be_joined(const Thread& each) {
  return !each.daemon() && each.is_alive() && each != current_thread() && each != main_thread();
}

/// As in Python, main has ended once the program ends: a thread that joins it is joined itself below.
void end_main() {
  const auto main = log::main_identity();
  if (main != nullptr) main->mark_ended();
}

void at_exit() {
  try {
    join_all();
  } catch (const std::exception& problem) {
    critical("not all threads could be joined at exit: {}", problem.what());
  }
  log::begin_ending();
}

}  // namespace

void join_at_exit() noexcept {
  // exit() keeps each hook it is given: a program that starts a million threads must not collect a million.
  constexpr std::uint32_t each_up_to = 1024;
  static std::atomic<std::uint32_t> starts{0};
  const std::uint32_t count = starts.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  if (count < each_up_to || count % each_up_to == 0) (void)std::atexit(&at_exit);
}

void join_all() {
  end_main();
  for (bool again = true; again;) {
    again = false;
    end_pools();
    for (Thread& each : enumerate()) {
      if (!is_to_be_joined(each)) continue;
      each.join();
      again = true;
    }
  }
}

}  // namespace spool::thread
