// SPDX-License-Identifier: MIT
#include "support/source_labels.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <vector>

namespace spool::test {
namespace {

/// The compiler was called in the build directory, and the program lies one folder below it.
std::filesystem::path found_from_build(const std::string& file) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.parent_path().parent_path() / file;
}

std::vector<std::string> labels_of(const std::string& file) {
  std::vector<std::string> labels;
  std::ifstream source{found_from_build(file)};
  for (std::string line; std::getline(source, line);) {
    constexpr std::string_view mark = "// @";
    const auto at = line.rfind(mark);
    labels.push_back(at == std::string::npos ? std::string{} : line.substr(at + mark.size() - 1));
  }
  return labels;
}

}  // namespace

std::string source_label(const std::string& file, std::uint32_t line) {
  static std::mutex mutex;
  static std::map<std::string, std::vector<std::string>> known;
  const std::lock_guard guard{mutex};
  const auto [found, is_new] = known.try_emplace(file);
  if (is_new) found->second = labels_of(file);
  const bool has_label = line != 0 && line <= found->second.size() && !found->second[line - 1].empty();
  return has_label ? found->second[line - 1] : file + ':' + std::to_string(line);
}

}  // namespace spool::test
