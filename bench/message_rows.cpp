// SPDX-License-Identifier: MIT
//
// A message with one int, into the trace only, as the caller sees it: beside the clock, and beside other libraries that
// write it to a file. "Sustained" is many in a row, with every swap of segments; nothing may be lost, or the row fails.
#include <spool/log/message.hpp>
#include <spool/os/clock.hpp>

#include "boost_log.hpp"
#include "recording.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr std::uint64_t messages = 20'000;  // a segment takes 57,000
constexpr std::uint64_t many_messages = 10'000'000;
constexpr std::uint64_t sustained_messages = 200'000;
constexpr int rounds = 51;
constexpr int few = 5;
/// ns that a message may cost beyond reading the clock.
constexpr double beyond_clock = 5;

void one_message(int& value) {
  spool::info("acquired lock {}", ++value);
}

Timed our_round() {
  int value = 0;
  return between_swaps(spool::Mode::off, messages, [&] { one_message(value); });
}

void read_clock() {
  keep(spool::os::ticks());
}

Rounds beside_clock() {
  lap_the_ring();
  return {.ours = our_round, .theirs = [] { return Timed{ns_per(messages, read_clock) + beyond_clock}; }};
}

/// Throws where Records were lost: such a figure would be none.
class NothingLost {
 public:
  void check() const {
    const auto lost = spool::log::Recorder::instance().counters().lost - before_.lost;
    if (lost != 0) throw std::runtime_error{fmt::format("{} Records were lost", lost)};
  }
  std::string counted() const { return counted_since(before_); }

 private:
  spool::log::RecorderCounters before_ = spool::log::Recorder::instance().counters();
};

/// In CPU time, since such a round lasts longer than a turn on the CPU; the clock on the wall is told beside it.
Rounds sustained_beside_clock() {
  lap_the_ring();
  auto fate = std::make_shared<NothingLost>();
  auto wall = std::make_shared<std::vector<double>>();
  const auto ours = [=] {
    spool::set_transitions(spool::Mode::off);
    int value = 0;
    double cpu = 0;
    wall->push_back(ns_per(1, [&] { cpu = cpu_ns_per(many_messages, [&] { one_message(value); }); }) /
                    static_cast<double>(many_messages));
    fate->check();
    return Timed{cpu};
  };
  return {.ours = ours,
          .theirs = [] { return Timed{cpu_ns_per(many_messages / 10, read_clock) + beyond_clock}; },
          .facts =
              [=] {
                return std::vector{fmt::format("{} messages a round; {}", many_messages, fate->counted()),
                                   fmt::format("by the clock on the wall {:.1f} ns", spread_of(*wall).median)};
              }};
}

Timed spdlog_round(spdlog::logger& logger, std::uint64_t count) {
  int value = 0;
  return {ns_per(count, [&] { logger.info("acquired lock {}", ++value); })};
}

/// Ours and theirs as many in a row, by the clock on the wall: what a full queue makes the caller wait is its cost.
Rounds sustained_beside(const Round& theirs) {
  lap_the_ring();
  auto fate = std::make_shared<NothingLost>();
  const auto ours = [=] {
    spool::set_transitions(spool::Mode::off);
    int value = 0;
    const Timed timed{ns_per(sustained_messages, [&] { one_message(value); })};
    fate->check();
    return timed;
  };
  return {.ours = ours, .theirs = theirs};
}

std::string file_in_trace_directory(const char* name) {
  return (spool::trace_directory().parent_path() / name).string();
}

Rounds beside_null() {
  lap_the_ring();
  const auto logger = std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
  return {.ours = our_round, .theirs = [=] { return spdlog_round(*logger, messages); }};
}

Rounds beside_file() {
  const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_in_trace_directory("spdlog.txt"));
  const auto logger = std::make_shared<spdlog::logger>("file", sink);
  return sustained_beside([=] { return spdlog_round(*logger, sustained_messages); });
}

/// spdlog's own queue of 8192 and one thread; a full queue blocks the caller, so that nothing is dropped there either.
Rounds beside_async() {
  auto pool = std::make_shared<spdlog::details::thread_pool>(spdlog::details::default_async_q_size, 1);
  const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_in_trace_directory("async.txt"));
  auto logger = std::make_shared<spdlog::async_logger>("async", sink, pool, spdlog::async_overflow_policy::block);
  return sustained_beside([=] {
    const Timed timed = spdlog_round(*logger, sustained_messages);
    while (pool->queue_size() != 0)
      std::this_thread::yield();
    return timed;
  });
}

#if defined(BENCH_HAS_BOOST_LOG)
Rounds beside_boost() {
  const auto logger = std::make_shared<BoostLog>(file_in_trace_directory("boost.txt"));
  constexpr std::uint64_t boost_messages = sustained_messages / 10;
  return sustained_beside([=] {
    int value = 0;
    return Timed{ns_per(boost_messages, [&] { logger->acquired(++value); })};
  });
}
#endif

}  // namespace

std::vector<Benchmark> message_rows() {
  const std::string clock = choose_clock() + " + 5 ns";
  std::vector<Benchmark> made{
      {.name = "message, one int", .peer = clock, .goal = 1.0, .rounds = rounds, .prepare = beside_clock},
      {.name = "message, one int, sustained (CPU)",
       .peer = clock,
       .goal = 1.0,
       .rounds = few,
       .prepare = sustained_beside_clock},
      {.name = "message, one int (to a sink)", .peer = "spdlog, null sink", .rounds = rounds, .prepare = beside_null},
      {.name = "messages, sustained (to async)", .peer = "spdlog async, file", .rounds = few, .prepare = beside_async},
      {.name = "messages, sustained (to a file)", .peer = "spdlog, file", .rounds = few, .prepare = beside_file},
  };
#if defined(BENCH_HAS_BOOST_LOG)
  made.push_back(
      {.name = "messages, sustained (to Boost)", .peer = "Boost.Log, file", .rounds = few, .prepare = beside_boost});
#endif
  return made;
}

}  // namespace bench
