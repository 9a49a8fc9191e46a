// SPDX-License-Identifier: MIT
//
// A thread that the system does not make leaves nothing behind but Records. program_refusal.cpp has the program.
#include "running.hpp"

#include <cerrno>
#include <filesystem>

using namespace spool::test;

TEST_CASE("a thread that the system refuses leaves nothing behind, is not waited for, and may be started again") {
  const ScratchDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::all);  // the program is another user
  for (const bool traced : {false, true}) {
    const Ended ended = run(
        "refuses", traced ? std::vector<std::string>{"TRACE=" + scratch.path().string()} : std::vector<std::string>{});
    INFO(ended.out << ended.err);
    CHECK(ended.exit_code == 0);
    CHECK(ended.out == "wanted ran\nsubclass ran\ntimer ran\n");
  }
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  std::vector<std::uint64_t> created;
  for (const ReadRecord& each : trace.records()) {
    if (each.name == "thread.create") created.push_back(each.object);
  }
  REQUIRE(created.size() > 2);
  std::map<std::uint64_t, std::string_view> life;
  for (const ReadRecord& each : trace.records()) {
    // The one that is wanted; a join that has to wait has a block, which quotes.
    if (each.object != created[1] || each.name == "thread.block") continue;
    life[each.fields[1]] = each.name;
    if (each.name == "thread.refuse") CHECK(each.fields[2] == EAGAIN);
  }
  CHECK(life == std::map<std::uint64_t, std::string_view>{{1, "thread.create"},
                                                          {2, "thread.start"},
                                                          {3, "thread.refuse"},
                                                          {4, "thread.start"},
                                                          {5, "thread.refuse"},
                                                          {6, "thread.start"},
                                                          {7, "thread.begin"},
                                                          {8, "thread.end"},
                                                          {9, "thread.continue"}});
  CHECK(count_of(trace, "thread.refuse") == 2 * 5);
}
