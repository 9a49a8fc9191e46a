// SPDX-License-Identifier: MIT
//
// corpus NAME runs one program; corpus alone lists them.
#include "corpus.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  using namespace corpus;
  for (const Programs& programs : {stuck_locks(), stuck_waits(), stuck_queues(), stuck_mixed(), stuck_nasty(),
                                   stuck_parts(), could_deadlock(), could_deadlock_too(), healthy(), healthy_orders(),
                                   orders_kept(), healthy_idle(), healthy_nasty(), healthy_successors(), crowds()}) {
    for (const auto& [name, program] : programs) {
      if (argc == 1) std::puts(name.c_str());
      if (argc == 2 && name == argv[1]) {
        program();
        return 0;
      }
    }
  }
  return argc == 1 ? 0 : 126;
}
