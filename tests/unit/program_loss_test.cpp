// SPDX-License-Identifier: MIT
//
// A trace in trouble harms no server, counts what it loses to the Record, and goes on by itself: program_loss.cpp.
#include "running.hpp"

#include <sstream>

using namespace spool::test;
using Catch::Matchers::Contains;

namespace {

struct Told {
  long messages = 0;
  long lost = 0;
};

Told told_by(const Ended& ended) {
  INFO(ended.out << ended.err);
  REQUIRE(ended.exit_code == 0);
  Told told;
  std::istringstream{ended.out} >> told.messages >> told.lost;
  CHECK(told.messages >= 4 * 21'000);
  CHECK(told.lost > 0);
  CHECK(told.lost < told.messages);
  CHECK(lines_of(ended.err) == 1);  // once, not in a storm
  CHECK_THAT(ended.err, Contains("spool: no room for Records in "));
  return told;
}

void check_all_accounted_for(const TraceReader& trace, const Told& told) {
  CHECK(trace.problems() == std::vector<std::string>{});
  long lost = 0;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "trace.loss") lost += static_cast<long>(each.fields[0]);
  }
  CHECK(lost == told.lost);
  CHECK(count_of(trace, "message") + lost == told.messages);
}

void check_loses(const char* program, const char* why) {
  INFO(program);
  const ScratchDirectory scratch;
  const Ended ended = run(program, {"TRACE_PARENT=" + scratch.path().string()});
  const Told told = told_by(ended);
  CHECK_THAT(ended.err, Contains(why));
  check_all_accounted_for(TraceReader{scratch.trace()}, told);
}

}  // namespace

TEST_CASE("a disk that is full to the brim costs Records, each of them counted, until there is room again") {
  const ScratchDirectory scratch;
  const Ended ended = run("fills_its_disk", {"TRACE_PARENT=" + scratch.path().string()});
  const Told told = told_by(ended);
  CHECK_THAT(ended.err, Contains("No space left on device"));
  check_all_accounted_for(TraceReader{scratch.trace()}, told);
}

TEST_CASE("so do a quota, a read-only file system, a limit of a file's size, and a lack of descriptors") {
  check_loses("has_no_quota", "Disk quota exceeded");
  check_loses("turns_read_only", "Read-only file system");
  check_loses("has_small_files", "File too large");
  check_loses("has_no_descriptors", "Too many open files");
}

TEST_CASE("so does a lack of memory") {
  check_loses("has_no_memory", "Cannot allocate memory");
}

TEST_CASE("a directory that vanishes takes what was in it, and recording resumes when it is there again") {
  const ScratchDirectory scratch;
  const Ended ended = run("loses_its_directory", {"TRACE_PARENT=" + scratch.path().string()});
  const Told told = told_by(ended);
  CHECK_THAT(ended.err, Contains("No such file or directory"));
  const TraceReader trace{scratch.trace()};
  CHECK(count_of(trace, "trace.loss") > 0);
  CHECK(count_of(trace, "message") >= 4 * 1000);
  CHECK(count_of(trace, "message") < told.messages);
}
