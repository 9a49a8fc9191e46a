// SPDX-License-Identifier: MIT
// A cache that many read and few write: readers share the lock, a writer has it alone.
//
// Output:
//   3 readers found 30 times what they looked for
//   a reader alone may enter while another reads: true
//   a writer may not: true
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

class Cache {
 public:
  void put(const std::string& key, int value) {
    const std::lock_guard guard{lock};
    values_[key] = value;
  }
  std::optional<int> get(const std::string& key) const {
    const std::shared_lock guard{lock};
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional{found->second};
  }

  mutable spool::SharedLock lock{"cache"};

 private:
  std::map<std::string, int> values_;
};

int main() {
  Cache cache;
  cache.put("answer", 42);
  std::atomic<int> found{0};
  std::vector<spool::Thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (int n = 0; n < 10; ++n)
        found += cache.get("answer") == 42 ? 1 : 0;
    });
    readers.back().start();
  }
  for (spool::Thread& each : readers)
    each.join();
  fmt::print("3 readers found {} times what they looked for\n", found.load());

  const std::shared_lock reading{cache.lock};
  spool::Thread other{[&] {
    {
      const std::shared_lock also{cache.lock, std::try_to_lock};
      fmt::print("a reader alone may enter while another reads: {}\n", also.owns_lock());
    }
    const std::unique_lock writing{cache.lock, std::try_to_lock};
    fmt::print("a writer may not: {}\n", !writing.owns_lock());
  }};
  other.start();
  other.join();
}
