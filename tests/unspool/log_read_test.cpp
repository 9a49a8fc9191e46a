// SPDX-License-Identifier: MIT
//
// Lines, patterns and compressed bytes, each on its own.
#include <catch2/catch.hpp>
#include <unspool/log_samples.hpp>
#include <unspool/read/json_log.hpp>
#include <unspool/read/line_reader.hpp>
#include <unspool/read/pattern.hpp>
#include <unspool/read/quick_json.hpp>
#include <unspool/read/text_log.hpp>

#include <algorithm>
#include <memory>

using namespace unspool_test;
using unspool::Fault;
using unspool::Line;
using unspool::Want;

namespace {

/// A line with the padding that the reader asks for.
struct Json {
  unspool::JsonLog log;
  Line line;
  std::string padded;
  Fault parse(const std::string& text, Want want = Want::texts) {
    padded = text + std::string(unspool::LineReader::padding, '\0');
    return log.parse(std::string_view{padded}.substr(0, text.size()), want, line);
  }
};

struct Text {
  std::string refusal;
  unspool::Pattern pattern;
  unspool::TextLog log{pattern};
  Line line;
  explicit Text(std::string_view by = unspool::Pattern::standard) : pattern{*unspool::Pattern::compile(by, refusal)} {}
  std::string kept;  ///< the line's texts point into it
  Fault parse(const std::string& text, Want want = Want::texts) {
    kept = text;
    return log.parse(kept, want, line);
  }
};

std::string refusal_of(std::string_view pattern) {
  std::string refusal;
  const bool compiled = unspool::Pattern::compile(pattern, refusal).has_value();
  return compiled ? "" : refusal;
}

constexpr std::uint64_t second_52 = 1'795'379'512'000'000'000;

/// Each line as "text|number|offset".
std::vector<std::string> lines_of(const std::string& path) {
  std::string refusal;
  const auto log = unspool::open_log(path, refusal);
  REQUIRE(log);
  unspool::LineReader reader{unspool::LogBytes::open(*log), 0, 1};
  std::vector<std::string> lines;
  for (unspool::RawLine raw; reader.next(raw);)
    lines.push_back(fmt::format("{}|{}|{}", raw.enormous ? "enormous" : raw.text, raw.number, raw.offset));
  lines.push_back(reader.bytes().problem());
  return lines;
}

/// All that stands in a Line.
std::string said(const Line& line) {
  std::string out = fmt::format("{} {} {} {} {} {} {} {} {}|", line.row == nullptr ? "none" : line.row->name,
                                static_cast<int>(line.level), line.time, line.pid, line.thread, line.object, line.site,
                                line.seq, line.lineno);
  for (std::size_t i = 0; i < line.numbers.size(); ++i)
    out += fmt::format("{}={};", line.numbers[i], line.words[i]);
  out += fmt::format("|{}|{}|{}|{}|{}|{}|{}|{}|{}", line.thread_name, line.object_kind, line.object_name, line.file,
                     line.function, line.logger, line.text, line.format, line.typed);
  for (const Line::Argument& argument : line.arguments)
    out += fmt::format("|{}={}", argument.name, argument.value.index());
  return out;
}

/// Where the quick reader takes the line, the other gives the same. Whether it took it.
bool same_line(unspool::QuickJson& quick, unspool::JsonLog& json, const std::string& text) {
  // What stands behind a line in the buffer is mostly another one.
  const std::string padded = text + R"(,"seq":7,"thread.id":1,"process.pid":1,"record":"message","logger":"a"})" +
                             std::string(unspool::LineReader::padding, '7');
  const std::string_view line = std::string_view{padded}.substr(0, text.size());
  bool taken = false;
  for (const Want want : {Want::record, Want::texts, Want::names}) {
    Line a;
    Line b;
    if (!quick.parse(line, want, a)) continue;
    taken = true;
    INFO(text);
    CHECK(json.parse_any(line, want, b) == Fault::none);
    CHECK(said(a) == said(b));
  }
  return taken;
}

}  // namespace

TEST_CASE("a JSON line gives its Record, whatever the order of its keys and whoever added some") {
  Json json;
  REQUIRE(json.parse(json_records()[1]) == Fault::none);
  CHECK(json.line.row->name == "lock.block");
  CHECK(json.line.time == second_52 + 200'001'000);
  CHECK(json.line.object == 4294967297);
  CHECK(json.line.seq == 1);
  CHECK(json.line.numbers[2] == 1);
  CHECK(json.line.numbers[3] == 4);
  REQUIRE(json.parse(R"( {"owner_site":4, "x":{"time":[1,{}]}, "owner":1, "seq":1, "thread.id":2, "process.pid":9,
      "object.id":4294967297, "record":"lock.block", "time":"2026-11-22T21:31:52.2+01:00"} )") == Fault::none);
  CHECK(json.line.time == second_52 + 200'000'000);
  CHECK(json.line.numbers[2] == 1);
  CHECK(json.line.numbers[3] == 4);
}

TEST_CASE("a JSON message keeps its text and its typed arguments") {
  Json json;
  const std::string line = json_line("200000000", "message",
                                     R"("thread.id":2,"body":"\"a\" \u0007","format":"{} {}",)"
                                     R"("arguments":{"s":"x\ny","i":-3,"u":18446744073709551615,"f":1.5,"b":true})");
  REQUIRE(json.parse(line) == Fault::none);
  CHECK(json.line.text == "\"a\" \a");
  REQUIRE(json.line.arguments.size() == 5);
  CHECK(json.line.arguments[0].value == spool::trace::Value{std::string_view{"x\ny"}});
  CHECK(json.line.arguments[1].value == spool::trace::Value{std::int64_t{-3}});
  CHECK(json.line.arguments[2].value == spool::trace::Value{~std::uint64_t{0}});
  CHECK(json.line.arguments[3].value == spool::trace::Value{1.5});
  CHECK(json.line.arguments[4].value == spool::trace::Value{true});
}

TEST_CASE("lines of the writer's form are read quickly, and give what the parser of all JSON gives") {
  unspool::QuickJson quick;
  unspool::JsonLog json;
  for (const auto& lines : {json_definitions(), json_records(), json_definitions(), json_records()}) {
    for (const std::string& line : lines)
      CHECK(same_line(quick, json, line));
  }
  CHECK(same_line(quick, json,
                  json_transition("200000000", "lock.acquire", 1, 4294967295, "\"new\":\"\xc3\xa4\",\"n\":9")));
  CHECK(same_line(quick, json, json_transition("2", "lock.acquire", 1, 1, R"("waker":1,"waker":2,"":1)")));
}

TEST_CASE("lines of any other form are left to the parser of all JSON") {
  unspool::QuickJson quick;
  unspool::JsonLog json;
  const auto with = [](std::string_view rest) { return json_transition("200000000", "lock.acquire", 1, 1, rest); };
  for (const std::string& line : {with(R"("waker":01)"),
                                  with(R"("waker":1.0)"),
                                  with(R"("waker":1e2)"),
                                  with(R"("waker":-1)"),
                                  with(R"("waker":18446744073709551616)"),
                                  with(R"("waker":4294967296)"),
                                  with(R"("waker": 1)"),
                                  with(R"("waker":"1")"),
                                  with(R"("waker":1,)"),
                                  with(R"("waker":1 )"),
                                  with(R"("waker":)"),
                                  with(R"("waker")"),
                                  with(R"("x":"\u0041")"),
                                  with("\"x\":\"\t\""),
                                  with("\"x\":\"\xff\""),
                                  with("\"x\":\"\xc3\""),
                                  with(R"("x":tru)"),
                                  with(R"("x":[1})"),
                                  with(R"("x":{"a":[1]})"),
                                  with(R"("x":{"a":1)"),
                                  with(R"("x":{1})"),
                                  with(R"("thread.id":4294967296)"),
                                  with(R"("time":"2026")"),
                                  with(R"("level":"loud")"),
                                  with(R"("record":"lock.release")"),
                                  with(R"("waker":1}})"),
                                  std::string{R"({"waker":1,"record":"lock.acquire"})"},
                                  json_line("200000000", "lock.acquire", R"("seq":1)"),
                                  json_line("200000000", "lock.invented", R"("thread.id":1)"),
                                  std::string{"{}"},
                                  std::string{"{"},
                                  std::string{},
                                  std::string{"hello, world"}}) {
    INFO(line);
    CHECK_FALSE(same_line(quick, json, line));
  }
}

TEST_CASE("cut anywhere or with any byte another one, no line is read quickly into something else") {
  unspool::QuickJson quick;
  unspool::JsonLog json;
  for (const std::string& good : {json_definitions()[0], json_records()[1], json_records()[4]}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char with : {'\0', '"', '{', '}', ',', ':', '0', '9', ' ', '\\', '\xff'}) {
        std::string bad = good;
        bad[i] = with;
        same_line(quick, json, bad);
      }
      CHECK_FALSE(same_line(quick, json, good.substr(0, i)));
    }
  }
}

TEST_CASE("a JSON line that cannot be used is told by kind") {
  Json json;
  const std::string good = json_records()[0];
  CHECK(json.parse(good.substr(0, 100)) == Fault::broken);
  CHECK(json.parse(good.substr(0, 100) + good) == Fault::interleaved);
  CHECK(json.parse(good + good) == Fault::interleaved);
  CHECK(json.parse("{\"level\":\"info\",\"msg\":\"hello\"}") == Fault::foreign);
  CHECK(json.parse("hello") == Fault::foreign);
  CHECK(json.parse("[1]") == Fault::foreign);
  CHECK(json.parse(json_line("200000000", "lock.invented", R"("thread.id":2)")) == Fault::newer);
  CHECK(json.parse(json_line("200000000", "lock.acquire", R"("object.id":4294967297)")) == Fault::incomplete);
  CHECK(json.parse(json_line("200000000", "lock.acquire", R"("thread.id":4294967295)")) == Fault::incomplete);
  CHECK(json.parse(json_line("2000x0000", "lock.acquire", R"("thread.id":1)")) == Fault::incomplete);
}

TEST_CASE("any byte of a JSON line may be another one") {
  Json json;
  const std::string good = json_records()[4];
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char with : {'\0', '"', '{', '\\', '\xff'}) {
      std::string bad = good;
      bad[i] = with;
      json.parse(bad);
      unspool::Glance glance;
      unspool::JsonLog::glance(bad, glance);
    }
    json.parse(good.substr(0, i));
  }
  CHECK(json.parse(good) == Fault::none);
}

TEST_CASE("a glance sees the same as the whole reading") {
  unspool::Glance glance;
  REQUIRE(unspool::JsonLog::glance(json_records()[1], glance));
  CHECK(glance.pid == 4711);
  CHECK(glance.thread == 2);
  CHECK(glance.object == 4294967297);
  CHECK(glance.site == 4);
  CHECK_FALSE(glance.definition);
  REQUIRE(unspool::JsonLog::glance(json_definitions()[2], glance));
  CHECK(glance.definition);
  CHECK_FALSE(unspool::JsonLog::glance(json_records()[1].substr(0, 300), glance));
  CHECK_FALSE(unspool::JsonLog::glance("{}", glance));
}

TEST_CASE("a text line gives its Record") {
  Text text;
  REQUIRE(text.parse(text_lines()[7]) == Fault::none);
  CHECK(text.line.row->name == "lock.block");
  CHECK(text.line.time == second_52 + 200'001'000);
  CHECK(text.line.thread == 2);
  CHECK(text.line.pid == 4711);
  CHECK(text.line.numbers[2] == 1);
  CHECK(text.line.file == "server.cpp");
  CHECK(text.line.lineno == 31);
}

TEST_CASE("the pairs of a text line may stand in any order, whatever that of the line before was") {
  Text text;
  const std::vector<std::string> lines = {
      text_lines()[7],
      text_line(
          "200001000", "worker-1", "lock.block cache",
          "pid=4711 thread=2 record=lock.block owner_site=4 owner=1 at=server.cpp:31 site=4 seq=1 object=4294967297"),
      text_line(
          "200001000", "worker-1", "lock.block cache",
          "record=lock.block owner=1 object=4294967297 seq=1 at=server.cpp:31 site=4 object_nam=\"x\" own=7 pid=4711 "
          "thread=2 owner_site=4"),
  };
  for (int i = 0; i < 2; ++i) {
    for (const std::string& line : lines) {
      REQUIRE(text.parse(line, Want::record) == Fault::none);
      const std::string first = said(text.line);
      Text fresh;
      REQUIRE(fresh.parse(line, Want::record) == Fault::none);
      CHECK(first == said(fresh.line));
      CHECK(text.line.seq == 1);
      CHECK(text.line.pid == 4711);
      CHECK(text.line.object == 4294967297);
      CHECK(text.line.lineno == 31);
    }
  }
}

TEST_CASE("a text message has its words, and what was escaped is as it was") {
  Text text;
  const std::string line = text_line("200000000", "a\\n\\x1b", "100 % \\\\ \\t | x=1",
                                     R"(thread=2 pid=1 logger="q\"\\" | s="a b" i=-3 f=1.5)");
  REQUIRE(text.parse(line) == Fault::none);
  CHECK(text.line.thread_name == "a\n\x1b");
  CHECK(text.line.text == "100 % \\ \t | x=1");
  CHECK(text.line.logger == "q\"\\");
  REQUIRE(text.line.arguments.size() == 3);
  CHECK(text.line.arguments[0].value == spool::trace::Value{std::string_view{"a b"}});
}

TEST_CASE("a text line that cannot be used is told by kind") {
  Text text;
  const std::string good = text_lines()[7];
  CHECK(text.parse("hello") == Fault::foreign);
  CHECK(text.parse(good.substr(0, 60)) == Fault::foreign);
  CHECK(text.parse(good + '\t' + good) == Fault::interleaved);
  CHECK(text.parse(text_line("200000000", "w", "lock.acq" + good, "record=lock.acquire thread=1 pid=1")) ==
        Fault::interleaved);
  CHECK(text.parse(text_line("200000000", "w", "x", "record=\"a")) == Fault::broken);
  CHECK(text.parse(text_line("200000000", "w", "x", "thread=1")) == Fault::incomplete);
  CHECK(text.parse(text_line("200000000", "w", "x", "record=a.b thread=1 pid=1")) == Fault::newer);
}

TEST_CASE("any byte of a text line may be another one") {
  Text text;
  for (const std::string& good : {text_lines()[7], text_lines()[10]}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char with : {'\0', '"', '\t', '\\', '=', '\xff'}) {
        std::string bad = good;
        bad[i] = with;
        text.parse(bad);
      }
      text.parse(good.substr(0, i));
    }
    CHECK(text.parse(good) == Fault::none);
  }
}

TEST_CASE("a spdlog pattern is read backwards") {
  Text usual{"[%Y-%m-%d %H:%M:%S.%e] [%n] [%^%l%$] [thread %t] %v"};
  REQUIRE(usual.parse("[2026-11-22 20:31:52.123] [http] [warning] [thread 4712] [odd] words", Want::texts) ==
          Fault::none);
  CHECK(usual.line.time == second_52 + 123'000'000);
  CHECK(usual.line.level == spool::trace::Level::warning);
  CHECK(usual.line.logger == "http");
  CHECK(usual.line.text == "[odd] words");
  CHECK_FALSE(usual.line.has_pairs);

  Text padded{"%T.%f %-8l|%8N|%L %K %s:%# %v%J"};
  REQUIRE(padded.parse("20:31:52.000123 info    |  worker|I 7 a.cpp:12 hi\tthread=7 pid=1") == Fault::none);
  CHECK(padded.line.time % 60'000'000'000 == 52'000'123'000);
  CHECK(padded.line.thread_name == "worker");
  CHECK(padded.line.file == "a.cpp");
  CHECK(padded.line.text == "hi");

  Text standard{"%+"};
  REQUIRE(standard.parse("[2026-11-22 20:31:52.123] [info] words") == Fault::none);
  CHECK(standard.line.text == "words");
  CHECK(standard.line.logger.empty());
  REQUIRE(standard.parse("[2026-11-22 20:31:52.123] [http] [error] [a.cpp:7] words") == Fault::none);
  CHECK(standard.line.text == "words");
  CHECK(standard.line.logger == "http");
  CHECK(standard.line.lineno == 7);

  Text zone{"%d %b %Y %I:%M:%S %p %z %v"};
  REQUIRE(zone.parse("22 Nov 2026 09:31:52 PM +01:00 x") == Fault::none);
  CHECK(zone.line.time == second_52);
}

TEST_CASE("a pattern that cannot be read back is refused in words") {
  CHECK(refusal_of("%Y %l") == "the pattern '%Y %l' cannot be read back: without %v there are no words in its lines");
  CHECK(refusal_of("%n%v").find("two texts side by side") != std::string::npos);
  CHECK(refusal_of("%N%t %v").find("two texts side by side") != std::string::npos);
  CHECK(refusal_of("%v%J%l").find("%J has to be its end") != std::string::npos);
  CHECK(refusal_of("%5!N %v").find("cuts texts off") != std::string::npos);
  CHECK(refusal_of("%v %k").find("does not know the flag %k") != std::string::npos);
  CHECK(refusal_of("%v %").find("single '%'") != std::string::npos);
  CHECK(refusal_of("%+").empty());
  CHECK(refusal_of(unspool::Pattern::standard).empty());
}

TEST_CASE("times are RFC 3339 with any digits and offset") {
  std::uint64_t time = 0;
  const auto parsed = [&](std::string_view text) { return unspool::parse_time(text, time) ? time : 0; };
  CHECK(parsed("2026-11-22T20:31:52Z") == second_52);
  CHECK(parsed("2026-11-22 20:31:52.5") == second_52 + 500'000'000);
  CHECK(parsed("2026-11-22T22:01:52.123456789123+01:30") == second_52 + 123'456'789);
  CHECK(parsed("1970-01-01T00:00:01Z") == 1'000'000'000);
  CHECK(parsed("2024-02-29T00:00:00Z") == 1'709'164'800'000'000'000);
  for (const char* bad : {"", "2026", "2026-13-22T20:31:52Z", "2026-11-22T20:31:52.Z", "2026-11-22T20:31:52+1",
                          "9999-11-22T20:31:52Z", "2026-11-22T20:31:99Z", "1970-01-01T00:00:00+01:00"})
    CHECK(parsed(bad) == 0);
}

TEST_CASE("lines have their places; an enormous one is passed over") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  const std::string big(unspool::LineReader::longest + 1000, 'x');
  write_file(path, "a\r\n\n" + big + "\nb\n" + std::string(300'000, 'y') + "\nend");
  const auto lines = lines_of(path);
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "a|1|0");
  CHECK(lines[1] == "|2|3");
  CHECK(lines[2] == "enormous|3|4");
  CHECK(lines[3] == fmt::format("b|4|{}", 5 + big.size()));
  CHECK(lines[4].size() > 300'000);
  CHECK(lines[5] == fmt::format("end|6|{}", 5 + big.size() + 2 + 300'001));
}

TEST_CASE(
    "compressed logs read as plain ones, members and frames one behind another; a byte order mark is none of it") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  for (const std::string packer : {"gzip", "zstd -q"}) {
    write_file(path, "\xef\xbb\xbfone\n");
    write_file(path + "2", "two\nthree");
    REQUIRE(
        std::system((packer + " -c " + path + " > " + path + ".z && " + packer + " -c " + path + "2 >> " + path + ".z")
                        .c_str()) == 0);
    CHECK(lines_of(path + ".z") == std::vector<std::string>{"one|1|3", "two|2|7", "three|3|11", ""});
  }
}

TEST_CASE("compressed data that breaks off or is damaged gives what stands before, and says so") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  for (const std::string packer : {"gzip", "zstd -q"}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
      text += fmt::format("line {} {}\n", i, i * 7919 % 10'007);
    write_file(path, text);
    REQUIRE(std::system((packer + " -c " + path + " > " + path + ".z").c_str()) == 0);
    const std::string whole = read_file(path + ".z");
    write_file(path + ".cut", whole.substr(0, whole.size() - 10));
    CHECK(lines_of(path + ".cut").back().find("data breaks off") != std::string::npos);
    CHECK(lines_of(path + ".cut").front() == "line 0 0|1|0");
    write_file(path + ".more", whole + "something else");
    CHECK(lines_of(path + ".more").size() == 20'001);
    const std::string said = lines_of(path + ".more").back();
    INFO(said);
    CHECK(said.find(packer == "gzip" ? "the gzip data is followed by something else at byte "
                                     : "the zstd data is damaged (") == 0);
    CHECK(said.ends_with(fmt::format("; the {} bytes of text before it are used", text.size())));
    for (std::size_t at = 20; at < whole.size(); at += whole.size() / 40) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      write_file(path + ".bad", bad);
      CHECK_FALSE(lines_of(path + ".bad").back().empty());
    }
  }
}
