// SPDX-License-Identifier: MIT
//
// A recorded lock pair beside a std::mutex pair with two LTTng-UST tracepoints, in turns in one process. The row starts
// a session daemon of its own, whose home is the row's directory, and stops it.
#include <spool/sync/lock.hpp>

#include "recording.hpp"
#include "rows.hpp"

#ifdef BENCH_HAS_LTTNG
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace bench {

#ifdef BENCH_HAS_LTTNG
namespace {

constexpr std::uint64_t pairs = 20'000;
constexpr double lttng_goal = 1.0 / 6;
constexpr const char* daemon_path = "/usr/bin/lttng-sessiond";

/// Runs it to its end; its words go to a file in the row's directory.
void command(const std::filesystem::path& home, std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string said = home / "said";
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t pid = 0;
  const int failure = posix_spawnp(&pid, words[0].c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (failure != 0) throw std::system_error{failure, std::generic_category(), words[0]};
  int status = 0;
  waitpid(pid, &status, 0);
  if (status == 0) return;
  std::ifstream file{said};
  throw std::runtime_error{
      fmt::format("{} {} failed: {}", words[0], words[1], std::string{std::istreambuf_iterator{file}, {}})};
}

/// Root's session daemon stands at a fixed place and is the system's; anybody else's lies below LTTNG_HOME. So the
/// row's process is no root.
void drop_root(const std::string& directory) {
  if (geteuid() != 0) return;
  constexpr uid_t nobody = 65534;
  const bool done = chown(directory.c_str(), nobody, nobody) == 0 && setgroups(0, nullptr) == 0 &&
                    setgid(nobody) == 0 && setuid(nobody) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0;
  if (!done) throw std::system_error{errno, std::generic_category(), "becoming nobody"};
}

class Session {
 public:
  explicit Session(const std::filesystem::path& home) : home_{home} {
    std::filesystem::create_directories(home);
    setenv("LTTNG_HOME", home.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): nobody reads it meanwhile
    command(home, {"lttng-sessiond", "--daemonize", "--no-kernel", "--pidfile", home / "pid"});
    command(home, {"lttng", "--no-sessiond", "create", "bench", "--output", home / "trace"});
    command(home, {"lttng", "enable-channel", "--userspace", "--subbuf-size", "2M", "--num-subbuf", "8", "pairs"});
    command(home, {"lttng", "enable-event", "--userspace", "--channel", "pairs", "spool_bench:*"});
    command(home, {"lttng", "start"});
    load();
  }
  ~Session() {
    int pid = 0;
    std::ifstream{home_ / "pid"} >> pid;
    if (pid > 1) kill(pid, SIGTERM);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Timed round() const {
    return {ns_per(1, [&] { pairs_(pairs); }) / static_cast<double>(pairs)};
  }

 private:
  void load() {
    const std::filesystem::path here = std::filesystem::path{BENCH_LTTNG_PROBE};
    void* const probe = dlopen(here.c_str(), RTLD_NOW);
    if (probe == nullptr) throw std::runtime_error{dlerror()};  // NOLINT(concurrency-mt-unsafe): one thread loads
    pairs_ = reinterpret_cast<void (*)(std::uint64_t)>(dlsym(probe, "spool_bench_lttng_pairs"));
    const auto is_on = reinterpret_cast<bool (*)()>(dlsym(probe, "spool_bench_lttng_is_on"));
    for (int i = 0; !is_on(); ++i) {
      if (i == 1000) throw std::runtime_error{"the session daemon does not turn the tracepoints on"};
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }

  std::filesystem::path home_;
  void (*pairs_)(std::uint64_t) = nullptr;
};

Rounds beside_lttng(const std::shared_ptr<std::string>& directory) {
  lap_the_ring();
  auto session = std::make_shared<Session>(std::filesystem::path{*directory} / "lttng");
  auto lock = std::shared_ptr<spool::Lock>{new spool::Lock{"bench"}};
  const auto ours = [=] {
    return between_swaps(spool::Mode::all, pairs, [&] {
      lock->lock();
      lock->unlock();
    });
  };
  // `lttng stop` says what was discarded: such a tracepoint costs less than one that is written.
  const auto facts = [=]() -> std::vector<std::string> {
    const std::filesystem::path home = std::filesystem::path{*directory} / "lttng";
    command(home, {"lttng", "stop"});
    std::ifstream said{home / "said"};
    std::vector<std::string> lines;
    for (std::string line; std::getline(said, line);) {
      if (!line.empty()) lines.push_back("lttng: " + line);
    }
    return lines;
  };
  return {.ours = ours, .theirs = [=] { return session->round(); }, .facts = facts};
}

}  // namespace

std::vector<Benchmark> lttng_rows() {
  if (access(daemon_path, X_OK) != 0) return {};
  auto directory = std::make_shared<std::string>();
  return {{.name = "lock pair, all (to LTTng-UST)",
           .peer = "std::mutex, 2 tracepoints",
           .goal = lttng_goal,
           .prepare = [=] { return beside_lttng(directory); },
           .directory = "/dev/shm",
           .before =
               [=](const std::string& own) {
                 *directory = own;
                 drop_root(own);
               },
           .core_alone = true}};
}
#else
std::vector<Benchmark> lttng_rows() {
  return {};
}
#endif

}  // namespace bench
