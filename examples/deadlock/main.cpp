// SPDX-License-Identifier: MIT
//
// Money transfers that deadlock, for certain. A transfer locks the account it takes from, then the one it gives to, so
// two transfers in opposite directions may each hold what the other one wants. Here they always do: each waits until
// the other holds its first lock, too. Two more get stuck behind them, and main waits in join for all four.
//
//   $ SPOOL_DIR=/tmp/traces deadlock &
//   transfers begin in process 4711
//   $ kill -KILL 4711
//   $ unspool deadlocks /tmp/traces
//
// The remedy: std::scoped_lock both{from.lock, to.lock}, which takes several locks in any order without a deadlock.
#include <spool/spool.hpp>

#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

struct Account {
  /// In the log the lock has its owner's name, and the line where the account is made instead of this one.
  Account(const std::string& owner, long amount, spool::Site site = spool::Site::current())
      : lock{owner, site}, balance{amount} {}

  spool::Lock lock;
  long balance SPOOL_GUARDED_BY(lock);
};

/// Lets nobody on before everybody has come.
class Meeting {
 public:
  explicit Meeting(int participants) : missing_{participants} {}

  void arrive_and_wait() {
    const std::lock_guard guard{lock_};
    --missing_;
    all_here_.notify_all();
    while (missing_ > 0)
      all_here_.wait();
  }

 private:
  spool::Lock lock_{"meeting"};
  spool::Condition all_here_{lock_, "all here"};
  int missing_ SPOOL_GUARDED_BY(lock_);
};

void transfer(
    Account& from, Account& to, long amount, const std::function<void()>& between = [] {}) {
  const std::lock_guard first{from.lock};
  between();  // in a real program: a slow moment, one time in a million
  const std::lock_guard second{to.lock};
  from.balance -= amount;
  to.balance += amount;
}

}  // namespace

int main() {
  std::printf("transfers begin in process %d\n", static_cast<int>(getpid()));
  std::fflush(stdout);

  Account alice{"alice", 100};
  Account bob{"bob", 100};
  Account carol{"carol", 100};
  Account dave{"dave", 100};
  Meeting meeting{3};
  const auto meet = [&meeting] { meeting.arrive_and_wait(); };

  std::vector<spool::Thread> transfers;
  const auto start = [&transfers](const char* name, auto target) {
    transfers.emplace_back(spool::ThreadOptions{.name = name}, target).start();
  };
  start("alice-to-bob", [&] { transfer(alice, bob, 10, meet); });
  start("bob-to-alice", [&] { transfer(bob, alice, 20, meet); });
  meet();  // both hold their first lock now, and nothing can save them
  start("carol-to-alice", [&] { transfer(carol, alice, 5); });
  start("dave-to-bob", [&] { transfer(dave, bob, 5); });

  for (spool::Thread& each : transfers)
    each.join();
  std::puts("all transfers are done");  // never
}
