// SPDX-License-Identifier: MIT

#include <spool/log/hidden_thread.hpp>
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>
#include <spool/log/watchdog.hpp>

#include <algorithm>
#include <exception>

namespace spool::log {
namespace {

constexpr auto idle_pause = std::chrono::milliseconds{100};
constexpr auto closing_pause = std::chrono::milliseconds{1};
constexpr auto count_interval = std::chrono::milliseconds{500};
constexpr auto clock_interval = std::chrono::seconds{1};

class Loop {
 public:
  static void run(void* /*unused*/) {
    Recorder& recorder = Recorder::instance();
    os::Deadline next_clock = os::deadline_after(clock_interval);
    os::Deadline next_count{};
    for (;;) {
      // acquire: partner is the release in wake
      const std::uint32_t seen = wakes.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_acquire)) return;  // acquire: partner is the release in stop
      bool closing = false;
      try {
        closing = recorder.keep_house();
        if (std::chrono::steady_clock::now() >= next_count) {
          recorder.count_threads();
          next_count = os::deadline_after(count_interval);
        }
        if (std::chrono::steady_clock::now() >= next_clock) {
          recorder.write_clock();
          next_clock = os::deadline_after(clock_interval);
        }
        Guard::round();
      } catch (const std::exception&) {  // no memory: the server goes on, and the next round tries again
        closing = true;
      }
      const auto pause = std::min<std::chrono::nanoseconds>(idle_pause, Guard::interval());
      os::park(wakes, seen, os::deadline_after(closing ? closing_pause : pause));
    }
  }

  static inline os::Word wakes{0};
  static inline std::atomic<bool> stopping{false};
  static inline HiddenThread thread;
};

}  // namespace

void Keeper::start() {
  Loop::stopping.store(false, std::memory_order_relaxed);  // relaxed: the thread does not exist yet
  Loop::thread.start("spool-keeper", &Loop::run, nullptr);
}

void Keeper::stop() {
  Loop::stopping.store(true, std::memory_order_release);  // release: partner is the acquire in run
  wake();
  Loop::thread.join();
}

void Keeper::forget_after_fork() {
  Loop::thread.forget();
}

std::chrono::nanoseconds Keeper::cpu_time() noexcept {
  return Loop::thread.cpu_time();
}

void Keeper::wake() noexcept {
  Loop::wakes.fetch_add(1, std::memory_order_release);  // release: partner is the acquire in run
  os::unpark(&Loop::wakes, 1);
}

}  // namespace spool::log
