// SPDX-License-Identifier: MIT
//
// The room that asks the kernel: sleeping, deadlines, mapped files, names.
#include <spool/os/mapped_file.hpp>
#include <spool/os/park.hpp>
#include <spool/os/process.hpp>

#include <catch2/catch.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spool::os;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

using Steady = std::chrono::steady_clock;

/// A directory of our own, gone afterwards.
struct Scratch {
  Scratch() {
    std::string pattern = fs::temp_directory_path() / "spool-os-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~Scratch() {
    std::error_code ignored;  // best effort
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path path;
};

/// The exit code of `body` in a child of its own, -1 if a signal ended it.
template <class F>
int in_child(F body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_soon(Deadline deadline) {
  const auto now = Steady::now();
  return deadline <= now && deadline > now - 10s;
}

}  // namespace

TEST_CASE("park returns at once when the word has changed, and when the deadline has passed") {
  Word word{1};
  CHECK(park(word, 0));
  CHECK_FALSE(park(word, 1, Steady::now() - 1h));
  CHECK_FALSE(park(word, 1, Deadline::min()));
  CHECK_FALSE(park(word, 1, deadline_after(1ms)));
}

TEST_CASE("unpark wakes a parked thread, and a dead address harms nobody") {
  Word word{0};
  std::thread sleeper{[&] {
    while (word.load() == 0)
      park(word, 0);
  }};
  word.store(1);
  unpark(&word, everybody);
  sleeper.join();
  unpark(nullptr, 1);
  Word* dead = reinterpret_cast<Word*>(std::uintptr_t{4096});
  unpark(dead, everybody);
  SUCCEED();
}

TEST_CASE("park_either ends by either word, or by the deadline") {
  for (const bool by_other : {false, true}) {
    Word word{0};
    Word other{0};
    Word& changed = by_other ? other : word;
    std::thread sleeper{[&] {
      while (word.load() == 0 && other.load() == 0)
        park_either(word, 0, other);
    }};
    changed.store(1);
    unpark(&changed, everybody);
    sleeper.join();
  }
  Word word{0};
  Word other{0};
  CHECK_FALSE(park_either(word, 0, other, deadline_after(1ms)));
  CHECK_FALSE(park_either(word, 0, other, Steady::now() - 1h));
  other.store(1);
  CHECK(park_either(word, 0, other, deadline_after(1h)));
}

TEST_CASE("deadline_after saturates") {
  using Float = std::chrono::duration<double>;
  CHECK(is_soon(deadline_after(0s)));
  CHECK(is_soon(deadline_after(-1ns)));
  CHECK(is_soon(deadline_after(std::chrono::hours::min())));
  CHECK(is_soon(deadline_after(Float{std::numeric_limits<double>::quiet_NaN()})));
  CHECK(is_soon(deadline_after(Float{-std::numeric_limits<double>::infinity()})));
  CHECK(deadline_after(std::chrono::hours::max()) == never);
  CHECK(deadline_after(std::chrono::nanoseconds::max()) == never);
  CHECK(deadline_after(Float{std::numeric_limits<double>::infinity()}) == never);
  CHECK(deadline_after(Float{1e300}) == never);
  const auto later = deadline_after(1h) - Steady::now();
  CHECK(later > 59min);
  CHECK(later <= 1h + 1s);
  CHECK(deadline_after(std::chrono::duration<long, std::pico>{1}) > Steady::now() - 10s);
}

TEST_CASE("deadline_at takes any clock and any unit") {
  using Hours = std::chrono::time_point<Steady, std::chrono::hours>;
  using Float = std::chrono::time_point<Steady, std::chrono::duration<double>>;
  const auto now = Steady::now();
  CHECK(deadline_at(now) == now);
  CHECK(deadline_at(Steady::time_point::max()) == never);
  CHECK(deadline_at(Hours::max()) == never);
  CHECK(deadline_at(Hours::min()) < now);
  CHECK(deadline_at(Float{std::chrono::duration<double>{1e300}}) == never);
  CHECK(deadline_at(Float{std::chrono::duration<double>{-1e300}}) < now);
  const auto wall = std::chrono::system_clock::now();
  const auto ahead = deadline_at(wall + 1h) - Steady::now();
  CHECK(ahead > 59min);
  CHECK(ahead <= 1h + 1s);
  CHECK(is_soon(deadline_at(wall - 1h)));
  CHECK(deadline_at(std::chrono::system_clock::time_point::max()) == never);
  CHECK(is_soon(deadline_at(std::chrono::system_clock::time_point::min())));
  CHECK(deadline_at(std::chrono::time_point<std::chrono::system_clock, std::chrono::hours>::max()) == never);
}

TEST_CASE("a mapped file is reserved, private to its user, and must be new") {
  const Scratch scratch;
  const fs::path path = scratch.path / "mapped";
  const MappedFile file = MappedFile::create(path, 8192);
  REQUIRE(file);
  CHECK(file.size() == 8192);
  CHECK(fs::file_size(path) == 8192);
  CHECK((fs::status(path).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
  std::memset(file.data(), 1, file.size());
  CHECK_FALSE(MappedFile::create(path, 8192));
  CHECK(errno == EEXIST);
  fs::create_symlink(scratch.path / "elsewhere", scratch.path / "link");
  CHECK_FALSE(MappedFile::create(scratch.path / "link", 8192));
  CHECK_FALSE(fs::exists(scratch.path / "elsewhere"));
  CHECK_FALSE(MappedFile::create(scratch.path / "none" / "file", 8192));
  CHECK(errno == ENOENT);
}

TEST_CASE("a mapped file that does not fit leaves nothing behind") {
  const Scratch scratch;
  const fs::path path = scratch.path / "too-big";
  CHECK(in_child([&] {
          (void)std::signal(SIGXFSZ, SIG_IGN);
          const rlimit small{4096, 4096};
          setrlimit(RLIMIT_FSIZE, &small);
          if (MappedFile::create(path, 1 << 20)) return 1;
          return errno == EFBIG ? 0 : 2;
        }) == 0);
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("on a full file system a mapped file is refused before a store can fault") {
  const Scratch scratch;
  if (mount("none", scratch.path.c_str(), "tmpfs", 0, "size=256k") != 0) {
    WARN("no right to mount a tmpfs: not tested");
    return;
  }
  const fs::path path = scratch.path / "too-big";
  CHECK_FALSE(MappedFile::create(path, 1 << 20));
  CHECK(errno == ENOSPC);
  CHECK_FALSE(fs::exists(path));
  CHECK(MappedFile::create(scratch.path / "fits", 64 << 10));
  CHECK(umount(scratch.path.c_str()) == 0);
}

TEST_CASE("names of the kernel lose their middle") {
  CHECK(elided_name("") == "");
  CHECK(elided_name("exactly-15-byte") == "exactly-15-byte");
  CHECK(elided_name("connection-handler-17") == "connect~dler-17");
  CHECK(elided_name(std::string(10'000, 'x')).size() == 15);
  name_thread("a\nnewline");
  name_thread(std::string_view{"nul\0inside", 10});
  name_thread(std::string(10'000, 'x'));
  name_thread("spool-test");
}
