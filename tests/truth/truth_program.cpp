// SPDX-License-Identifier: MIT
//
// truth_program FILE: eight threads share twenty locks of three kinds for a while, and each writes down what it held, since
// when and from which line, by a clock that is not the library's. Writes all of it to FILE at the end.
#include <spool/spool.hpp>

#include "truth.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using truth::Call;

constexpr unsigned locks = 20;
constexpr unsigned threads = 8;
constexpr unsigned rounds = 900;

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

using AnyLock = std::variant<spool::Lock, spool::RLock, spool::SharedLock>;

struct Shared {
  std::unique_ptr<AnyLock> lock;
  std::unique_ptr<spool::Condition> changed;  ///< of every second one that a Condition can have
};

std::vector<Shared> make_locks() {
  std::vector<Shared> all(locks);
  for (unsigned i = 0; i < locks; ++i) {
    const std::string name = "lock-" + std::to_string(i);
    if (i % 4 == 3) {
      all[i].lock = std::make_unique<AnyLock>(std::in_place_type<spool::SharedLock>, name);
    } else if (i % 4 == 2) {
      auto& lock = all[i].lock = std::make_unique<AnyLock>(std::in_place_type<spool::RLock>, name);
      all[i].changed = std::make_unique<spool::Condition>(std::get<spool::RLock>(*lock));
    } else {
      auto& lock = all[i].lock = std::make_unique<AnyLock>(std::in_place_type<spool::Lock>, name);
      if (i % 4 == 0) all[i].changed = std::make_unique<spool::Condition>(std::get<spool::Lock>(*lock));
    }
  }
  return all;
}

/// One thread's work, and what it says of it.
class Worker {
 public:
  Worker(std::vector<Shared>& all, unsigned seed) : all_{all}, random_{seed} {}

  void run() {
    thread_ = spool::current_thread().ident();
    for (unsigned i = 0; i < rounds; ++i) {
      switch (number(10)) {
        case 0:
          hurry();
          break;
        case 1:
        case 2:
          nest();
          break;
        case 3:
          meet();
          break;
        case 4:
          again();
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
    const std::chrono::microseconds patience{20 + number(600)};
    const std::size_t call = try_for(hot(), patience);
    if (!calls_[call].got) return;
    work();
    give(call);
  }

  void meet() {
    const unsigned lock = 2 * number(locks / 4);
    if (all_[lock].changed == nullptr) return;
    const std::size_t first = take(lock);
    work();
    if (number(2) == 0) all_[lock].changed->notify_all();
    const std::size_t second = wait(first, std::chrono::microseconds{100 + number(2000)});
    work();
    give(second);
  }

  /// What an RLock's owner takes again is the same hold, from where it was taken first.
  void again() {
    const unsigned lock = 2 + 4 * number(locks / 4);
    const std::size_t call = take(lock);
    auto& rlock = std::get<spool::RLock>(*all_[lock].lock);
    rlock.lock();
    work();
    rlock.unlock();
    work();
    give(call);
  }

  std::size_t take(unsigned lock, const spool::Site& site = spool::Site::current()) {
    Call& call = begin(lock, site);
    call.asked = now();
    std::visit([&](auto& each) { each.lock(site); }, *all_[lock].lock);
    call.had = now();
    call.got = true;
    return calls_.size() - 1;
  }

  std::size_t try_for(unsigned lock, std::chrono::microseconds patience,
                      const spool::Site& site = spool::Site::current()) {
    Call& call = begin(lock, site);
    call.asked = now();
    call.got = std::visit([&](auto& each) { return each.try_lock_for(patience, site); }, *all_[lock].lock);
    call.had = now();
    return calls_.size() - 1;
  }

  void give(std::size_t call) {
    calls_[call].giving = now();
    std::visit([](auto& each) { each.unlock(); }, *all_[calls_[call].lock].lock);
    calls_[call].gave = now();
  }

  std::size_t wait(std::size_t held, std::chrono::microseconds patience,
                   const spool::Site& site = spool::Site::current()) {
    const unsigned lock = calls_[held].lock;
    const std::int64_t before = now();
    (void)all_[lock].changed->wait_for(patience, site);
    const std::int64_t after = now();
    calls_[held].giving = before;
    calls_[held].gave = after;
    Call& call = begin(lock, site);
    call.asked = before;
    call.had = after;
    call.got = true;
    return calls_.size() - 1;
  }

  Call& begin(unsigned lock, const spool::Site& site) {
    Call& call = calls_.emplace_back();
    call.lock = lock;
    call.thread = thread_;
    call.line = site.line;
    return call;
  }

  /// 20 us to 2 ms, short ones more often; every fourth one busy, the others asleep as in a system call.
  void work() {
    const double span = 20'000 * std::pow(100.0, std::uniform_real_distribution<double>{}(random_));
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

  std::vector<Shared>& all_;
  std::mt19937 random_;
  std::uint32_t thread_ = 0;
  std::vector<Call> calls_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<Shared> all = make_locks();
  std::vector<Worker> workers;
  for (unsigned i = 0; i < threads; ++i)
    workers.emplace_back(all, i + 1);
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
