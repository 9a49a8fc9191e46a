// SPDX-License-Identifier: MIT
//
// Servers whose trace meets trouble: a full disk, a quota, a file system that turns read-only, no file descriptors, no
// memory, a limit of a file's size, a directory that vanishes. Four threads log before, meanwhile and afterwards, and
// nobody waits. The trace is written to $TRACE_PARENT.
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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace spool::test;

namespace {

/// The user's quota is used up: what the kernel says then where the recorder reserves a file.
std::atomic<bool> quota_is_full{false};

}  // namespace

/// In front of the C library's.
extern "C" int posix_fallocate(int file, off_t offset, off_t length) {
  if (quota_is_full.load()) return EDQUOT;
  return ::fallocate(file, 0, offset, length) == 0 ? 0 : errno;
}

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
  std::atomic<int> ready{0};
  for (int i = 0; i < workers; ++i) {
    threads.emplace_back([&] {
      say_so("first", 0);
      ++ready;
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
  while (ready.load() < workers)
    std::this_thread::yield();
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

/// What is mounted from now on is this process's alone; where that is forbidden, in a user namespace of our own.
void have_own_mounts() {
  const uid_t user = getuid();
  if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
    if (getuid() != user) write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    (void)mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  }
}

bool mount_small_disk(const fs::path& place) {
  have_own_mounts();
  return mount("tmpfs", place.c_str(), "tmpfs", 0, "size=8m") == 0;
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

/// The directory is mounted over itself, read-only: files that are open stay as they are.
int turns_read_only() {
  have_own_mounts();
  if (!record_in(parent())) return 4;
  const std::string trace = spool::trace_directory();
  int failures = 0;
  const auto begin = [&] {
    failures += mount(trace.c_str(), trace.c_str(), nullptr, MS_BIND, nullptr) == 0 ? 0 : 1;
    failures += mount(nullptr, trace.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0 ? 0 : 1;
  };
  const long messages = log_through({begin, [&] { failures += umount2(trace.c_str(), MNT_DETACH) == 0 ? 0 : 1; }});
  const int code = report(messages);
  return failures == 0 ? code : 5;
}

int has_no_quota() {
  if (!record_in(parent())) return 4;
  return report(log_through({[] { quota_is_full.store(true); }, [] { quota_is_full.store(false); }}));
}

/// ENOMEM of mmap: the process has all the mappings that the kernel gives it.
int has_no_memory() {
  if (!record_in(parent())) return 4;
  constexpr std::size_t page = 4096;
  constexpr std::size_t pages = std::size_t{1} << 21U;
  std::byte* region = nullptr;
  const auto begin = [&] {
    void* const memory = mmap(nullptr, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    region = static_cast<std::byte*>(memory);
    for (std::size_t i = 1; i + 1 < pages; i += 2) {  // each a mapping of its own
      if (mprotect(region + i * page, page, PROT_READ) != 0) break;
    }
  };
  return report(log_through({begin, [&] { munmap(region, pages * page); }}));
}

/// ulimit -f: going beyond it is a signal that kills.
int has_small_files() {
  if (!record_in(parent())) return 4;
  rlimit before{};
  (void)getrlimit(RLIMIT_FSIZE, &before);
  const auto begin = [&] {
    const rlimit small{4096, before.rlim_max};
    (void)setrlimit(RLIMIT_FSIZE, &small);
  };
  return report(log_through({begin, [&] { (void)setrlimit(RLIMIT_FSIZE, &before); }}));
}

int loses_its_directory() {
  if (!record_in(parent())) return 4;
  const fs::path trace = spool::trace_directory();
  return report(log_through({[&] { fs::remove_all(trace); }, [&] { fs::create_directory(trace); }}));
}

}  // namespace

Programs spool::test::loss_programs() {
  return {
      {"fills_its_disk", fills_its_disk},   {"has_no_descriptors", has_no_descriptors},
      {"has_no_memory", has_no_memory},     {"has_no_quota", has_no_quota},
      {"has_small_files", has_small_files}, {"loses_its_directory", loses_its_directory},
      {"turns_read_only", turns_read_only},
  };
}
