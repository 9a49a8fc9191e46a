// SPDX-License-Identifier: MIT
//
// The main of the programs that record: after all tests, every Record that they made is judged.
#define CATCH_CONFIG_RUNNER
#include "support/judgement.hpp"

#include <catch2/catch.hpp>

/// ThreadSanitizer's default forbids threads in the child of a fork, which is where a test sees what aborts. (Read by
/// its runtime; a plain function elsewhere.)
extern "C" const char* __tsan_default_options() {  // NOLINT(bugprone-reserved-identifier): the runtime's name
  return "die_after_fork=0";
}

int main(int argc, char** argv) {
  const int failed = Catch::Session().run(argc, argv);
  const int illegal = spool::test::judge_all_records();
  return failed != 0 ? failed : illegal;
}
