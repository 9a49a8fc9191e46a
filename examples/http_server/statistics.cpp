// SPDX-License-Identifier: MIT
#include "statistics.hpp"

#include <mutex>

namespace http_server {

void Statistics::count(const std::string& path, std::size_t bytes) {
  const std::lock_guard guard{lock_};
  Count& count = counts_[path];
  ++count.requests;
  count.bytes += bytes;
}

std::string Statistics::text() const {
  std::map<std::string, Count> counts;
  {
    // Copied under the lock, formatted outside: compare Store::report().
    const std::lock_guard guard{lock_};
    counts = counts_;
  }
  std::string text;
  for (const auto& [path, count] : counts) {
    text += path + " " + std::to_string(count.requests) + " requests, " + std::to_string(count.bytes) + " bytes\n";
  }
  return text;
}

}  // namespace http_server
