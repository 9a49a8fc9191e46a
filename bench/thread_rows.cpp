// SPDX-License-Identifier: MIT
//
// A thread's whole life: made, started, joined.
#include <spool/thread/thread.hpp>

#include "recording.hpp"
#include "rows.hpp"

#include <fmt/format.h>

#include <thread>

namespace bench {
namespace {

using spool::Mode;

constexpr std::uint64_t threads = 100;
constexpr int rounds = 21;

void our_thread() {
  spool::Thread thread{{.name = "short"}, [] {}};
  thread.start();
  thread.join();
}

void their_thread() {
  std::thread thread{[] {}};
  thread.join();
}

Rounds a_life(Mode mode) {
  return {.ours = [=] { return in_mode(mode, threads, our_thread); },
          .theirs = [] { return Timed{ns_per(threads, their_thread)}; }};
}

}  // namespace

std::vector<Benchmark> thread_rows() {
  std::vector<Benchmark> rows;
  for (const Mode mode : {Mode::off, Mode::all}) {
    rows.push_back({.name = fmt::format("thread made, started, joined, {}", spool::trace::name_of(mode)),
                    .peer = "std::thread",
                    .rounds = rounds,
                    .prepare = [=] { return a_life(mode); }});
  }
  return rows;
}

}  // namespace bench
