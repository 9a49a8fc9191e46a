// SPDX-License-Identifier: MIT
// Arguments for a thread: moved into it, as std::thread does. std::ref lends an object instead.
//
// Output:
//   worker 0 got "zero"
//   worker 1 got "one"
//   the sum is 1
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>

void work(int number, const std::unique_ptr<std::string>& text, int& sum) {
  fmt::print("worker {} got \"{}\"\n", number, *text);
  sum += number;
}

int main() {
  int sum = 0;
  spool::Thread zero{work, 0, std::make_unique<std::string>("zero"), std::ref(sum)};
  spool::Thread one{work, 1, std::make_unique<std::string>("one"), std::ref(sum)};
  zero.start();
  zero.join();
  one.start();
  one.join();
  fmt::print("the sum is {}\n", sum);
}
