// SPDX-License-Identifier: MIT
//
// Each primitive beside what the standard library has for it: alone, and with 2 and 4 threads on it, in the modes off
// and all. Lock and Condition have rows of their own. abseil's Mutex stands beside Lock and SharedLock where it is
// installed.
#include <spool/sync/guards.hpp>
#include <spool/sync/rlock.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/thread/local.hpp>

#include "primitive_pairs.hpp"

#ifdef BENCH_HAS_ABSL
#include <absl/synchronization/mutex.h>
#endif

#include <mutex>
#include <semaphore>
#include <shared_mutex>

namespace bench {
namespace {

/// One permit, as a lock has.
struct StandardSemaphore : std::counting_semaphore<> {
  StandardSemaphore() : std::counting_semaphore<>{1} {}
};

/// One that begins with a value.
struct OurLocal : spool::Local<int> {
  OurLocal() : spool::Local<int>{0} {}
};

struct StandardLocal {
  int* get() {
    static thread_local int value = 0;
    return &value;
  }
};

#ifdef BENCH_HAS_ABSL
void add_absl_rows(std::vector<Benchmark>& rows) {
  const auto exclusive = [](absl::Mutex& mutex) {
    mutex.Lock();
    mutex.Unlock();
  };
  const auto shared = [](absl::Mutex& mutex) {
    mutex.ReaderLock();
    mutex.ReaderUnlock();
  };
  add_rows<spool::Lock, absl::Mutex>(rows, "lock pair beside abseil", "absl::Mutex", pair_of, exclusive);
  add_rows<spool::SharedLock, absl::Mutex>(rows, "shared pair beside abseil", "absl::Mutex", shared_pair_of, shared);
}
#endif

}  // namespace

std::vector<Benchmark> primitive_rows() {
  std::vector<Benchmark> rows;
  add_rows<spool::RLock, std::recursive_mutex>(rows, "rlock pair", "std::recursive_mutex", pair_of, pair_of);
  add_rows<spool::RLock, std::recursive_mutex>(rows, "rlock, taken twice", "std::recursive_mutex", nested_pair_of,
                                               nested_pair_of);
  add_rows<spool::SharedLock, std::shared_mutex>(rows, "shared lock, shared pair", "std::shared_mutex", shared_pair_of,
                                                 shared_pair_of);
  add_rows<spool::SharedLock, std::shared_mutex>(rows, "shared lock, exclusive pair", "std::shared_mutex", pair_of,
                                                 pair_of);
  add_rows<spool::Semaphore, StandardSemaphore>(rows, "semaphore pair", "std::counting_semaphore", permit_pair_of,
                                                permit_pair_of);
  add_rows<OurLocal, StandardLocal>(
      rows, "local", "thread_local", [](OurLocal& local) { keep(++*local); },
      [](StandardLocal& local) { keep(++*local.get()); });
#ifdef BENCH_HAS_ABSL
  add_absl_rows(rows);
#endif
  return rows;
}

}  // namespace bench
