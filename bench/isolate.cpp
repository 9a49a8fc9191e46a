// SPDX-License-Identifier: MIT
#include "isolate.hpp"

#include "recording.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace bench {
namespace {

/// A directory that is gone when this is.
class TraceDirectory {
 public:
  explicit TraceDirectory(const std::string& parent) {
    const std::string beside = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    std::string name = (parent.empty() ? beside : parent) + "/spool-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::system_error{errno, std::generic_category(), name};
    path_ = name;
  }
  ~TraceDirectory() {
    std::error_code ignored;  // nothing can be done about it here
    std::filesystem::remove_all(path_, ignored);
  }
  TraceDirectory(const TraceDirectory&) = delete;
  TraceDirectory& operator=(const TraceDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The child's answer: one line a value, "ours 1.5", "peer 2.5" or "fact text".

std::string as_text(const Samples& samples) {
  std::string text;
  for (const double value : samples.ours)
    text += fmt::format("ours {}\n", value);
  for (const double value : samples.theirs)
    text += fmt::format("peer {}\n", value);
  for (const std::string& fact : samples.facts)
    text += fmt::format("fact {}\n", fact);
  return text;
}

Samples from_text(const std::string& text) {
  Samples samples;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const std::string rest = line.substr(5);
    if (line.starts_with("ours ")) samples.ours.push_back(std::stod(rest));
    if (line.starts_with("peer ")) samples.theirs.push_back(std::stod(rest));
    if (line.starts_with("fact ")) samples.facts.push_back(rest);
  }
  return samples;
}

[[noreturn]] void be_the_child(const Benchmark& benchmark, const std::filesystem::path& directory, int answer) {
  int code = 0;
  try {
    if (benchmark.before) benchmark.before(directory);
    start_recording(directory, benchmark.archived);
    const std::string text = as_text(run(benchmark));
    if (write(answer, text.data(), text.size()) != static_cast<ssize_t>(text.size())) code = 1;
    spool::set_transitions(spool::Mode::off);
    spool::shutdown();
  } catch (const std::exception& problem) {
    std::cerr << "spool_bench: " << problem.what() << '\n';
    code = 1;
  }
  _exit(code);  // the parent's buffers and destructors are not ours
}

std::string read_all(int from) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

Samples run_apart(const Benchmark& benchmark) {
  const TraceDirectory directory{benchmark.directory};
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
  const pid_t child = fork();
  if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  if (child == 0) {
    close(ends[0]);
    be_the_child(benchmark, directory.path(), ends[1]);
  }
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error{fmt::format("'{}' failed (wait status {})", benchmark.name, status)};
  return from_text(text);
}

}  // namespace bench
