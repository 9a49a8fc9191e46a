// SPDX-License-Identifier: MIT
//
// Runs a command as a user does, for tests: what it prints, and its exit code.
#pragma once

#include <unspool/builder.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sys/wait.h>

namespace unspool_test {

struct Outcome {
  int exit = -1;
  std::string out;
  std::string err;
};

/// By the shell. Requires: the words need no quotes, or have them.
inline Outcome run(const std::string& command) {
  const TemporaryDirectory directory;
  const std::string errors = directory.path() + "/err";
  std::FILE* const pipe = ::popen(("{ " + command + "; } 2>" + errors + " </dev/null").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"no pipe"};
  Outcome outcome;
  std::array<char, 4096> buffer;
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.out.append(buffer.data(), got);
  const int status = ::pclose(pipe);
  outcome.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.err = read_file(errors);
  return outcome;
}

/// The tool of this build.
inline std::string tool() {
  const char* const build = std::getenv("SPOOL_BUILD_DIR");
  return (build ? std::string{build} : std::string{"."}) + "/tools/unspool/unspool";
}

inline Outcome unspool(const std::string& arguments) {
  return run(tool() + " " + arguments);
}

}  // namespace unspool_test
