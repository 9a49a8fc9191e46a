// SPDX-License-Identifier: MIT
//
// A trace whose mode changes three thousand times while threads hold and wait is legal, loses nothing, and unspool
// tells no figure of it that needs every acquisition. program_modes.cpp has the programs.
#include <spool/trace/schema.hpp>

#include "running.hpp"

#include <nlohmann/json.hpp>

#include <set>

using namespace spool::test;
using Json = nlohmann::json;

namespace {

Json told(const std::string& command, const std::filesystem::path& trace) {
  const Ended ended = run_program({"../tools/unspool/unspool", command, "--format", "json", trace.string()}, {},
                                  std::chrono::seconds{60});
  INFO(ended.out << ended.err);
  REQUIRE(ended.exit_code <= 1);
  return Json::parse(ended.out);
}

/// Numbers of the sequences are gapless in every mode.
void check_sequences(const TraceReader& trace) {
  std::set<std::string_view> advancing;
  for (const spool::trace::Row& row : spool::trace::rows()) {
    if (row.advances) advancing.insert(row.name);
  }
  std::map<std::uint64_t, std::set<std::uint64_t>> numbers;
  for (const ReadRecord& each : trace.records()) {
    if (advancing.contains(each.name)) numbers[each.object].insert(each.fields[1]);
  }
  CHECK(numbers.size() >= 10);
  for (const auto& [object, found] : numbers) {
    INFO("object " << object);
    CHECK(*found.begin() == 1);
    CHECK(*found.rbegin() == found.size());
  }
}

}  // namespace

TEST_CASE("modes that change in the middle of holds and waits leave a legal trace, and no figure that it cannot know") {
  for (const char* const program : {"changes_general_mode", "changes_own_modes"}) {
    INFO(program);
    const ScratchDirectory scratch;
    const Ended ended =
        run_program({"unit_program", program}, {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_KEEP=2G"},
                    std::chrono::seconds{100});
    INFO(ended.out << ended.err);
    REQUIRE(ended.exit_code == 0);
    CHECK(ended.err.empty());
    const TraceReader trace{scratch.trace()};
    CHECK(trace.problems() == std::vector<std::string>{});
    CHECK(count_of(trace, "trace.loss") == 0);
    for (const char* const name : {"lock.acquire", "lock.block", "status.wait", "queue.put", "shared_lock.acquire"}) {
      INFO(name);
      CHECK(count_of(trace, name) > 0);
    }
    check_sequences(trace);

    const Ended judged =
        run_program({"../tools/unspool/unspool", "check", scratch.trace().string()}, {}, std::chrono::seconds{60});
    INFO(judged.out << judged.err);
    CHECK(judged.exit_code == 0);

    const Json locks = told("locks", scratch.trace());
    const Json& process = locks["processes"][0];
    CHECK(process["mode_changed"] == true);
    CHECK(process["long_wait"] == 200'000);
    REQUIRE(process["locks"].size() >= 3);
    for (const Json& each : process["locks"]) {
      for (const char* const figure : {"acquisitions", "contended_share", "spun", "spun_time", "hold", "utilisation"}) {
        INFO(each["name"] << " " << figure);
        CHECK(each.at(figure).is_null());
      }
      CHECK(each["wait"].is_object());
    }
  }
}
