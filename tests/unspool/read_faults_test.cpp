// SPDX-License-Identifier: MIT
//
// Faults that come up on the way to a trace's Records and are seldom: in its metadata, its status file, its segments,
// and under the reader's hands while it reads; and in a baseline file. One byte or one file makes each.
#include <catch2/catch.hpp>
#include <unspool/analyze/baseline.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>

#include <cstddef>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace unspool_test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);
constexpr std::size_t header_size = sizeof(trace::PacketHeader);

void fill(SegmentBuilder& segment, trace::Ticks begin, trace::Sequence first) {
  segment.define_thread(1, "main");
  segment.writer(1, begin)
      .transition(begin + 10, "lock.acquire", lock, 0, first)
      .transition(begin + 20, "lock.release", lock, 0, first + 1);
}

/// One segment, whose files can be spoiled.
struct Sample {
  TraceBuilder trace;
  Sample() {
    fill(trace.segment(1), 100, 1);
    trace.status({});
    trace.write();
  }
  std::string file(const std::string& name) const { return trace.segment_path(1) + '/' + name; }
  std::string problems() const {
    const Reading read{trace.path()};
    REQUIRE(read.trace != nullptr);
    return read.problems();
  }
  std::string refusal() const {
    const Reading read{trace.path()};
    REQUIRE(read.trace == nullptr);
    return read.refusal;
  }
};

std::string read_to_the_end(unspool::Trace& trace) {
  unspool::Merge merge{trace};
  for (unspool::Record record; merge.next(record);) {}
  std::string text;
  for (const auto& each : trace.process().problems)
    text += each.text + '\n';
  return text;
}

}  // namespace

TEST_CASE("what stands behind the metadata's last packet is told") {
  const Sample sample;
  write_file(sample.file("metadata"), read_file(sample.file("metadata")) + "abc");
  CHECK_THAT(sample.problems(), EndsWith("/metadata: has 3 bytes behind its last packet that are none\n"));
}

TEST_CASE("one byte in the metadata's packet header makes it unusable, and is told") {
  const Sample sample;
  const std::string whole = read_file(sample.file("metadata"));
  patch_file(sample.file("metadata"), offsetof(trace::MetadataHeader, packet_size) + 3, '\0');
  patch_file(sample.file("metadata"), offsetof(trace::MetadataHeader, packet_size) + 1, '\1');
  patch_file(sample.file("metadata"), offsetof(trace::MetadataHeader, packet_size) + 2, '\0');
  CHECK_THAT(sample.refusal(), Contains("/metadata: has a broken packet header (content of " +
                                        std::to_string(whole.size()) + " bytes in a packet of "));
  write_file(sample.file("metadata"), whole);
  CHECK(sample.problems().empty());
}

TEST_CASE("metadata of a big-endian machine is refused, by its magic and by its word") {
  const Sample sample;
  std::string text = read_file(sample.file("metadata"));
  const std::string word = "byte_order = le; packet.header";
  REQUIRE(text.find(word) != std::string::npos);
  text.replace(text.find(word), word.size(), "byte_order = be; packet.header");
  write_file(sample.file("metadata"), text);
  CHECK_THAT(sample.refusal(), EndsWith(": is big-endian, which spool never writes"));
  write_file(sample.file("metadata"), std::string{"\x75\xd1\x1d\x57", 4} + text.substr(4));
  CHECK_THAT(sample.refusal(), Contains("/metadata: was written on a big-endian machine, which spool does not run on"));
}

TEST_CASE("metadata as plain text that breaks off too early is refused; of too much of it the rest is left out") {
  const Sample sample;
  std::string text = read_file(sample.file("metadata")).substr(sizeof(trace::MetadataHeader));
  if (!text.starts_with("/* CTF 1.")) text = "/* CTF 1.8 */\n" + text;
  write_file(sample.file("metadata"), "/* CTF 1.8 */\ntrace { major = 1;");
  CHECK_THAT(sample.refusal(), EndsWith("/metadata: breaks off before it says how to read the Records: copy the whole "
                                        "segment again"));
  write_file(sample.file("metadata"), text + std::string(std::size_t{33} << 20U, ' '));
  CHECK_THAT(sample.problems(), Contains("/metadata: is larger than 32 MiB; what comes later is left out"));
}

TEST_CASE("threads that found no entry in the status file are told") {
  const Sample sample;
  patch_file(sample.trace.path() + "/.status", offsetof(trace::StatusHeader, entries_missed), '\3');
  CHECK_THAT(sample.problems(),
             EndsWith("/.status: 3 threads found no free entry: what they did last is taken from their "
                      "Records only\n"));
}

TEST_CASE("a segment without chunks, and one whose chunk is no file, are told") {
  const Sample sample;
  fs::remove(sample.file("stream-0001"));
  REQUIRE(::mkfifo(sample.file("stream-0001").c_str(), 0600) == 0);
  CHECK_THAT(sample.problems(), EndsWith("/stream-0001: cannot be opened (Not a regular file)\n"));
  fs::remove(sample.file("stream-0001"));
  fs::remove(sample.file("stream-0000"));
  CHECK_THAT(sample.problems(), EndsWith(": has no chunks, only metadata\n"));
}

TEST_CASE("segments that are missing between others are told, and both sides are read") {
  TraceBuilder trace;
  fill(trace.segment(1), 100, 1);
  fill(trace.segment(4), 200, 9);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.trace != nullptr);
  CHECK(read.records.size() == 4);
  CHECK(read.process().cut);
  CHECK(read.problems() == "note: " + trace.path() + ": segments 2 to 3 are not there\n");
}

TEST_CASE("what goes away between the search and the reading is told") {
  const Sample sample;
  std::string refusal;
  SECTION("the segment") {
    CHECK(unspool::Trace::open({sample.trace.segment_path(1) + "0", true}, refusal) == nullptr);
    CHECK_THAT(refusal, EndsWith(": cannot be opened (No such file or directory)"));
  }
  SECTION("all segments") {
    fs::remove_all(sample.trace.segment_path(1));
    CHECK(unspool::Trace::open({sample.trace.path(), false}, refusal) == nullptr);
    CHECK_THAT(refusal, EndsWith(": cannot be read or has no segments any more"));
  }
  SECTION("the segment, for new Records of the process") {
    const int writer = ::open(sample.trace.segment_path(1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(::flock(writer, LOCK_EX | LOCK_NB) == 0);
    CHECK(unspool::Trace::open({sample.trace.path(), false}, refusal) == nullptr);
    CHECK_THAT(refusal, EndsWith(": was just taken back by the process, which still runs, for new Records"));
    ::close(writer);
  }
  SECTION("a chunk") {
    const auto opened = unspool::Trace::open({sample.trace.path(), false}, refusal);
    REQUIRE(opened != nullptr);
    fs::remove(sample.file("stream-0001"));
    CHECK_THAT(read_to_the_end(*opened),
               Contains("/stream-0001: what stands at byte 96 cannot be opened again (No such "
                        "file or directory); the rest of the packet, 64 bytes, is left out"));
  }
  SECTION("the end of a chunk") {
    const auto opened = unspool::Trace::open({sample.trace.path(), false}, refusal);
    REQUIRE(opened != nullptr);
    fs::resize_file(sample.file("stream-0001"), header_size + 40);
    CHECK_THAT(read_to_the_end(*opened), Contains("/stream-0001: ended at byte 136 while it was read: it was cut "
                                                  "meanwhile, or cannot be read"));
  }
}

TEST_CASE("one byte that spoils a line of the baseline is told with the line, and so is a file that cannot be had") {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/baseline";
  const std::string good = "# accepted\n\n0123456789abcdef deadlock # two workers\n";
  const auto refusal = [&](const std::string& text) {
    write_file(file, text);
    return unspool::Baseline{}.read(file);
  };
  CHECK(refusal(good).empty());
  const auto spoiled = [&](std::size_t at, char byte) {
    std::string text = good;
    text[at] = byte;
    return refusal(text);
  };
  const std::size_t line = good.find("0123");
  CHECK(spoiled(line + 3, 'g') == file + ":3: a line begins with a fingerprint of 16 hexadecimal digits, or with #");
  CHECK(spoiled(line + 17, 'D') ==
        file + ":3: after the fingerprint comes the sort of finding: deadlock, order, misuse");
  unspool::Baseline baseline;
  CHECK(baseline.read(file + "-none") == file + "-none: the baseline cannot be read (No such file or directory)");
  CHECK(baseline.read(directory.path()) == directory.path() + ": the baseline cannot be read (Is a directory)");
  baseline.add(unspool::Baseline::order, 1, "x");
  CHECK(baseline.write("/no/such/place") ==
        "/no/such/place.new: the baseline cannot be written (No such file or directory)");
  fs::create_directories(file + "-taken/inside");
  CHECK(baseline.write(file + "-taken") == file + "-taken: the baseline cannot be written (Is a directory)");
}
