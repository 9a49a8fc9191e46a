// SPDX-License-Identifier: MIT
//
// From the trace to a log file, by one thread: what a Record costs in our sinks, beside spdlog's own file sink writing
// as many messages by a like pattern. The Records are made before the time is taken.
#include <spool/log/drain.hpp>
#include <spool/log/message.hpp>
#include <spool/log/sink_feed.hpp>
#include <spool/sinks/json_lines.hpp>
#include <spool/sinks/text.hpp>
#include <spool/sync/lock.hpp>

#include "recording.hpp"
#include "rows.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t records = 50'000;
constexpr int rounds = 25;

std::filesystem::path beside_trace(const char* name) {
  return spool::trace_directory().parent_path() / name;
}

/// What a feeder does, without its thread.
class ToFile {
 public:
  explicit ToFile(std::shared_ptr<spool::Sink> sink, std::filesystem::path path)
      : sink_{std::move(sink)}, path_{std::move(path)}, feed_{*sink_} {
    feed_.begin(spool::log::Recorder::instance().process());
    learn();
  }

  Timed round(const std::function<void()>& make) {
    make();
    std::filesystem::resize_file(path_, 0);
    Timed timed{ns_per(1, [&] { deliver(); }) / static_cast<double>(delivered_)};
    timed.clean = delivered_ >= records;
    if (timed.clean) all_.push_back(timed.ns);
    return timed;
  }

  std::vector<std::string> facts() const {
    const double ns = spread_of(all_).median;
    const auto bytes = std::filesystem::file_size(path_);
    return {fmt::format("{:.1f} M Records/s, {} bytes each", 1e3 / ns, bytes / records)};
  }

 private:
  /// What is there already: its definitions are needed later, its Records are not.
  void learn() {
    for (bool more = true; more;) {
      batch_.clear();
      more = drain_.poll(batch_);
      for (const auto& record : batch_.records) {
        if (record.definition) feed_.write(record);
      }
    }
  }

  void deliver() {
    delivered_ = 0;
    for (bool more = true; more;) {
      batch_.clear();
      more = drain_.poll(batch_);
      for (const auto& record : batch_.records)
        feed_.write(record);
      delivered_ += batch_.records.size();
    }
    sink_->flush();
  }

  std::shared_ptr<spool::Sink> sink_;
  std::filesystem::path path_;
  spool::log::Drain drain_;
  spool::log::SinkFeed feed_;
  spool::log::DrainedBatch batch_;
  std::uint64_t delivered_ = 0;
  std::vector<double> all_;
};

void make_messages() {
  spool::set_transitions(spool::Mode::off);
  for (std::uint64_t i = 0; i < records; ++i)
    spool::info("acquired lock {}", static_cast<int>(i));
}

void make_transitions() {
  static spool::Lock lock{"cache"};
  spool::set_transitions(spool::Mode::all);
  for (std::uint64_t i = 0; i < records / 2; ++i) {
    lock.lock();
    lock.unlock();
  }
}

Rounds rounds_of(std::shared_ptr<spool::Sink> sink, const std::filesystem::path& path, void (*make)()) {
  lap_the_ring();
  const auto file = beside_trace("spdlog.txt");
  auto target = std::make_shared<spdlog::sinks::basic_file_sink_st>(file.string());
  auto logger = std::make_shared<spdlog::logger>("http", target);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%F%z [%l] (%t) %v", spdlog::pattern_time_type::utc);
  const auto ours = std::make_shared<ToFile>(std::move(sink), path);
  return {.ours = [=] { return ours->round(make); },
          .theirs =
              [=] {
                std::filesystem::resize_file(file, 0);
                int value = 0;
                Timed timed{ns_per(records, [&] { logger->info("acquired lock {}", ++value); })};
                logger->flush();
                return timed;
              },
          .facts = [=] { return ours->facts(); }};
}

template <void (*make)()>
Rounds to_json() {
  const auto path = beside_trace("log.jsonl");
  return rounds_of(spool::sinks::json_lines(path), path, make);
}

template <void (*make)()>
Rounds to_text() {
  const auto path = beside_trace("log.txt");
  return rounds_of(spool::sinks::text_file(path), path, make);
}

template <void (*make)()>
Rounds to_spdlog_text() {
  const auto path = beside_trace("through.txt");
  auto target = std::make_shared<spdlog::sinks::basic_file_sink_st>(path.string());
  return rounds_of(spool::sinks::text(std::move(target), spool::sinks::default_pattern, spool::sinks::Tell::everything),
                   path, make);
}

}  // namespace

std::vector<Benchmark> feed_rows() {
  const char* const peer = "spdlog, file, a message";
  return {
      {.name = "trace to JSON lines, message", .peer = peer, .rounds = rounds, .prepare = to_json<make_messages>},
      {.name = "trace to JSON lines, transition", .peer = peer, .rounds = rounds, .prepare = to_json<make_transitions>},
      {.name = "trace to text file, message", .peer = peer, .rounds = rounds, .prepare = to_text<make_messages>},
      {.name = "trace to text file, transition", .peer = peer, .rounds = rounds, .prepare = to_text<make_transitions>},
      {.name = "trace to JSON, message, on tmpfs",
       .peer = peer,
       .rounds = rounds,
       .prepare = to_json<make_messages>,
       .directory = "/dev/shm"},
      {.name = "trace to text, message, on tmpfs",
       .peer = peer,
       .rounds = rounds,
       .prepare = to_text<make_messages>,
       .directory = "/dev/shm"},
      {.name = "trace to text through spdlog",
       .peer = peer,
       .rounds = rounds,
       .prepare = to_spdlog_text<make_messages>},
  };
}

}  // namespace bench
