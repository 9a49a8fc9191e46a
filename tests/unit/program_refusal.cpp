// SPDX-License-Identifier: MIT
//
// What a program sees when the system makes no thread.
#include <spool/spool.hpp>

#include "program.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace spool::test;

namespace {

/// A limit on a user's threads binds anybody but root.
void become_nobody() {
  constexpr uid_t nobody = 65534;
  if (getuid() == 0 && setuid(nobody) != 0) std::exit(120);
  (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // a sanitizer looks at its own process
}

/// While it lives the system makes no thread for this user.
class NoThreads {
 public:
  NoThreads() {
    (void)getrlimit(RLIMIT_NPROC, &before_);
    const rlimit none{1, before_.rlim_max};
    (void)setrlimit(RLIMIT_NPROC, &none);
  }
  ~NoThreads() { (void)setrlimit(RLIMIT_NPROC, &before_); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  rlimit before_{};
};

template <class Start>
bool is_refused(Start start) {
  const std::size_t before = spool::active_count();
  try {
    start();
  } catch (const std::system_error& problem) {
    return problem.code() == std::errc::resource_unavailable_try_again && spool::active_count() == before &&
           spool::enumerate().size() == before;
  }
  return false;
}

/// As nothing had been tried.
bool is_as_new(spool::Thread& thread) {
  if (thread.is_alive() || thread.native_id() != 0) return false;
  thread.set_daemon(thread.daemon());
  try {
    thread.join();
  } catch (const spool::MisuseError&) {
    return true;
  }
  return false;
}

class Subclass : public spool::Thread {
 protected:
  void run() override { say("subclass ran"); }
};

int refuses() {
  become_nobody();
  if (const char* directory = std::getenv("TRACE")) spool::basic_config({.directory = directory});
  const auto kept = std::make_shared<int>(0);
  static spool::Thread never{[] { say("must not run"); }};
  spool::Thread wanted{spool::ThreadOptions{.name = "wanted"}, [kept] { say("wanted ran"); }};
  const auto subclass = spool::make_thread<Subclass>();
  spool::Timer timer{std::chrono::milliseconds{1}, [] { say("timer ran"); }};
  {
    const NoThreads limit;
    for (int i = 0; i < 2; ++i) {
      if (!is_refused([&] { never.start(); }) || !is_as_new(never)) return 1;
      if (!is_refused([&] { wanted.start(); }) || !is_as_new(wanted) || kept.use_count() != 2) return 2;
      if (!is_refused([&] { subclass->start(); }) || !is_as_new(*subclass) || subclass.use_count() != 1) return 3;
      if (!is_refused([&] { timer.start(); }) || !is_as_new(timer)) return 4;
      if (!is_refused([] { const spool::ThreadPool pool{2}; })) return 5;
    }
  }
  for (spool::Thread* each : {&wanted, static_cast<spool::Thread*>(subclass.get())}) {
    each->start();
    each->join();
  }
  timer.start();
  timer.join();
  return kept.use_count() == 1 ? 0 : 6;
}

}  // namespace

Programs spool::test::refusal_programs() {
  return {{"refuses", refuses}};
}
