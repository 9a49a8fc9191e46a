// SPDX-License-Identifier: MIT
//
// A day of a server in small: threads lock and log at full speed, others come and go, segments rotate by the thousand,
// as a ring and with archives; and memory, mappings, descriptors and disk stay what they were after the first laps.
// They are looked at ten times a second. 8 s long; SPOOL_SOAK=1: an hour; SPOOL_ROTATION_SECONDS says otherwise. With
// archives only in the soak, for ten minutes: the archiver has the lowest priority, and a machine with much else to do
// lets none come for minutes.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "support/child.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace spool::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int writers = 4;
constexpr std::uint64_t megabyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t keep = 64 * megabyte;
constexpr std::uint64_t segment = 9 * megabyte;  // with its metadata, a little less
constexpr std::uint64_t enough_archives = 3;

std::chrono::seconds length(std::chrono::seconds usual, std::chrono::seconds soak) {
  const char* const asked = std::getenv("SPOOL_ROTATION_SECONDS");      // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (asked != nullptr) return std::chrono::seconds{std::atoi(asked)};  // NOLINT(cert-err34-c): a tester's own
  return std::getenv("SPOOL_SOAK") != nullptr ? soak : usual;           // NOLINT(concurrency-mt-unsafe): nobody sets it
}

struct Usage {
  std::uint64_t memory = 0;  ///< bytes, without the mapped files: these are counted as disk
  std::uint64_t mappings = 0;
  std::uint64_t descriptors = 0;
  std::uint64_t disk = 0;  ///< bytes

  void raise_to(const Usage& other) {
    memory = std::max(memory, other.memory);
    mappings = std::max(mappings, other.mappings);
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
  std::ifstream maps{"/proc/self/maps"};
  now.mappings = static_cast<std::uint64_t>(std::count(std::istreambuf_iterator<char>{maps}, {}, '\n'));
  now.descriptors =
      static_cast<std::uint64_t>(std::distance(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}));
  now.disk = bytes_below(trace);
  return now;
}

/// The most of each, in each quarter of the time after the warm-up.
struct Quarters {
  std::array<Usage, 4> most;
  int looks = 0;

  void tell() const {
    for (const Usage& each : most) {
      std::printf("  most in a quarter: memory %llu bytes, %llu mappings, %llu descriptors, disk %llu bytes\n",
                  static_cast<unsigned long long>(each.memory), static_cast<unsigned long long>(each.mappings),
                  static_cast<unsigned long long>(each.descriptors), static_cast<unsigned long long>(each.disk));
    }
  }

  /// No quarter has more than the first one, but for what differs from look to look.
  void check_constant(std::uint64_t most_disk) const {
    const Usage& first = most.front();
    for (const Usage& each : most) {
      CHECK(each.memory <= first.memory + first.memory / 10 + megabyte);
      CHECK(each.mappings <= first.mappings + first.mappings / 4 + 64);
      CHECK(each.descriptors <= first.descriptors + 8);
      CHECK(each.disk <= most_disk);
    }
  }
};

/// The archiver has the lowest priority, and the writers wait for it: on a busy machine it would come to an archive a
/// minute.
void let_archiver_follow(const std::atomic<bool>& over) {
  constexpr std::uint64_t most_behind = 6;  // segments
  const auto is_behind = [] {
    const spool::log::RecorderCounters now = spool::log::Recorder::instance().counters();
    return now.segments > now.archived + now.unarchived + most_behind;
  };
  do
    std::this_thread::sleep_for(1ms);
  while (is_behind() && !over.load(std::memory_order_relaxed));  // relaxed: a switch
}

void lock_and_log(const std::atomic<bool>& over, bool paced) {
  spool::Lock own;
  for (std::uint64_t n = 0; !over.load(std::memory_order_relaxed); ++n) {  // relaxed: a switch
    if (paced && n % 1024 == 0) let_archiver_follow(over);
    const std::lock_guard guard{own};
    if (n % 16 == 0) spool::info("request {} of {}", n, "a client");
  }
}

/// Connections: a thread each, a few at a time.
void come_and_go(const std::atomic<bool>& over) {
  while (!over.load(std::memory_order_relaxed)) {  // relaxed: a switch
    std::vector<spool::Thread> few;
    for (int i = 0; i < 4; ++i) {
      few.emplace_back([] {
        spool::Lock lock;
        const std::lock_guard guard{lock};
        spool::info("a connection");
      });
      few.back().start();
    }
    for (spool::Thread& each : few)
      each.join();
    std::this_thread::sleep_for(1ms);
  }
}

std::uint64_t archived() {
  return spool::log::Recorder::instance().counters().archived;
}

/// Longer than `span` only where a busy machine lets no archiver run.
Quarters watch(const fs::path& trace, std::chrono::seconds span, std::uint64_t least_archives) {
  Quarters quarters;
  const auto warm = Clock::now() + std::max<std::chrono::milliseconds>(1500ms, span / 20);
  const auto latest = warm + 100s;
  const auto is_warm = [&] { return Clock::now() >= warm && (least_archives == 0 || archived() > 0); };
  while (!is_warm() && Clock::now() < latest)
    std::this_thread::sleep_for(10ms);
  const auto begun = Clock::now();
  const auto is_enough = [&](Clock::duration passed) {
    return passed >= span && (archived() >= least_archives || passed > span + 100s);
  };
  for (auto passed = Clock::duration{0}; !is_enough(passed); passed = Clock::now() - begun) {
    const auto quarter = static_cast<std::size_t>(4 * passed / span);
    quarters.most.at(std::min(quarter, quarters.most.size() - 1)).raise_to(usage(trace));
    ++quarters.looks;
    std::this_thread::sleep_for(100ms);  // the pace of looking
  }
  return quarters;
}

std::string variable(const char* name) {
  const char* const given = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return given == nullptr ? std::string{} : given;
}

/// In a process of its own, as one records once.
void check_rotation(std::chrono::seconds span, const char* archive) {
  const ScratchDirectory scratch;
  const Ended rotated = run_program({std::filesystem::read_symlink("/proc/self/exe").filename().string(), "[rotates]"},
                                    {"ROTATE_IN=" + scratch.path().string(), std::string{"ROTATE_ARCHIVE="} + archive,
                                     "ROTATE_SECONDS=" + std::to_string(span.count())},
                                    span + 200s);
  std::printf("%s", rotated.out.c_str());
  INFO(rotated.err);
  CHECK(rotated.exit_code == 0);
  const Ended judged = run_program({"../tools/unspool/unspool", "check", scratch.trace().string()}, {}, 100s);
  INFO(judged.out << judged.err);
  CHECK(judged.exit_code == 0);
}

}  // namespace

TEST_CASE("memory, mappings, descriptors and disk stay what they are while segments rotate") {
  check_rotation(length(8s, 3600s), "off");
}

TEST_CASE("so do they while segments become archives and the oldest go", "[archives]") {
  check_rotation(length(60s, 600s), "zstd");
}

TEST_CASE("the server whose day it is", "[.rotates]") {
  const bool archives = variable("ROTATE_ARCHIVE") == "zstd";
  const std::chrono::seconds span{std::stoi(variable("ROTATE_SECONDS"))};
  spool::basic_config({.directory = variable("ROTATE_IN"),
                       .keep = keep,
                       .archive = archives ? spool::Archive::zstd : spool::Archive::off,
                       .level = spool::Level::info,
                       .transitions = spool::Mode::all});
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&] { lock_and_log(over, archives); });
  threads.emplace_back([&over] { come_and_go(over); });
  const Quarters quarters = watch(spool::trace_directory(), span, archives ? enough_archives : 0);
  over.store(true, std::memory_order_relaxed);  // relaxed: a switch
  for (std::thread& each : threads)
    each.join();
  const spool::log::RecorderCounters counters = spool::log::Recorder::instance().counters();
  const spool::log::Cost cost = spool::log::Recorder::instance().cost();
  std::printf("%lld s, %s: %llu Records, %llu lost, %llu segments, %llu recycled, %llu archives; %d looks\n",
              static_cast<long long>(span.count()), archives ? "with archives" : "a ring",
              static_cast<unsigned long long>(cost.written.records), static_cast<unsigned long long>(counters.lost),
              static_cast<unsigned long long>(counters.segments), static_cast<unsigned long long>(counters.recycled),
              static_cast<unsigned long long>(counters.archived), quarters.looks);
  quarters.tell();
  spool::shutdown();
  CHECK(counters.lost == 0);
  CHECK(counters.recycled > (archives ? 0 : 20));
  CHECK((counters.archived >= enough_archives) == archives);
  // The ring grows to twice its size while a thread is descheduled inside a Record; one is spare, one or two are just
  // closing.
  quarters.check_constant(2 * keep + 3 * segment);
}
