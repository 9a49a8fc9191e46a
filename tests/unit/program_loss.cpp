// SPDX-License-Identifier: MIT
//
// Servers whose trace meets trouble: a full disk, no file descriptors, a directory that vanishes. Four threads log before,
// meanwhile and afterwards, and nobody waits. The trace is written to $TRACE_PARENT.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace spool::test;

namespace {

namespace fs = std::filesystem;

constexpr int workers = 4;
constexpr int meanwhile = 20'000;
constexpr int afterwards = 1000;

fs::path parent() {
  const char* given = std::getenv("TRACE_PARENT");
  return given == nullptr ? fs::path{"/nonexistent"} : fs::path{given};
}

std::uint64_t lost() {
  return spool::log::Recorder::instance().counters().lost;
}

/// Only messages, in small segments that are all kept.
bool record_in(const fs::path& directory) {
  spool::log::RecorderSettings settings;
  settings.parent = directory;
  settings.keep = 0;
  settings.geometry = {.chunks = 16, .chunk_bytes = 32 * 1024, .metadata_bytes = 32 * 1024};
  spool::log::set_level(spool::Level::info);
  return spool::log::Recorder::instance().start(settings);
}

struct Trouble {
  std::function<void()> begin;
  std::function<void()> end;
};

/// Logs through the trouble; how many messages that were.
long log_through(const Trouble& trouble) {
  std::atomic<long> messages{0};
  std::atomic<int> through{0};
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
  const auto say_so = [&](const char* when, int n) {
    spool::info("{} {}", when, n);
    messages.fetch_add(1);
  };
  say_so("before", 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) {
    threads.emplace_back([&] {
      while (!begun.load())
        std::this_thread::yield();
      for (int n = 0; n < meanwhile || lost() == 0; ++n)
        say_so("meanwhile", n);
      ++through;
      while (!over.load())
        std::this_thread::yield();
      for (int n = 0; n < afterwards; ++n)
        say_so("afterwards", n);
    });
  }
  trouble.begin();
  begun.store(true);
  while (through.load() < workers)
    std::this_thread::yield();
  trouble.end();
  for (std::uint64_t before = lost(), now = before + 1; now != before;) {  // it resumes by itself
    before = lost();
    say_so("again", 0);
    now = lost();
  }
  over.store(true);
  for (std::thread& each : threads)
    each.join();
  return messages.load();
}

/// For the test to count: messages, and those of them that were lost.
int report(long messages) {
  const std::uint64_t gone = lost();
  spool::shutdown();
  std::printf("%ld %llu\n", messages, static_cast<unsigned long long>(gone));
  return 0;
}

void write_file(const char* path, const std::string& text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)!write(file, text.data(), text.size());
  close(file);
}

/// A tmpfs of 8 MB; where that is forbidden, one in a user and mount namespace of our own.
bool mount_small_disk(const fs::path& place) {
  const auto attempt = [&] { return mount("tmpfs", place.c_str(), "tmpfs", 0, "size=8m") == 0; };
  const uid_t user = getuid();
  if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
    if (getuid() != user) write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    (void)mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  }
  return attempt();
}

/// To the brim: byte by byte at last.
void fill(const fs::path& place) {
  const int file = open((place / "ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const std::string block(std::size_t{64} * 1024, 'x');
  for (std::size_t size = block.size(); size > 0; size /= 2) {
    while (write(file, block.data(), size) > 0) {}
  }
  close(file);
}

int fills_its_disk() {
  const fs::path disk = parent() / "disk";
  fs::create_directory(disk);
  if (!mount_small_disk(disk)) {
    std::perror("mount");
    return 3;
  }
  if (!record_in(disk)) return 4;
  const long messages = log_through({[&] { fill(disk); }, [&] { fs::remove(disk / "ballast"); }});
  const int code = report(messages);
  for (const auto& each : fs::directory_iterator{disk})  // the mount ends with this process
    fs::copy(each.path(), parent() / each.path().filename(), fs::copy_options::recursive);
  return code;
}

int has_no_descriptors() {
  if (!record_in(parent())) return 4;
  rlimit before{};
  (void)getrlimit(RLIMIT_NOFILE, &before);
  const auto begin = [&] {
    const rlimit none{0, before.rlim_max};
    (void)setrlimit(RLIMIT_NOFILE, &none);
  };
  return report(log_through({begin, [&] { (void)setrlimit(RLIMIT_NOFILE, &before); }}));
}

int loses_its_directory() {
  if (!record_in(parent())) return 4;
  const fs::path trace = spool::trace_directory();
  return report(log_through({[&] { fs::remove_all(trace); }, [&] { fs::create_directory(trace); }}));
}

}  // namespace

Programs spool::test::loss_programs() {
  return {
      {"fills_its_disk", fills_its_disk},
      {"has_no_descriptors", has_no_descriptors},
      {"loses_its_directory", loses_its_directory},
  };
}
