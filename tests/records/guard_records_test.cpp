// SPDX-License-Identifier: MIT
//
// The standard's guards, functions and condition variable record the line of the user, not one of <mutex>. Built at -O0
// and at -O2: there the compiler knows where a call stands, here the program has to look.
#include <spool/sync/condition.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/shared_guard.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <mutex>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using trace::Kind;
using trace::Verb;

namespace {

Story pair_at(const std::string& label, const std::string& kind = "lock", const std::string& by = "") {
  return {"MainThread " + kind + ".acquire " + label + " seq=1" + by,
          "MainThread " + kind + ".release " + label + " seq=2 owner=MainThread"};
}

/// Of an acquire that could not have got stuck.
constexpr const char* tried = " waker=MainThread";

/// The verbs and places of a story: "acquire @here".
Story places(trace::ObjectNumber number) {
  Story found;
  for (const TappedRecord& each : tap().records_of(number)) {
    const std::string_view name = each.row->name;
    found.push_back(std::string{name.substr(name.find('.') + 1)} + ' ' + tap().site(each.site).label);
  }
  return found;
}

constexpr Site user_line = Site::current();
static_assert(!user_line.is_of_standard_library() && !Site{}.is_of_standard_library());
static_assert(Site::current("/usr/include/c++/12/mutex", "lock", 1).is_of_standard_library());
static_assert(Site::current("/usr/lib/llvm-14/bin/../include/c++/v1/mutex", "lock", 1).is_of_standard_library());
static_assert(!Site::current("/home/me/c++/proxy/mutex", "lock", 1).is_of_standard_library());

}  // namespace

TEST_CASE("std::lock_guard records its own line, twice") {
  tap();
  Lock lock;
  { const std::lock_guard guard{lock}; }  // @lock_guard
  CHECK(tap().story(number_of(lock)) == pair_at("@lock_guard"));
  Lock adopted;
  adopted.lock();                                             // @before
  { const std::lock_guard guard{adopted, std::adopt_lock}; }  // @adopts
  CHECK(tap().story(number_of(adopted)) ==
        Story{"MainThread lock.acquire @before seq=1", "MainThread lock.release @adopts seq=2 owner=MainThread"});
}

TEST_CASE("std::scoped_lock over one lock records its own line") {
  tap();
  Lock lock;
  { const std::scoped_lock guard{lock}; }  // @scoped_lock
  CHECK(tap().story(number_of(lock)) == pair_at("@scoped_lock"));
}

TEST_CASE("std::unique_lock records the line of each call") {
  tap();
  Lock lock;
  { const std::unique_lock guard{lock}; }  // @unique_lock
  CHECK(tap().story(number_of(lock)) == pair_at("@unique_lock"));

  Lock later;
  {
    std::unique_lock guard{later, std::defer_lock};
    guard.lock();                   // @deferred
    guard.unlock();                 // @early
    CHECK(guard.try_lock_for(1h));  // @again
    std::unique_lock moved{std::move(guard)};
  }
  CHECK(tap().story(number_of(later)) == Story{"MainThread lock.acquire @deferred seq=1",
                                               "MainThread lock.release @early seq=2 owner=MainThread",
                                               "MainThread lock.acquire @again seq=3 waker=MainThread",
                                               "MainThread lock.release @again seq=4 owner=MainThread"});
}

TEST_CASE("std::unique_lock tries with the caller's line, and records busy where it fails") {
  tap();
  Lock lock;
  lock.lock();  // @outer
  run_in_thread("trier", [&] {
    const std::unique_lock guard{lock, std::try_to_lock};  // @try_to_lock
    CHECK_FALSE(guard.owns_lock());
    const std::unique_lock timed{lock, 1ms};  // @timed
    CHECK_FALSE(timed.owns_lock());
  });
  lock.unlock();
  const Story story = tap().story(number_of(lock));
  REQUIRE(story.size() == 5);
  CHECK(story[1] == "trier lock.busy @try_to_lock seq=1 owner=MainThread owner_site=@outer");
  CHECK(story[2] == "trier lock.block_timed @timed seq=1 owner=MainThread owner_site=@outer");
  CHECK(story[3] == "trier lock.timeout @timed seq=1 owner=MainThread owner_site=@outer");
}

TEST_CASE("std::scoped_lock over two locks records its own line for both") {
  tap();
  Lock first;
  Lock second;
  { const std::scoped_lock guard{first, second}; }  // @both
  CHECK(tap().story(number_of(first)) == pair_at("@both"));
  CHECK(tap().story(number_of(second)) == pair_at("@both", "lock", tried));
}

TEST_CASE("std::scoped_lock lets the first go while it waits for the second") {
  tap();
  Lock first;
  Lock second;
  second.lock();  // @taken
  Thread pair = start_thread("pair", [&] {
    const std::scoped_lock guard{first, second};  // @pair
  });
  tap().await(Kind::lock, Verb::block, number_of(second));
  CHECK_FALSE(first.locked());
  second.unlock();  // @given
  pair.join();
  CHECK(tap().story(number_of(second)) ==
        Story{"MainThread lock.acquire @taken seq=1", "pair lock.busy @pair seq=1 owner=MainThread owner_site=@taken",
              "pair lock.block @pair seq=1 owner=MainThread owner_site=@taken",
              "MainThread lock.release @given seq=2 waiters=1 owner=MainThread",
              "pair lock.acquire @pair seq=3 waker=MainThread", "pair lock.release @pair seq=4 waiters=1 owner=pair"});
  CHECK(tap().story(number_of(first)) ==
        Story{"pair lock.acquire @pair seq=1", "pair lock.release @pair seq=2 owner=pair",
              "pair lock.acquire @pair seq=3 waker=pair", "pair lock.release @pair seq=4 owner=pair"});
}

TEST_CASE("a guard over a Condition records its own line for the condition's lock") {
  tap();
  Lock lock;
  Condition condition{lock};
  { const std::lock_guard guard{condition}; }  // @condition_guard
  CHECK(tap().story(number_of(lock)) == pair_at("@condition_guard"));
}

TEST_CASE("each guard over an RLock records its own line") {
  tap();
  RLock lock;
  { const std::lock_guard guard{lock}; }  // @r_guard
  CHECK(tap().story(number_of(lock)) == pair_at("@r_guard", "rlock"));
  RLock second;
  { const std::scoped_lock guard{second}; }  // @r_scoped
  CHECK(tap().story(number_of(second)) == pair_at("@r_scoped", "rlock"));
  RLock third;
  {
    std::unique_lock guard{third};        // @r_unique
    const std::unique_lock again{third};  // @r_unique_again
    CHECK(third.depth() == 2);
  }
  CHECK(places(number_of(third)) ==
        Story{"acquire @r_unique", "enter @r_unique_again", "leave @r_unique_again", "release @r_unique"});
}

TEST_CASE("std::unique_lock and std::scoped_lock over a Condition record their own line for its lock") {
  tap();
  RLock lock;
  Condition condition{lock};
  { const std::unique_lock guard{condition, 1h}; }  // @c_unique
  CHECK(tap().story(number_of(lock)) == pair_at("@c_unique", "rlock", tried));
  Lock plain;
  Condition other{plain};
  { const std::scoped_lock guard{condition, other}; }  // @c_scoped
  CHECK(tap().story(number_of(plain)) == pair_at("@c_scoped", "lock", tried));
}

TEST_CASE("std::scoped_lock over our lock and another's records its own line") {
  tap();
  Lock ours;
  std::mutex theirs;
  { const std::scoped_lock guard{theirs, ours}; }  // @mixed
  CHECK(tap().story(number_of(ours)) == pair_at("@mixed", "lock", tried));
}

TEST_CASE("std::lock over bare locks records the caller's line") {
  tap();
  Lock a;
  RLock b;
  Lock c;
  Lock d;
  std::mutex theirs;
  const auto unlock_all = [](auto&... locks) { (locks.unlock(), ...); };  // @all_go
  std::lock(a, b);                                                        // @lock_two
  unlock_all(a, b);
  std::lock(a, c, theirs);  // @lock_three
  unlock_all(a, c, theirs);
  std::lock(a, b, c, d);  // @lock_four
  unlock_all(a, b, c, d);
  CHECK(places(number_of(a)) == Story{"acquire @lock_two", "release @all_go", "acquire @lock_three", "release @all_go",
                                      "acquire @lock_four", "release @all_go"});
  CHECK(places(number_of(b)) == Story{"acquire @lock_two", "release @all_go", "acquire @lock_four", "release @all_go"});
  CHECK(places(number_of(d)) == Story{"acquire @lock_four", "release @all_go"});
}

TEST_CASE("std::lock and std::try_lock over five to eight bare locks record the caller's line") {
  tap();
  Lock a;
  RLock b;
  SharedLock c;
  Lock d;
  Lock e;
  Lock f;
  std::mutex theirs;
  Lock g;
  const auto unlock_all = [](auto&... locks) { (locks.unlock(), ...); };  // @many_go
  std::lock(a, b, c, d, e);                                               // @lock_five
  unlock_all(a, b, c, d, e);
  std::lock(a, b, c, d, e, f);  // @lock_six
  unlock_all(a, b, c, d, e, f);
  std::lock(a, b, c, theirs, d, e, f);  // @lock_seven
  unlock_all(a, b, c, theirs, d, e, f);
  std::lock(theirs, a, b, c, d, e, f, g);  // @lock_eight
  unlock_all(theirs, a, b, c, d, e, f, g);
  CHECK(std::try_lock(a, b, c, d, g) == -1);  // @try_five
  unlock_all(a, b, c, d, g);
  CHECK(std::try_lock(a, b, c, d, e, f, g, theirs) == -1);  // @try_eight
  unlock_all(a, b, c, d, e, f, g, theirs);
  CHECK(places(number_of(g)) == Story{"acquire @lock_eight", "release @many_go", "acquire @try_five",
                                      "release @many_go", "acquire @try_eight", "release @many_go"});
  CHECK(places(number_of(c)) == Story{"acquire @lock_five", "release @many_go", "acquire @lock_six", "release @many_go",
                                      "acquire @lock_seven", "release @many_go", "acquire @lock_eight",
                                      "release @many_go", "acquire @try_five", "release @many_go", "acquire @try_eight",
                                      "release @many_go"});
}

TEST_CASE("std::condition_variable_any on a std::shared_lock records the guard's line") {
  tap();
  SharedLock lock;
  std::condition_variable_any changed;
  {
    std::shared_lock guard{lock};  // @reads
    CHECK(changed.wait_for(guard, 1ms) == std::cv_status::timeout);
  }
  CHECK(places(number_of(lock)) ==
        Story{"acquire_shared @reads", "release_shared @reads", "acquire_shared @reads", "release_shared @reads"});
}

TEST_CASE("std::lock that has to wait records the caller's line for each step") {
  tap();
  Lock first;
  Lock second;
  second.lock();  // @second_taken
  Thread pair = start_thread("pair", [&] {
    std::lock(first, second);  // @steps
    first.unlock();            // @first_go
    second.unlock();           // @second_go
  });
  tap().await(Kind::lock, Verb::block, number_of(second));
  second.unlock();  // @second_given
  pair.join();
  CHECK(places(number_of(second)) == Story{"acquire @second_taken", "busy @steps", "block @steps",
                                           "release @second_given", "acquire @steps", "release @second_go"});
  CHECK(places(number_of(first)) == Story{"acquire @steps", "release @steps", "acquire @steps", "release @first_go"});
}

TEST_CASE("std::try_lock over bare locks records the caller's line, also where it fails") {
  tap();
  Lock first;
  Lock second;
  CHECK(std::try_lock(first, second) == -1);  // @try_two
  first.unlock();                             // @try_first_go
  run_in_thread("trier", [&] {
    CHECK(std::try_lock(first, second) == 1);  // @try_in_vain
  });
  second.unlock();  // @try_second_go
  CHECK(places(number_of(first)) ==
        Story{"acquire @try_two", "release @try_first_go", "acquire @try_in_vain", "release @try_in_vain"});
  CHECK(places(number_of(second)) == Story{"acquire @try_two", "busy @try_in_vain", "release @try_second_go"});
}

TEST_CASE("std::lock and std::try_lock over guards record the caller's line") {
  tap();
  Lock a;
  Lock b;
  {
    std::unique_lock first{a, std::defer_lock};
    std::unique_lock second{b, std::defer_lock};
    std::lock(first, second);  // @lock_guards
  }
  CHECK(tap().story(number_of(a)) == pair_at("@lock_guards"));
  CHECK(tap().story(number_of(b)) == pair_at("@lock_guards", "lock", tried));
  {
    std::unique_lock first{a, std::defer_lock};
    std::unique_lock second{b, std::defer_lock};
    CHECK(std::try_lock(first, second) == -1);  // @try_guards
  }
  CHECK(places(number_of(b)) ==
        Story{"acquire @lock_guards", "release @lock_guards", "acquire @try_guards", "release @try_guards"});
}

TEST_CASE("std::condition_variable_any under a guard records the line where the guard was locked") {
  tap();
  Lock lock;
  std::condition_variable_any changed;
  {
    std::unique_lock guard{lock};  // @cv_guard
    CHECK(changed.wait_for(guard, 1ms) == std::cv_status::timeout);
    guard.unlock();  // @cv_pause
    guard.lock();    // @cv_guard_again
    CHECK(changed.wait_for(guard, 1ms) == std::cv_status::timeout);
  }
  CHECK(places(number_of(lock)) == Story{"acquire @cv_guard", "release @cv_guard", "acquire @cv_guard",
                                         "release @cv_pause", "acquire @cv_guard_again", "release @cv_guard_again",
                                         "acquire @cv_guard_again", "release @cv_guard_again"});
}

TEMPLATE_TEST_CASE("std::condition_variable_any on a bare lock records the line where the hold began", "", Lock,
                   RLock) {
  tap();
  TestType lock;
  std::condition_variable_any changed;
  lock.lock();  // @bare
  CHECK(changed.wait_for(lock, 1ms) == std::cv_status::timeout);
  CHECK(changed.wait_for(lock, 1ms) == std::cv_status::timeout);
  lock.unlock();  // @bare_end
  {
    const std::lock_guard guard{lock};  // @bare_later
    CHECK(changed.wait_for(lock, 1ms) == std::cv_status::timeout);
  }
  CHECK(places(number_of(lock)) == Story{"acquire @bare", "release @bare", "acquire @bare", "release @bare",
                                         "acquire @bare", "release @bare_end", "acquire @bare_later",
                                         "release @bare_later", "acquire @bare_later", "release @bare_later"});
}

TEST_CASE("std::condition_variable_any on two bare locks, one within the other's wait, keeps their lines apart") {
  tap();
  Lock outer;
  Lock inner;
  std::condition_variable_any changed;
  outer.lock();  // @outer_hold
  const auto wait_on_inner = [&, asked = 0]() mutable {
    inner.lock();  // @inner_hold
    CHECK(changed.wait_for(inner, 1ms) == std::cv_status::timeout);
    inner.unlock();  // @inner_end
    return ++asked == 2;
  };
  CHECK(changed.wait_for(outer, 1ms, wait_on_inner));
  outer.unlock();  // @outer_end
  CHECK(places(number_of(outer)) ==
        Story{"acquire @outer_hold", "release @outer_hold", "acquire @outer_hold", "release @outer_end"});
  const Story once{"acquire @inner_hold", "release @inner_hold", "acquire @inner_hold", "release @inner_end"};
  Story twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  CHECK(places(number_of(inner)) == twice);
}

TEST_CASE("std::condition_variable_any on a bare lock wakes with the lines of hold, waker and waiter right") {
  tap();
  Lock lock;
  std::condition_variable_any changed;
  bool ready = false;
  Thread waiter = start_thread("waiter", [&] {
    lock.lock();  // @waiter_hold
    changed.wait(lock, [&] { return ready; });
    lock.unlock();  // @waiter_end
  });
  tap().await_by(waiter.ident(), Kind::lock, Verb::release);
  lock.lock();  // @waker_hold
  ready = true;
  changed.notify_all();
  tap().await_by(waiter.ident(), Kind::lock, Verb::block);
  lock.unlock();  // @waker_end
  waiter.join();
  Story found = places(number_of(lock));
  std::erase(found, "block @waker_hold");  // its release may be recorded and the lock not yet free
  CHECK(found == Story{"acquire @waiter_hold", "release @waiter_hold", "acquire @waker_hold", "block @waiter_hold",
                       "release @waker_end", "acquire @waiter_hold", "release @waiter_end"});
}
