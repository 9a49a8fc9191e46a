// SPDX-License-Identifier: MIT
//
// truth_program FILE: eight threads share twenty-four locks of four kinds for a while, and each writes down what it
// held, since when and from which line, by a clock that is not the library's, and whom it had it from. Writes all of it
// to FILE at the end.
#include <spool/spool.hpp>

#include "truth.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using truth::Call;

constexpr unsigned locks = 24;
constexpr unsigned threads = 8;
constexpr unsigned rounds = 500;

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

struct Notification {
  std::uint32_t thread = 0;
  std::uint32_t line = 0;
};

/// Lock, RLock, SharedLock, and a Semaphore of one permit take turns.
struct Shared {
  std::variant<std::monostate, spool::Lock, spool::RLock, spool::SharedLock, spool::Semaphore> lock;
  std::optional<spool::Condition> changed;
  // By whoever has it alone:
  std::uint64_t turns = 0;
  std::uint32_t giver = 0;
  std::vector<Notification> notifications;
};

std::vector<std::unique_ptr<Shared>> make_locks() {
  std::vector<std::unique_ptr<Shared>> all;
  for (unsigned i = 0; i < locks; ++i) {
    const std::string name = "lock-" + std::to_string(i);
    const std::string changed = "changed-" + std::to_string(i);
    Shared& made = *all.emplace_back(std::make_unique<Shared>());
    if (i % 4 == 0) made.changed.emplace(made.lock.emplace<spool::Lock>(name), changed);
    if (i % 4 == 1) made.changed.emplace(made.lock.emplace<spool::RLock>(name), changed);
    if (i % 4 == 2) made.lock.emplace<spool::SharedLock>(name);
    if (i % 4 == 3) made.lock.emplace<spool::Semaphore>(1U, name);
  }
  return all;
}

// What has no site of its own is never called.
void take_from(std::monostate, const spool::Site&) {}
void give_to(std::monostate) {}
bool try_from(std::monostate, std::chrono::microseconds, const spool::Site&) {
  return false;
}
void take_from(spool::Semaphore& permit, const spool::Site& site) {
  permit.acquire(site);
}
void give_to(spool::Semaphore& permit) {
  permit.release();
}
bool try_from(spool::Semaphore& permit, std::chrono::microseconds patience, const spool::Site& site) {
  return permit.try_acquire_for(patience, site);
}
template <class L>
void take_from(L& lock, const spool::Site& site) {
  lock.lock(site);
}
template <class L>
void give_to(L& lock) {
  lock.unlock();
}
template <class L>
bool try_from(L& lock, std::chrono::microseconds patience, const spool::Site& site) {
  return lock.try_lock_for(patience, site);
}

/// One thread's work, and what it says of it.
class Worker {
 public:
  Worker(std::vector<std::unique_ptr<Shared>>& all, unsigned seed, double longer)
      : all_{all}, random_{seed}, longer_{longer} {}

  void run() {
    thread_ = spool::current_thread().ident();
    for (unsigned i = 0; i < rounds; ++i) {
      switch (number(12)) {
        case 0:
          hurry();
          break;
        case 1:
        case 2:
          nest();
          break;
        case 3:
        case 4:
          meet();
          break;
        case 5:
          again();
          break;
        case 6:
        case 7:
          read();
          break;
        default:
          plain();
      }
    }
  }

  const std::vector<Call>& calls() const { return calls_; }

 private:
  void plain() {
    const unsigned lock = hot();
    const std::size_t call = take(lock);
    work();
    give(call);
  }

  /// Always in the order of their numbers: no deadlock.
  void nest() {
    const unsigned first = hot();
    const std::size_t outer = take(first);
    work();
    if (first + 1 < locks) {
      const std::size_t inner = take(first + 1 + number(locks - first - 1));
      work();
      give(inner);
    }
    give(outer);
  }

  void hurry() {
    const std::chrono::microseconds patience{100 + number(3000)};
    const std::size_t call = try_for(hot(), patience);
    if (!calls_[call].got) return;
    work();
    give(call);
  }

  void meet() {
    const unsigned lock = 4 * number(locks / 4) + number(2);
    const std::size_t first = take(lock);
    work();
    if (number(2) == 0) notify_all(lock);
    const std::size_t second = wait(first, std::chrono::microseconds{500 + number(20'000)});
    work();
    give(second);
  }

  /// What an RLock's owner takes again is the same hold, from where it was taken first.
  void again() {
    const unsigned lock = 1 + 4 * number(locks / 4);
    const std::size_t call = take(lock);
    auto& rlock = std::get<spool::RLock>(all_[lock]->lock);
    rlock.lock();
    work();
    rlock.unlock();
    work();
    give(call);
  }

  void read(const spool::Site& site = spool::Site::current()) {
    const unsigned lock = 2 + 4 * number(locks / 8);
    Call& call = begin(lock, site);
    auto& shared = std::get<spool::SharedLock>(all_[lock]->lock);
    call.shared = true;
    call.asked = now();
    shared.lock_shared(site);
    call.had = now();
    call.got = true;
    work();
    begin_slice();
    call.giving = now();
    shared.unlock_shared();
    call.gave = now();
  }

  std::size_t take(unsigned lock, const spool::Site& site = spool::Site::current()) {
    Call& call = begin(lock, site);
    call.asked = now();
    std::visit([&](auto& each) { take_from(each, site); }, all_[lock]->lock);
    call.had = now();
    call.got = true;
    took(call);
    return calls_.size() - 1;
  }

  std::size_t try_for(unsigned lock, std::chrono::microseconds patience,
                      const spool::Site& site = spool::Site::current()) {
    Call& call = begin(lock, site);
    call.asked = now();
    call.got = std::visit([&](auto& each) { return try_from(each, patience, site); }, all_[lock]->lock);
    call.had = now();
    if (call.got) took(call);
    return calls_.size() - 1;
  }

  void took(Call& call) {
    Shared& shared = *all_[call.lock];
    if (std::holds_alternative<spool::SharedLock>(shared.lock)) return;
    call.turn = ++shared.turns;
    call.giver = std::exchange(shared.giver, thread_);
  }

  void give(std::size_t call) {
    begin_slice();
    calls_[call].giving = now();
    std::visit([](auto& each) { give_to(each); }, all_[calls_[call].lock]->lock);
    calls_[call].gave = now();
  }

  void notify_all(unsigned lock, const spool::Site& site = spool::Site::current()) {
    all_[lock]->notifications.push_back({thread_, site.line});
    all_[lock]->changed->notify_all(site);
  }

  /// Who notifies first while it waits is who ends its wait: all are woken.
  std::size_t wait(std::size_t held, std::chrono::microseconds patience,
                   const spool::Site& site = spool::Site::current()) {
    const unsigned lock = calls_[held].lock;
    Shared& shared = *all_[lock];
    const std::size_t known = shared.notifications.size();
    begin_slice();
    const std::int64_t before = now();
    const bool notified = shared.changed->wait_for(patience, site);
    const std::int64_t after = now();
    calls_[held].giving = before;
    calls_[held].gave = after;
    Call& call = begin(lock, site);
    call.asked = before;
    call.had = after;
    call.got = true;
    took(call);
    if (notified) {
      call.notifier = shared.notifications.at(known).thread;
      call.notifier_line = shared.notifications.at(known).line;
    }
    return calls_.size() - 1;
  }

  Call& begin(unsigned lock, const spool::Site& site) {
    Call& call = calls_.emplace_back();
    call.lock = lock;
    call.thread = thread_;
    call.line = site.line;
    return call;
  }

  /// Whoever is put off the processor between its own look at the clock and the call's effect knows nothing of when
  /// that was. At the beginning of a slice of processor time that is unlikely.
  static void begin_slice() { std::this_thread::yield(); }

  /// 200 us to 20 ms, short ones more often; every fourth one busy, the others asleep as in a system call. Where the
  /// processors are wanted by others, what a thread writes down is some tens of microseconds from what it did: holds
  /// are long beside that.
  void work() {
    const double span = longer_ * 200'000 * std::pow(100.0, std::uniform_real_distribution<double>{}(random_));
    const std::int64_t until = now() + static_cast<std::int64_t>(span);
    if (number(4) != 0) {
      const timespec time{until / 1'000'000'000, until % 1'000'000'000};
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
    } else {
      while (now() < until) {}
    }
  }

  unsigned number(unsigned below) { return std::uniform_int_distribution<unsigned>{0, below - 1}(random_); }
  /// The low ones are wanted most.
  unsigned hot() { return std::min({number(locks), number(locks), number(locks)}); }

  std::vector<std::unique_ptr<Shared>>& all_;
  std::mt19937 random_;
  double longer_;  ///< than usual are all holds, so many times
  std::uint32_t thread_ = 0;
  std::vector<Call> calls_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) return 2;
  const double longer = argc == 3 ? std::atof(argv[2]) : 1;  // NOLINT(cert-err34-c): the test's own word
  std::vector<std::unique_ptr<Shared>> all = make_locks();
  std::vector<Worker> workers;
  for (unsigned i = 0; i < threads; ++i)
    workers.emplace_back(all, i + 1, longer);
  std::vector<spool::Thread> running;
  for (Worker& each : workers)
    running.emplace_back([&each] { each.run(); }).start();
  for (spool::Thread& each : running)
    each.join();
  std::ofstream out{argv[1]};
  for (const Worker& each : workers) {
    for (const Call& call : each.calls())
      out << call;
  }
  return out.flush() ? 0 : 1;
}
