// SPDX-License-Identifier: MIT
//
// Stuck in ways that look like something else: behind rounds that went well, behind threads that have ended, over many
// kinds.
#include "corpus.hpp"

#include <stdexcept>

namespace corpus {
namespace {

/// A task waits for an item that only a task behind it would put. Nobody has put one before.
void own_pool_through_queue() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  auto* const items = new spool::Queue<int>{0, "items"};
  auto outer = pool->submit([=] {
    (void)pool->submit([=] { items->put(1); });
    return items->get();
  });
  (void)outer.get();
}

/// The same, where it went well once: the worker put the item before it was asked for. Main goes on.
void own_pool_second_round() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  auto* const items = new spool::Queue<int>{0, "items"};
  pool->submit([=] { items->put(1); }).get();
  (void)items->get();
  (void)pool->submit([=] {
    (void)pool->submit([=] { items->put(1); });
    return items->get();
  });
  serve();
}

/// Waits for an Event with the condition's lock held, which whoever sets it takes first. One round went well.
void event_under_condition() {
  auto* const changed = new spool::Condition{"changed"};
  auto* const done = new spool::Event{"done"};
  auto* const locked = new std::latch{1};
  start("waiter", [=] {
    done->wait();
    done->clear();
    const std::lock_guard guard{*changed};
    locked->count_down();
    done->wait();
  });
  start("setter", [=] {
    done->set();
    locked->wait();
    const std::lock_guard guard{*changed};
    changed->notify_all();
    done->set();
  });
  serve();
}

/// The third party threw between two rounds.
void party_threw() {
  auto* const lap = new spool::Barrier{3, "lap"};
  for (const char* name : {"left", "right"}) {
    start(name, [=] {
      lap->wait();
      lap->wait();
    });
  }
  start("third", [=] {
    lap->wait();
    throw std::runtime_error{"no more"};
  });
  serve();
}

/// Two threads ended with a permit each; both were made by one that has ended, too.
void permits_of_the_ended() {
  auto* const permits = new spool::BoundedSemaphore{2, "permits"};
  run("boss", [=] {
    run("one", [=] { permits->acquire(); });
    run("two", [=] { permits->acquire(); });
  });
  start("waiter", [=] { permits->acquire(); });
  serve();
}

/// Beside a thread that waits again and again for a while. Whoever notified both has thrown.
void beside_limited_waits() {
  auto* const ready = new spool::Condition{"ready"};
  auto* const waits = new std::latch{1};
  start("patient", [=] {
    const std::lock_guard guard{*ready};
    for (;;)
      (void)ready->wait_for(1ms);
  });
  start("waiter", [=] {
    const std::lock_guard guard{*ready};
    waits->count_down();
    ready->wait();
    ready->wait();
  });
  start("notifier", [=] {
    waits->wait();
    const std::lock_guard guard{*ready};
    ready->notify_all();
    throw std::runtime_error{"no more"};
  });
  serve();
}

/// Two of three readers want to write, and each keeps the other out; the third reads on.
void upgrade_beside_reader() {
  auto* const data = new spool::SharedLock{"data"};
  auto* const all = new std::latch{3};
  for (const char* name : {"left", "right"}) {
    start(name, [=] {
      data->lock_shared();
      all->arrive_and_wait();
      data->lock();
    });
  }
  start("reader", [=] {
    data->lock_shared();
    all->arrive_and_wait();
    serve();
  });
  serve();
}

/// The function of a Timer closes the ring.
void join_ring_with_timer() {
  auto* const threads = new std::optional<spool::Thread>[2];
  auto* const started = new std::latch{1};
  spool::Timer alarm{spool::ThreadOptions{.name = "alarm"}, 1ms, [=] {
                       started->wait();
                       threads[0]->join();
                     }};
  threads[0].emplace(spool::ThreadOptions{.name = "first"}, [=] {
    started->wait();
    threads[1]->join();
  });
  threads[1].emplace(spool::ThreadOptions{.name = "second"}, [=]() mutable {
    started->wait();
    alarm.join();
  });
  threads[0]->start();
  threads[1]->start();
  alarm.start();
  started->count_down();
  serve();
}

/// Waits for an item with the lock held that whoever puts one takes first.
void empty_queue_under_lock() {
  auto* const lock = new spool::Lock{"lock"};
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  auto* const locked = new std::latch{1};
  start("consumer", [=] {
    (void)jobs->get();
    const std::lock_guard guard{*lock};
    locked->count_down();
    (void)jobs->get();
  });
  start("producer", [=] {
    jobs->put(1);
    locked->wait();
    const std::lock_guard guard{*lock};
    jobs->put(2);
  });
  serve();
}

/// Main waits for a result, the task for a lock, its holder for main at a barrier.
void result_lock_barrier() {
  auto* const pool = new spool::ThreadPool{1, {.name = "worker"}};
  auto* const lap = new spool::Barrier{2, "lap"};
  auto* const lock = new spool::Lock{"lock"};
  auto* const locked = new std::latch{1};
  start("holder", [=] {
    lap->wait();
    const std::lock_guard guard{*lock};
    locked->count_down();
    lap->wait();
  });
  lap->wait();
  locked->wait();
  pool->submit([=] { const std::lock_guard guard{*lock}; }).get();
  lap->wait();
}

/// Who hands the ball back has thrown.
void ball_lost() {
  auto* const ping = new spool::Semaphore{0, "ping"};
  auto* const pong = new spool::Semaphore{0, "pong"};
  start("left", [=] {
    for (;;) {
      ping->release();
      pong->acquire();
    }
  });
  start("right", [=] {
    for (int i = 0; i < 3; ++i) {
      ping->acquire();
      pong->release();
    }
    ping->acquire();
    throw std::runtime_error{"dropped"};
  });
  serve();
}

/// A lock as a signal; who gives it has thrown.
void signaller_threw() {
  auto* const go = new spool::Lock{"go"};
  auto* const taken = new std::latch{1};
  start("waiter", [=] {
    go->lock();
    taken->count_down();
    go->lock();
    go->lock();
  });
  start("signaller", [=] {
    taken->wait();
    go->unlock();
    throw std::runtime_error{"no more"};
  });
  serve();
}

/// The lock is held by a thread that waits for a thread that waits for the lock's first waiter.
void join_of_the_second_in_line() {
  auto* const lock = new spool::RLock{"lock"};
  auto* const go = new spool::Event{"go"};
  auto* const cleared = new std::latch{1};
  auto* const locked = new std::latch{1};
  start("first", [=] {
    go->set();
    go->clear();
    cleared->count_down();
    locked->wait();
    lock->lock();
    go->set();
  });
  auto second = start("second", [=] {
    locked->wait();
    go->wait();
  });
  start("holder", [=]() mutable {
    cleared->wait();
    lock->lock();
    locked->count_down();
    second.join();
  });
  serve();
}

/// The last party runs the action, which asks for what another party holds while it waits.
void action_wants_lock() {
  auto* const state = new spool::Lock{"state"};
  auto* const barrier = new spool::Barrier{2, [state] { const Guard guard{*state}; }, "round"};
  auto* const held = new std::latch{1};
  start("holder", [=] {
    const Guard guard{*state};
    held->count_down();
    barrier->wait();
  });
  start("last", [=] {
    held->wait();
    barrier->wait();
  });
  serve();
}

/// All locks are made at one line, and one of them was used as a signal long ago.
void signal_by_such_a_lock() {
  const auto make = [](spool::Name name) { return new spool::Lock{name}; };
  auto* const signal = make("signal");
  auto* const left = make("left");
  auto* const right = make("right");
  signal->lock();
  run("other", [=] { signal->unlock(); });
  auto* const both_hold = new std::latch{2};
  const auto cross = [=](spool::Lock* first, spool::Lock* second) {
    first->lock();
    both_hold->arrive_and_wait();
    second->lock();
  };
  start("left", [=] { cross(left, right); });
  start("right", [=] { cross(right, left); });
  serve();
}

/// A third one came to two rounds and ended; somebody else goes on, who has nothing to do with it.
void party_left_the_team() {
  auto* const barrier = new spool::Barrier{3, "round"};
  for (const char* const name : {"first", "second"}) {
    start(name, [=] {
      for (;;)
        barrier->wait();
    });
  }
  start("bystander", serve);
  run("gone", [=] {
    barrier->wait();
    barrier->wait();
  });
  serve();
}

}  // namespace

Programs stuck_nasty() {
  return {
      {"own_pool_through_queue", own_pool_through_queue},
      {"own_pool_second_round", own_pool_second_round},
      {"event_under_condition", event_under_condition},
      {"party_threw", party_threw},
      {"permits_of_the_ended", permits_of_the_ended},
      {"beside_limited_waits", beside_limited_waits},
      {"upgrade_beside_reader", upgrade_beside_reader},
      {"join_ring_with_timer", join_ring_with_timer},
      {"empty_queue_under_lock", empty_queue_under_lock},
      {"result_lock_barrier", result_lock_barrier},
      {"ball_lost", ball_lost},
      {"action_wants_lock", action_wants_lock},
      {"signal_by_such_a_lock", signal_by_such_a_lock},
      {"party_left_the_team", party_left_the_team},
      {"signaller_threw", signaller_threw},
      {"join_of_the_second_in_line", join_of_the_second_in_line},
  };
}

}  // namespace corpus
