// SPDX-License-Identifier: MIT
//
// Each primitive beside Boost's, where that is installed: Boost.Thread, and the semaphore of Boost.Interprocess.
#include "primitive_pairs.hpp"

#ifdef BENCH_HAS_BOOST
#include <spool/sync/barrier.hpp>
#include <spool/sync/condition.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/queue.hpp>
#include <spool/sync/rlock.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/thread/local.hpp>

#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <boost/thread/barrier.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>
#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#include <boost/thread/recursive_mutex.hpp>
#include <boost/thread/shared_mutex.hpp>
#include <boost/thread/tss.hpp>
#endif

namespace bench {

#ifdef BENCH_HAS_BOOST
namespace {

/// One permit, as a lock has.
struct BoostSemaphore : boost::interprocess::interprocess_semaphore {
  BoostSemaphore() : boost::interprocess::interprocess_semaphore{1} {}
};

struct OurLocal : spool::Local<int> {
  OurLocal() : spool::Local<int>{0} {}
};

struct BoostLocal {
  int& value() {
    if (pointer.get() == nullptr) pointer.reset(new int{0});
    return *pointer;
  }
  boost::thread_specific_ptr<int> pointer;
};

/// Nobody waits: what a notify costs then.
struct OurCondition {
  spool::Lock lock;
  spool::Condition condition{lock};
};

struct BoostCondition {
  boost::mutex lock;
  boost::condition_variable condition;
};

constexpr int barrier_turns = 100;

template <class Barrier>
Timed turns_at(Team& team, Barrier& barrier) {
  Timed timed = team.run([&](int) {
    for (int i = 0; i < barrier_turns; ++i)
      (void)barrier.wait();
  });
  timed.ns /= barrier_turns;
  return timed;
}

void add_barrier_rows(std::vector<Benchmark>& rows) {
  for (const int threads : {2, 4}) {
    for (const spool::Mode mode : {spool::Mode::off, spool::Mode::all}) {
      rows.push_back({.name = fmt::format("barrier beside Boost, {} threads, {}", threads, spool::trace::name_of(mode)),
                      .peer = "boost::barrier",
                      .rounds = 21,
                      .prepare = [=]() -> Rounds {
                        auto team = std::make_shared<Team>(threads);
                        auto ours = std::make_shared<spool::Barrier>(threads);
                        auto theirs = std::make_shared<boost::barrier>(static_cast<unsigned>(threads));
                        return {.ours =
                                    [=] {
                                      spool::set_transitions(mode);
                                      return turns_at(*team, *ours);
                                    },
                                .theirs = [=] { return turns_at(*team, *theirs); }};
                      }});
    }
  }
}

}  // namespace

std::vector<Benchmark> boost_rows() {
  std::vector<Benchmark> rows;
  add_rows<spool::Lock, boost::mutex>(rows, "lock pair beside Boost", "boost::mutex", pair_of, pair_of);
  add_rows<spool::RLock, boost::recursive_mutex>(rows, "rlock pair beside Boost", "boost::recursive_mutex", pair_of,
                                                 pair_of);
  add_rows<spool::SharedLock, boost::shared_mutex>(rows, "shared pair beside Boost", "boost::shared_mutex",
                                                   shared_pair_of, shared_pair_of);
  add_rows<spool::SharedLock, boost::shared_mutex>(rows, "exclusive pair beside Boost", "boost::shared_mutex", pair_of,
                                                   pair_of);
  add_rows<spool::Semaphore, BoostSemaphore>(rows, "semaphore pair beside Boost", "interprocess_semaphore",
                                             permit_pair_of, [](BoostSemaphore& semaphore) {
                                               semaphore.wait();
                                               semaphore.post();
                                             });
  add_rows<OurCondition, BoostCondition>(
      rows, "notify beside Boost", "boost::condition_var.",
      [](OurCondition& each) {
        each.lock.lock();
        each.condition.notify();
        each.lock.unlock();
      },
      [](BoostCondition& each) {
        each.lock.lock();
        each.condition.notify_one();
        each.lock.unlock();
      });
  add_rows<spool::Queue<int>, boost::sync_queue<int>>(
      rows, "queue, put and get, beside Boost", "boost::sync_queue",
      [](spool::Queue<int>& queue) {
        queue.put(1);
        keep(queue.get());
      },
      [](boost::sync_queue<int>& queue) {
        queue.push(1);
        keep(queue.pull());
      });
  add_rows<OurLocal, BoostLocal>(
      rows, "local beside Boost", "thread_specific_ptr", [](OurLocal& local) { keep(++*local); },
      [](BoostLocal& local) { keep(++local.value()); });
  add_barrier_rows(rows);
  return rows;
}
#else
std::vector<Benchmark> boost_rows() {
  return {};
}
#endif

}  // namespace bench
