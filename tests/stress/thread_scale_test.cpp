// SPDX-License-Identifier: MIT
//
// Very many threads, at once and one after another: nothing is lost, and memory, files and mappings stay bounded.
// SPOOL_SOAK=1 asks for 10,000 and 1,000,000.
#include "../unit/running.hpp"

#include <cstdlib>
#include <sstream>

using namespace spool::test;

namespace {

std::string count(int usual, int soak) {
  const char* asked = std::getenv("SPOOL_SOAK");
  return std::to_string(asked != nullptr && std::string_view{asked} == "1" ? soak : usual);
}

/// What the program printed, and how it left its trace.
struct Cost {
  explicit Cost(const std::string& name, const std::string& how_many, const ScratchDirectory& scratch,
                const std::string& keep) {
    const Ended ended = run_program({"unit_program", name},
                                    {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_KEEP=" + keep, "COUNT=" + how_many},
                                    std::chrono::minutes{9});
    REQUIRE(ended.exit_code == 0);
    CHECK(ended.err.empty());
    std::istringstream lines{ended.out};
    std::string figure;
    for (long value = 0; lines >> figure >> value;)
      figures[figure] = value;
    for (const auto& each : std::filesystem::recursive_directory_iterator{scratch.path()}) {
      if (each.is_regular_file()) {
        ++files;
        bytes += each.file_size();
      }
    }
    for (const auto& [key, value] : figures)
      WARN(name << " " << how_many << ": " << key << " " << value);
    WARN(name << " " << how_many << ": " << files << " files, " << bytes / 1'000'000 << " MB");
  }
  std::map<std::string, long> figures;
  std::size_t files = 0;
  std::uintmax_t bytes = 0;
};

}  // namespace

TEST_CASE("very many live threads that lock now and then lose nothing") {
  const ScratchDirectory scratch;
  const std::string how_many = count(2000, 10'000);
  const Cost cost{"many_live", how_many, scratch, "256M"};
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "trace.loss") == 0);
  CHECK(count_of(trace, "trace.end") == 1);
  CHECK(trace.segments().front().filename() == "000001");  // all of it is there
  CHECK(count_of(trace, "thread.end") == std::stol(how_many));
  CHECK(count_of(trace, "lock.acquire") == 20 * std::stol(how_many));
  check_locks_gapless(trace);
  CHECK(cost.files < 20'000);
  CHECK(cost.bytes < 300'000'000);
}

TEST_CASE("a thousand quiet threads take less than 64 MB of disk, and of memory") {
  const ScratchDirectory scratch;
  const Cost cost{"many_quiet", "1000", scratch, "256M"};
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "trace.loss") == 0);
  CHECK(count_of(trace, "message") == 1000);
  CHECK(count_of(trace, "thread.end") == 1000);
  check_locks_gapless(trace);
  CHECK(cost.bytes < (std::uintmax_t{64} << 20U));
  CHECK(cost.figures.at("kilobytes") < 64 * 1024);  // the trace's pages, stacks and all
}

TEST_CASE("very many threads in a row take as much as a few") {
  const ScratchDirectory scratch;
  const std::string how_many = count(20'000, 1'000'000);
  const Cost cost{"many_in_a_row", how_many, scratch, "32M"};
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "trace.loss") == 0);
  CHECK(cost.files < 400);
  CHECK(cost.bytes < 50'000'000);
  CHECK(cost.figures.at("mappings") < 1000);
  CHECK(cost.figures.at("kilobytes") < cost.figures.at("kilobytes_early") + 20'000);
}
