// SPDX-License-Identifier: MIT
//
// What a Local promises: a value a thread, made when it is wanted, destroyed once, whichever of thread and Local dies
// first.
#include <spool/sync/event.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/local.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

/// Counts how many there are, and notes where the last was destroyed.
struct Counted {
  explicit Counted(int number = 0) : value{number} { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    --alive;
    destroyed_by.store(current_thread().ident());
  }
  int value;
  static inline std::atomic<int> alive{0};
  static inline std::atomic<trace::ThreadNumber> destroyed_by{0};
};

}  // namespace

TEST_CASE("a Local without a maker is empty until it is set") {
  Local<std::string> local;
  CHECK(local.get_if() == nullptr);
  CHECK_THROWS_WITH(local.get(), Contains("no value yet in thread MainThread (1)"));
  CHECK_THROWS_AS(*local, MisuseError);
  local.set("a");
  REQUIRE(local.get_if() != nullptr);
  CHECK(*local == "a");
  CHECK(local->size() == 1);
  CHECK(local.emplace(3, 'x') == "xxx");
  CHECK(local.get() == "xxx");
  local.reset();
  local.reset();
  CHECK(local.get_if() == nullptr);
}

TEST_CASE("a Local makes its value on first use, from arguments or by a factory") {
  Local<std::string> from_arguments{3, 'a'};
  CHECK(from_arguments.get_if() == nullptr);
  CHECK(*from_arguments == "aaa");
  from_arguments->push_back('b');
  CHECK(*from_arguments == "aaab");
  int made = 0;
  Local<std::unique_ptr<int>> by_factory{[&] { return std::make_unique<int>(++made); }};
  CHECK(made == 0);
  CHECK(**by_factory == 1);
  CHECK(**by_factory == 1);
  by_factory.reset();
  CHECK(**by_factory == 2);
  Local<Counted> immovable{7};
  CHECK(immovable->value == 7);
}

TEST_CASE("a value that cannot be made is no value, and may be made later") {
  bool fails = true;
  Local<int> local{[&] {
    if (fails) throw std::runtime_error{"not now"};
    return 1;
  }};
  CHECK_THROWS_WITH(local.get(), "not now");
  CHECK(local.get_if() == nullptr);
  fails = false;
  CHECK(local.get() == 1);
}

TEST_CASE("what one thread sets no other sees") {
  Local<int> local{0};
  *local = 1;
  std::vector<Thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.push_back(start_thread("worker", [&, i] {
      if (local.get_if() != nullptr) ++wrong;
      for (int n = 0; n < 100; ++n)
        *local += i;
      if (*local != 100 * i) ++wrong;
    }));
  }
  for (Thread& each : threads)
    each.join();
  CHECK(wrong.load() == 0);
  CHECK(*local == 1);
}

TEST_CASE("a value is destroyed with its thread, by it, before a join returns") {
  Local<Counted> local;
  for (int i = 0; i < 100; ++i) {
    Thread thread = start_thread("owner", [&] { local.emplace(1); });
    thread.join();
    REQUIRE(Counted::alive.load() == 0);
    REQUIRE(Counted::destroyed_by.load() == thread.ident());
  }
  std::thread{[&] { local.emplace(1); }}.join();
  CHECK(Counted::alive.load() == 0);
}

TEST_CASE("a value is destroyed with its Local, though its thread lives on") {
  std::optional<Local<Counted>> local;
  Event made;
  Event gone;
  local.emplace(1);
  (void)local->get();
  Thread thread = start_thread("owner", [&] {
    (void)local->get();
    made.set();
    gone.wait();
  });
  made.wait();
  CHECK(Counted::alive.load() == 2);
  local.reset();
  CHECK(Counted::alive.load() == 0);
  // The next one in its place sees nothing of it.
  local.emplace(2);
  CHECK(local->get_if() == nullptr);
  CHECK(local->get().value == 2);
  gone.set();
  thread.join();
  local.reset();
  CHECK(Counted::alive.load() == 0);
}

TEST_CASE("Locals that come and go while a thread lives see only their own values") {
  std::vector<std::unique_ptr<Local<int>>> locals;
  for (int round = 0; round < 200; ++round) {
    locals.push_back(std::make_unique<Local<int>>(round));
    REQUIRE(locals.back()->get_if() == nullptr);
    REQUIRE(locals.back()->get() == round);
    if (round % 3 == 0) locals.erase(locals.begin() + round % static_cast<int>(locals.size()));
    for (const auto& each : locals)
      REQUIRE(each->get_if() != nullptr);
  }
}

TEST_CASE("threads that end while the Local does destroy each value once") {
  for (int round = 0; round < 200; ++round) {
    auto local = std::make_unique<Local<Counted>>();
    std::atomic<int> made{0};
    std::vector<Thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.push_back(start_thread("owner", [&] {
        local->emplace(1);
        ++made;
      }));
    }
    until([&] { return made.load() == 3; }, "all have a value");
    local.reset();
    for (Thread& each : threads)
      each.join();
    REQUIRE(Counted::alive.load() == 0);
  }
}

namespace {

/// Its destructor uses Locals: its own and another.
struct Entangled {
  Entangled(Local<Entangled>*& own_local, Local<std::string>& other_local, std::vector<std::string>& seen_there)
      : own{own_local}, other{other_local}, seen{seen_there} {}
  Entangled(const Entangled&) = delete;
  Entangled& operator=(const Entangled&) = delete;
  ~Entangled() {
    seen.push_back(other.get());
    if (own->get_if() != nullptr) seen.emplace_back("itself");
  }
  Local<Entangled>*& own;
  Local<std::string>& other;
  std::vector<std::string>& seen;
};

}  // namespace

TEST_CASE("a value's destructor may use its own Local and others") {
  std::vector<std::string> seen;
  Local<std::string> other{[] { return std::string{"made anew"}; }};
  Local<Entangled>* own = nullptr;
  auto local = std::make_unique<Local<Entangled>>();
  own = local.get();
  run_in_thread("newest first", [&] {
    other.set("older");
    local->emplace(own, other, seen);
  });
  run_in_thread("other is gone", [&] {
    local->emplace(own, other, seen);
    other.set("newer");
  });
  local->emplace(own, other, seen);
  local.reset();
  CHECK(seen == std::vector<std::string>{"older", "made anew", "made anew"});
}

namespace {

/// Makes itself anew when it is destroyed, as often as told.
struct Phoenix {
  explicit Phoenix(Local<Phoenix>& own, std::atomic<int>& times_left) : local{own}, left{times_left} {}
  Phoenix(const Phoenix&) = delete;
  Phoenix& operator=(const Phoenix&) = delete;
  ~Phoenix() {
    if (left.fetch_sub(1) > 0) local.emplace(local, left);
  }
  Local<Phoenix>& local;
  std::atomic<int>& left;
};

}  // namespace

TEST_CASE("a value that makes itself anew is destroyed a few times by its thread, then with its Local") {
  std::atomic<int> left{2};
  Local<Phoenix> local;
  run_in_thread("twice", [&] { local.emplace(local, left); });
  CHECK(left.load() == -1);
  left.store(100);
  {
    Local<Phoenix> doomed;
    run_in_thread("for ever", [&] { doomed.emplace(doomed, left); });
    CHECK(left.load() < 100);
    CHECK(left.load() > 50);
    left.store(0);
  }
  CHECK(left.load() == -1);
}

TEST_CASE("the destructor of a thread_local object may use a Local") {
  static Local<Counted> local;
  struct Late {
    ~Late() { local.emplace(2); }
    void touch() const {}
  };
  const auto use = [] {
    static thread_local Late late;  // before the first value, so destroyed after those of the thread
    late.touch();
    local.emplace(1);
  };
  run_in_thread("late", use);
  CHECK(Counted::alive.load() == 0);
}

TEST_CASE("set replaces a value, and the old one is destroyed when the new one is in place") {
  struct Watcher {
    Watcher(Local<Watcher>& own, int number) : local{own}, value{number} {}
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher() {
      if (const Watcher* now = local.get_if()) seen = now->value;
    }
    Local<Watcher>& local;
    int value;
    static int& seen_value() {
      static int seen_there = 0;
      return seen_there;
    }
    int& seen = seen_value();
  };
  Local<Watcher> local;
  local.emplace(local, 1);
  local.emplace(local, 2);
  CHECK(Watcher::seen_value() == 2);
}

TEST_CASE("a Local makes no Record") {
  tap();
  const auto before = tap().records_by(current_thread().ident()).size();
  {
    Local<int> local{1};
    *local += 1;
    local.reset();
  }
  CHECK(tap().records_by(current_thread().ident()).size() == before);
}
