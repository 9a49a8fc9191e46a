// SPDX-License-Identifier: MIT
//
// How often each path was asked for. Every request passes here, so this lock is the busiest, and is held shortest.
#pragma once

#include <spool/spool.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace http_server {

/// Thread-safe.
class Statistics {
 public:
  /// `path` is one of the server's own: a client must not be able to fill the memory with paths.
  void count(const std::string& path, std::size_t bytes);

  /// A line for each path.
  std::string text() const;

 private:
  struct Count {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
  };

  mutable spool::Lock lock_{"statistics"};
  std::map<std::string, Count> counts_ SPOOL_GUARDED_BY(lock_);
};

}  // namespace http_server
