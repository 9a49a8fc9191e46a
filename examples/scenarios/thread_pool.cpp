// SPDX-License-Identifier: MIT
// A server's thread pool: requests are tasks, answers and exceptions come back in futures.
//
// Output:
//   GET /a: 200, 2 bytes
//   GET /b: 200, 4 bytes
//   GET /missing: 404, no such page
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

const std::map<std::string, std::string> pages{{"/a", "aa"}, {"/b", "bbbb"}};

std::size_t handle(const std::string& path) {
  const auto found = pages.find(path);
  if (found == pages.end()) throw std::out_of_range{"no such page"};
  return found->second.size();
}

int main() {
  spool::ThreadPool pool{2, {.name = "server"}};
  std::vector<std::pair<std::string, spool::Future<std::size_t>>> answers;
  for (const char* path : {"/a", "/b", "/missing"})
    answers.emplace_back(path, pool.submit(handle, path));
  for (auto& [path, answer] : answers) {
    try {
      fmt::print("GET {}: 200, {} bytes\n", path, answer.get());
    } catch (const std::out_of_range& problem) {
      fmt::print("GET {}: 404, {}\n", path, problem.what());
    }
  }
  pool.shutdown();
}
