// SPDX-License-Identifier: MIT
//
// Broken traces: each fault has its sentence, and costs no more than it has to.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>

#include <cstring>
#include <filesystem>
#include <functional>

using namespace unspool_test;
using trace::Value;
namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);
constexpr std::size_t header_size = sizeof(trace::PacketHeader);

/// Two threads with two Records each, in stream-0001 and stream-0002.
void fill(SegmentBuilder& segment, trace::Ticks begin = 100, trace::Sequence first = 1) {
  segment.define_thread(1, "main").define_thread(2, "worker");
  segment.writer(1, begin)
      .transition(begin + 10, "lock.acquire", lock, 0, first)
      .transition(begin + 20, "lock.release", lock, 0, first + 1);
  segment.writer(2, begin)
      .transition(begin + 30, "lock.acquire", lock, 0, first + 2)
      .transition(begin + 40, "lock.release", lock, 0, first + 3);
}

struct Broken {
  TraceBuilder trace;
  SegmentBuilder& segment = trace.segment(1);
  Broken() { fill(segment); }
  std::string file(const std::string& name) const { return trace.segment_path(1) + '/' + name; }
  std::string damage(const std::string& where, const std::string& what) const {
    return "damage: " + trace.segment_path(1) + '/' + where + ": " + what + '\n';
  }
};

std::string refusal_of(const std::string& path) {
  const Reading read{path};
  CHECK(read.trace == nullptr);
  return read.refusal;
}

/// The sentence behind the path.
std::string refusal_behind(const std::string& path) {
  const std::string text = refusal_of(path);
  REQUIRE(text.starts_with(path));
  return text.substr(path.size());
}

void spoil(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("what is no trace is refused with one sentence") {
  const TemporaryDirectory directory;
  const std::string path = directory.path();
  CHECK(refusal_behind(path + "/nothing") == ": there is no such directory");
  CHECK(refusal_behind(path) == ": is an empty directory; give a directory PROGRAM-PID.spool");
  write_file(path + "/file", "text");
  CHECK(refusal_behind(path + "/file") == ": is a file; give the trace's directory, PROGRAM-PID.spool");
  CHECK(refusal_behind(path) == ": is no trace and has none in it; give a directory PROGRAM-PID.spool");
  fs::create_directory(path + "/bank-1.spool");
  CHECK(refusal_behind(path + "/bank-1.spool") ==
        ": is a trace without a single segment: its process recorded nothing, or its segments were moved away");
  write_file(path + "/bank-1.spool/000001.tar.zst", "");
  CHECK(refusal_behind(path + "/bank-1.spool") ==
        "/000001.tar.zst: has no files of a segment in it: it is damaged, or was not made by spool");
}

TEST_CASE("metadata that cannot be used is refused with one sentence") {
  Broken broken;
  std::string& text = broken.segment.metadata;
  const auto why = [&] {
    broken.trace.write();
    return refusal_behind(broken.trace.segment_path(1));
  };
  SECTION("of another tool") {
    spoil(text, "tracer_name = \"spool\"", "tracer_name = \"lttng-ust\"");
    CHECK(why() == ": is a trace of lttng-ust, not of spool: read it with babeltrace2");
  }
  SECTION("of no tool") {
    spoil(text, "tracer_name = \"spool\";", "");
    CHECK(why() == ": is a CTF trace, but its metadata does not say that spool wrote it: read it with babeltrace2");
  }
  SECTION("from the future") {
    spoil(text, "spool_format_major = 1", "spool_format_major = 2");
    CHECK(why() == ": was written by a newer spool (format 2.1), this unspool reads 1.x: use a newer unspool");
  }
  SECTION("missing") {
    broken.trace.write();
    fs::remove(broken.file("metadata"));
    CHECK(refusal_behind(broken.trace.path()) ==
          "/000001/metadata: cannot be opened (No such file or directory); without it the Records cannot be read: copy "
          "the whole segment again");
  }
  SECTION("empty") {
    broken.trace.write();
    write_file(broken.file("metadata"), "");
    CHECK(refusal_behind(broken.trace.path()) ==
          "/000001/metadata: is empty; without it the Records cannot be read: copy the whole segment again");
  }
  SECTION("something else") {
    broken.trace.write();
    write_file(broken.file("metadata"), "#!/bin/sh\n");
    CHECK(refusal_behind(broken.trace.path()) ==
          "/000001/metadata: is not in the Common Trace Format; without it the Records cannot be read: copy the whole "
          "segment again");
  }
  SECTION("cut before it says anything") {
    broken.trace.write();
    const std::string whole = read_file(broken.file("metadata"));
    write_file(broken.file("metadata"), whole.substr(0, 200));
    CHECK(refusal_behind(broken.trace.path()) ==
          "/000001/metadata: is cut short: it should have " + std::to_string(whole.size()) + " bytes and ends " +
              std::to_string(whole.size() - 200) +
              " earlier; what is left of it is not enough to read the Records: copy the whole segment again");
  }
}

TEST_CASE("metadata that is cut in the middle is used as far as it is whole") {
  Broken broken;
  broken.trace.write();
  const std::string whole = read_file(broken.file("metadata"));
  // Behind lock.acquire and lock.release; the definitions of stream class 1 come last.
  const auto at = whole.find("event { name = \"lock.busy\"");
  REQUIRE(at != std::string::npos);
  write_file(broken.file("metadata"), whole.substr(0, at + 20));
  const Reading read{broken.trace.path()};
  REQUIRE(read.trace != nullptr);
  CHECK(read.records.size() == 4);
  const auto id = std::to_string(trace::record_id(trace::Kind::definition, trace::Verb::thread));
  CHECK(read.problems() ==
        broken.damage("metadata", "is cut short: it should have " + std::to_string(whole.size()) + " bytes and ends " +
                                      std::to_string(whole.size() - at - 20) + " earlier") +
            broken.damage("metadata",
                          "breaks off inside a declaration; Records of a class that is missing are left out") +
            broken.damage("stream-0000",
                          "what stands at byte 96 is a Record with the id " + id +
                              ", which the metadata does not declare; the rest of the packet, 76 bytes, is left "
                              "out"));
}

TEST_CASE("a broken segment costs only itself") {
  Broken broken;
  fill(broken.trace.segment(2), 200, 5);
  broken.trace.write();
  fs::remove(broken.file("metadata"));
  const Reading read{broken.trace.path()};
  REQUIRE(read.trace != nullptr);
  CHECK(read.records.size() == 4);
  CHECK(read.process().cut);
  CHECK(read.problems() == broken.damage("metadata",
                                         "cannot be opened (No such file or directory); without it the Records "
                                         "cannot be read: copy the whole segment again"));
}

TEST_CASE("a broken packet header costs that packet") {
  Broken broken;
  auto& header = broken.segment.chunk(1).header();
  const auto problems = [&](std::size_t records) {
    broken.trace.write();
    const Reading read{broken.trace.path()};
    REQUIRE(read.trace != nullptr);
    CHECK(read.records.size() == records);
    CHECK(read.records.back().thread == 2);
    return read.problems();
  };
  SECTION("of another segment") {
    header.uuid[3] ^= 1;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "the packet at byte 0 belongs to another segment (its UUID is not that of "
                                       "the metadata): files were mixed up; its 64 bytes of Records are left out"));
  }
  SECTION("with another segment number") {
    header.segment = 6;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "the packet at byte 0 belongs to segment 6, not 1: files were swapped; its "
                                       "64 bytes of Records are left out"));
  }
  SECTION("of an unknown stream class") {
    header.stream_id = 5;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "the packet at byte 0 is of stream class 5, which is not known; its 64 "
                                       "bytes of Records are left out"));
  }
  SECTION("of no thread") {
    header.thread_id = 0;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "the packet at byte 0 names no thread (0); its 64 bytes of Records are "
                                       "left out"));
  }
  SECTION("without magic") {
    header.magic = 1;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "no packet begins at byte 0, where the chain of packets leads; the rest of "
                                       "the file, 4096 bytes, is left out"));
  }
  SECTION("with less content than a header") {
    header.content_size = 8;
    CHECK(problems(2) == broken.damage("stream-0001",
                                       "the packet at byte 0 has a content of 1 bytes, less than its header; its "
                                       "Records are left out"));
  }
  SECTION("with more content than packet") {
    header.packet_size = (header_size + 32) * 8;
    header.content_size = (header_size + 64) * 8;
    CHECK(problems(3) ==
          broken.damage("stream-0001",
                        "the packet at byte 0 claims a content of 160 bytes in 128 bytes; what is in it is read") +
              broken.damage("stream-0001",
                            "no packet begins at byte 128, where the chain of packets leads; the rest of the file, "
                            "3968 bytes, is left out"));
  }
  SECTION("with a size that breaks the chain") {
    header.packet_size = 12;
    CHECK(problems(4) == broken.damage("stream-0001",
                                       "the packet at byte 0 has a size of 12 bits, so that the chain of packets "
                                       "breaks there; what follows is left out"));
  }
}

TEST_CASE("a chunk that was cut is read as far as it goes") {
  Broken broken;
  broken.trace.write();
  const auto cut = [&](std::uint64_t size) {
    fs::resize_file(broken.file("stream-0001"), size);
    return std::make_unique<Reading>(broken.trace.path());
  };
  const auto behind = cut(header_size + 64);
  CHECK(behind->records.size() == 4);
  CHECK(behind->problems() ==
        "note: " + broken.file("stream-0001") + ": ends 3936 bytes before its packet does; no Record is missing\n");
  const auto inside = cut(header_size + 40);
  CHECK(inside->records.size() == 3);
  CHECK(inside->process().bytes_lost == 24 + 8);
  CHECK(inside->problems() ==
        broken.damage("stream-0001",
                      "is cut short: the packet at byte 0 has 160 bytes of Records, the file ends 24 bytes earlier") +
            broken.damage("stream-0001",
                          "what stands at byte 128 is too short for a Record; the rest of the packet, 8 bytes, is "
                          "left out"));
  CHECK(cut(50)->problems() == broken.damage("stream-0001", "ends inside the packet header at byte 0: it was cut"));
  CHECK(cut(0)->problems() == broken.damage("stream-0001", "is empty: it was cut; copy the trace again"));
  fs::remove(broken.file("stream-0001"));
  CHECK(Reading{broken.trace.path()}.problems() ==
        "damage: " + broken.trace.segment_path(1) + ": chunks are missing, from stream-0001 to stream-0001\n");
}

TEST_CASE("a Record that cannot be read costs the rest of its packet") {
  Broken broken;
  auto& chunk = broken.segment.chunk(1);
  const auto problems = [&] {
    chunk.transition(200, "lock.acquire", lock, 0, 99);
    broken.trace.write();
    const Reading read{broken.trace.path()};
    CHECK(read.records.size() == 4);
    return read.problems();
  };
  SECTION("an id that nobody declared") {
    chunk.raw(150, 999, 0, std::string(16, 'x'));
    CHECK(problems() == broken.damage("stream-0001",
                                      "what stands at byte 160 is a Record with the id 999, which the metadata does "
                                      "not declare; the rest of the packet, 64 bytes, is left out"));
  }
  SECTION("a class whose fields cannot be measured") {
    broken.segment.metadata += "event { name = \"x\"; id = 999; stream_id = 0; fields := struct { variant_t a; }; };\n";
    chunk.raw(150, 999, 0, std::string(16, 'x'));
    CHECK(problems() == broken.damage("stream-0001",
                                      "what stands at byte 160 is a Record \"x\", whose fields are declared in a way "
                                      "that this unspool cannot read; the rest of the packet, 64 bytes, is left out"));
  }
  SECTION("a text that is longer than the packet") {
    const auto id = trace::record_id(trace::Kind::message, trace::Verb::text);
    chunk.raw(150, id, 0, std::string("\0\0\0\0\2\xff\xff\xff\xff", 9));
    CHECK(problems() == broken.damage("stream-0001",
                                      "what stands at byte 160 is a Record \"message\" that goes beyond the packet's "
                                      "content; the rest of the packet, 64 bytes, is left out"));
  }
  SECTION("a Record older than its packet") {
    chunk.transition(99, "lock.acquire", lock, 0, 98);
    CHECK(problems() == broken.damage("stream-0001",
                                      "what stands at byte 160 is a Record older than its packet; the rest of the "
                                      "packet, 64 bytes, is left out"));
  }
}

TEST_CASE("times that go back are evened out, and said once a packet") {
  TraceBuilder trace;
  trace.segment(1)
      .writer(1, 100)
      .transition(110, "lock.acquire", lock, 0, 1)
      .transition(105, "lock.release", lock, 0, 2)
      .transition(103, "lock.acquire", lock, 0, 3)
      .transition(120, "lock.release", lock, 0, 4);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 4);
  CHECK(read.records[1].time == 110);
  CHECK(read.records[2].time == 110);
  CHECK(read.records[3].time == 120);
  CHECK(read.problems() == "damage: " + trace.segment_path(1) +
                               "/stream-0001: times go back at byte 128; where they do, a Record is "
                               "given the time of the one before it\n");
}

TEST_CASE("one time that leaps far ahead does not take all later ones with it") {
  TraceBuilder trace;
  trace.segment(1)
      .writer(1, 100)
      .transition(110, "lock.acquire", lock, 0, 1)
      .transition(~0ULL - 5, "lock.release", lock, 0, 2)
      .transition(130, "lock.acquire", lock, 0, 3);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 3);
  CHECK(read.records[1].time == 110);
  CHECK(read.records[2].time == 130);
}

TEST_CASE("a segment that says it is another one's double is left out") {
  Broken broken;
  broken.trace.write();
  fs::copy(broken.trace.segment_path(1), broken.trace.path() + "/000002", fs::copy_options::recursive);
  const Reading read{broken.trace.path()};
  CHECK(read.records.size() == 4);
  CHECK(read.problems() == "damage: " + broken.trace.path() + "/000002: says that it is segment 1, as " +
                               broken.trace.segment_path(1) + " does; only the latter is read\n");
}

TEST_CASE("what does not belong into a trace is passed over, and said") {
  Broken broken;
  broken.trace.write();
  write_file(broken.file("notes.txt"), "");
  write_file(broken.trace.path() + "/README", "");
  write_file(broken.file(".hidden"), "");
  CHECK(Reading{broken.trace.path()}.problems() ==
        "note: " + broken.trace.path() + "/README: is no segment and is left out\n" +
            "note: " + broken.file("notes.txt") + ": is no chunk and is left out\n");
}

TEST_CASE("a broken status file is said and not used") {
  Broken broken;
  broken.trace.status({});
  broken.trace.write();
  const std::string path = broken.trace.path() + "/.status";
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, 100));
  CHECK(Reading{broken.trace.path()}.problems() == "damage: " + path + ": is cut short: 0 of 1 entries are there\n");
  write_file(path, "SPOOLST9" + whole.substr(8));
  CHECK(Reading{broken.trace.path()}.problems() == "damage: " + path +
                                                       ": is no status file of this format; what each thread did "
                                                       "last is taken from its Records only\n");
}

TEST_CASE("a thousand faults make a few sentences") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  auto& chunk = segment.writer(1, 100);
  for (trace::Ticks i = 1; i <= 1000; ++i)
    chunk.raw(100 + i, 999, 0, "").chain(1, 100 + i);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.process().problems.size() == 41);
  CHECK(read.process().problems.back().text ==
        trace.path() + ": 960 more problems like these are not listed; bytes that could not be read: 16000");
}

TEST_CASE("no single changed byte brings the reader down or keeps it for ever") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  trace::MessageClass message{
      4096,
      trace::Level::info,
      "net",
      "{} {}",
      {{"a", trace::Type::text, trace::Means::value}, {"b", trace::Type::u16, trace::Means::value}}};
  segment.define_message(message).define_object(lock, trace::Kind::lock, "accounts", 1).define_site(1, "a.cpp", 5);
  fill(segment);
  segment.chunk(1)
      .message(150, message, 1, {Value{std::string_view{"abc"}}, Value{std::uint64_t{5}}})
      .chain(3, 160)
      .transition(170, "lock.acquire", lock, 0, 5);
  trace.status({});
  trace.write();
  const std::string base = trace.path();
  std::vector<std::string> files{base + "/.status"};
  for (const auto& each : fs::directory_iterator{trace.segment_path(1)})
    files.push_back(each.path().string());
  for (const std::string& file : files) {
    const std::string whole = read_file(file);
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), file.ends_with("metadata") ? 9000 : 640); ++at) {
      for (const char change : {'\x01', '\x80', '\xff'}) {
        patch_file(file, at, static_cast<char>(whole[at] ^ change));
        const Reading read{base, true};
        // Whatever was readable, no more Records come out than bytes go in.
        REQUIRE(read.records.size() < 2000);
      }
      patch_file(file, at, whole[at]);
    }
  }
  CHECK(Reading{base}.problems().empty());
}
