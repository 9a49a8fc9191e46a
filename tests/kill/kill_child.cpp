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

void work(ThreadProgress& progress, spool::Lock& contended, bool archives) {
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
    // The archiver has the lowest priority: it gets some time, or there would be nothing of it to be killed.
    if (archives && n % 64 == 0) usleep(500);
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
  for (ThreadProgress& each : progress->threads) {
    spool::Thread thread{[&each, &contended, archives] { work(each, contended, archives); }};
    thread.start();
  }
  for (;;)
    pause();
}
