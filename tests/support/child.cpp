// SPDX-License-Identifier: MIT
#include "support/child.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spool::test {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& each : strings)
    all.push_back(each.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::vector<std::string>& given) {
  std::vector<std::string> all = given;
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::strncmp(*each, "SPOOL_", 6) != 0) all.emplace_back(*each);
  }
  return all;
}

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
  }
  std::array<int, 2> ends{};
};

/// Reads both until the program and all it started have closed them, or the time is over.
bool read_all(const Pipe& out, const Pipe& err, Ended& ended, Clock::time_point deadline) {
  std::array<pollfd, 2> files{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
  const std::array<std::string*, 2> texts{&ended.out, &ended.err};
  int open = 2;
  while (open > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 || poll(files.data(), files.size(), static_cast<int>(left.count())) == 0) return false;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].fd < 0 || files[i].revents == 0) continue;
      std::array<char, 4096> buffer{};
      const ssize_t got = read(files[i].fd, buffer.data(), buffer.size());
      if (got > 0) {
        texts[i]->append(buffer.data(), static_cast<std::size_t>(got));
      } else {
        files[i].fd = -1;
        --open;
      }
    }
  }
  return true;
}

}  // namespace

Ended run_program(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                  std::chrono::seconds patience) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::vector<std::string> words = arguments;
  words[0] = folder / arguments[0];
  std::vector<std::string> variables = environment_with(environment);
  const auto argv = pointers(words);
  const auto envp = pointers(variables);
  const Pipe out;
  const Pipe err;
  const pid_t child = fork();
  if (child == 0) {
    dup2(out.ends[1], STDOUT_FILENO);
    dup2(err.ends[1], STDERR_FILENO);
    setpgid(0, 0);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(out.ends[1]);
  close(err.ends[1]);
  Ended ended;
  ended.timed_out = !read_all(out, err, ended, Clock::now() + patience);
  if (ended.timed_out) (void)kill(-child, SIGKILL);  // its group: what it forked, too
  int status = 0;
  (void)waitpid(child, &status, 0);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  close(out.ends[0]);
  close(err.ends[0]);
  return ended;
}

ScratchDirectory::ScratchDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "spool-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no directory for the test"};
  path_ = pattern;
}

/// As far as there are traces that can be read: a test that is about others says so itself.
void ScratchDirectory::check_rules() const {
  constexpr int unreadable = 4;
  for (const std::filesystem::path& trace : traces()) {
    const Ended ended = run_program({"../tools/unspool/unspool", "check", trace});
    INFO("unspool check " << trace << " says:\n" << ended.out << ended.err);
    CHECK((ended.exit_code == 0 || ended.exit_code == unreadable));
  }
}

ScratchDirectory::~ScratchDirectory() {
  if (!breaks_rules_) check_rules();
  std::error_code ignored;  // best effort
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::filesystem::path> ScratchDirectory::traces() const {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator{path_}) {
    if (entry.path().extension() == ".spool") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::filesystem::path ScratchDirectory::trace() const {
  const auto found = traces();
  if (found.size() > 1) throw std::runtime_error{"there is more than one trace"};
  if (found.empty()) throw std::runtime_error{"there is no trace"};
  return found.front();
}

}  // namespace spool::test
