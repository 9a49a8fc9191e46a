// SPDX-License-Identifier: MIT
//
// The trace says what recording it has cost, to the Record and to the byte: program_cost.cpp.
#include "running.hpp"

#include <nlohmann/json.hpp>

using namespace spool::test;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Ran {
  ScratchDirectory scratch;
  std::string out;

  explicit Ran(const std::string& program) {
    const Ended ended = run(program, {"SPOOL_TEST_DIR=" + scratch.path().string()});
    INFO(ended.err);
    REQUIRE(ended.exit_code == 0);
    out = ended.out;
  }

  Json cost() const { return cost_of(scratch.trace()); }

  static Json cost_of(const fs::path& trace) {
    const Ended ended = run_program({"../tools/unspool/unspool", "report", "--format", "json", trace.string()});
    INFO(ended.err);
    return Json::parse(ended.out)["processes"][0]["cost"];
  }
};

/// What is told last cannot count itself.
constexpr std::uint64_t own_size = 16 + 8 * 8;

void check_exact(const Ran& ran) {
  const TraceReader reader{ran.scratch.trace()};
  CHECK(reader.problems() == std::vector<std::string>{});
  const Json cost = ran.cost();
  INFO(cost.dump());
  CHECK(cost["records"] == reader.records().size());
  CHECK(cost["lost"] == 0);
  const std::uint64_t bytes = cost["bytes"];
  CHECK(bytes + own_size <= reader.bytes());
  CHECK(reader.bytes() < bytes + own_size + 8);
}

}  // namespace

TEST_CASE("the trace counts its Records exactly, whatever their lengths are, and its bytes") {
  check_exact(Ran{"records_all_kinds"});
}

TEST_CASE("Records in a chunk that many threads share are counted too") {
  const Ran ran{"records_of_many_threads"};
  CHECK(ran.out.starts_with("shared "));
  CHECK(ran.out != "shared 0\n");
  check_exact(ran);
}

TEST_CASE("what the ring has overwritten is counted, and the last segment alone says so") {
  const Ran ran{"records_in_a_ring"};
  CHECK(ran.out != "recycled 0\n");
  const Json cost = ran.cost();
  INFO(cost.dump());
  const std::uint64_t written = 2 * 200'000;
  const std::uint64_t records = cost["records"];
  CHECK(records >= written);
  CHECK(records < written + 5000);  // a status Record for the hold in each segment, the thread's begin, the end
  const TraceReader reader{ran.scratch.trace()};
  CHECK(reader.records().size() < written);
  const ScratchDirectory other;
  const fs::path alone = other.path() / "alone.spool";
  fs::create_directories(alone);
  fs::copy(reader.segments().back(), alone / reader.segments().back().filename(), fs::copy_options::recursive);
  CHECK(Ran::cost_of(alone) == cost);
}

TEST_CASE("the CPU time of keeper, dispatcher and archiver is told, and that of whom there is not is 0") {
  const Json all = Ran{"records_with_all_threads"}.cost();
  INFO(all.dump());
  for (const char* thread : {"keeper", "dispatcher", "archiver"}) {
    CHECK(all[thread]["cpu"] > 0);
    CHECK(all[thread]["share"] > 0);
  }
  const Json one = Ran{"records_in_a_ring"}.cost();
  CHECK(one["keeper"]["cpu"] > 0);
  CHECK(one["dispatcher"]["cpu"] == 0);
  CHECK(one["archiver"]["cpu"] == 0);
}

TEST_CASE("babeltrace2 reads the account without a word") {
  const Ran ran{"records_in_a_ring"};
  const TraceReader reader{ran.scratch.trace()};
  const Ended read = run_program({"/usr/bin/babeltrace2", reader.segments().back().string()});
  CHECK(read.exit_code == 0);
  CHECK(read.err.empty());
  CHECK(read.out.find("trace.cost:") != std::string::npos);
}
