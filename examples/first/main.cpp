// SPDX-License-Identifier: MIT
// The program of the README: two workers share a lock, one of them holds it too long.
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.directory = "traces", .sinks = {spool::sinks::console("[%l] (%-10N) %v")}});

  spool::Lock store{"store"};
  const auto work = [&](int rounds, std::chrono::milliseconds each) {
    spool::info("starting {} rounds", rounds);
    for (int i = 0; i < rounds; ++i) {
      std::lock_guard guard{store};
      std::this_thread::sleep_for(each);  // stands for work under the lock
    }
  };

  spool::Thread quick{{.name = "quick"}, work, 20, std::chrono::milliseconds{1}};
  spool::Thread slow{{.name = "slow"}, work, 4, std::chrono::milliseconds{50}};
  quick.start();
  slow.start();
  quick.join();
  slow.join();
}
