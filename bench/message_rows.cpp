// SPDX-License-Identifier: MIT
//
// A message with one int, into the trace only, beside spdlog: as the caller sees it.
#include <spool/log/message.hpp>

#include "recording.hpp"
#include "rows.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <thread>

namespace bench {
namespace {

constexpr std::uint64_t messages = 5000;
constexpr int rounds = 51;

Timed our_round() {
  int value = 0;
  return between_swaps(spool::Mode::off, messages, [&] { spool::info("acquired lock {}", ++value); });
}

Timed spdlog_round(spdlog::logger& logger) {
  int value = 0;
  return {ns_per(messages, [&] { logger.info("acquired lock {}", ++value); })};
}

Rounds beside(std::shared_ptr<spdlog::logger> logger) {
  lap_the_ring();
  return {.ours = our_round, .theirs = [logger] { return spdlog_round(*logger); }};
}

std::string file_in_trace_directory() {
  return (spool::trace_directory().parent_path() / "spdlog.txt").string();
}

Rounds beside_null() {
  return beside(std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

Rounds beside_file() {
  const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_in_trace_directory());
  return beside(std::make_shared<spdlog::logger>("file", sink));
}

/// The queue takes a whole round, and is empty again before the next one.
Rounds beside_async() {
  lap_the_ring();
  auto pool = std::make_shared<spdlog::details::thread_pool>(2 * messages, 1);
  const auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file_in_trace_directory());
  auto logger = std::make_shared<spdlog::async_logger>("async", sink, pool, spdlog::async_overflow_policy::block);
  return {.ours = our_round, .theirs = [=] {
            const Timed timed = spdlog_round(*logger);
            while (pool->queue_size() != 0)
              std::this_thread::yield();
            return timed;
          }};
}

}  // namespace

std::vector<Benchmark> message_rows() {
  return {
      {.name = "message, one int", .peer = "spdlog, null sink", .rounds = rounds, .prepare = beside_null},
      {.name = "message, one int (to a file)", .peer = "spdlog, file", .rounds = rounds, .prepare = beside_file},
      {.name = "message, one int (to async)",
       .peer = "spdlog async, caller",
       .rounds = rounds,
       .prepare = beside_async},
  };
}

}  // namespace bench
