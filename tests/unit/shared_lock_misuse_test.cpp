// SPDX-License-Identifier: MIT
//
// A SharedLock used against its contract: what is noticed, and in which words.
#include <spool/log/status.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/shared_lock.hpp>

#include "records/modes.hpp"
#include "support/death.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace spool;
using namespace spool::test;
using Catch::Matchers::Contains;

TEST_CASE("releases by who does not hold it name the lock, its holder and the thread, and change nothing") {
  for (const Mode mode : {Mode::off, Mode::all}) {
    tap();
    const ModeFor changed{mode};
    SharedLock lock{"cache"};
    CHECK_THROWS_WITH(lock.unlock(), Contains("release of a not owned shared_lock \"cache\"") &&
                                         Contains("shared_lock_misuse_test.cpp"));
    CHECK_THROWS_WITH(lock.unlock_shared(), Contains("shared release of an unshared shared_lock \"cache\""));
    lock.lock();
    CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
    run_in_thread("thief", [&] {
      CHECK_THROWS_WITH(lock.unlock(), Contains("held by thread MainThread (1)") && Contains("by thread thief ("));
    });
    CHECK(lock.is_owned());
    lock.unlock();
    lock.lock_shared();
    CHECK_THROWS_AS(lock.unlock(), MisuseError);
    lock.unlock_shared();
    CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
    CHECK(log::self().holds == 0);
    CHECK(lock.try_lock());
    lock.unlock();
  }
}

TEST_CASE("a shared release by no reader is told, where it can be known") {
  tap();
  for (const Mode mode : {Mode::off, Mode::contended, Mode::all}) {
    const ModeFor changed{mode};
    SharedLock lock{"cache"};
    SharedLock other{"other"};
    lock.lock_shared();
    run_in_thread("stranger", [&] {
      CHECK_THROWS_WITH(lock.unlock_shared(),
                        Contains("shared release, by no reader of it, of shared_lock \"cache\"") &&
                            Contains("by thread stranger (") && !Contains("held by"));
      other.lock_shared();
      // What it holds is something else, which only the log knows.
      if (mode == Mode::all) CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
      other.unlock_shared();
      CHECK_THROWS_AS(lock.unlock_shared(), MisuseError);
      CHECK(log::self().holds == 0);
    });
    CHECK(lock.readers() == 1);
    lock.unlock_shared();
    CHECK_FALSE(lock.locked());
  }
}

TEST_CASE("destroying a held shared lock is told and aborts, whoever holds it") {
  for (const bool exclusive : {false, true}) {
    auto lock = std::make_unique<SharedLock>(Name{"doomed"});
    if (exclusive) {
      lock->lock();
    } else {
      lock->lock_shared();
    }
    const Death death = death_by([&] { lock.reset(); });
    CHECK(death.signal == SIGABRT);
    CHECK_THAT(death.err, Contains("destruction of a held shared_lock \"doomed\"") &&
                              Contains(exclusive ? "held by thread MainThread (1)" : "by thread MainThread (1)"));
    if (exclusive) {
      lock->unlock();
    } else {
      lock->unlock_shared();
    }
  }
}
