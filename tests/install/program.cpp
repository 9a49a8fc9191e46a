// SPDX-License-Identifier: MIT
// A user's program, built out of tree against the installed copy: nothing of the source tree is on its include path.
#include <spool/spool.hpp>

#include <mutex>

int main() {
  spool::Lock lock{"installed"};
  int count = 0;
  spool::Thread thread{{.name = "worker"}, [&] {
                         std::lock_guard guard{lock};
                         ++count;
                       }};
  thread.start();
  thread.join();
  return count == 1 ? 0 : 1;
}
