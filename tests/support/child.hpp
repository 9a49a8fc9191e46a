// SPDX-License-Identifier: MIT
//
// Runs a program that lies beside the test's own, to its end, and tells how it ended and what it said.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace spool::test {

struct Ended {
  int exit_code = -1;  ///< -1: ended by a signal
  int signal = 0;
  bool timed_out = false;  ///< killed when `patience` was over
  std::string out;
  std::string err;
};

/// `arguments[0]` is the program's name in the tests' build folder. Of the environment only SPOOL_ variables are
/// replaced, by `environment` ("SPOOL_DIR=/x").
Ended run_program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                  std::chrono::seconds patience = std::chrono::seconds{30});

/// A directory of a test's own, gone afterwards. Every Record of the traces that are in it then has to keep to the
/// rules of the primitives, or the test has failed: `unspool check` says so.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// All traces in it, by name.
  std::vector<std::filesystem::path> traces() const;
  /// The only trace in it; fails where there is none.
  std::filesystem::path trace() const;
  /// What is in it is damaged on purpose.
  void breaks_rules() { breaks_rules_ = true; }

 private:
  void check_rules() const;

  std::filesystem::path path_;
  bool breaks_rules_ = false;
};

}  // namespace spool::test
