// SPDX-License-Identifier: MIT
//
// Archived segments: read as the directories they were, in any mixture; and archives that are damaged, or no archives.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>
#include <unspool/running.hpp>

#include <cstdlib>
#include <filesystem>

using namespace unspool_test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace fs = std::filesystem;

namespace {

const auto lock = object_number(17);

void shell(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe): the test's own command
}

/// Three segments, each with Records of two threads.
struct Sample {
  TraceBuilder trace;

  Sample() {
    for (std::uint32_t number = 1; number <= 3; ++number) {
      auto& segment = trace.segment(number);
      const trace::Ticks at = 1000 * number;
      segment.definition_time = at;
      segment.define_thread(1, "main", trace::Origin::main).define_thread(5, "worker", trace::Origin::spool, 1);
      segment.define_object(lock, trace::Kind::lock, "accounts");
      const trace::Sequence seq = 4 * number;
      segment.writer(1, at)
          .transition(at + 10, "lock.acquire", lock, 0, seq - 3)
          .transition(at + 20, "lock.release", lock, 0, seq - 2);
      segment.writer(5, at)
          .transition(at + 30, "lock.acquire", lock, 0, seq - 1)
          .transition(at + 40, "lock.release", lock, 0, seq);
    }
    trace.write();
  }

  std::string archive(std::uint32_t number) const { return trace.segment_path(number) + ".tar.zst"; }
  /// As `tar` would make it; `extra` are further arguments of tar.
  void pack(std::uint32_t number, const std::string& extra = {}) const {
    const std::string name = fs::path{trace.segment_path(number)}.filename();
    shell("cd " + trace.path() + " && tar --zstd -cf " + name + ".tar.zst --format=ustar " + extra + " " + name);
  }
  void pack_away(std::uint32_t number) const {
    pack(number);
    fs::remove_all(trace.segment_path(number));
  }
};

std::string cat(const std::string& path) {
  return unspool_test::unspool("cat --definitions --time ticks " + path).out;
}

std::string refusal_of(const std::string& path) {
  const Reading reading{path};
  REQUIRE(reading.trace == nullptr);
  REQUIRE_THAT(reading.refusal, StartsWith(path));
  return reading.refusal.substr(path.size());
}

}  // namespace

TEST_CASE("any mixture of directories and archives is the same trace") {
  const Sample sample;
  const std::string before = cat(sample.trace.path());
  CHECK_THAT(before, Contains("lock.release"));
  sample.pack_away(1);
  CHECK(cat(sample.trace.path()) == before);
  sample.pack(2);  // both are there: a process that is killed between the two leaves it so
  CHECK(cat(sample.trace.path()) == before);
  sample.pack_away(2);
  sample.pack_away(3);
  CHECK(cat(sample.trace.path()) == before);
  const Outcome outcome = unspool_test::unspool("check " + sample.trace.path());
  CHECK(outcome.exit == 0);
  CHECK(outcome.err.empty());
}

TEST_CASE("one archive is read alone, by its content and whatever its name") {
  const Sample sample;
  const std::string directory = cat(sample.trace.segment_path(2));
  sample.pack(2);
  CHECK(cat(sample.archive(2)) == directory);
  const std::string other = sample.trace.parent() + "/from the mail.bin";
  fs::rename(sample.archive(2), other);
  CHECK(cat("'" + other + "'") == directory);
  shell("cd " + sample.trace.path() + " && tar -czf ../gnu.tgz 000002");
  CHECK(cat(sample.trace.parent() + "/gnu.tgz") == directory);
}

TEST_CASE("a temporary archive of a process that was killed is no part of the trace") {
  const Sample sample;
  write_file(sample.trace.path() + "/.000004.tar.zst", "half an arch");
  const Reading reading{sample.trace.path()};
  REQUIRE(reading.trace != nullptr);
  CHECK(reading.problems().empty());
  CHECK(reading.records.size() == 12);
}

TEST_CASE("a directory that the process has taken back is read from its archive") {
  const Sample sample;
  sample.pack(1);
  fs::remove(sample.trace.segment_path(1) + "/metadata");  // as a segment that has gone between listing and opening
  const Reading reading{sample.trace.path()};
  REQUIRE(reading.trace != nullptr);
  CHECK(reading.problems().empty());
  CHECK(reading.records.size() == 12);
}

TEST_CASE("what is no archive of a segment is refused with one sentence") {
  const Sample sample;
  const std::string path = sample.trace.parent() + "/x.tar.zst";
  write_file(path, "");
  CHECK(refusal_of(path) == ": has no files of a segment in it: it is damaged, or was not made by spool");
  write_file(path, "\x28\xb5\x2f\xfd and then nothing of zstd's");
  CHECK_THAT(refusal_of(path), Contains("the zstd data is damaged") && Contains("copy the archive again"));
  shell("head -c 300000000 /dev/zero | zstd -q -f -o " + path);
  CHECK_THAT(refusal_of(path), Contains("it is damaged, or was not made by spool") || Contains("256 MiB"));
  shell("cd " + sample.trace.parent() + " && echo secret >outside && mkdir in && cd in && tar --zstd -Pcf " + path +
        " ../outside");
  CHECK_THAT(refusal_of(path), Contains("has no files of a segment in it"));
}

TEST_CASE("a bomb is unpacked no further than a segment can be large") {
  const Sample sample;
  const std::string path = sample.trace.parent() + "/x.tar.zst";
  shell("cd " + sample.trace.path() + " && truncate -s 400M 000001/stream-0009 && tar --zstd -cf " + path +
        " --format=ustar 000001/metadata 000001/stream-000[0-8] 000001/stream-0009");
  const Reading reading{path};
  REQUIRE(reading.trace != nullptr);
  CHECK_THAT(reading.problems(), Contains("unpacks to more than 256 MiB, which no segment does; the rest is left out"));
  CHECK(reading.records.size() == 4);
}

TEST_CASE("files of an archive that are none of a segment's are left out and told, and lead nowhere") {
  const Sample sample;
  shell("cd " + sample.trace.path() + " && ln -s /etc/passwd 000001/stream-0077 && printf x >'000001/e\x1b[1m'");
  sample.pack(1, "-P --transform 's,stream-0001,../../../../stream-0001,'");
  const Outcome outcome = unspool_test::unspool("cat " + sample.archive(1));
  CHECK(outcome.exit == 3);
  CHECK_THAT(outcome.err, Contains("000001/../../../../stream-0001\" in it, which is no file of a segment"));
  CHECK_THAT(outcome.err, Contains("stream-0077\" in it, which is no file of a segment"));
  CHECK(outcome.err.find('\x1b') == std::string::npos);
  CHECK_THAT(outcome.err, Contains("chunks are missing"));
}

TEST_CASE("of an archive that is cut or spoiled anywhere the rest is read or refused") {
  const Sample sample;
  sample.pack(1);
  const std::string whole = read_file(sample.archive(1));
  const std::string path = sample.trace.parent() + "/x.tar.zst";
  shell("zstd -dq -o " + sample.trace.parent() + "/whole.tar " + sample.archive(1));
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    write_file(path, whole.substr(0, length));
    const Reading reading{path};
    INFO(length);
    CHECK((reading.trace == nullptr ? !reading.refusal.empty() : !reading.problems().empty()));
  }
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    std::string spoiled = whole;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 0x41);
    write_file(path, spoiled);
    const Reading reading{path};
    INFO(at);
    const bool told = reading.trace == nullptr ? !reading.refusal.empty() : !reading.problems().empty();
    // Some bits of compressed data mean nothing: then what is in it is the same as before.
    if (!told) shell("cd " + sample.trace.parent() + " && zstd -dcq x.tar.zst | cmp - whole.tar");
  }
}

TEST_CASE("a plain tar is told where it has no header, a file twice, no end, or no metadata") {
  const Sample sample;
  const std::string path = sample.trace.parent() + "/x.tar";
  const std::string in = "cd " + sample.trace.path() + " && tar --format=ustar -b 1 ";
  shell(in + "-cf " + path + " 000001/metadata 000001/stream-0000 000001/stream-0001 000001/stream-0002");
  const std::string whole = read_file(path);
  const auto problems = [&](const std::string& bytes) {
    write_file(path, bytes);
    const Reading reading{path};
    REQUIRE(reading.trace != nullptr);
    return reading.problems();
  };
  CHECK(problems(whole).empty());
  const std::size_t last = whole.rfind("000001/stream-0002");
  std::string spoiled = whole;
  spoiled[last + 3] = '7';  // the checksum no longer fits
  CHECK_THAT(problems(spoiled),
             Contains("x.tar: at byte " + std::to_string(last) +
                      " of the unpacked archive there is no header of a file; what follows is left out"));
  CHECK_THAT(problems(whole.substr(0, whole.find_last_not_of('\0') + 1)),
             Contains("x.tar: is cut short: it has no end; copy it again"));
  write_file(path, whole);
  shell(in + "-rf " + path + " 000001/stream-0001");
  CHECK_THAT(problems(read_file(path)), Contains("x.tar: has \"000001/stream-0001\" in it, which is there already"));
  shell(in + "-cf " + path + " 000001/stream-0000 000001/stream-0001");
  CHECK_THAT(refusal_of(path), StartsWith("/metadata: cannot be opened (it is not in the archive)"));
}

TEST_CASE("without room for what is unpacked or copied, unspool says what it lacks") {
  const Sample sample;
  sample.pack_away(1);
  const std::string archive = sample.archive(1);
  const auto said = [&](const std::string& before, const std::string& arguments) {
    return run(before + " " + tool() + " cat " + arguments).err;
  };
  CHECK_THAT(said("TMPDIR=/no/such/place", archive),
             Contains("cannot be unpacked (/no/such/place/") && Contains("); TMPDIR names a directory with room"));
  CHECK_THAT(said("cat " + archive + " | TMPDIR=/no/such/place", "-"),
             Contains("standard input: no copy can be made (/no/such/place/"));
  // As on a full disk: a write gets no room.
  const std::string no_room = "trap '' XFSZ; ulimit -f 1;";
  CHECK_THAT(said(no_room, archive),
             Contains("cannot be unpacked into a temporary file (File too large); TMPDIR names a "
                      "directory with room"));
  CHECK_THAT(said("head -c 100000 /dev/zero | (" + no_room, "-)"),
             Contains("standard input: its temporary copy cannot be written (File too large)"));
  CHECK_THAT(run(tool() + " cat - </").err, Contains("standard input: cannot be read (Is a directory)"));
}
