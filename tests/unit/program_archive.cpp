// SPDX-License-Identifier: MIT
//
// What becomes of closed segments: told, compressed, recycled. All in DIR/traces, with segments of half a MiB.
#include <spool/log/recorder.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>

#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spool::test;

namespace {

namespace fs = std::filesystem;

/// What the disk was asked for, by path, since the last look.
struct Asked {
  std::mutex mutex;
  std::set<std::string> paths;

  void note(int file) {
    std::error_code none;
    const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(file), none);
    const std::lock_guard guard{mutex};
    paths.insert(path.string());
  }
  bool has(const fs::path& path) {
    const std::lock_guard guard{mutex};
    return paths.contains(path.string());
  }
};

Asked& asked() {
  static auto* made = new Asked;  // leaked: spool's threads end after the statics
  return *made;
}

}  // namespace

// In place of the C library's.
extern "C" int fdatasync(int file) {
  asked().note(file);
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
extern "C" int fsync(int file) {
  asked().note(file);
  return static_cast<int>(syscall(SYS_fsync, file));
}

namespace {

fs::path scratch() {
  const char* path = std::getenv("SPOOL_TEST_DIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return path == nullptr ? fs::path{"/nonexistent"} : fs::path{path};
}

spool::log::Recorder& recorder() {
  return spool::log::Recorder::instance();
}

bool begin(spool::Archive archive, std::uint64_t keep, spool::OnSegment on_segment = {},
           spool::Sync sync = spool::Sync::off) {
  spool::log::RecorderSettings settings;
  settings.parent = scratch();
  settings.keep = keep;
  settings.archive = archive;
  settings.on_segment = std::move(on_segment);
  settings.sync = sync;
  settings.geometry = {.chunks = 16, .chunk_bytes = std::size_t{32} * 1024, .metadata_bytes = std::size_t{32} * 1024};
  if (!recorder().start(settings)) return false;
  spool::log::set_level(spool::Level::info);
  spool::log::set_mode(spool::Mode::all);
  return true;
}

/// Records without end, with time for the archiver, which has the lowest priority.
void record_until(const std::function<bool()>& enough) {
  spool::Lock lock;
  while (!enough()) {
    for (int i = 0; i < 500; ++i) {
      const std::lock_guard guard{lock};
    }
    usleep(1000);
  }
}

/// Until each closed segment is an archive, or was recycled before the archiver came to it.
void wait_for_archiver() {
  for (;;) {
    const spool::log::RecorderCounters now = recorder().counters();
    if (now.archived + now.unarchived + 1 >= now.segments) return;
    usleep(1000);
  }
}

std::function<bool()> archived(std::uint64_t count) {
  return [count] { return recorder().counters().archived >= count; };
}

void tell_counters() {
  const spool::log::RecorderCounters now = recorder().counters();
  std::printf("archived %llu unarchived %llu failures %llu lost %llu recycled %llu\n",
              static_cast<unsigned long long>(now.archived), static_cast<unsigned long long>(now.unarchived),
              static_cast<unsigned long long>(now.archive_failures), static_cast<unsigned long long>(now.lost),
              static_cast<unsigned long long>(now.recycled));
}

void print(const spool::ClosedSegment& closed) {
  const bool there = fs::exists(closed.path) && (!closed.archived || fs::file_size(closed.path) == closed.bytes);
  const bool sane = closed.first < closed.last && closed.last <= std::chrono::system_clock::now();
  std::printf("%s %u %s%s%s\n", closed.archived ? "archive" : "directory", closed.number,
              closed.path.filename().c_str(), there ? "" : " MISSING", sane ? "" : " AT A WRONG TIME");
}

int archives_all() {
  if (!begin(spool::Archive::zstd, 0, &print)) return 1;
  record_until(archived(5));
  tell_counters();
  return 0;
}

int archives_within_keep() {
  if (!begin(spool::Archive::zstd, std::uint64_t{3} << 20U)) return 1;
  record_until(archived(60));
  wait_for_archiver();
  tell_counters();
  return 0;
}

int announces_directories() {
  static std::atomic<int> told{0};
  const auto print_and_count = [](const spool::ClosedSegment& closed) {
    print(closed);
    ++told;
  };
  if (!begin(spool::Archive::off, 0, print_and_count)) return 1;
  record_until([] { return told >= 3; });
  return 0;
}

/// The disk has each segment, its files and their names, before it is told.
int syncs(spool::Archive archive) {
  static std::atomic<int> told{0};
  const auto look = [](const spool::ClosedSegment& closed) {
    const fs::path parent = closed.path.parent_path();
    bool all = asked().has(closed.path) && asked().has(parent) && asked().has(parent / ".status");
    if (!closed.archived) {
      for (const auto& each : fs::directory_iterator{closed.path})
        all = all && asked().has(each.path());
    }
    std::printf("%s %s\n", closed.durable ? "durable" : "NOT DURABLE", all ? "asked" : "NOT ASKED");
    ++told;
  };
  if (!begin(archive, 0, look, spool::Sync::segments)) return 1;
  record_until([] { return told >= 3; });
  return 0;
}

int syncs_directories() {
  return syncs(spool::Archive::off);
}
int syncs_archives() {
  return syncs(spool::Archive::zstd);
}

/// The first call throws, the second blocks while eighty segments are closed, the third is what comes after that.
int callback_throws_and_blocks() {
  static std::atomic<int> calls{0};
  static std::atomic<std::uint64_t> missed{0};
  static std::mutex held;
  held.lock();
  const auto callback = [](const spool::ClosedSegment& closed) {
    if (++calls == 1) throw std::runtime_error{"no\nsuch host"};
    const std::lock_guard guard{held};
    missed += closed.missed;
  };
  if (!begin(spool::Archive::off, std::uint64_t{2} << 20U, callback)) return 1;
  record_until([] { return calls >= 2 && recorder().counters().segments >= 80; });
  held.unlock();
  record_until([] { return missed > 0; });
  tell_counters();
  return 0;
}

int callback_hangs() {
  static std::atomic<bool> called{false};
  const auto callback = [](const spool::ClosedSegment& /*closed*/) {
    called = true;
    for (;;)
      pause();
  };
  if (!begin(spool::Archive::off, 0, callback)) return 1;
  record_until([] { return called.load(); });
  return 0;
}

/// Something stands in the way of the first archive until it has failed.
int archive_fails() {
  if (!begin(spool::Archive::zstd, 0)) return 1;
  const fs::path obstacle = recorder().directory() / ".000001.tar.zst";
  fs::create_directory(obstacle);
  record_until([] { return recorder().counters().archive_failures >= 1; });
  fs::remove(obstacle);
  record_until(archived(2));
  tell_counters();
  return 0;
}

/// A shipper that takes directories and archives away as soon as it sees them.
int is_shipped_by_others() {
  const fs::path taken = scratch() / "taken";
  fs::create_directory(taken);
  const auto take = [taken](const spool::ClosedSegment& closed) {
    fs::rename(closed.path, taken / closed.path.filename());
  };
  if (!begin(spool::Archive::zstd, 0, take)) return 1;
  record_until(archived(3));
  const std::uint64_t now = recorder().counters().segments;
  std::error_code ignored;  // it may have been recycled
  for (std::uint64_t number = 1; number < now; ++number)
    fs::rename(recorder().directory() / fmt::format("{:06}", number), taken / fmt::format("{:06}", number), ignored);
  record_until(archived(6));
  tell_counters();
  return 0;
}

int archives_across_fork() {
  if (!begin(spool::Archive::zstd, 0)) return 1;
  record_until(archived(1));
  const pid_t child = fork();
  if (child == 0) {
    is_forked = true;
    record_until(archived(1));
    return 0;
  }
  record_until(archived(3));
  int status = 0;
  waitpid(child, &status, 0);
  tell_counters();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

Programs spool::test::archive_programs() {
  return {{"archives_all", archives_all},
          {"archives_within_keep", archives_within_keep},
          {"announces_directories", announces_directories},
          {"syncs_directories", syncs_directories},
          {"syncs_archives", syncs_archives},
          {"callback_throws_and_blocks", callback_throws_and_blocks},
          {"callback_hangs", callback_hangs},
          {"archive_fails", archive_fails},
          {"is_shipped_by_others", is_shipped_by_others},
          {"archives_across_fork", archives_across_fork}};
}
