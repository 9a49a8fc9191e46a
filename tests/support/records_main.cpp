// SPDX-License-Identifier: MIT
//
// The main of the programs that record: after all tests, every Record that they made is judged.
#define CATCH_CONFIG_RUNNER
#include "support/judgement.hpp"

#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  const int failed = Catch::Session().run(argc, argv);
  const int illegal = spool::test::judge_all_records();
  return failed != 0 ? failed : illegal;
}
