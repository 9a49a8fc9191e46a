// SPDX-License-Identifier: MIT
//
// Programs that record much, of all lengths of Records, in small segments in SPOOL_TEST_DIR.
#include <spool/log/dispatcher.hpp>
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace spool::test;

namespace {

constexpr std::size_t chunk_bytes = std::size_t{32} * 1024;

spool::log::Recorder& recorder() {
  return spool::log::Recorder::instance();
}

bool begin(std::uint64_t keep, std::size_t chunks, spool::Archive archive = spool::Archive::off) {
  spool::log::RecorderSettings settings;
  const char* const parent = std::getenv("SPOOL_TEST_DIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  settings.parent = parent == nullptr ? "/nonexistent" : parent;
  settings.keep = keep;
  settings.archive = archive;
  settings.geometry = {.chunks = chunks, .chunk_bytes = chunk_bytes, .metadata_bytes = chunk_bytes};
  settings.mode = spool::Mode::all;
  if (!recorder().start(settings)) return false;
  spool::log::set_level(spool::Level::trace);
  spool::log::set_mode(spool::Mode::all);
  return true;
}

void record(int pairs) {
  for (int i = 0; i < pairs; ++i) {
    static spool::Lock lock;
    const std::lock_guard guard{lock};
  }
}

/// Messages that are short, long, odd in length, formatted by the caller; and waits, which bring Records of 40 bytes.
void say_much(int rounds) {
  static spool::Lock lock;
  lock.log_object().set_mode(spool::Mode::long_waits);
  for (int i = 0; i < rounds; ++i) {
    spool::info("{}", i);
    spool::info("{} of {}", std::string(static_cast<std::size_t>(i % 97), 'x'), i);
    spool::log::write_text(spool::Level::info, {}, std::string(static_cast<std::size_t>(i % 31), 'y'), "texts");
    const std::lock_guard guard{lock};
    if (i % 64 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    record(3);
  }
}

/// Each kind of thread: transitions alone, messages too, one after another in the same chunk.
int records_all_kinds() {
  if (!begin(0, 16)) return 1;
  std::vector<spool::Thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([] { record(10'000); });
    threads.emplace_back([] { say_much(1000); });
  }
  for (spool::Thread& each : threads)
    each.start();
  for (int i = 0; i < 50; ++i) {
    spool::Thread brief{[i] { i % 2 == 0 ? record(5) : spool::info("{}", i); }};
    brief.start();
    brief.join();
  }
  for (spool::Thread& each : threads)
    each.join();
  return 0;
}

/// More threads than a segment has chunks: they share one.
int records_of_many_threads() {
  if (!begin(0, spool::log::most_chunks)) return 1;
  std::vector<spool::Thread> threads;
  spool::Barrier all_there{400};
  for (int i = 0; i < 400; ++i) {
    threads.emplace_back([&all_there, i] {
      all_there.wait();
      i % 3 == 0 ? say_much(3) : record(30);
    });
  }
  for (spool::Thread& each : threads)
    each.start();
  for (spool::Thread& each : threads)
    each.join();
  std::printf("shared %llu\n", static_cast<unsigned long long>(recorder().counters().shared));
  return 0;
}

/// The ring turns many times.
int records_in_a_ring() {
  if (!begin(std::uint64_t{3} * 1024 * 1024, 16)) return 1;
  record(200'000);
  const spool::log::RecorderCounters now = recorder().counters();
  std::printf("recycled %llu\n", static_cast<unsigned long long>(now.recycled));
  return 0;
}

/// A sink and an archiver that work.
int records_with_all_threads() {
  class Idle final : public spool::Sink {
   public:
    void write(const spool::SinkRecord& /*unused*/) override {}
    bool wants_transitions() const override { return true; }
  };
  spool::log::Dispatcher::start({std::make_shared<Idle>()}, spool::Level::off);
  if (!begin(0, 16, spool::Archive::zstd)) return 1;
  record(50'000);
  while (recorder().counters().archived < 2)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return 0;
}

}  // namespace

namespace spool::test {

Programs cost_programs() {
  return {
      {"records_all_kinds", &records_all_kinds},
      {"records_of_many_threads", &records_of_many_threads},
      {"records_in_a_ring", &records_in_a_ring},
      {"records_with_all_threads", &records_with_all_threads},
  };
}

}  // namespace spool::test
