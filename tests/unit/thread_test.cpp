// SPDX-License-Identifier: MIT
//
// Thread as Python's threading.Thread: names, daemons, joins and their errors, arguments, stops, subclasses.
#include <spool/sync/guards.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/thread/thread.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace spool;
using namespace spool::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using trace::Kind;
using trace::Verb;

namespace {

bool is_listed(const Thread& thread) {
  const auto alive = enumerate();
  return std::ranges::find(alive, thread) != alive.end();
}

std::string kernel_name() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

}  // namespace

TEST_CASE("threads without a name are counted, main and foreign ones have Python's names") {
  Thread first{[] {}};
  Thread second{[] {}};
  REQUIRE(first.name().starts_with("Thread-"));
  const int number = std::stoi(first.name().substr(7));
  CHECK(second.name() == "Thread-" + std::to_string(number + 1));
  CHECK(main_thread().name() == "MainThread");
  CHECK(current_thread() == main_thread());
  std::string foreign;
  bool foreign_daemon = false;
  std::thread{[&] {
    foreign = current_thread().name();
    foreign_daemon = current_thread().daemon();
  }}.join();
  CHECK(foreign.starts_with("Dummy-"));
  CHECK(foreign_daemon);
}

TEST_CASE("a name may have any length and content") {
  for (const std::string& name : {std::string{"two\nlines"}, std::string(10'000, 'n'), std::string{"nul\0in", 6}}) {
    std::string seen;
    Thread thread{ThreadOptions{.name = name}, [&] { seen = current_thread().name(); }};
    thread.start();
    thread.join();
    CHECK(seen == name);
    CHECK(thread.name() == name);
  }
  std::string in_kernel;
  run_in_thread("connection-handler-17", [&] { in_kernel = kernel_name(); });
  CHECK(in_kernel == "connect~dler-17");
  run_in_thread("before", [&] {
    current_thread().set_name("after");
    in_kernel = kernel_name();
  });
  CHECK(in_kernel == "after");
}

TEST_CASE("daemon is inherited from the creating thread, unless said, and fixed at start") {
  CHECK_FALSE(main_thread().daemon());
  Thread plain{[] {}};
  CHECK_FALSE(plain.daemon());
  bool child = false;
  bool told = true;
  Thread daemon{ThreadOptions{.daemon = true}, [&] {
                  child = Thread{[] {}}.daemon();
                  told = Thread{ThreadOptions{.daemon = false}, [] {}}.daemon();
                }};
  daemon.start();
  CHECK_THROWS_WITH(daemon.set_daemon(false), Contains("change of daemon status after the start"));
  daemon.join();
  CHECK(child);
  CHECK_FALSE(told);
  plain.set_daemon(true);
  CHECK(plain.daemon());
  CHECK_THROWS_AS(main_thread().set_daemon(true), MisuseError);
}

TEST_CASE("start once, join only what was started, and never oneself") {
  Thread thread{ThreadOptions{.name = "once"}, [] {}};
  const std::string named = "thread \"once\" (" + std::to_string(thread.ident()) + ") by thread MainThread (1) at ";
  CHECK_THROWS_WITH(thread.join(), Contains("join before the start of " + named) && Contains("thread_test.cpp"));
  thread.start();
  CHECK_THROWS_WITH(thread.start(), Contains("second start of " + named));
  thread.join();
  CHECK_THROWS_AS(thread.start(), MisuseError);
  std::string words;
  run_in_thread("selfish", [&] {
    try {
      current_thread().join();
    } catch (const MisuseError& problem) {
      words = problem.what();
    }
  });
  CHECK_THAT(words, Contains("join of itself") && Contains("thread_test.cpp"));
  CHECK_THROWS_AS(main_thread().join(), MisuseError);
}

TEST_CASE("a foreign thread cannot be joined") {
  tap();
  Lock gate;
  gate.lock();
  std::atomic<trace::ThreadNumber> number{0};
  std::thread foreign{[&] {
    number.store(current_thread().ident());
    const std::lock_guard guard{gate};
  }};
  tap().await(Kind::lock, Verb::block, number_of(gate));
  for (Thread& each : enumerate()) {
    if (each.ident() == number.load()) CHECK_THROWS_AS(each.join(), MisuseError);
  }
  gate.unlock();
  foreign.join();
}

TEST_CASE("a thread is joined many times by many threads") {
  tap();
  Lock gate;
  gate.lock();
  Thread worker = start_thread("worker", [&] { const std::lock_guard guard{gate}; });
  std::vector<Thread> joiners;
  for (int i = 0; i < 5; ++i)
    joiners.push_back(start_thread("joiner", [worker]() mutable { worker.join(); }));
  tap().await(Kind::thread, Verb::block, worker.ident(), 5);
  CHECK(worker.is_alive());
  gate.unlock();
  for (Thread& each : joiners)
    each.join();
  CHECK_FALSE(worker.is_alive());
  worker.join();
  CHECK(worker.join_for(0s));
}

TEST_CASE("a join waits for as long as it is told") {
  tap();
  Lock gate;
  gate.lock();
  Thread worker = start_thread("slow", [&] { const std::lock_guard guard{gate}; });
  CHECK_FALSE(worker.join_for(0s));
  CHECK_FALSE(worker.join_for(-1h));
  CHECK_FALSE(worker.join_for(1ms));
  CHECK_FALSE(worker.join_until(std::chrono::system_clock::now() - 1h));
  std::stop_source stop;
  CHECK_FALSE(worker.join_for(stop.get_token(), 1ms));
  stop.request_stop();
  CHECK_FALSE(worker.join_for(stop.get_token(), std::chrono::hours::max()));
  Thread joiner = start_thread("eternal", [&] { CHECK(worker.join_for(std::chrono::hours::max())); });
  tap().await_by(joiner.ident(), Kind::thread, Verb::block);
  gate.unlock();
  joiner.join();
}

TEST_CASE("a thread is listed and alive from start to end") {
  tap();
  Lock gate;
  gate.lock();
  Thread thread{[&] { const std::lock_guard guard{gate}; }};
  CHECK_FALSE(thread.is_alive());
  CHECK_FALSE(is_listed(thread));
  CHECK(thread.native_id() == 0);
  const std::size_t before = active_count();
  thread.start();
  CHECK(thread.is_alive());
  CHECK(is_listed(thread));
  CHECK(active_count() == before + 1);
  tap().await_by(thread.ident(), Kind::lock, Verb::block);
  CHECK(thread.native_id() != 0);
  gate.unlock();
  thread.join();
  CHECK_FALSE(thread.is_alive());
  CHECK_FALSE(is_listed(thread));
  CHECK(active_count() == before);
}

TEST_CASE("arguments are moved in, references by std::ref, a first std::stop_token is the thread's") {
  auto owned = std::make_unique<int>(7);
  int result = 0;
  Thread mover{[&](std::unique_ptr<int> value, int more) { result = *value + more; }, std::move(owned), 35};
  mover.start();
  mover.join();
  CHECK(result == 42);
  const auto add = [](int& to, int what) { to += what; };
  Thread by_reference{add, std::ref(result), 8};
  by_reference.start();
  by_reference.join();
  CHECK(result == 50);
  Thread stoppable{[](const std::stop_token& stop, std::string name) {
                     until([&] { return stop.stop_requested() && name == "n"; }, "it is asked to stop");
                   },
                   std::string{"n"}};
  stoppable.start();
  CHECK(stoppable.request_stop());
  CHECK_FALSE(stoppable.request_stop());
  stoppable.join();
  CHECK(stoppable.stop_token().stop_requested());
  CHECK_FALSE(main_thread().request_stop());
}

TEST_CASE("what the target owned is destroyed in the thread, before a join returns") {
  struct Noted {
    explicit Noted(trace::ThreadNumber& at) : where{&at} {}
    Noted(Noted&& other) noexcept : where{std::exchange(other.where, nullptr)} {}
    Noted& operator=(Noted&&) = delete;
    Noted(const Noted&) = delete;
    Noted& operator=(const Noted&) = delete;
    ~Noted() {
      if (where != nullptr) *where = current_thread().ident();
    }
    trace::ThreadNumber* where;
  };
  trace::ThreadNumber destroyed_in = 0;
  Thread thread{[noted = Noted{destroyed_in}] {}};
  thread.start();
  thread.join();
  CHECK(destroyed_in == thread.ident());
}

namespace {

class Counter : public Thread {
 public:
  explicit Counter(std::atomic<int>& count) : Thread{ThreadOptions{.name = "counter"}}, count_{count} {}
  ~Counter() override { --count_; }

 protected:
  void run() override {
    ++count_;
    tap().await_by(main_thread().ident(), Kind::lock, Verb::busy);
    ++count_;
  }

 private:
  std::atomic<int>& count_;
};

}  // namespace

TEST_CASE("a subclass lives until its run() is over, though every handle is dropped") {
  tap();
  std::atomic<int> count{0};
  auto counter = make_thread<Counter>(count);
  counter->start();
  until([&] { return count.load() == 1; }, "it runs");
  const Thread handle{*counter};
  counter.reset();
  CHECK(count.load() == 1);
  Lock busy;
  busy.lock();
  CHECK_FALSE(busy.try_lock());
  busy.unlock();
  Thread joinable{handle};
  joinable.join();
  CHECK(count.load() == 1);
}

TEST_CASE("a subclass that no shared_ptr owns is refused") {
  std::atomic<int> count{1};
  {
    Counter on_stack{count};
    CHECK_THROWS_WITH(on_stack.start(), Contains("make_thread"));
    CHECK_FALSE(on_stack.is_alive());
  }
  CHECK(count.load() == 0);
}

TEST_CASE("handles name the same thread, and dropping all of them does not end it") {
  std::atomic<bool> go{false};
  std::atomic<bool> gone{false};
  {
    Thread thread{ThreadOptions{.name = "dropped"}, [&] {
                    until([&] { return go.load(); }, "it may go");
                    gone.store(true);
                  }};
    const Thread copy{thread};
    CHECK(copy == thread);
    thread.start();
    CHECK(copy.is_alive());
  }
  go.store(true);
  until([&] { return gone.load(); }, "the dropped thread has run");
}

TEST_CASE("a thread may be renamed while it runs and others name it") {
  std::atomic<bool> over{false};
  spool::Thread runner{spool::ThreadOptions{.name = "first"}, [&] {
                         for (int i = 0; !over.load(); ++i)
                           spool::current_thread().set_name("runner-" + std::to_string(i % 10));
                       }};
  runner.start();
  for (int i = 0; i < 200; ++i) {
    for (const spool::Thread& each : spool::enumerate())
      CHECK_FALSE(each.name().empty());
    runner.set_name("from outside");
  }
  over.store(true);
  runner.join();
  runner.set_name("afterwards");
  CHECK(runner.name() == "afterwards");
}
