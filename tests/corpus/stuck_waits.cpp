// SPDX-License-Identifier: MIT
//
// Stuck at conditions, events, semaphores and barriers.
#include "corpus.hpp"

namespace corpus {
namespace {

void lost_wake_up() {
  spool::Condition ready{"ready"};
  run("notifier", [&] {
    const std::lock_guard guard{ready};
    ready.notify_one();
  });
  run("waiter", [&] {
    const std::lock_guard guard{ready};
    ready.wait();
  });
}

void never_notified() {
  spool::Condition ready{"ready"};
  run("waiter", [&] {
    const std::lock_guard guard{ready};
    ready.wait();
  });
}

/// One notify for two that wait.
void one_notify_for_two() {
  spool::Condition ready{"ready"};
  const auto start_waiter = [&](const char* name) {
    auto* const waits = new std::latch{1};
    auto thread = start(name, [&ready, waits] {
      const std::lock_guard guard{ready};
      waits->count_down();
      ready.wait();
    });
    waits->wait();
    const std::lock_guard guard{ready};  // free only when the wait has begun
    return thread;
  };
  auto first = start_waiter("first");
  auto second = start_waiter("second");
  run("notifier", [&] {
    const std::lock_guard guard{ready};
    ready.notify_one();
  });
  first.join();
  second.join();
}

void wait_for_event(spool::Event& event) {
  event.wait();
}

void event_never_set() {
  spool::Event done{"done"};
  run("worker", [] {});
  wait_for_event(done);
}

void setter_threw() {
  spool::Event done{"done"};
  auto worker = start("worker", [&] {
    done.set();
    throw std::runtime_error{"before the second"};
  });
  done.wait();
  worker.join();
  done.clear();
  start("waiter", [&] { done.wait(); });
  serve();
}

/// Each sets what the other waits for after its own wait.
void events_of_each_other() {
  spool::Event ping{"ping"};
  spool::Event pong{"pong"};
  auto left = start("left", [&] {
    ping.wait();
    pong.set();
  });
  auto right = start("right", [&] {
    pong.wait();
    ping.set();
  });
  left.join();
  right.join();
}

/// The same after a round that went well; main has other things to do.
void events_in_second_round() {
  auto* const ping = new spool::Event{"ping"};
  auto* const pong = new spool::Event{"pong"};
  start("left", [=] {
    ping->set();
    pong->wait();
    pong->clear();
    pong->wait();
    ping->set();
  });
  start("right", [=] {
    ping->wait();
    ping->clear();
    pong->set();
    ping->wait();
    pong->set();
  });
  serve();
}

void permits_crosswise() {
  spool::Semaphore a{1, "a"};
  spool::Semaphore b{1, "b"};
  std::latch both{2};
  auto left = start("left", [&] {
    a.acquire();
    both.arrive_and_wait();
    b.acquire();
  });
  auto right = start("right", [&] {
    b.acquire();
    both.arrive_and_wait();
    a.acquire();
  });
  left.join();
  right.join();
}

/// Each has one of the two permits, and wants both.
void permits_one_each() {
  spool::BoundedSemaphore permits{2, "permits"};
  std::latch both{2};
  const auto work = [&] {
    permits.acquire();
    both.arrive_and_wait();
    permits.acquire();
  };
  auto left = start("left", work);
  auto right = start("right", work);
  left.join();
  right.join();
}

void permit_leaked() {
  spool::Semaphore permits{1, "permits"};
  run("leaker", [&] { permits.acquire(); });
  start("waiter", [&] { permits.acquire(); });
  serve();
}

void permit_twice() {
  spool::Semaphore permits{1, "permits"};
  run("again", [&] {
    permits.acquire();
    permits.acquire();
  });
}

void semaphore_never_released() {
  spool::Semaphore ready{0, "ready"};
  run("waiter", [&] { ready.acquire(); });
}

/// All come once; then one has had enough.
void party_gone() {
  spool::Barrier lap{3, "lap"};
  auto quitter = start("quitter", [&] { lap.wait(); });
  const auto work = [&] {
    lap.wait();
    lap.wait();
  };
  auto left = start("left", work);
  auto right = start("right", work);
  quitter.join();
  left.join();
  right.join();
}

void party_never_came() {
  spool::Barrier lap{3, "lap"};
  const auto work = [&] { lap.wait(); };
  auto left = start("left", work);
  auto right = start("right", work);
  left.join();
  right.join();
}

/// One party holds the lock that the other needs to get there.
void party_stuck() {
  spool::Barrier lap{2, "lap"};
  spool::Lock lock{"lock"};
  std::latch locked{1};
  auto left = start("left", [&] {
    lap.wait();
    lock.lock();
    locked.count_down();
    lap.wait();
  });
  auto right = start("right", [&] {
    lap.wait();
    locked.wait();
    lock.lock();
    lap.wait();
  });
  left.join();
  right.join();
}

}  // namespace

Programs stuck_waits() {
  return {
      {"lost_wake_up", lost_wake_up},
      {"never_notified", never_notified},
      {"one_notify_for_two", one_notify_for_two},
      {"event_never_set", event_never_set},
      {"setter_threw", setter_threw},
      {"events_of_each_other", events_of_each_other},
      {"events_in_second_round", events_in_second_round},
      {"permits_crosswise", permits_crosswise},
      {"permits_one_each", permits_one_each},
      {"permit_leaked", permit_leaked},
      {"permit_twice", permit_twice},
      {"semaphore_never_released", semaphore_never_released},
      {"party_gone", party_gone},
      {"party_never_came", party_never_came},
      {"party_stuck", party_stuck},
  };
}

}  // namespace corpus
