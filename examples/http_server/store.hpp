// SPDX-License-Identifier: MIT
//
// The server's data: texts by key, in memory, behind one lock.
#pragma once

#include <spool/spool.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

namespace http_server {

/// Thread-safe.
class Store {
 public:
  /// Filled with key-0, key-1, ... so that there is something to get.
  explicit Store(std::size_t samples);

  std::optional<std::string> get(const std::string& key) const;
  void set(const std::string& key, std::string value);

  struct Report {
    std::size_t values = 0;
    std::size_t bytes = 0;
    std::array<std::size_t, 256> frequency{};  ///< how often each byte stands in the values
  };
  Report report() const;

  /// All values, a line each, into this file. False where it cannot be written.
  bool save(const std::string& path) const;

 private:
  mutable spool::Lock lock_{"store"};
  std::unordered_map<std::string, std::string> values_ SPOOL_GUARDED_BY(lock_);
};

}  // namespace http_server
