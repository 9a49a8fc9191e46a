// SPDX-License-Identifier: MIT
//
// What the doors from other logging libraries share: finding the logger of a name, and keeping texts for ever. Internal
// to sinks; not installed.
#pragma once

#include <spool/log/logger.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace spool::sinks {

/// Loggers by name. They are few and live for ever, so they are a list that only grows and is read without a lock.
/// Thread-safe.
class KnownLoggers {
 public:
  const Logger& named(std::string_view name);

 private:
  struct Node {
    std::string name;
    Logger logger;
    const Node* next;
  };
  const Node* find(const Node* first, std::string_view name) const;

  std::atomic<const Node*> first_{nullptr};
  std::mutex adding_;
};

/// Texts that a place in the source may point to. Bounded: past `most` there is nullptr for new ones. Thread-safe.
class KeptTexts {
 public:
  const char* keep(const std::string& text);

 private:
  static constexpr std::size_t most = 10'000;
  std::mutex mutex_;
  std::set<std::string, std::less<>> texts_;
};

/// Writes a message that came through a door, if its logger's level allows. One that a sink of ours made, in a thread
/// that feeds sinks, is left out: it would come back to that sink for ever.
void write_foreign(const Logger& logger, trace::Level level, const Site& site, std::string_view text) noexcept;

}  // namespace spool::sinks
