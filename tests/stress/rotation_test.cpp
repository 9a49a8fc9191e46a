// SPDX-License-Identifier: MIT
//
// A day of a server in small: four threads record at full speed, so that segments rotate by the thousand, and memory, descriptors and
// disk stay what they were after the first laps. 5 s long; a minute with SPOOL_SOAK=1; SPOOL_ROTATION_SECONDS=3600 for an hour.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "support/child.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace spool::test;

namespace {

namespace fs = std::filesystem;

constexpr int writers = 4;
constexpr std::uint64_t keep = std::uint64_t{16} << 20U;

int seconds() {
  const char* const asked = std::getenv("SPOOL_ROTATION_SECONDS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (asked != nullptr) return std::atoi(asked);                    // NOLINT(cert-err34-c): a tester's own
  return std::getenv("SPOOL_SOAK") != nullptr ? 60 : 5;             // NOLINT(concurrency-mt-unsafe): nobody sets it
}

struct Usage {
  std::uint64_t memory = 0;  ///< bytes, without the mapped files: these are counted as disk
  std::uint64_t descriptors = 0;
  std::uint64_t disk = 0;  ///< bytes

  void raise_to(const Usage& other) {
    memory = std::max(memory, other.memory);
    descriptors = std::max(descriptors, other.descriptors);
    disk = std::max(disk, other.disk);
  }
};

/// Segments change their names meanwhile.
std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t sum = 0;
  std::error_code gone;
  for (fs::recursive_directory_iterator each{directory, gone}, end; each != end && !gone; each.increment(gone)) {
    struct stat about {};
    if (stat(each->path().c_str(), &about) == 0) sum += static_cast<std::uint64_t>(about.st_blocks) * 512;
  }
  return sum;
}

std::uint64_t anonymous_memory() {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  std::uint64_t kilobytes = 0;
  while (status >> word && word != "RssAnon:") {}
  status >> kilobytes;
  return kilobytes * 1024;
}

Usage usage(const fs::path& trace) {
  Usage now;
  now.memory = anonymous_memory();
  now.descriptors =
      static_cast<std::uint64_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
  now.disk = bytes_below(trace);
  return now;
}

}  // namespace

TEST_CASE("memory, descriptors and disk stay what they are while segments rotate") {
  const ScratchDirectory scratch;
  REQUIRE(spool::basic_config({.directory = scratch.path(), .keep = keep, .level = spool::Level::warning}));
  const fs::path trace = spool::trace_directory();
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&over] {
      spool::Lock own;
      while (!over.load(std::memory_order_relaxed)) {  // relaxed: a switch
        const std::lock_guard guard{own};
      }
    });
  }
  const int length = seconds();
  const int warm_up = std::max(2, length / 20);
  Usage before;
  Usage after;
  for (int second = 0; second < length; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds{1});  // the pace of looking
    (second < warm_up ? before : after).raise_to(usage(trace));
  }
  over.store(true, std::memory_order_relaxed);  // relaxed: a switch
  for (std::thread& each : threads)
    each.join();
  const auto counters = spool::log::Recorder::instance().counters();
  std::printf(
      "%d s: %llu segments, %llu recycled; memory %llu to %llu bytes, descriptors %llu to %llu, disk %llu to %llu\n",
      length, static_cast<unsigned long long>(counters.segments), static_cast<unsigned long long>(counters.recycled),
      static_cast<unsigned long long>(before.memory), static_cast<unsigned long long>(after.memory),
      static_cast<unsigned long long>(before.descriptors), static_cast<unsigned long long>(after.descriptors),
      static_cast<unsigned long long>(before.disk), static_cast<unsigned long long>(after.disk));
  spool::shutdown();
  CHECK(counters.lost == 0);
  CHECK(counters.recycled > 20);
  CHECK(after.memory <= before.memory + before.memory / 10 + (std::uint64_t{1} << 20U));
  CHECK(after.descriptors <= before.descriptors + 8);
  // The ring grows to twice its size while a thread is descheduled inside a Record; and one is spare, some are just closing.
  CHECK(after.disk <= 3 * keep);
  const Ended judged =
      run_program({"../tools/unspool/unspool", "check", trace.string()}, {}, std::chrono::seconds{100});
  INFO(judged.out << judged.err);
  CHECK(judged.exit_code == 0);
}
