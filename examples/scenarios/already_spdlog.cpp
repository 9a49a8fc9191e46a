// SPDX-License-Identifier: MIT
// The program logs through spdlog already. One line opens the door: its calls stay as they are, and their messages
// stand beside the threads' transitions, each in the stream of the thread that made it.
//
// Output:
//   [info] http (listener): listening on 8080
//   [warning] http (worker): no such key: color (already_spdlog.cpp)
//   [info] store (worker): 1 lookup
#include <spool/sinks/from_spdlog.hpp>
#include <spool/spool.hpp>

#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("[%l] %n (%N): %v")}});

  spdlog::logger http{"http", spool::sinks::from_spdlog()};
  spdlog::logger store{"store", spool::sinks::from_spdlog()};

  spool::Thread listener{{.name = "listener"}, [&] { http.info("listening on {}", 8080); }};
  listener.start();
  listener.join();

  spool::Thread worker{{.name = "worker"}, [&] {
                         SPDLOG_LOGGER_WARN(&http, "no such key: {} (already_spdlog.cpp)", "color");
                         store.info("{} lookup", 1);
                         store.debug("not logged: spdlog's own level comes first");
                       }};
  worker.start();
  worker.join();
}
