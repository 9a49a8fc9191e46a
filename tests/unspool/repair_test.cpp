// SPDX-License-Identifier: MIT
//
// `unspool check --repair`: the new trace has what could be read of the old one, and nothing to complain of.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>
#include <unspool/running.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

using namespace unspool_test;
namespace fs = std::filesystem;

namespace {

const auto lock = object_number(1);

/// Two threads, of which one has something broken between its Records.
struct Broken {
  TraceBuilder trace;
  SegmentBuilder& segment = trace.segment(1);
  ChunkBuilder& broken;

  Broken() : broken{segment.writer(1, 100)} {
    segment.define_thread(1, "main").define_thread(2, "worker");
    segment.define_site(1, "main.cpp", 10, "main").define_object(lock, trace::Kind::lock, "store", 1);
    broken.transition(110, "lock.acquire", lock, 1, 1).transition(120, "lock.release", lock, 1, 2);
    segment.writer(2, 100).transition(130, "lock.acquire", lock, 1, 3).transition(140, "lock.release", lock, 1, 4);
  }

  Outcome repair(const std::string& directory) {
    trace.write();
    return unspool_test::unspool("check --repair -o " + directory + " " + trace.path());
  }
};

std::string the_trace_in(const std::string& directory) {
  REQUIRE(fs::directory_iterator{directory} != fs::directory_iterator{});
  return fs::directory_iterator {
    directory
    } -> path();
}

}  // namespace

TEST_CASE("a repaired trace has the Records that could be read, and no problem") {
  const TemporaryDirectory directory;
  Broken old;
  old.broken.raw(150, 999, 0, std::string(16, 'x')).transition(160, "lock.acquire", lock, 1, 5);
  const Outcome outcome = old.repair(directory.path());
  CHECK(outcome.exit == 3);  // the old one is damaged
  CHECK(outcome.err.find("1 of ") != std::string::npos);
  const Reading before{old.trace.path()};
  const Reading after{the_trace_in(directory.path())};
  CHECK(before.problems() != "");
  CHECK(after.problems() == "");
  REQUIRE(after.records.size() == before.records.size());
  CHECK(after.records.size() == 4);
  CHECK(after.records[1].time == before.records[1].time);
  CHECK(unspool_test::unspool("check " + the_trace_in(directory.path())).exit == 0);
}

TEST_CASE("times that go back are corrected in a repaired trace") {
  const TemporaryDirectory directory;
  Broken old;
  old.broken.transition(115, "lock.acquire", lock, 1, 5).transition(150, "lock.release", lock, 1, 6);
  const Outcome outcome = old.repair(directory.path());
  CHECK(outcome.err.find("1 times that went back are corrected") != std::string::npos);
  const Reading after{the_trace_in(directory.path())};
  CHECK(after.problems() == "");
  REQUIRE(after.records.size() == 6);
  CHECK(std::ranges::is_sorted(after.records.begin(), after.records.begin() + 4, {}, &::unspool::Record::time));
}

TEST_CASE("a trace without a fault is repaired into the same Records") {
  const TemporaryDirectory directory;
  Broken old;
  const Outcome outcome = old.repair(directory.path());
  CHECK(outcome.exit == 0);
  CHECK(outcome.err.find(" 0 times") != std::string::npos);
  const Reading before{old.trace.path()};
  const Reading after{the_trace_in(directory.path())};
  CHECK(after.records.size() == before.records.size());
  CHECK(unspool_test::unspool("locks --format csv " + the_trace_in(directory.path())).out ==
        unspool_test::unspool("locks --format csv " + old.trace.path()).out);
}

TEST_CASE("what does not go with a repair is refused before anything is written") {
  const TemporaryDirectory directory;
  Broken old;
  old.trace.write();
  const std::string place = directory.path() + "/new";
  CHECK(unspool_test::unspool("check --repair " + old.trace.path()).exit == 2);
  CHECK(unspool_test::unspool("check --repair -o " + place + " --thread main " + old.trace.path()).exit == 2);
  CHECK(unspool_test::unspool("check --repair -o " + place + " --redact key " + old.trace.path()).exit == 2);
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("of a trace in which nothing can be read no other one is made") {
  const TemporaryDirectory directory;
  Broken old;
  old.trace.write();
  for (const auto& each : fs::directory_iterator{old.trace.path() + "/000001"}) {
    if (each.path().filename() != "metadata") fs::resize_file(each.path(), 0);
  }
  const Outcome outcome = unspool_test::unspool("check --repair -o " + directory.path() + " " + old.trace.path());
  CHECK(outcome.exit == 4);
  CHECK(outcome.err.find("nothing in it can be read, so no other trace is made of it") != std::string::npos);
  CHECK(fs::is_empty(directory.path()));
}

// The story: the metadata broke off within what says who wrote the trace. It could be read, and what was made of it
// could not.
TEST_CASE("of a trace whose metadata breaks off too early no other one is made") {
  const TemporaryDirectory directory;
  Broken old;
  old.trace.write();
  const std::string metadata = old.trace.path() + "/000001/metadata";
  const std::string text = read_file(metadata);
  const auto at = text.find("tracer_name = \"spool\";");
  REQUIRE(at != std::string::npos);
  int refused = 0;
  for (std::uintmax_t size = at; size < at + 400; size += 7) {
    fs::resize_file(metadata, size);
    const Outcome outcome = unspool_test::unspool("check --repair -o " + directory.path() + " " + old.trace.path());
    if (fs::is_empty(directory.path())) {
      CHECK(outcome.exit == 4);
      ++refused;
    } else {
      CHECK(unspool_test::unspool("threads " + the_trace_in(directory.path())).exit != 4);
      fs::remove_all(the_trace_in(directory.path()));
    }
    write_file(metadata, text);
  }
  CHECK(refused > 0);
}
