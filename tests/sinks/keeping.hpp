// SPDX-License-Identifier: MIT
//
// A sink that keeps what it is given, for tests of what comes to sinks.
#pragma once

#include <spool/spool.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sinks_test {

struct Kept {
  std::string record;
  spool::Level level{};
  std::string text;
  std::string logger;
  std::string thread_name;
  std::string file;
  std::uint32_t line = 0;
  std::uint64_t time = 0;
};

class Keeping final : public spool::Sink {
 public:
  void write(const spool::SinkRecord& record) override {
    const std::lock_guard guard{mutex_};
    kept_.push_back({std::string{record.row->name}, record.level, std::string{record.text}, std::string{record.logger},
                     std::string{record.thread_name}, std::string{record.file}, record.line, record.time});
  }

  /// All that came since the last call, whatever was logged before this one included.
  std::vector<Kept> take() {
    spool::flush();
    const std::lock_guard guard{mutex_};
    return std::exchange(kept_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Kept> kept_;
};

/// The process's sink, at level trace; only messages come to it. The first call may name others that are fed as well.
inline Keeping& keeping(std::vector<std::shared_ptr<spool::Sink>> others = {}) {
  static const auto sink = [&] {
    auto made = std::make_shared<Keeping>();
    others.push_back(made);
    spool::basic_config({.level = spool::Level::trace, .sinks = others});
    return made;
  }();
  return *sink;
}

}  // namespace sinks_test
