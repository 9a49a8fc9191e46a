// SPDX-License-Identifier: MIT
//
// What is left to the end of the program: pools that nobody shut down, and per-thread values.
#include "running.hpp"

#include <csignal>

using namespace spool::test;
using Catch::Matchers::Contains;

TEST_CASE("a pool that nobody shuts down is, at the end: what is queued is run, and nothing more is taken") {
  const Ended ended = run("leaves_pool");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "main done\n20, then the pool is shut down\n");
}

TEST_CASE("static pools do not hold up the end") {
  for (int i = 0; i < 10; ++i) {
    const Ended ended = run("leaves_static_pools");
    REQUIRE(ended.exit_code == 0);
    REQUIRE(ended.out == "main done\n");
  }
}

TEST_CASE("values of Locals are destroyed with the program, before the static objects and once more after them") {
  const Ended ended = run("leaves_locals");
  CHECK(ended.exit_code == 0);
  CHECK(ended.out == "a thread's value goes\nmain's value goes\na static object goes\nmade by a static destructor\n");
}

TEST_CASE("daemons may be in the middle of a Local's value when the program ends") {
  for (int i = 0; i < 10; ++i)
    REQUIRE(run("leaves_daemons_with_locals").exit_code == 0);
}
