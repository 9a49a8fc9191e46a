// SPDX-License-Identifier: MIT
//
// unit_program: see program.hpp.
#include "program.hpp"

#include <cstdio>

namespace spool::test {

bool is_forked = false;

void say(const char* words) {
  std::puts(words);
  (void)std::fflush(stdout);
}

}  // namespace spool::test

/// ThreadSanitizer's defaults forbid what these programs are about: threads in the child of a fork. (Read by its
/// runtime; a plain function elsewhere.)
extern "C" const char* __tsan_default_options() {  // NOLINT(bugprone-reserved-identifier): the runtime's name
  return "die_after_fork=0";
}

/// LeakSanitizer in the child of a fork still counts the parent's threads as running, and so cannot look at the stacks
/// that hold its pointers: it looks for leaks in the parents only.
extern "C" int __lsan_is_turned_off() {  // NOLINT(bugprone-reserved-identifier): the runtime's name
  return spool::test::is_forked ? 1 : 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 126;
  for (const auto& programs :
       {spool::test::archive_programs(), spool::test::config_programs(), spool::test::cost_programs(),
        spool::test::damage_programs(), spool::test::end_programs(), spool::test::fork_programs(),
        spool::test::hostile_programs(), spool::test::left_programs(), spool::test::loss_programs(),
        spool::test::message_programs(), spool::test::mode_programs(), spool::test::orphan_programs(),
        spool::test::refusal_programs(), spool::test::scale_programs(), spool::test::stack_programs(),
        spool::test::watch_programs()}) {
    const auto found = programs.find(argv[1]);
    if (found != programs.end()) return found->second();
  }
  return 126;
}
