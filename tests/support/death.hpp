// SPDX-License-Identifier: MIT
//
// Lets a test see what aborts: it is done in a child of a fork, which is this test's thread alone.
#pragma once

#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace spool::test {

struct Death {
  int signal = 0;   ///< 0: it lived
  std::string err;  ///< what it said on stderr
};

/// Runs `deed` in a child. What other threads of this process hold or wait for stays so in the child for ever.
template <class Deed>
Death death_by(Deed deed) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    (void)signal(SIGABRT, SIG_DFL);  // Catch2 reports signals
    dup2(ends[1], STDERR_FILENO);
    alarm(20);
    deed();
    _exit(0);
  }
  close(ends[1]);
  Death death;
  char buffer[512];
  for (ssize_t size = 0; (size = read(ends[0], buffer, sizeof buffer)) > 0;)
    death.err.append(buffer, static_cast<std::size_t>(size));
  close(ends[0]);
  int status = 0;
  (void)waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) death.signal = WTERMSIG(status);
  return death;
}

}  // namespace spool::test
