// SPDX-License-Identifier: MIT
//
// The files of our own sinks: who may read them, what is refused in their place, and that no line is lost or torn when
// the disk is full or the directory goes away.
#include <spool/sinks/file.hpp>
#include <spool/sinks/json_lines.hpp>
#include <spool/sinks/text.hpp>

#include "support/child.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace fs = std::filesystem;
using spool::sinks::File;
using spool::test::ScratchDirectory;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

void put(File& file, const std::string& line) {
  file.add([&](spool::trace::LineBuffer& out) { out.put(line); });
}

std::string line_of(int number) {
  return "line " + std::to_string(number) + std::string(200, '.') + '\n';
}

/// Writes numbered lines until the file takes no more; the first number that it did not take.
int fill(File& file, int next) {
  try {
    for (; next < 100'000; ++next) {
      put(file, line_of(next));
      file.flush();
    }
  } catch (const std::system_error&) {
    return next;
  }
  return next;
}

/// The file holds the lines from 0 on, each whole, once and in order; how many.
int whole_lines(const fs::path& path) {
  std::ifstream in{path};
  int next = 0;
  for (std::string line; std::getline(in, line); ++next) {
    REQUIRE(line + '\n' == line_of(next));
  }
  return next;
}

}  // namespace

TEST_CASE("a log file is for its owner's eyes, in directories that are too") {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "logs" / "deep" / "server.jsonl";
  umask(022);
  File file{path};
  put(file, "x\n");
  file.flush();
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(path.parent_path()) == 0700);
  CHECK(mode_of(path.parent_path().parent_path()) == 0700);
  CHECK(content_of(path) == "x\n");
}

TEST_CASE("a symbolic link in the log's place is refused, and so is what is no file") {
  const ScratchDirectory scratch;
  const fs::path target = scratch.path() / "target";
  std::ofstream{target} << "precious\n";
  const fs::path link = scratch.path() / "link";
  fs::create_symlink(target, link);
  CHECK_THROWS_WITH(File{link}, Catch::Contains("symbolic link is not followed"));
  CHECK_THROWS_AS(spool::sinks::json_lines(link), std::system_error);
  CHECK_THROWS_AS(spool::sinks::text_file(link), std::system_error);
  CHECK(content_of(target) == "precious\n");
  const fs::path pipe = scratch.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_AS(File{pipe}, std::system_error);
  CHECK_THROWS_AS(File{scratch.path()}, std::system_error);
  CHECK_THROWS_AS(File{target / "under a file"}, std::system_error);
}

TEST_CASE("a log is appended to, and begun anew when it is opened again, with its head") {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "log";
  std::ofstream{path} << "before\n";
  File file{path};
  file.set_head("head\n");
  put(file, "one\n");
  fs::rename(path, scratch.path() / "log.1");
  put(file, "two\n");
  file.reopen();
  put(file, "three\n");
  file.flush();
  CHECK(content_of(scratch.path() / "log.1") == "before\none\ntwo\n");
  CHECK(content_of(path) == "head\nthree\n");
  CHECK(mode_of(path) == 0600);
}

TEST_CASE("a removed file is made anew, with its directory") {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "logs" / "log";
  File file{path};
  file.set_head("head\n");
  put(file, "one\n");
  file.flush();
  fs::remove_all(path.parent_path());
  put(file, "two\n");
  file.flush();  // into the removed one: only now is it seen
  put(file, "three\n");
  file.flush();
  CHECK(content_of(path) == "head\nthree\n");
  CHECK(mode_of(path.parent_path()) == 0700);
}

TEST_CASE("where a file may not grow, lines end whole, and go on when it may") {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "log";
  File file{path};
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 10'000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const int refused = fill(file, 0);
  CHECK_THROWS_AS(file.flush(), std::system_error);
  const int held = whole_lines(path);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(held == refused);
  CHECK(held > 10);
  file.flush();  // the refused line waits in the buffer
  for (int i = refused + 1; i < refused + 10; ++i)
    put(file, line_of(i));
  file.flush();
  CHECK(whole_lines(path) == refused + 10);
}

TEST_CASE("half a line is cut off again, and comes as a whole later") {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "log";
  File file{path};
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  put(file, "first\n");
  file.flush();
  put(file, line_of(1));
  rlimit small = before;
  small.rlim_cur = 50;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(file.flush(), std::system_error);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(content_of(path) == "first\n");
  file.flush();
  CHECK(content_of(path) == "first\n" + line_of(1));
}

TEST_CASE("on a full file system lines end whole, and go on when there is room") {
  const ScratchDirectory scratch;
  const fs::path disk = scratch.path() / "disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) {
    WARN("mounting is not allowed here: the limit of a file's size stands for the full disk");
    return;
  }
  int refused = 0;
  int held = 0;
  {
    const fs::path ballast = disk / "ballast";
    std::ofstream{ballast} << std::string(900'000, 'b');
    File file{disk / "log"};
    refused = fill(file, 0);
    held = whole_lines(disk / "log");
    fs::remove(ballast);
    file.flush();
    for (int i = refused + 1; i < refused + 100; ++i)
      put(file, line_of(i));
    file.flush();
    CHECK(whole_lines(disk / "log") == refused + 100);
  }
  umount2(disk.c_str(), MNT_DETACH);
  CHECK(held == refused);
  CHECK(held > 100);
}

TEST_CASE("JSON and text files hold the Records, each with the process at its head") {
  const ScratchDirectory scratch;
  using namespace spool;
  const auto json = sinks::json_lines(scratch.path() / "json");
  const auto text = sinks::text_file(scratch.path() / "text");
  const auto pattern = sinks::text_file(scratch.path() / "pattern", "%l|%-4N|%K|%Q|%v%J");
  SinkRecord process;
  process.row = trace::row_named("definition.process");
  process.level = trace::Level::trace;
  process.pid = 7;
  SinkRecord message;
  message.row = trace::row_named("message");
  message.level = trace::Level::warning;
  message.pid = 7;
  message.thread = 3;
  message.thread_name = "a\tb";
  message.daemon = true;
  message.text = "said\n";
  for (const auto& sink : {json, text, pattern}) {
    sink->write(process);
    sink->write(message);
    sink->reopen();
    sink->write(message);
    sink->flush();
  }
  // The same file, opened twice: two heads and two messages.
  std::ifstream lines{scratch.path() / "json"};
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);)
    rows.push_back(nlohmann::json::parse(line)["record"]);
  const std::vector<std::string> expected{"definition.process", "message", "definition.process", "message"};
  CHECK(rows == expected);
  const std::string told = "1970-01-01T00:00:00.000000000+00:00 [warning] (a\\tb) said\\n\tthread=3 pid=7 site=0\n";
  const std::string head =
      "1970-01-01T00:00:00.000000000+00:00 [trace] () definition.process\trecord=definition.process pid=7\n";
  CHECK(content_of(scratch.path() / "text") == head + told + head + told);
  const std::string by_pattern = "warning|a\\tb|3|daemon|said\\n\tthread=3 pid=7 site=0\n";
  const std::string pattern_head = "trace|    |0||definition.process\trecord=definition.process pid=7\n";
  CHECK(content_of(scratch.path() / "pattern") == pattern_head + by_pattern + pattern_head + by_pattern);
}

TEST_CASE("spdlog's formatter and ours make the same line of the default pattern") {
  const ScratchDirectory scratch;
  using namespace spool;
  const std::string pattern = sinks::default_pattern;
  const auto ours = sinks::text_file(scratch.path() / "ours", pattern);
  // Not the same text, so spdlog's formatter makes it.
  const auto theirs = sinks::text_file(scratch.path() / "theirs", pattern.substr(0, 2) + pattern.substr(2) + "%%");
  SinkRecord message;
  message.row = trace::row_named("message");
  message.level = trace::Level::error;
  message.time = 1'795'379'512'003'456'789;
  message.pid = 7;
  message.thread = 3;
  message.thread_name = "worker";
  message.text = "said {}\x1b";
  for (const auto& sink : {ours, theirs}) {
    sink->write(message);
    sink->flush();
  }
  std::string without = content_of(scratch.path() / "theirs");
  REQUIRE(without.ends_with("%\n"));
  without.erase(without.size() - 2, 1);
  CHECK(content_of(scratch.path() / "ours") == without);
}
