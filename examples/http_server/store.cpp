// SPDX-License-Identifier: MIT
#include "store.hpp"

#include <fstream>
#include <mutex>
#include <utility>

namespace http_server {

Store::Store(std::size_t samples) {
  for (std::size_t i = 0; i < samples; ++i) {
    const std::string number = std::to_string(i);
    values_.emplace("key-" + number, std::string(100, 'x') + number);
  }
}

std::optional<std::string> Store::get(const std::string& key) const {
  const std::lock_guard guard{lock_};
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : std::optional{found->second};
}

void Store::set(const std::string& key, std::string value) {
  const std::lock_guard guard{lock_};
  values_.insert_or_assign(key, std::move(value));
}

/// This is the mistake that the demo finds: it reads every value under the lock, and everybody else waits. A copy taken
/// under the lock, or figures kept up to date in set(), would free the lock a thousand times sooner.
Store::Report Store::report() const {
  Report report;
  const std::lock_guard guard{lock_};
  for (const auto& [key, value] : values_) {
    ++report.values;
    report.bytes += value.size();
    for (const char each : value)
      ++report.frequency[static_cast<unsigned char>(each)];
  }
  return report;
}

/// The worse mistake: it asks the disk for something under the lock. Where that hangs, so does everybody, and only the
/// lock tells why.
bool Store::save(const std::string& path) const {
  const std::lock_guard guard{lock_};
  std::ofstream file{path};
  for (const auto& [key, value] : values_)
    file << key << ' ' << value << '\n';
  file.close();
  return file.good();
}

}  // namespace http_server
