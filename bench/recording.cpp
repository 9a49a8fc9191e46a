// SPDX-License-Identifier: MIT
#include "recording.hpp"

#include <spool/config/environment.hpp>
#include <spool/os/clock.hpp>
#include <spool/sync/lock.hpp>

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

constexpr std::uint64_t small_ring = std::uint64_t{64} << 20U;
constexpr int pairs_a_step = 10'000;
constexpr int most_steps = 2000;

void write_until(const auto& is_enough) {
  spool::log::Recorder& recorder = spool::log::Recorder::instance();
  spool::Lock lock{"warm-up"};
  spool::set_transitions(spool::Mode::all);
  for (int step = 0; !is_enough(recorder.counters()); ++step) {
    if (step == most_steps) throw std::runtime_error{"the recorder does not begin segments"};
    for (int i = 0; i < pairs_a_step; ++i) {
      lock.lock();
      lock.unlock();
    }
  }
}

}  // namespace

void start_recording(const std::filesystem::path& directory, bool archived) {
  spool::basic_config({.directory = directory,
                       .keep = small_ring,
                       .archive = archived ? spool::Archive::zstd : spool::Archive::off,
                       .transitions = spool::Mode::off});
}

std::string choose_clock() {
  const auto wanted = spool::config::read_environment().clock;
  return spool::os::choose_clock(wanted.value_or(spool::os::ClockChoice::automatic)).tsc ? "rdtsc" : "clock_gettime";
}

void lap_the_ring() {
  write_until([](const auto& counters) { return counters.recycled > 0; });
}

void begin_segments(std::uint64_t count) {
  const std::uint64_t wanted = spool::log::Recorder::instance().counters().segments + count;
  write_until([=](const auto& counters) { return counters.segments >= wanted; });
}

std::uint64_t keeper_nanoseconds() {
  std::error_code ignored;  // a thread that ended meanwhile is not the keeper
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task", ignored}) {
    std::string name;
    std::ifstream{task.path() / "comm"} >> name;
    if (name != "spool-keeper") continue;
    std::uint64_t spent = 0;
    std::ifstream{task.path() / "schedstat"} >> spent;
    return spent;
  }
  return 0;
}

std::string counted_since(const spool::log::RecorderCounters& before) {
  const spool::log::RecorderCounters now = spool::log::Recorder::instance().counters();
  return fmt::format("{} segments begun, {} recycled, {} made by a writer that found no spare, {} Records lost",
                     now.segments - before.segments, now.recycled - before.recycled, now.helped - before.helped,
                     now.lost - before.lost);
}

}  // namespace bench
