// SPDX-License-Identifier: MIT
// Trying a lock without waiting for it. The holder has it for the first two tries.
//
// Output:
//   (holder) holding
//   (worker) try 1: not acquired
//   (worker) try 2: not acquired
//   (holder) not holding
//   (worker) try 3: acquired
//   (worker) acquired once in 3 tries
#include <spool/spool.hpp>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Lock lock{"lock"};
  spool::Event held;
  spool::Event tried;
  spool::Event free;
  spool::Thread holder{{.name = "holder"}, [&] {
                         lock.lock();
                         spool::info("holding");
                         held.set();
                         tried.wait();
                         spool::info("not holding");
                         lock.unlock();
                         free.set();
                       }};
  spool::Thread worker{{.name = "worker"}, [&] {
                         held.wait();
                         int tries = 0;
                         int acquired = 0;
                         while (acquired == 0) {
                           ++tries;
                           if (lock.try_lock()) {
                             spool::info("try {}: acquired", tries);
                             ++acquired;
                             lock.unlock();
                           } else {
                             spool::info("try {}: not acquired", tries);
                             if (tries == 2) {
                               tried.set();
                               free.wait();
                             }
                           }
                         }
                         spool::info("acquired once in {} tries", tries);
                       }};
  holder.start();
  worker.start();
  holder.join();  // they use what is main's
  worker.join();
}
