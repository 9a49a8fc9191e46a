// SPDX-License-Identifier: MIT
//
// Servers that make a thread for each request, and one order of locks among the many.
#include "corpus.hpp"

#include <deque>

namespace corpus {
namespace {

struct Pair {
  spool::Lock a{"a"};
  spool::Lock b{"b"};
};

/// One after the other, and then two beside each other.
void after_many_requests() {
  auto* const pair = new Pair;
  for (int i = 0; i < 400; ++i)
    run("request", [=] { both(pair->a, pair->b); });
  apart([=] { both(pair->a, pair->b); }, [=] { both(pair->b, pair->a); });
}

/// Each has its turn, but only one thing that spool sees keeps them apart: some are alive at the same time.
void one_of_many_requests() {
  auto* const pair = new Pair;
  auto* const turn = new std::mutex;
  std::deque<spool::Thread> alive;
  for (int i = 0; i < 1200; ++i) {
    alive.push_back(start("request", [=] {
      const std::lock_guard guard{*turn};
      i == 900 ? both(pair->b, pair->a) : both(pair->a, pair->b);
    }));
    if (alive.size() < 4) continue;
    alive.front().join();
    alive.pop_front();
  }
  for (spool::Thread& each : alive)
    each.join();
  serve();
}

/// As healthy as one thread.
void requests_in_turn() {
  auto* const pair = new Pair;
  for (int i = 0; i < 1200; ++i)
    run("request", [=] { i % 2 == 0 ? both(pair->a, pair->b) : both(pair->b, pair->a); });
  serve();
}

}  // namespace

Programs crowds() {
  return {
      {"could_after_many_requests", after_many_requests},
      {"could_one_of_many_requests", one_of_many_requests},
      {"requests_in_turn", requests_in_turn},
  };
}

}  // namespace corpus
