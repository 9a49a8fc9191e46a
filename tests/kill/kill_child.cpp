// SPDX-License-Identifier: MIT
//
// The program that kill_test kills: four threads that lock and log without end, each telling how far it has come.
//   kill_child PARENT PROGRESS_FILE KEEP [zstd]
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/os/clock.hpp>
#include <spool/sync/guards.hpp>
#include <spool/thread/thread.hpp>

#include "kill/counters.hpp"

#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace {

using spool::test::Progress;
using spool::test::ThreadProgress;

Progress* shared_progress(const char* path) {
  const int file = open(path, O_RDWR | O_CLOEXEC);
  void* memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<Progress*>(memory);
}

/// What the threads do against the archiver, which has the lowest priority. Without archives: nothing.
enum class Pace : std::uint8_t {
  full,
  resting,   ///< they leave it some time; it may lag, and the oldest go unpacked
  followed,  ///< they never get far ahead of it: what all is kept of is short enough to be read
};

void let_archiver_follow() {
  constexpr std::uint64_t most_behind = 8;  // segments
  for (;;) {
    const spool::log::RecorderCounters counters = spool::log::Recorder::instance().counters();
    if (counters.segments <= counters.archived + most_behind) return;
    usleep(200);
  }
}

void let_archiver_work(Pace pace) {
  if (pace == Pace::resting) usleep(500);
  if (pace == Pace::followed) let_archiver_follow();
}

void work(ThreadProgress& progress, spool::Lock& contended, Pace pace) {
  spool::Lock own;
  own.lock();
  own.unlock();
  // relaxed, both: before the first number that the test waits for
  progress.lock.store(own.log_object().known_number(), std::memory_order_relaxed);
  progress.thread.store(spool::current_thread().ident(), std::memory_order_relaxed);
  for (std::uint64_t n = 1;; ++n) {
    const std::uint64_t before = spool::os::ticks_in_order();
    spool::info("n {}", n);
    progress.messages.store(n, std::memory_order_release);  // release: the test reads it after our death
    own.lock();
    own.unlock();
    progress.pairs.store(n, std::memory_order_release);        // release: as above
    progress.before.store(before, std::memory_order_release);  // release: as above
    if (n % 16 == 0) {
      const std::lock_guard guard{contended};
    }
    if (n % 256 == 0) let_archiver_work(pace);
  }
}

}  // namespace

int main(int argc, char** argv) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // the test may be interrupted
  if (argc != 4 && argc != 5) return 2;
  const bool archives = argc == 5 && std::string_view{argv[4]} == "zstd";
  Progress* progress = shared_progress(argv[2]);
  spool::log::RecorderSettings settings;
  settings.parent = argv[1];
  settings.keep = std::strtoull(argv[3], nullptr, 10);
  settings.archive = archives ? spool::Archive::zstd : spool::Archive::off;
  settings.geometry = {.chunks = 16, .chunk_bytes = 32 * 1024, .metadata_bytes = 32 * 1024};
  if (progress == nullptr || !spool::log::Recorder::instance().start(settings)) return 3;
  spool::log::set_level(spool::Level::info);
  spool::log::set_mode(spool::Mode::all);
  spool::Lock contended;
  const Pace with_archives = settings.keep == 0 ? Pace::followed : Pace::resting;
  const Pace pace = archives ? with_archives : Pace::full;
  for (ThreadProgress& each : progress->threads) {
    spool::Thread thread{[&each, &contended, pace] { work(each, contended, pace); }};
    thread.start();
  }
  for (;;)
    pause();
}
