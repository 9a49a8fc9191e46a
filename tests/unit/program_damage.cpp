// SPDX-License-Identifier: MIT
//
// Servers whose trace another process truncates while four threads log, and what becomes of a SIGBUS that has nothing
// to do with it. The trace is written to $TRACE_PARENT; $TRACE_CUTS names the files.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace spool::test;

namespace {

namespace fs = std::filesystem;

constexpr int workers = 4;
constexpr int afterwards = 1000;
constexpr auto pace = std::chrono::microseconds{100};  // so that the files are cut while they are the current ones
constexpr int user_code = 7;

std::string variable(const char* name) {
  const char* given = std::getenv(name);
  return given == nullptr ? std::string{} : given;
}

void record() {
  (void)std::signal(SIGBUS, SIG_DFL);  // a sanitizer has one
  spool::basic_config({.directory = variable("TRACE_PARENT"), .keep = 0});
}

/// The newest segments: the current one, and the one that is ready to follow it.
std::vector<fs::path> newest_segments() {
  std::vector<fs::path> segments;
  for (const auto& each : fs::directory_iterator{spool::trace_directory()}) {
    if (each.path().filename().string().front() != '.') segments.push_back(each.path());
  }
  std::ranges::sort(segments, std::greater{});
  segments.resize(std::min<std::size_t>(segments.size(), 2));
  return segments;
}

/// By a process of its own.
void cut_files() {
  const std::string what = variable("TRACE_CUTS");
  std::string command = "truncate -s 0";
  if (what == ".status") {
    command += " " + (spool::trace_directory() / what).string();
  } else {
    for (const fs::path& segment : newest_segments())
      command += " " + (segment / what).string();
  }
  if (std::system(command.c_str()) != 0) std::perror("truncate");
}

void use_lock(spool::Lock& lock) {
  lock.lock();
  lock.unlock();
}

std::uint64_t segments() {
  return spool::log::Recorder::instance().counters().segments;
}

/// The threads go on until the recording has left the segment that was cut.
int logs_on() {
  record();
  std::atomic<bool> over{false};
  std::atomic<long> messages{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) {
    threads.emplace_back([&] {
      spool::Lock lock;
      for (int left = afterwards; left > 0;) {
        const bool counts = over.load();
        use_lock(lock);
        spool::info("{} of a thread whose trace is cut", left);
        messages.fetch_add(1);
        if (counts) {
          --left;
        } else {
          std::this_thread::sleep_for(pace);
        }
      }
    });
  }
  while (messages.load() < afterwards)
    std::this_thread::yield();
  const std::uint64_t before = segments();
  cut_files();
  spool::info("a class of its own, so that the metadata grows");
  messages.fetch_add(1);
  while (segments() < before + 2)
    std::this_thread::yield();
  over.store(true);
  for (std::thread& each : threads)
    each.join();
  spool::shutdown();
  const std::uint64_t lost = spool::log::Recorder::instance().counters().lost;
  std::printf("%ld %llu\n", messages.load(), static_cast<unsigned long long>(lost));
  return 0;
}

/// Touches a page that is not in its file.
int touch_beyond() {
  const std::string path = variable("TRACE_PARENT") + "/somebody's";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  constexpr std::size_t size = 4096;
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) return 3;
  *static_cast<volatile char*>(memory) = 'x';
  return 0;
}

int dies_elsewhere() {
  record();
  return touch_beyond();
}

void users_handler(int /*signal*/) {
  constexpr char words[] = "the user's handler\n";
  (void)!write(STDOUT_FILENO, words, sizeof words - 1);
  _exit(user_code);
}

int handles_elsewhere() {
  (void)std::signal(SIGBUS, &users_handler);
  spool::basic_config({.directory = variable("TRACE_PARENT")});
  return touch_beyond();
}

}  // namespace

Programs spool::test::damage_programs() {
  return {
      {"logs_on_when_cut", logs_on},
      {"dies_of_sigbus_elsewhere", dies_elsewhere},
      {"handles_sigbus_elsewhere", handles_elsewhere},
  };
}
