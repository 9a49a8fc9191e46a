// SPDX-License-Identifier: MIT
// Waiting for an event, without and with a timeout.
//
// Output, in any order of the threads:
//   block    | (block) waiting for the event
//   nonblock | (nonblock) waiting for the event with a timeout
//   nonblock | (nonblock) not yet: doing other work
//   main     | (MainThread) setting the event
//   ---
//   block    | (block) the event is set: true
//   nonblock | (nonblock) the event is set: true
#include <spool/spool.hpp>

using namespace std::chrono_literals;

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  spool::Event event{"event"};
  spool::Semaphore ready{0};  // main sets the event when both have come this far
  spool::Thread block{{.name = "block"}, [&] {
                        spool::info("waiting for the event");
                        ready.release();
                        event.wait();
                        spool::info("the event is set: {}", event.is_set());
                      }};
  spool::Thread nonblock{{.name = "nonblock"}, [&] {
                           spool::info("waiting for the event with a timeout");
                           if (!event.wait_for(1ms)) spool::info("not yet: doing other work");
                           ready.release();
                           event.wait();
                           spool::info("the event is set: {}", event.is_set());
                         }};
  block.start();
  nonblock.start();
  ready.acquire();
  ready.acquire();
  spool::info("setting the event");
  event.set();
  block.join();  // they use what is main's
  nonblock.join();
}
