// SPDX-License-Identifier: MIT
//
// What is left to the end of the program: pools that nobody shut down, and per-thread values.
#include <spool/spool.hpp>

#include "program.hpp"

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

using namespace spool::test;

namespace {

/// Nobody shuts the pool down: what is queued is run, and nothing is taken any more.
int leaves_pool() {
  static auto* pool = new spool::ThreadPool{1};
  static std::atomic<int> count{0};
  static spool::Event main_is_done;
  (void)pool->submit([] { main_is_done.wait(); });
  for (int i = 0; i < 20; ++i)
    (void)pool->submit([] { ++count; });
  (void)pool->submit([] {
    try {
      (void)pool->submit([] {});
    } catch (const spool::ShutDownError& problem) {
      std::printf("%d, then %s\n", count.load(), problem.what());
      (void)std::fflush(stdout);
    }
  });
  // Lets the worker go on once the pool is shut down, which is after main's return.
  static spool::Thread opener{[] {
    while (!pool->is_shut_down())
      std::this_thread::yield();
    main_is_done.set();
  }};
  opener.start();
  say("main done");
  return 0;
}

/// Pools as static objects, one whose workers are daemons, and tasks that are under way.
int leaves_static_pools() {
  static spool::ThreadPool pool{2};
  static spool::ThreadPool daemons{2, {.daemon = true}};
  static std::atomic<int> count{0};
  for (int i = 0; i < 100; ++i) {
    (void)pool.submit([] { ++count; });
    (void)daemons.submit([] { ++count; });
  }
  // A hook that is registered later: the program counts as ending before the pools are destroyed.
  spool::Thread{[] {}}.start();
  say("main done");
  return 0;
}

/// Says when it is destroyed, and uses a Local then.
class Speaker {
 public:
  Speaker(spool::Local<int>& local, const char* words) : local_{local}, words_{words} {}
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;
  ~Speaker() {
    *local_ += 1;
    say(words_);
  }

 private:
  spool::Local<int>& local_;
  const char* words_;
};

/// A value of main is destroyed before the static objects; these may use Locals, and what they leave goes with the
/// Local.
int leaves_locals() {
  static spool::Local<int> counter{0};
  static spool::Local<Speaker> speaker;
  struct Last {
    ~Last() {
      *counter += 1;
      say("a static object goes");
      speaker.emplace(counter, "made by a static destructor");
    }
  };
  static const Last last;
  speaker.emplace(counter, "main's value goes");
  spool::Thread thread{[] { speaker.emplace(counter, "a thread's value goes"); }};
  thread.start();
  thread.join();
  return 0;
}

/// Daemons are in the middle of their values when the Local is destroyed.
int leaves_daemons_with_locals() {
  static spool::Local<std::string> text{10'000, 'a'};
  static std::atomic<int> busy{0};
  for (int i = 0; i < 3; ++i) {
    spool::Thread daemon{spool::ThreadOptions{.daemon = true}, [] {
                           for (;;) {
                             std::string& mine = *text;
                             mine.assign(10'000, 'b');
                             mine.shrink_to_fit();
                             busy.fetch_add(1);
                           }
                         }};
    daemon.start();
  }
  while (busy.load() < 100)
    std::this_thread::yield();
  return 0;
}

}  // namespace

Programs spool::test::left_programs() {
  return {
      {"leaves_pool", leaves_pool},
      {"leaves_static_pools", leaves_static_pools},
      {"leaves_locals", leaves_locals},
      {"leaves_daemons_with_locals", leaves_daemons_with_locals},
  };
}
