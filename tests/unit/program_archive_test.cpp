// SPDX-License-Identifier: MIT
//
// Closed segments are told and compressed, and none is ever missing: program_archive.cpp.
#include "running.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include <sys/stat.h>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

constexpr const char* suffix = ".tar.zst";
constexpr std::uint64_t segment_bytes = std::uint64_t{17} * 32 * 1024;

struct Left {
  std::set<unsigned long> archives;
  std::set<unsigned long> directories;
  std::uint64_t bytes = 0;
};

Left left_in(const fs::path& trace) {
  Left left;
  for (const auto& each : fs::directory_iterator{trace}) {
    const std::string name = each.path().filename();
    if (name.starts_with('.')) continue;
    const bool archive = name.ends_with(suffix);
    (archive ? left.archives : left.directories).insert(std::stoul(name));
    if (archive) left.bytes += fs::file_size(each.path());
    struct stat about {};
    REQUIRE(stat(each.path().c_str(), &about) == 0);
    CHECK((about.st_mode & 0077U) == 0U);
  }
  left.bytes += left.directories.size() * segment_bytes;
  return left;
}

/// As a user does it, by tar; then nothing but directories is there.
void unpack(const fs::path& trace) {
  for (const unsigned long number : left_in(trace).archives) {
    const std::string archive = fmt::format("{:06}{}", number, suffix);
    if (!fs::exists(trace / fmt::format("{:06}", number))) {
      const std::string command = fmt::format("cd '{}' && tar --zstd -xf {}", trace.string(), archive);
      REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe): the test's own
    }
    fs::remove(trace / archive);
  }
}

/// Every segment from the first that is left to the last.
void check_gapless(const Left& left, unsigned long first) {
  std::set<unsigned long> all = left.archives;
  all.insert(left.directories.begin(), left.directories.end());
  REQUIRE_FALSE(all.empty());
  CHECK(all.size() == *all.rbegin() - *all.begin() + 1);
  if (first != 0) CHECK(*all.begin() == first);
}

void check_whole(const fs::path& trace) {
  const Ended judged = run_program({"../tools/unspool/unspool", "check", trace.string()});
  INFO(judged.out << judged.err);
  CHECK(judged.exit_code == 0);
  unpack(trace);
  const TraceReader reader{trace};
  CHECK(reader.problems() == std::vector<std::string>{});
  CHECK(count_of(reader, "trace.loss") == 0);
  if (reader.segments().front().filename() == "000001") check_locks_gapless(reader);
}

/// What `unspool cat --to ctf` writes is the same trace, without archives.
void check_copy(const fs::path& trace, const fs::path& plain) {
  const Ended done =
      run_program({"../tools/unspool/unspool", "cat", "--to", "ctf", "-o", plain.string(), trace.string()});
  INFO(done.out << done.err);
  REQUIRE(done.exit_code == 0);
  const auto lines = [](const fs::path& of) {
    const Ended ended =
        run_program({"../tools/unspool/unspool", "cat", "--definitions", "--time", "ticks", of.string()});
    CHECK(ended.exit_code == 0);
    return ended.out;
  };
  const fs::path copy = plain / trace.filename();
  CHECK((lines(copy) == lines(trace)));
  CHECK(left_in(copy).archives.empty());
  unpack(trace);
  const TraceReader unpacked{trace};
  const TraceReader written{copy};
  CHECK(written.problems() == std::vector<std::string>{});
  CHECK(written.records().size() == unpacked.records().size());
  CHECK(written.definitions() == unpacked.definitions());
}

struct Ran {
  ScratchDirectory scratch;
  Ended ended;

  explicit Ran(const std::string& name) {
    ended =
        run_program({"unit_program", name}, {"SPOOL_TEST_DIR=" + scratch.path().string()}, std::chrono::seconds{200});
    INFO(name << "\nout: " << ended.out << "\nerr: " << ended.err);
    CHECK_FALSE(ended.timed_out);
    REQUIRE(ended.exit_code == 0);
    CHECK(ended.out.find("MISSING") == std::string::npos);
    CHECK(ended.out.find("WRONG") == std::string::npos);
  }
};

}  // namespace

TEST_CASE("closed segments become archives, are told, and come back to the ring") {
  const Ran ran{"archives_all"};
  const fs::path trace = ran.scratch.trace();
  CHECK_THAT(ran.ended.out, Contains("archive 1 000001.tar.zst\n") && Contains("archive 5 000005.tar.zst\n"));
  CHECK_THAT(ran.ended.out, Contains("failures 0 lost 0"));
  CHECK(ran.ended.out.find("recycled 0\n") == std::string::npos);
  const Left left = left_in(trace);
  CHECK(left.archives.size() >= 5);
  check_gapless(left, 1);
  const Ended lines = run_program({"../tools/unspool/unspool", "cat", trace.string()});
  CHECK_THAT(lines.out, Contains("segment 1 is archived: ") && Contains("logger=spool.recorder"));
  check_copy(trace, ran.scratch.path() / "plain");
  check_whole(trace);
}

TEST_CASE("with Sync::segments the disk has a segment or archive, and the threads' states, before it is told") {
  for (const char* name : {"syncs_directories", "syncs_archives"}) {
    const Ran ran{name};
    INFO(name << ran.ended.out);
    CHECK(ran.ended.err.empty());
    CHECK_THAT(ran.ended.out, Contains("durable asked\n"));
    CHECK(ran.ended.out.find("NOT") == std::string::npos);
    const Ended lines = run_program({"../tools/unspool/unspool", "cat", ran.scratch.trace().string()});
    CHECK_THAT(lines.out, Contains(" and on the disk: "));
  }
}

TEST_CASE("keep is the sum of archives and directories, and what is left is the newest without a hole") {
  const Ran ran{"archives_within_keep"};
  const Left left = left_in(ran.scratch.trace());
  check_gapless(left, 0);
  CHECK_FALSE(left.archives.contains(1));
  CHECK_FALSE(left.archives.empty());
  CHECK(left.bytes <= (std::uint64_t{3} << 20U) + segment_bytes);
  check_whole(ran.scratch.trace());
}

TEST_CASE("without archives the directories of closed segments are told, at the end the last one too") {
  const Ran ran{"announces_directories"};
  CHECK_THAT(ran.ended.out, Contains("directory 1 000001\n") && Contains("directory 3 000003\n"));
  const Left left = left_in(ran.scratch.trace());
  CHECK_THAT(ran.ended.out, Contains(fmt::format("directory {0} {0:06}\n", *left.directories.rbegin())));
}

TEST_CASE("a callback that throws is told of once, one that blocks holds nobody up, and what it missed is counted") {
  const Ran ran{"callback_throws_and_blocks"};
  CHECK(ran.ended.err == "spool: on_segment threw \"no\\nsuch host\"; what it throws is ignored (said once)\n");
  CHECK_THAT(ran.ended.out, Contains("lost 0"));
}

TEST_CASE("a callback that never returns delays the end of the program by 5 s") {
  const Ran ran{"callback_hangs"};
  CHECK_THAT(ran.ended.err, Contains("on_segment has not returned for 5 s"));
}

TEST_CASE("an archive that cannot be written leaves its segment uncompressed, and is tried again") {
  const Ran ran{"archive_fails"};
  CHECK_THAT(ran.ended.err, Contains("000001.tar.zst cannot be written: ") && Contains("(said once)"));
  const Left left = left_in(ran.scratch.trace());
  CHECK(left.archives.contains(1));
  check_gapless(left, 1);
  check_whole(ran.scratch.trace());
}

TEST_CASE("segments and archives that others take away harm nobody") {
  const Ran ran{"is_shipped_by_others"};
  CHECK(ran.ended.err.empty());
  CHECK_THAT(ran.ended.out, Contains("lost 0"));
  const fs::path taken = ran.scratch.path() / "taken";
  const fs::path trace = ran.scratch.trace();
  for (const auto& each : fs::directory_iterator{trace}) {
    if (!each.path().filename().string().starts_with('.')) fs::rename(each.path(), taken / each.path().filename());
  }
  check_whole(taken);
}

TEST_CASE("the child of a fork archives its own trace") {
  const Ran ran{"archives_across_fork"};
  const auto traces = ran.scratch.traces();
  REQUIRE(traces.size() == 2);
  for (const fs::path& each : traces) {
    check_gapless(left_in(each), 0);
    CHECK_FALSE(left_in(each).archives.empty());
    check_whole(each);
  }
}
