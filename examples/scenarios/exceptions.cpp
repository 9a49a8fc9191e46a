// SPDX-License-Identifier: MIT
// Exceptions of threads, handed over to main through a queue.
//
// Output:
//   worker-0 failed: no disk
//   worker-1 returned
//   worker-2 failed: no network
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <exception>
#include <map>
#include <stdexcept>
#include <string>

struct Outcome {
  std::string thread;
  std::exception_ptr exception;
};

void work(int number) {
  if (number == 0) throw std::runtime_error{"no disk"};
  if (number == 2) throw std::runtime_error{"no network"};
}

std::string describe(const std::exception_ptr& exception) {
  if (exception == nullptr) return "returned";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& caught) {
    return fmt::format("failed: {}", caught.what());
  }
}

int main() {
  spool::Queue<Outcome> outcomes;
  for (int i = 0; i < 3; ++i) {
    spool::Thread thread{{.name = fmt::format("worker-{}", i)}, [&outcomes, i] {
                           std::exception_ptr exception;
                           try {
                             work(i);
                           } catch (...) {
                             exception = std::current_exception();
                           }
                           outcomes.put({spool::current_thread().name(), exception});
                         }};
    thread.start();
  }
  std::map<std::string, std::string> table;  // by name: they end in any order
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = outcomes.get();
    table[outcome.thread] = describe(outcome.exception);
  }
  for (const auto& [name, what] : table)
    fmt::print("{} {}\n", name, what);
}
