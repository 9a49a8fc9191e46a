// SPDX-License-Identifier: MIT
//
// What programs say is what readers read: unspool and babeltrace2. program_messages.cpp has the programs.
#include "running.hpp"

#include <nlohmann/json.hpp>

#include <sstream>

using namespace spool::test;
using Catch::Matchers::Contains;
using Json = nlohmann::json;

namespace {

std::vector<std::string> split(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The messages of a trace as `unspool cat --format json` has them.
std::vector<Json> messages_in(const std::filesystem::path& trace) {
  const Ended read = run_program({"../tools/unspool/unspool", "cat", "--format", "json", trace.string()});
  CHECK(read.exit_code == 0);
  CHECK(read.err.empty());
  std::vector<Json> messages;
  for (const std::string& line : split(read.out)) {
    Json each = Json::parse(line);
    if (each["record"] == "message") messages.push_back(std::move(each));
  }
  return messages;
}

Ended said(const std::string& program, const ScratchDirectory& scratch) {
  Ended ended = run(program, {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_LEVEL=trace"});
  CHECK(ended.exit_code == 0);
  CHECK(ended.err.empty());
  return ended;
}

}  // namespace

TEST_CASE("unspool makes the texts that fmt makes, of every type of argument and every format") {
  const ScratchDirectory scratch;
  const std::vector<std::string> expected = split(said("says_the_table", scratch).out);
  const std::vector<Json> messages = messages_in(scratch.trace());
  REQUIRE(messages.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(messages[i]["body"].get<std::string>() == expected[i]);
    CHECK(messages[i]["logger"] == "table");
  }
}

TEST_CASE("a reader that knows only the page finds every typed message whole") {
  const ScratchDirectory scratch;
  said("says_the_table", scratch);
  const TraceReader trace{scratch.trace()};
  CHECK(trace.problems() == std::vector<std::string>{});
  CHECK(count_of(trace, "message.table") >= 20);
  CHECK(count_of(trace, "trace.loss") == 0);
}

TEST_CASE("named arguments are fields of their names, with their types and units") {
  const ScratchDirectory scratch;
  said("names_arguments", scratch);
  const std::vector<Json> messages = messages_in(scratch.trace());
  REQUIRE(messages.size() == 7);
  CHECK(messages[0]["body"] == "3 times served /index in 12ms");
  CHECK(messages[0]["format"] == "{} times served {path} in {took}");
  CHECK(messages[0]["logger"] == "http.server");
  CHECK(messages[0]["arguments"] == Json{{"path", "/index"}, {"took", "12ms"}, {"took_ns", 12'000'000}, {"arg0", 3}});
  CHECK(messages[1]["body"] == "1 2 3 c /index 5");
  CHECK(messages[1]["arguments"] == Json{{"event", 1},
                                         {"site_2", 2},
                                         {"_x", 3},
                                         {"u32", "c"},
                                         {"path", "/index"},
                                         {"path_length", 5},
                                         {"event_2", 300},
                                         {"arg0", true}});
  CHECK(messages[2]["body"] == "0.5 green");
  CHECK(messages[2]["arguments"] == Json{{"x", 0.5}, {"y", "green"}});
  CHECK_FALSE(messages[2].contains("logger"));
  CHECK(messages[3]["body"] == "1 [2]");
  CHECK(messages[3]["arguments"] == Json{{"size__in__________", 1}, {"arg1", 2}});
  CHECK(messages[4]["body"] == "{nowhere} [1]");
  CHECK(messages[5]["logger"] == "a\n\"b\" \x1b[31m");
  CHECK(messages[5]["body"] == "from afar");
  CHECK(messages[6]["logger"] == "http.server");
  CHECK_THAT(messages[6]["body"].get<std::string>(), Contains("cut: 10005 bytes"));
}

TEST_CASE("babeltrace2 shows loggers, names, types and values, and has nothing to complain of") {
  const ScratchDirectory scratch;
  said("names_arguments", scratch);
  const ScratchDirectory other;
  said("says_the_table", other);
  const Ended named = run_program({"/usr/bin/babeltrace2", "--names=all", scratch.trace().string()});
  const Ended table = run_program({"/usr/bin/babeltrace2", other.trace().string()});
  CHECK(named.exit_code == 0);
  CHECK(named.err.empty());
  CHECK(table.exit_code == 0);
  CHECK(table.err.empty());
  CHECK_THAT(named.out, Contains("message.http.server"));
  CHECK_THAT(named.out, Contains("path = \"/index\""));
  CHECK_THAT(named.out, Contains("took = 12"));
  CHECK_THAT(named.out, Contains("event = 1"));
  CHECK_THAT(named.out, Contains("site_2 = 2"));
  CHECK_THAT(named.out, Contains("u32 = \"c\""));
  CHECK_THAT(named.out, Contains("y = \"green\""));
  CHECK_THAT(table.out, Contains("message.table"));
  CHECK_THAT(table.out, Contains("arg0 = 0x0"));
}

TEST_CASE("the environment sets levels of loggers, also of those that follow them") {
  const Ended ended = run("has_levels", {"SPOOL_LEVEL=error, http = debug ,other=off"});
  CHECK(ended.out == "general=error\nhttp=debug\nhttp.client=debug\nother=off\n");
  CHECK(ended.err == "[warning] (MainThread) http: from http\n");
}

TEST_CASE("a part of SPOOL_LEVEL that makes no sense is told, and the others count") {
  const Ended ended = run("has_levels", {"SPOOL_LEVEL=http=debug,loud\x1b,=info,other=1=off,,x=verbose,critical"});
  CHECK(ended.out == "general=critical\nhttp=debug\nhttp.client=debug\nother=critical\n");
  for (const char* each : {"spool: SPOOL_LEVEL=loud\\x1b is not understood and ignored; it takes trace, debug, info,",
                           "SPOOL_LEVEL==info is not", "SPOOL_LEVEL= is not", "SPOOL_LEVEL=x=verbose is not"}) {
    CHECK_THAT(ended.err, Contains(each));
  }
  CHECK(lines_of(ended.err) == 5);  // and the message
}

TEST_CASE(
    "messages of the immediate level and worse are delivered at once, the others after the delay that orders them") {
  constexpr int delay = 10'000;  // microseconds; nothing but a wake can be faster
  const Ended at_once = run("says_warnings_at_once");
  CHECK(at_once.exit_code == 0);
  CHECK(std::stoi(at_once.out) < delay);
  const Ended later = run("says_the_rest_later");
  CHECK(later.exit_code == 0);
  CHECK(std::stoi(later.out) >= delay);
}
