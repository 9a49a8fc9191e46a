// SPDX-License-Identifier: MIT
//
// Locks in opposite orders, or nearly so, that cannot deadlock: what keeps them apart can be seen by spool.
#include "corpus.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace corpus {
namespace {

struct Pair {
  spool::Lock a{"a"};
  spool::Lock b{"b"};
};

/// Both at once, in either order.
void scoped_locks() {
  auto* const pair = new Pair;
  apart(
      [=] {
        const std::scoped_lock guard{pair->a, pair->b};
      },
      [=] {
        const std::scoped_lock guard{pair->b, pair->a};
      });
}

void locked_together() {
  auto* const pair = new Pair;
  const auto work = [](spool::Lock& one, spool::Lock& other) {
    std::lock(one, other);
    one.unlock();
    other.unlock();
  };
  apart([=] { work(pair->a, pair->b); }, [=] { work(pair->b, pair->a); });
}

/// The second one is only tried.
void tried() {
  auto* const pair = new Pair;
  const auto work = [](spool::Lock& one, spool::Lock& other) {
    const std::lock_guard guard{one};
    if (other.try_lock()) other.unlock();
  };
  apart([=] { work(pair->a, pair->b); }, [=] { work(pair->b, pair->a); });
}

/// In one of the two orders the second one is only tried.
void tried_one_way() {
  auto* const pair = new Pair;
  apart([=] { both(pair->a, pair->b); },
        [=] {
          const std::lock_guard guard{pair->b};
          const std::unique_lock inner_guard{pair->a, std::try_to_lock};
        });
}

/// The other order only once an Event says that the first is over.
void after_an_event() {
  auto* const pair = new Pair;
  auto* const done = new spool::Event{"done"};
  apart(
      [=] {
        both(pair->a, pair->b);
        done->set();
      },
      [=] {
        done->wait();
        both(pair->b, pair->a);
      });
}

void after_an_item() {
  auto* const pair = new Pair;
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  apart(
      [=] {
        both(pair->a, pair->b);
        jobs->put(1);
      },
      [=] {
        (void)jobs->get();
        both(pair->b, pair->a);
      });
}

/// Two phases, with a Barrier in between.
void in_phases() {
  auto* const pair = new Pair;
  auto* const phase = new spool::Barrier{2, "phase"};
  auto* const over = new std::latch{2};
  start("first", [=] {
    both(pair->a, pair->b);
    phase->wait();
    over->count_down();
    serve();
  });
  start("second", [=] {
    phase->wait();
    both(pair->b, pair->a);
    over->count_down();
    serve();
  });
  over->wait();
  serve();
}

void after_a_permit() {
  auto* const pair = new Pair;
  auto* const done = new spool::Semaphore{0, "done"};
  apart(
      [=] {
        both(pair->a, pair->b);
        done->release();
      },
      [=] {
        done->acquire();
        both(pair->b, pair->a);
      });
}

/// The second task is submitted when the first one's result is there.
void tasks_one_by_one() {
  auto* const pair = new Pair;
  auto* const pool = new spool::ThreadPool{2, {.name = "worker"}};
  pool->submit([=] { both(pair->a, pair->b); }).get();
  pool->submit([=] { both(pair->b, pair->a); }).get();
  serve();
}

/// Main before it starts the thread, and after its end.
void before_and_after() {
  auto* const pair = new Pair;
  both(pair->a, pair->b);
  run("worker", [=] { both(pair->b, pair->a); });
  both(pair->a, pair->b);
  serve();
}

/// Accounts, the one with the smaller number first.
void ordered_by_number() {
  struct Account {
    spool::Lock lock{"account"};
  };
  auto* const accounts = new std::array<Account, 4>{};
  const auto transfers = [=](bool up) {
    for (std::size_t from = 0; from < accounts->size(); ++from) {
      for (std::size_t to = from + 1; to < accounts->size(); ++to) {
        const auto [low, high] = std::minmax(up ? from : to, up ? to : from);
        both((*accounts)[low].lock, (*accounts)[high].lock);
      }
    }
  };
  apart([=] { transfers(true); }, [=] { transfers(false); });
}

/// Each has a pair of its own, and its own order.
void pairs_of_their_own() {
  auto* const left = new Pair;
  auto* const right = new Pair;
  apart([=] { both(left->a, left->b); }, [=] { both(right->b, right->a); });
}

/// Readers in both orders, and nobody who writes.
void readers_only() {
  auto* const a = new spool::SharedLock{"a"};
  auto* const b = new spool::SharedLock{"b"};
  const auto read = [](spool::SharedLock& outer, spool::SharedLock& inner) {
    const std::shared_lock guard{outer};
    const std::shared_lock inner_guard{inner};
  };
  apart([=] { read(*a, *b); }, [=] { read(*b, *a); });
}

/// One thread alone, in both orders.
void one_thread() {
  auto* const pair = new Pair;
  apart(
      [=] {
        both(pair->a, pair->b);
        both(pair->b, pair->a);
      },
      [=] { const std::lock_guard guard{pair->a}; });
}

/// A ring of three, two of which share a gate.
void gate_in_a_ring() {
  auto* const gate = new spool::Lock{"gate"};
  auto* const locks = new std::array<spool::Lock, 3>{};
  auto* const zeroth_done = new std::latch{1};
  start("zeroth", [=] {
    {
      const std::lock_guard guard{*gate};
      both((*locks)[0], (*locks)[1]);
    }
    zeroth_done->count_down();
    serve();
  });
  zeroth_done->wait();
  apart(
      [=] {
        const std::lock_guard guard{*gate};
        both((*locks)[1], (*locks)[2]);
      },
      [=] { both((*locks)[2], (*locks)[0]); });
}

/// A ring of four, of whom all but one may sit down.
void seats_for_all_but_one() {
  auto* const locks = new std::array<spool::Lock, 4>{};
  auto* const seats = new spool::Semaphore{std::ssize(*locks) - 1, "seats"};
  in_turn(locks->size(), [=](std::size_t i) {
    const spool::Permit seat{*seats};
    both((*locks)[i], (*locks)[(i + 1) % locks->size()]);
  });
}

/// Joins with a lock held that the joined thread has nothing to do with.
void join_under_another_lock() {
  auto* const pair = new Pair;
  const std::lock_guard guard{pair->a};
  run("worker", [=] { const std::lock_guard inner_guard{pair->b}; });
  serve();
}

/// The joined thread has joined one that asked for the lock, and has said so before the lock is taken.
void join_of_a_known_join() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const joined = new spool::Event{"joined"};
  auto worker = start("worker", [=] { const std::lock_guard guard{*lock}; });
  auto overseer = start("overseer", [worker, joined]() mutable {
    worker.join();
    joined->set();
  });
  joined->wait();
  {
    const std::lock_guard guard{*lock};
    overseer.join();
  }
  serve();
}

/// Released in between, and taken in the same order again.
void released_in_between() {
  auto* const pair = new Pair;
  const auto work = [=] {
    std::unique_lock guard{pair->a};
    {
      const std::lock_guard inner_guard{pair->b};
      guard.unlock();
    }
    guard.lock();
  };
  apart(work, work);
}

}  // namespace

Programs healthy_orders() {
  return {
      {"scoped_locks", scoped_locks},
      {"locked_together", locked_together},
      {"tried", tried},
      {"tried_one_way", tried_one_way},
      {"after_an_event", after_an_event},
      {"after_an_item", after_an_item},
      {"in_phases", in_phases},
      {"after_a_permit", after_a_permit},
      {"tasks_one_by_one", tasks_one_by_one},
      {"before_and_after", before_and_after},
      {"ordered_by_number", ordered_by_number},
      {"pairs_of_their_own", pairs_of_their_own},
      {"readers_only", readers_only},
      {"one_thread", one_thread},
      {"gate_in_a_ring", gate_in_a_ring},
      {"seats_for_all_but_one", seats_for_all_but_one},
      {"join_under_another_lock", join_under_another_lock},
      {"join_of_a_known_join", join_of_a_known_join},
      {"released_in_between", released_in_between},
  };
}

}  // namespace corpus
