// SPDX-License-Identifier: MIT
//
// A file system of 8 MB is filled to the brim while four threads log: they go on, what is lost is counted exactly, and
// once there is room again so is recording. Mounts a tmpfs in a mount namespace of its own.
#include <spool/log/recorder.hpp>
#include <spool/sync/lock.hpp>

#include "support/child.hpp"
#include "support/threads.hpp"
#include "support/trace_reader.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <fstream>
#include <numeric>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace spool;
using namespace spool::test;

namespace {

namespace fs = std::filesystem;

void write_text(const char* path, const std::string& text) {
  std::ofstream{path} << text;
}

/// As root, or as root of a user namespace.
bool mount_small(const fs::path& at) {
  const uid_t user = getuid();
  const gid_t group = getgid();
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("small", at.c_str(), "tmpfs", 0, "size=8m") == 0;
}

/// What is left of the file system, in one file; true once nothing is.
bool fill(const fs::path& path) {
  static const std::array<char, 65'536> zeros{};
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  for (std::size_t block = zeros.size(); block != 0;) {
    if (write(file, zeros.data(), block) != static_cast<ssize_t>(block)) block /= 2;
  }
  close(file);
  return true;
}

/// Has stderr go to a file as long as it lives.
class StderrIn {
 public:
  explicit StderrIn(const fs::path& path) : path_{path}, former_{dup(STDERR_FILENO)} {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~StderrIn() {
    dup2(former_, STDERR_FILENO);
    close(former_);
  }
  StderrIn(const StderrIn&) = delete;
  StderrIn& operator=(const StderrIn&) = delete;
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream{path_}.rdbuf();
    return all.str();
  }

 private:
  fs::path path_;
  int former_;
};

std::uint64_t lost() {
  return log::Recorder::instance().counters().lost;
}

/// A lock that nobody else uses, and how often it was locked and unlocked.
struct Counted {
  Lock lock;
  std::uint64_t calls = 0;

  void pair() {
    lock.lock();
    lock.unlock();
    calls += 2;
  }
};

}  // namespace

TEST_CASE("a full disk costs Records, which are counted, and nothing else; recording resumes") {
  const ScratchDirectory scratch;
  const StderrIn said{"/dev/shm/spool-full-disk-" + std::to_string(getpid())};
  REQUIRE(mount_small(scratch.path()));
  log::RecorderSettings settings;
  settings.parent = scratch.path();
  settings.keep = 0;
  settings.mode = Mode::all;
  settings.geometry = {.chunks = 16, .chunk_bytes = 32 * 1024, .metadata_bytes = 32 * 1024};
  REQUIRE(log::Recorder::instance().start(settings));
  log::set_mode(Mode::all);

  std::atomic<int> phase{-1};
  std::atomic<int> begun{0};
  std::array<Counted, 5> counted;  // the last is the main thread's
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.push_back(start_thread("logs", [&, i] {
      ++begun;
      phase.wait(-1);
      while (phase.load() == 0)
        counted[i].pair();
      phase.wait(1);
      for (int n = 0; n < 1000; ++n)
        counted[i].pair();
    }));
  }
  until([&] { return begun == 4; }, "the threads have begun");  // so that only what is counted can be lost
  phase = 0;
  phase.notify_all();
  const fs::path ballast = scratch.path() / "ballast";
  CHECK(fill(ballast));
  until([] { return lost() > 10'000; }, "the disk is full");
  phase = 1;
  fs::remove(ballast);
  until(
      [&] {
        const std::uint64_t before = lost();
        counted[4].pair();
        return lost() == before;
      },
      "it records again");
  phase = 2;
  phase.notify_all();
  for (Thread& each : threads)
    each.join();
  log::set_mode(Mode::off);
  const std::uint64_t all_lost = lost();
  log::Recorder::instance().stop();

  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems().empty());
  std::uint64_t found = 0;
  std::uint64_t told = 0;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "lock.acquire" || each.name == "lock.release") ++found;
    if (each.name == "trace.loss") told += each.fields[0];
  }
  const std::uint64_t calls = std::accumulate(counted.begin(), counted.end(), std::uint64_t{0},
                                              [](std::uint64_t sum, const Counted& each) { return sum + each.calls; });
  CHECK(found + all_lost == calls);
  CHECK(told == all_lost);
  const std::string words = said.text();
  CHECK(words.find("spool: no room for Records") != std::string::npos);
  CHECK(words.find("no room") == words.rfind("no room"));
  fs::remove("/dev/shm/spool-full-disk-" + std::to_string(getpid()));
}
