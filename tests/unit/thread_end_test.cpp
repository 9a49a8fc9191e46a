// SPDX-License-Identifier: MIT
//
// How threads end: exceptions, thread_local objects, failures of the system, and that nothing stays behind.
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/sync/guards.hpp>
#include <spool/thread/thread.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spool;
using namespace spool::test;
using trace::Kind;
using trace::Verb;

namespace {

/// A hook for the length of a test.
class HookFor {
 public:
  explicit HookFor(ExceptHook hook) : before_{set_excepthook(std::move(hook))} {}
  ~HookFor() { set_excepthook(before_); }
  HookFor(const HookFor&) = delete;
  HookFor& operator=(const HookFor&) = delete;

 private:
  ExceptHook before_;
};

std::vector<std::string> texts_by(const Thread& thread) {
  std::vector<std::string> texts;
  for (const TappedRecord& each : tap().messages_by(thread.ident()))
    texts.push_back(each.text);
  return texts;
}

/// A line of /proc/self/status, as a number.
long status_of(const std::string& key) {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key + ":")) return std::stol(line.substr(key.size() + 1));
  }
  return -1;
}

}  // namespace

TEST_CASE("an exception goes to the hook, with the thread, and stays with the thread") {
  tap();
  std::string told;
  trace::ThreadNumber who = 0;
  const HookFor hook{[&](const ExceptHookArgs& args) {
    who = args.thread.ident();
    try {
      std::rethrow_exception(args.exception);
    } catch (const std::runtime_error& problem) {
      told = problem.what();
    }
  }};
  Thread thrower = start_thread("thrower", [] { throw std::runtime_error{"boom"}; });
  thrower.join();
  CHECK(told == "boom");
  CHECK(who == thrower.ident());
  CHECK_THROWS_WITH(std::rethrow_exception(thrower.exception()), "boom");
  Thread calm = start_thread("calm", [] {});
  calm.join();
  CHECK(calm.exception() == nullptr);
}

TEST_CASE("without a hook the exception is an error message of the thread") {
  tap();
  Thread thrower = start_thread("thrower", [] { throw std::out_of_range{"too far"}; });
  thrower.join();
  CHECK(texts_by(thrower) == std::vector<std::string>{"exception in thread thrower: std::out_of_range: too far"});
  Thread odd = start_thread("odd", [] { throw 42; });
  odd.join();
  CHECK(texts_by(odd) == std::vector<std::string>{"exception in thread odd: int"});
}

TEST_CASE("a hook that throws is itself an error message, and the thread ends in order") {
  tap();
  const HookFor hook{[](const ExceptHookArgs&) { throw std::logic_error{"hook broke"}; }};
  Thread thrower = start_thread("thrower", [] { throw std::runtime_error{"boom"}; });
  thrower.join();
  CHECK(texts_by(thrower) ==
        std::vector<std::string>{"the excepthook threw std::logic_error: hook broke while it was told of "
                                 "std::runtime_error: boom"});
  CHECK_FALSE(thrower.is_alive());
}

namespace {

std::atomic<int> locals_gone{0};

struct Local {
  ~Local() {
    info("a thread_local goes");
    ++locals_gone;
  }
};

thread_local Local local;

}  // namespace

TEST_CASE("thread_local objects are gone before a join returns, and may log until then") {
  tap();
  for (int i = 1; i <= 50; ++i) {
    Thread thread = start_thread("owner", [] { (void)&local; });
    thread.join();
    REQUIRE(locals_gone.load() == i);
    REQUIRE(texts_by(thread) == std::vector<std::string>{"a thread_local goes"});
    REQUIRE(tap().records_by(thread.ident()).back().verb == Verb::end);
  }
}

TEST_CASE("a stack size is what the thread gets") {
  // More than the default of 8 MiB: a smaller one may get what an ended thread had.
  constexpr std::size_t wanted = std::size_t{20} << 20U;
  std::size_t size = 0;
  Thread thread{ThreadOptions{.stack_size = wanted}, [&] {
                  pthread_attr_t attributes{};
                  pthread_getattr_np(pthread_self(), &attributes);
                  pthread_attr_getstacksize(&attributes, &size);
                  pthread_attr_destroy(&attributes);
                }};
  thread.start();
  thread.join();
  CHECK(size == wanted);
}

TEST_CASE("when the system makes no thread nothing is left behind, and start may be tried again") {
  for (const std::size_t absurd : {std::size_t{1}, std::size_t{1} << 60U}) {
    const std::size_t before = active_count();
    const auto target = std::make_shared<int>(0);
    {
      Thread thread{ThreadOptions{.stack_size = absurd}, [target] {}};
      CHECK_THROWS_AS(thread.start(), std::system_error);
      CHECK_FALSE(thread.is_alive());
      CHECK(active_count() == before);
      CHECK_THROWS_AS(thread.start(), std::system_error);
    }
    CHECK(target.use_count() == 1);
  }
}

TEST_CASE("10,000 threads one after another leave nothing behind") {
  tap();
  const auto run_one = [] { start_thread("short", [] {}).join(); };
  for (int i = 0; i < 100; ++i)
    run_one();
  (void)tap().sequence(1);
  const std::size_t alive = active_count();
  const long memory = status_of("VmSize");
  const long threads = status_of("Threads");
  for (int i = 0; i < 9'900; ++i) {
    run_one();
    if (i % 500 == 0) (void)tap().sequence(1);
  }
  CHECK(active_count() == alive);
  CHECK(status_of("Threads") == threads);
  // Segments of the recording come and go; stacks of 10,000 threads would be 80 GiB.
  CHECK(status_of("VmSize") - memory < 1'000'000);
  CHECK(log::Recorder::instance().counters().lost == 0);
}

TEST_CASE("threads that nobody joins leave nothing behind either") {
  std::atomic<int> ended{0};
  const std::size_t alive = active_count();
  constexpr int count = 500;
  for (int i = 0; i < count; ++i) {
    start_thread("dropped", [&] { ++ended; });
    until([&] { return ended.load() > i - 16; }, "the earlier ones have run");
  }
  until([&] { return active_count() == alive; }, "all of them are gone");
  CHECK(ended.load() == count);
}
