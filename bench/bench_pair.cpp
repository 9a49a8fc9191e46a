// SPDX-License-Identifier: MIT
//
// bench_pair MODE COUNT: so many lock pairs and nothing else, for whoever counts instructions (bench/instructions).
// MODE is off, contended, all, or mutex for std::mutex. With SPOOL_DIR it records as any program does.
#include <spool/config/config.hpp>
#include <spool/sync/lock.hpp>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string>

namespace {

void repeat(long count, auto& lock) {
  for (long i = 0; i < count; ++i) {
    lock.lock();
    lock.unlock();
  }
}

spool::Mode mode_named(const std::string& name) {
  for (const auto mode : {spool::Mode::off, spool::Mode::contended, spool::Mode::all}) {
    if (spool::trace::name_of(mode) == name) return mode;
  }
  std::cerr << "bench_pair: no mode is called " << name << '\n';
  std::exit(2);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: bench_pair off|contended|all|mutex COUNT\n";
    return 2;
  }
  const std::string mode = arguments[1];
  const long pairs = std::atol(arguments[2]);
  if (mode == "mutex") {
    std::mutex lock;
    repeat(pairs, lock);
    return 0;
  }
  spool::set_transitions(mode_named(mode));
  spool::Lock lock{"bench"};
  repeat(pairs, lock);
  return 0;
}
