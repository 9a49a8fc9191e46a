// SPDX-License-Identifier: MIT
//
// Programs that hang, and ask or are told why.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include <unistd.h>

using namespace spool::test;

namespace {

void await_waiters(std::size_t wanted) {
  for (;;) {
    std::size_t waiters = 0;
    for (const auto& each : spool::log::Recorder::instance().look_at_threads().threads)
      waiters += each.wait.record != 0 ? 1U : 0U;
    if (waiters >= wanted) return;
    std::this_thread::yield();
  }
}

/// Two threads that wait for each other, for ever.
void deadlock() {
  static spool::Lock left{"left"};
  static spool::Lock right{"right"};
  static std::atomic<int> ready{0};
  const auto meet = [] {
    ++ready;
    while (ready.load() < 2)
      std::this_thread::yield();
  };
  static spool::Thread first{spool::ThreadOptions{.name = "first", .daemon = true}, [meet] {
                               const std::lock_guard one{left};
                               meet();
                               const std::lock_guard two{right};
                             }};
  static spool::Thread second{spool::ThreadOptions{.name = "second", .daemon = true}, [meet] {
                                const std::lock_guard one{right};
                                meet();
                                const std::lock_guard two{left};
                              }};
  first.start();
  second.start();
}

int is_told_of_a_deadlock() {
  static std::atomic<bool> told{false};
  spool::basic_config({.watchdog = {.patience = std::chrono::hours{1}, .on_finding = [](const spool::Finding& finding) {
                                      if (finding.what != spool::Finding::What::deadlock) return;
                                      say(finding.sentence.c_str());
                                      told.store(true);
                                      throw 1;  // must harm nobody
                                    }}});
  deadlock();
  while (!told.load())
    std::this_thread::yield();
  spool::flush();
  return 0;
}

int waits_long() {
  spool::basic_config();
  spool::Lock store{"store"};
  spool::Thread waiter{spool::ThreadOptions{.name = "waiter", .daemon = true}, [&] { store.lock(); }};
  const std::lock_guard guard{store};
  waiter.start();
  for (;;)
    pause();
}

/// Reads what comes to stderr.
int asks_itself() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return 1;
  spool::basic_config({.dump_on = SIGQUIT});
  deadlock();
  await_waiters(2);
  dup2(ends[1], STDERR_FILENO);
  for (int round = 0; round < 2; ++round) {
    (void)std::raise(SIGQUIT);
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find("end of the threads") == std::string::npos) {
      const ssize_t got = read(ends[0], buffer.data(), buffer.size());
      if (got <= 0) return 2;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    say(text.c_str());
  }
  return 0;
}

std::atomic<int> handled{0};
std::atomic<bool> had_details{false};

/// Was there before spool: in both shapes that a handler can have.
int had_handlers() {
  struct sigaction plain {};
  plain.sa_handler = [](int signal) { handled.store(signal); };
  sigaction(SIGQUIT, &plain, nullptr);
  spool::basic_config({.dump_on = SIGQUIT});
  (void)std::raise(SIGQUIT);
  if (handled.exchange(0) != SIGQUIT) return 1;
  struct sigaction detailed {};
  detailed.sa_flags = SA_SIGINFO;
  detailed.sa_sigaction = [](int signal, siginfo_t* about, void* /*context*/) {
    handled.store(signal);
    had_details.store(about != nullptr && about->si_signo == signal);
  };
  sigaction(SIGUSR1, &detailed, nullptr);
  if (!spool::log::Guard::dump_on(SIGUSR1) || !spool::log::Guard::dump_on(SIGUSR1)) return 2;  // not its own before
  (void)std::raise(SIGUSR1);
  return handled.load() == SIGUSR1 && had_details.load() ? 0 : 3;
}

/// Two threads wait for each other; one gives up after an hour.
int waits_for_a_time() {
  static spool::Lock left{"left"};
  static spool::Lock right{"right"};
  spool::basic_config();
  static std::atomic<bool> ready{false};
  static spool::Thread patient{spool::ThreadOptions{.name = "patient", .daemon = true}, [] {
                                 const std::lock_guard one{right};
                                 ready.store(true);
                                 (void)left.try_lock_for(std::chrono::hours{1});
                               }};
  const std::lock_guard one{left};
  patient.start();
  while (!ready.load())
    std::this_thread::yield();
  const std::lock_guard two{right};
  return 0;
}

}  // namespace

Programs spool::test::watch_programs() {
  return {
      {"is_told_of_a_deadlock", is_told_of_a_deadlock},
      {"waits_long", waits_long},
      {"asks_itself", asks_itself},
      {"had_handlers", had_handlers},
      {"waits_for_a_time", waits_for_a_time},
  };
}
