// SPDX-License-Identifier: MIT
//
// Healthy: whoever ended such waits before has ended or waits itself, and the next one is at work.
#include "corpus.hpp"

#include <memory>
#include <stdexcept>
#include <vector>

namespace corpus {
namespace {

constexpr int rounds = 4;

/// The last round's work takes an hour. What waits for the clock is seen to have come so far.
void work_on(int round) {
  if (round < rounds - 1) return;
  spool::Event never{"an hour"};
  (void)never.wait_for(1h);
}

/// Main starts the tasks of a round, and waits for all of them.
void tasks_of_rounds() {
  spool::Semaphore done{0, "done"};
  for (int round = 0;; ++round) {
    for (int i = 0; i < 3; ++i) {
      start("task", [&done, round, i] {
        if (i == 2) work_on(round);
        done.release();
      });
    }
    for (int i = 0; i < 3; ++i)
      done.acquire();
  }
}

void thread_for_each_request() {
  spool::Queue<int> results{0, "results"};
  for (int round = 0;; ++round) {
    start("fetch", [&results, round] {
      work_on(round);
      results.put(round);
    });
    (void)results.get();
  }
}

void fresh_party_each_round() {
  spool::Barrier barrier{2, "round"};
  for (int round = 0;; ++round) {
    start("helper", [&barrier, round] {
      work_on(round);
      barrier.wait();
    });
    barrier.wait();
  }
}

/// Each timer arms the next one.
void timer_arms_the_next() {
  static spool::Event tick{"tick"};
  static std::vector<std::unique_ptr<spool::Timer>> timers;
  struct Arm {
    static void next() {
      const auto delay = timers.size() < rounds ? std::chrono::milliseconds{10} : 1h;
      timers.push_back(std::make_unique<spool::Timer>(spool::ThreadOptions{.name = "alarm"}, delay, [] {
        tick.set();
        next();
      }));
      timers.back()->start();
    }
  };
  timers.reserve(rounds + 1);
  Arm::next();
  start("worker", [] {
    for (;;) {
      tick.wait();
      tick.clear();
    }
  }).join();
}

/// Each thread makes its successor and ends.
void chain_of_successors() {
  static spool::Queue<int> jobs{0, "jobs"};
  struct Generation {
    static void make(int round) {
      start("generation", [round] {
        work_on(round);
        jobs.put(round);
        make(round + 1);
      });
    }
  };
  Generation::make(0);
  start("consumer", [] {
    for (;;)
      (void)jobs.get();
  }).join();
}

/// Workers that end by an exception are replaced.
void let_it_crash() {
  spool::Queue<int> results{0, "results"};
  auto consumer = start("consumer", [&] {
    for (;;)
      (void)results.get();
  });
  auto supervisor = start("supervisor", [&] {
    for (int round = 0;; ++round) {
      run("worker", [&results, round] {
        work_on(round);
        results.put(round);
        throw std::runtime_error{"crashed"};
      });
    }
  });
  consumer.join();
}

/// Of three workers two have replied before, and wait for more. The third one has the request now.
void third_worker_has_it() {
  spool::Queue<int> requests{0, "requests"};
  spool::Queue<int> replies{0, "replies"};
  spool::Queue<int> more{0, "more"};
  std::vector<spool::Thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(start("worker", [&, i] {
      const int request = requests.get();
      work_on(i + 1);
      replies.put(request);
      (void)more.get();
    }));
    requests.put(i);
    (void)replies.get();
  }
}

/// Main opened a semaphore that others hold the permits of, and joins one who waits for it.
void opened_by_main() {
  spool::Semaphore slots{0, "slots"};
  const auto user = [&slots](const char* name, std::latch& has_it) {
    return start(name, [&slots, &has_it] {
      const spool::Permit permit{slots};
      has_it.count_down();
      serve();
    });
  };
  slots.release(2);
  std::latch both{2};
  std::latch never{1};
  auto first = user("first", both);
  auto second = user("second", both);
  both.wait();
  user("late", never).join();
}

/// The first jobs came from a thread that has ended; the next one will come from the network.
void accept_has_put_nothing() {
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  const auto worker = [=] {
    for (;;)
      (void)jobs->get();
  };
  spool::Thread first = start("worker", worker);
  start("worker", worker);
  start("net", serve);
  run("loader", [=] { jobs->put(1); });
  first.join();
}

/// Two that have told each other something wait for what the network tells them.
void actors_at_rest() {
  auto* const ping = new spool::Queue<int>{0, "ping"};
  auto* const pong = new spool::Queue<int>{0, "pong"};
  start("one", [=] {
    pong->put(1);
    for (;;)
      (void)ping->get();
  });
  start("other", [=] {
    ping->put(1);
    for (;;)
      (void)pong->get();
  });
  start("net", serve).join();
}

/// Whoever will set it is no thread of spool's, and has not called it yet.
void unknown_thread_will_set() {
  auto* const ready = new spool::Event{"ready"};
  std::thread{[=] {
    serve();
    ready->set();
  }}.detach();
  spool::Event counted{"the recorder counts threads twice a second"};
  (void)counted.wait_for(1s);
  start("waiter", [=] { ready->wait(); }).join();
}

/// For longer than the others have been at work.
void be_quiet() {
  spool::Event never{"a while"};
  (void)never.wait_for(500ms);
}

/// It has read its configuration under a lock, and waits for the network since.
void acceptor_with_configuration() {
  auto* const jobs = new spool::Queue<int>{0, "jobs"};
  auto* const configuration = new spool::Lock{"configuration"};
  spool::Thread worker = start("worker", [=] {
    for (;;)
      (void)jobs->get();
  });
  jobs->put(0);
  start("acceptor", [=] {
    { const Guard guard{*configuration}; }
    serve();
    jobs->put(1);
  });
  be_quiet();
  worker.join();
}

/// The loader has waited for the first stage, and reads for an hour before it tells of the second.
void stage_after_stage() {
  struct Stage {
    spool::Event event{"stage"};
  };
  auto* const stages = new Stage[2];
  auto* const files = new spool::Lock{"files"};
  start("loader", [=] {
    stages[0].event.wait();
    { const Guard guard{*files}; }
    serve();
    stages[1].event.set();
  });
  spool::Thread waiter = start("waiter", [=] {
    stages[0].event.wait();
    stages[1].event.wait();
  });
  stages[0].event.set();
  be_quiet();
  waiter.join();
}

/// One connection at a time: the worker that has it gives the permit back.
void permit_goes_along() {
  auto* const connections = new spool::Semaphore{1, "connections"};
  auto* const accepted = new spool::Queue<int>{0, "accepted"};
  start("worker", [=] {
    for (;;) {
      (void)accepted->get();
      serve();
      connections->release();
    }
  });
  start("acceptor", [=] {
    for (int i = 0;; ++i) {
      connections->acquire();
      accepted->put(i);
    }
  }).join();
}

void permit_in_a_task() {
  auto* const connections = new spool::Semaphore{1, "connections"};
  auto* const pool = new spool::ThreadPool{1, {.name = "serve"}};
  start("acceptor", [=] {
    for (;;) {
      spool::Permit permit{*connections};
      (void)pool->submit([permit = std::move(permit)]() mutable {
        serve();
        permit.release();
      });
    }
  }).join();
}

}  // namespace

Programs healthy_successors() {
  return {
      {"tasks_of_rounds", tasks_of_rounds},
      {"thread_for_each_request", thread_for_each_request},
      {"fresh_party_each_round", fresh_party_each_round},
      {"timer_arms_the_next", timer_arms_the_next},
      {"chain_of_successors", chain_of_successors},
      {"let_it_crash", let_it_crash},
      {"third_worker_has_it", third_worker_has_it},
      {"opened_by_main", opened_by_main},
      {"accept_has_put_nothing", accept_has_put_nothing},
      {"actors_at_rest", actors_at_rest},
      {"unknown_thread_will_set", unknown_thread_will_set},
      {"acceptor_with_configuration", acceptor_with_configuration},
      {"stage_after_stage", stage_after_stage},
      {"permit_goes_along", permit_goes_along},
      {"permit_in_a_task", permit_in_a_task},
  };
}

}  // namespace corpus
