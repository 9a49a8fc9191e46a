// SPDX-License-Identifier: MIT
//
// Two orders of locks that something keeps apart; and, beside each, what only looks as if it did.
#include "corpus.hpp"

#include <latch>

namespace corpus {
namespace {

struct Pair {
  spool::Lock a{"a"};
  spool::Lock b{"b"};
};

/// The consumer goes on when the queue is shut down: by who had the locks, or by another.
void shut_down(bool by_another) {
  auto* const pair = new Pair;
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  apart(
      [=] {
        both(pair->a, pair->b);
        if (!by_another) jobs->shutdown();
      },
      [=] {
        if (by_another) run("stopper", [=] { jobs->shutdown(); });
        try {
          (void)jobs->get();
        } catch (const spool::ShutDownError&) {
          both(pair->b, pair->a);
        }
      });
}

/// A put into a full queue needs the room that a get leaves; not where one before has left some.
void room(bool was_left) {
  auto* const pair = new Pair;
  auto* const jobs = new spool::Queue<int>{2, "jobs"};
  auto* const full = new std::latch{1};
  auto* const left = new std::latch{1};
  auto* const over = new std::latch{1};
  start("putter", [=] {
    while (jobs->try_put(0)) {}
    full->count_down();
    left->wait();
    jobs->put(0);
    both(pair->b, pair->a);
    over->count_down();
    serve();
  });
  full->wait();
  if (was_left) (void)jobs->get();
  both(pair->a, pair->b);
  (void)jobs->get();
  left->count_down();
  over->wait();
  serve();
}

/// As many may be inside as there are permits.
void inside_with_permits(std::ptrdiff_t permits) {
  auto* const pair = new Pair;
  auto* const gate = new spool::Semaphore{permits, "gate"};
  const auto inside = [=](spool::Lock& outer, spool::Lock& inner) {
    const spool::Permit permit{*gate};
    both(outer, inner);
  };
  apart([=] { inside(pair->a, pair->b); }, [=] { inside(pair->b, pair->a); });
}

/// Each waits for its turn; with a second turn to begin with, one need not.
void turns(std::ptrdiff_t at_first) {
  auto* const pair = new Pair;
  auto* const pings = new spool::Semaphore{at_first, "pings"};
  auto* const pongs = new spool::Semaphore{0, "pongs"};
  auto* const over = new std::latch{2};
  start("ping", [=] {
    for (int i = 0; i < 2; ++i) {
      pings->acquire();
      both(pair->a, pair->b);
      pongs->release();
    }
    over->count_down();
    serve();
  });
  start("pong", [=] {
    for (int i = 0; i < 2; ++i) {
      pongs->acquire();
      both(pair->b, pair->a);
      pings->release();
    }
    over->count_down();
    serve();
  });
  over->wait();
  serve();
}

/// Each has its child do the work, and holds the gate until it is done; or until it has begun.
void parents(bool let_go) {
  auto* const pair = new Pair;
  auto* const gate = new spool::Lock{"gate"};
  const auto work = [=](spool::Lock& outer, spool::Lock& inner) {
    std::unique_lock guard{*gate};
    auto child = start("child", [&] { both(outer, inner); });
    if (let_go) guard.unlock();
    child.join();
  };
  apart([=] { work(pair->a, pair->b); }, [=] { work(pair->b, pair->a); });
}

/// The worker is done with the lock when it says so; or takes it once more.
void joined_under_lock(bool again) {
  auto* const lock = new spool::Lock{"lock"};
  auto* const done = new spool::Event{"done"};
  auto* const over = new std::latch{1};
  auto worker = start("worker", [=] {
    { const std::lock_guard guard{*lock}; }
    done->set();
    if (again) const std::lock_guard guard{*lock};
    over->count_down();
  });
  done->wait();
  over->wait();
  {
    const std::lock_guard guard{*lock};
    worker.join();
  }
  serve();
}

/// Refused at a broken barrier: by who had the locks, or by another.
void aborted(bool by_another) {
  auto* const pair = new Pair;
  auto* const lap = new spool::Barrier{3, "lap"};
  apart(
      [=] {
        both(pair->a, pair->b);
        if (!by_another) lap->abort();
      },
      [=] {
        if (by_another) run("breaker", [=] { lap->abort(); });
        try {
          (void)lap->wait();
        } catch (const spool::BrokenBarrierError&) {
          both(pair->b, pair->a);
        }
      });
}

/// Who joins the Timer's thread goes on with its cancel.
void after_a_cancel() {
  auto* const pair = new Pair;
  auto* const alarm = new spool::Timer{1000s, [] {}};
  alarm->start();
  apart(
      [=] {
        both(pair->a, pair->b);
        (void)alarm->cancel();
      },
      [=] {
        alarm->join();
        both(pair->b, pair->a);
      });
}

/// What main holds around the life of a thread is around that of the thread's own.
void grandparents() {
  auto* const pair = new Pair;
  auto* const gate = new spool::Lock{"gate"};
  apart(
      [=] {
        const std::lock_guard guard{*gate};
        start("child", [=] { start("its child", [=] { both(pair->a, pair->b); }).join(); }).join();
      },
      [=] {
        const std::lock_guard guard{*gate};
        both(pair->b, pair->a);
      });
}

/// The cancel came too late for that.
void could_beside_cancel() {
  auto* const pair = new Pair;
  auto* const alarm = new spool::Timer{1ms, [] {}};
  alarm->start();
  alarm->join();
  apart(
      [=] {
        both(pair->a, pair->b);
        (void)alarm->cancel();
      },
      [=] { both(pair->b, pair->a); });
}

}  // namespace

Programs orders_kept() {
  return {
      {"after_a_shutdown", [] { shut_down(false); }},
      {"could_beside_shutdown", [] { shut_down(true); }},
      {"after_room_was_made", [] { room(false); }},
      {"could_with_room_left", [] { room(true); }},
      {"one_permit", [] { inside_with_permits(1); }},
      {"could_with_two_permits", [] { inside_with_permits(2); }},
      {"turn_by_turn", [] { turns(1); }},
      {"could_with_two_turns", [] { turns(2); }},
      {"gate_of_parents", [] { parents(false); }},
      {"could_gate_left_to_child", [] { parents(true); }},
      {"gate_of_grandparents", grandparents},
      {"done_before_join", [] { joined_under_lock(false); }},
      {"could_ask_before_join", [] { joined_under_lock(true); }},
      {"after_an_abort", [] { aborted(false); }},
      {"could_beside_abort", [] { aborted(true); }},
      {"after_a_cancel", after_a_cancel},
      {"could_beside_cancel", could_beside_cancel},
  };
}

}  // namespace corpus
