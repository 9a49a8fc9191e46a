// SPDX-License-Identifier: MIT
//
// Records as lines of JSON and text: exactly what docs/lines.md says, for each kind of Record, and whatever the names
// hold.
#include <spool/trace/json_line.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/text_line.hpp>
#include <spool/trace/timeline.hpp>
#include <spool/trace/words.hpp>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace spool::trace;
using Json = nlohmann::ordered_json;

namespace {

/// 2026-11-22T20:31:52.123456789Z
constexpr std::uint64_t moment = 1'795'379'512'123'456'789;

std::string json_of(const NamedRecord& record) {
  JsonLines lines;
  std::string out;
  lines.append(record, out);
  return out;
}

std::string text_of(const NamedRecord& record) {
  TextLines lines;
  std::string out;
  lines.append(record, out);
  return out;
}

NamedRecord named(std::string_view row) {
  NamedRecord record;
  record.row = row_named(row);
  REQUIRE(record.row != nullptr);
  record.level = Level::trace;
  record.time = moment;
  record.pid = 4711;
  return record;
}

NamedRecord by_worker(std::string_view row) {
  NamedRecord record = named(row);
  record.thread = 2;
  record.thread_name = "worker-1";
  return record;
}

NamedField number(std::string_view name, std::uint64_t value, std::string_view word = {}) {
  return {name, Means::value, value, word, 0};
}
NamedField text(std::string_view name, std::string_view value) {
  return {name, Means::value, value, {}, 0};
}

struct Acquire {
  std::vector<NamedField> fields{{"waker", Means::thread, std::uint64_t{1}, "MainThread", 0},
                                 {"spun", Means::ticks, std::uint64_t{0}, {}, 0}};
  NamedRecord record = by_worker("lock.acquire");

  Acquire() {
    record.object = first_object_number + 1;
    record.object_kind = Kind::lock;
    record.object_name = "cache";
    record.seq = 12;
    record.site = 4;
    record.file = "../server.cpp";
    record.line = 31;
    record.function = "serve";
    record.fields = fields;
  }
};

struct Served {
  std::vector<NamedField> fields{text("path", "/a"), {"ms", Means::value, std::int64_t{3}, {}, 0}};
  NamedRecord record = by_worker("message");

  Served() {
    record.level = Level::info;
    record.time = moment + 210;
    record.site = 5;
    record.file = "../server.cpp";
    record.line = 33;
    record.function = "serve";
    record.logger = "http";
    record.text = "served /a in 3 ms";
    record.format = "served {path} in {ms} ms";
    record.fields = fields;
  }
};

/// Bytes that break terminals, lines, quotes and decoders.
const std::string evil =
    "a\"b\\c\n\r\t\x1b[31m\x7f \xc2\x85 \xe2\x80\xa8 \xff\xc0\xaf\xed\xa0\x80 |=x \xf0\x9f\xa7\xb5 {} \0 end" +
    std::string(1, '\0') + "!";

}  // namespace

TEST_CASE("the lines are those of the format's page") {
  CHECK(
      json_of(Acquire{}.record) ==
      R"({"time":"2026-11-22T20:31:52.123456789Z","level":"trace","record":"lock.acquire","process.pid":4711,"thread.id":2,"thread.name":"worker-1","object.id":4294967297,"object.kind":"lock","object.name":"cache","seq":12,"site":4,"code.filepath":"../server.cpp","code.lineno":31,"waker":1,"waker.name":"MainThread","spun":0})"
      "\n");
  CHECK(
      json_of(Served{}.record) ==
      R"({"time":"2026-11-22T20:31:52.123456999Z","level":"info","record":"message","process.pid":4711,"thread.id":2,"thread.name":"worker-1","site":5,"code.filepath":"../server.cpp","code.lineno":33,"code.function":"serve","logger":"http","body":"served /a in 3 ms","format":"served {path} in {ms} ms","arguments":{"path":"/a","ms":3}})"
      "\n");
  CHECK(text_of(Acquire{}.record) ==
        "2026-11-22T20:31:52.123456789+00:00 [trace] (worker-1) lock.acquire cache\trecord=lock.acquire "
        "object=4294967297 object_name=\"cache\" seq=12 site=4 at=server.cpp:31 waker=1 spun=0 thread=2 pid=4711\n");
  CHECK(text_of(Served{}.record) ==
        "2026-11-22T20:31:52.123456999+00:00 [info] (worker-1) served /a in 3 ms\tthread=2 pid=4711 site=5 "
        "at=server.cpp:33 logger=\"http\" | path=\"/a\" ms=3\n");
}

TEST_CASE("definitions are lines, with OpenTelemetry's names where it has some") {
  NamedRecord process = named("definition.process");
  process.time = moment - 23'456'789;
  const std::vector<NamedField> of_process{
      number("parent_pid", 0),     {"started", Means::ticks, moment - 24'456'789, {}, 0},
      text("program", "kvserver"), text("host", "db3"),
      text("clock", "tsc"),        text("version", lines_version)};
  process.fields = of_process;
  CHECK(
      json_of(process) ==
      R"({"time":"2026-11-22T20:31:52.100000000Z","level":"trace","record":"definition.process","process.pid":4711,"process.parent_pid":0,"started":"2026-11-22T20:31:52.099000000Z","process.executable.name":"kvserver","host.name":"db3","clock":"tsc","version":"1.1"})"
      "\n");
  CHECK(text_of(process) ==
        "2026-11-22T20:31:52.100000000+00:00 [trace] () definition.process\trecord=definition.process parent_pid=0 "
        "started=2026-11-22T20:31:52.099000000Z program=\"kvserver\" host=\"db3\" clock=\"tsc\" version=\"1.1\" "
        "pid=4711\n");
  NamedRecord thread = named("definition.thread");
  thread.time = moment - 23'456'689;
  thread.object = 2;
  const std::vector<NamedField> of_thread{number("native_id", 4712),
                                          {"creator", Means::thread, std::uint64_t{1}, "MainThread", 0},
                                          number("daemon", 0),
                                          number("origin", 1, "spool"),
                                          text("name", "worker-1")};
  thread.fields = of_thread;
  CHECK(
      json_of(thread) ==
      R"({"time":"2026-11-22T20:31:52.100000100Z","level":"trace","record":"definition.thread","process.pid":4711,"object.id":2,"thread.native_id":4712,"creator":1,"creator.name":"MainThread","daemon":0,"origin":1,"origin.name":"spool","name":"worker-1"})"
      "\n");
  NamedRecord site = named("definition.site");
  const std::vector<NamedField> of_site{{"number", Means::site, std::uint64_t{4}, {}, 0},
                                        number("line", 31),
                                        text("file", "../server.cpp"),
                                        text("function", "serve")};
  site.fields = of_site;
  const Json parsed = Json::parse(json_of(site));
  CHECK(parsed["number"] == 4);
  CHECK(parsed["code.lineno"] == 31);
  CHECK(parsed["code.filepath"] == "../server.cpp");
  CHECK(parsed["code.function"] == "serve");
}

TEST_CASE("what is not known is left out") {
  NamedRecord record = by_worker("lock.block");
  record.object = first_object_number + 9;
  record.object_kind = Kind::lock;
  const std::vector<NamedField> fields{{"owner", Means::thread, std::uint64_t{7}, {}, 0},
                                       {"owner_site", Means::site, std::uint64_t{0}, {}, 0}};
  record.fields = fields;
  CHECK(json_of(record).find("\"object.name\":\"\",\"seq\":0,\"site\":0,\"owner\":7,\"owner_site\":0}") !=
        std::string::npos);
  CHECK(text_of(record).ends_with(
      ") lock.block\trecord=lock.block object=4294967305 seq=0 site=0 owner=7 owner_site=0 thread=2 pid=4711\n"));
  NamedRecord nothing;
  CHECK(json_of(nothing).empty());
  CHECK(text_of(nothing).empty());
}

TEST_CASE("every row has lines that tell each of its fields") {
  for (const Row& row : rows()) {
    if (row.kind == Kind::message) continue;
    NamedRecord record = row.kind == Kind::definition ? named(row.name) : by_worker(row.name);
    record.object = first_object_number;
    record.object_kind = Kind::lock;
    record.object_name = "it";
    std::vector<NamedField> fields;
    std::uint64_t value = 1000;
    for (const Field& field : row.fields()) {
      if (field.name == "site" || field.means == Means::sequence || field.name.starts_with("reserved")) continue;
      fields.push_back(field.type == Type::text ? text(field.name, "some text")
                                                : NamedField{field.name, field.means, value++, {}, 0});
    }
    record.fields = fields;
    INFO(row.name);
    const Json parsed = Json::parse(json_of(record));
    CHECK(parsed["record"] == row.name);
    const std::size_t fixed = row.kind == Kind::definition ? 5 : 9;
    const bool has_sequence =
        std::ranges::any_of(row.fields(), [](const Field& each) { return each.means == Means::sequence; });
    const bool has_site = std::ranges::any_of(row.fields(), [](const Field& each) { return each.name == "site"; });
    CHECK(parsed.size() == fixed + has_sequence + has_site + fields.size());
    const std::string line = text_of(record);
    for (const NamedField& field : fields)
      CHECK(line.find(' ' + std::string{field.name} + '=') != std::string::npos);
    CHECK(std::ranges::count(line, '\t') == 1);
    CHECK(std::ranges::count(line, '\n') == 1);
  }
}

TEST_CASE("hostile names and texts come through JSON unharmed") {
  Served served;
  served.record.thread_name = evil;
  served.record.logger = evil;
  served.record.text = evil;
  served.record.format = evil;
  served.record.file = evil;
  served.record.function = evil;
  const std::string name = "k\"\n";
  const std::vector<NamedField> fields{text(name, evil)};
  served.record.fields = fields;
  const std::string line = json_of(served.record);
  CHECK(std::ranges::all_of(line.substr(0, line.size() - 1),
                            [](char each) { return static_cast<unsigned char>(each) >= 0x20 && each != 0x7f; }));
  CHECK(line.find("\xe2\x80\xa8") == std::string::npos);
  CHECK(line.find("\xc2\x85") == std::string::npos);
  const Json parsed = Json::parse(line);
  // What is UTF-8 is as it was; each byte that is none became U+FFFD.
  std::string expected = evil;
  const std::string bad = "\xff\xc0\xaf\xed\xa0\x80";
  std::string replaced;
  for (std::size_t i = 0; i < bad.size(); ++i)
    replaced += "\xef\xbf\xbd";
  expected.replace(expected.find(bad), bad.size(), replaced);
  for (const char* key : {"thread.name", "logger", "body", "format", "code.filepath", "code.function"})
    CHECK(parsed[key] == expected);
  CHECK(parsed["arguments"][name] == expected);
}

TEST_CASE("hostile names and texts stay within their place in text") {
  Served served;
  served.record.thread_name = evil;
  served.record.logger = evil;
  const std::string feigned = "x\trecord=lock.acquire object=1\n" + evil;
  served.record.text = feigned;
  served.record.file = "/src/two words\".cpp";
  const std::vector<NamedField> fields{text("a b=\"\n", evil)};
  served.record.fields = fields;
  const std::string line = text_of(served.record);
  CHECK(std::ranges::count(line, '\t') == 1);
  CHECK(std::ranges::count(line, '\n') == 1);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find(R"(x\trecord=lock.acquire object=1\n)") != std::string::npos);
  CHECK(line.find(R"( at="two words\".cpp:33" )") != std::string::npos);
  CHECK(line.find(R"( logger="a\"b\\c\n\r\t\x1b[31m\x7f \x85 )") != std::string::npos);
  CHECK(line.find(R"( | a\x20b\x3d\x22\x0a=")") != std::string::npos);
}

TEST_CASE("numbers of every kind and size are told in full") {
  Served served;
  const std::vector<NamedField> fields{
      {"a", Means::value, std::numeric_limits<std::uint64_t>::max(), {}, 0},
      {"b", Means::value, std::numeric_limits<std::int64_t>::min(), {}, 0},
      {"c", Means::value, true, {}, 0},
      {"d", Means::value, 0.1F, {}, 0},
      {"e", Means::value, 5.0, {}, 0},
      {"f", Means::value, 1e300, {}, 0},
      {"g", Means::value, std::numeric_limits<double>::quiet_NaN(), {}, 0},
      {"h", Means::value, -std::numeric_limits<double>::infinity(), {}, 0},
  };
  served.record.fields = fields;
  const std::string json = json_of(served.record);
  CHECK(json.ends_with(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":true,"d":0.1,"e":5.0,"f":1e+300,)"
                       R"("g":"nan","h":"-inf"}})"
                       "\n"));
  CHECK(text_of(served.record)
            .ends_with("| a=18446744073709551615 b=-9223372036854775808 c=true d=0.1 e=5 f=1e+300 g=nan h=-inf\n"));
  NamedRecord loss = named("trace.loss");
  loss.time = std::numeric_limits<std::uint64_t>::max();
  const std::vector<NamedField> lost{number("count", std::numeric_limits<std::uint64_t>::max()),
                                     number("reason", 4, "lapped")};
  loss.fields = lost;
  CHECK(json_of(loss).find(R"("time":"2554-07-21T23:34:33.709551615Z")") != std::string::npos);
  CHECK(json_of(loss).find(R"("count":18446744073709551615,"reason":4,"reason.name":"lapped"})") != std::string::npos);
}

TEST_CASE("a name that changes is told as it is now, also when numbers share a place in the caches") {
  JsonLines json;
  TextLines text;
  for (const ThreadNumber thread : {2U, 258U, 2U, 2U}) {
    for (const std::string_view name : {"one", "two", ""}) {
      Acquire acquire;
      acquire.record.thread = thread;
      acquire.record.thread_name = name;
      acquire.record.object = first_object_number + thread;
      acquire.record.object_name = name;
      acquire.record.site = thread;
      acquire.record.file = name;
      std::string json_line;
      std::string text_line;
      json.append(acquire.record, json_line);
      text.append(acquire.record, text_line);
      CHECK(json_line == json_of(acquire.record));
      CHECK(text_line == text_of(acquire.record));
    }
  }
}

TEST_CASE("the times of a timeline go on evenly and never back, whatever the readings say") {
  Timeline line;
  line.begin(1'000'000'000, 1'700'000'000, 500'000'000);
  CHECK(line.realtime(0) == 1'700'000'000'500'000'000);
  CHECK(line.realtime(1'000'000'000) == 1'700'000'001'500'000'000);
  CHECK(line.span(123) == 123);
  CHECK(line.ticks_in(1000) == 1000);
  line.read(1'000'000'000, 77);
  // The clock runs 100 ppm faster than the frequency says; the line follows.
  std::uint64_t last = 0;
  std::uint64_t apart = 0;
  for (std::uint64_t second = 2; second < 200; ++second) {
    const Ticks ticks = second * 1'000'000'000;
    const std::uint64_t before = line.realtime(ticks - 1);
    line.read(ticks, 77 + (second - 1) * 1'000'100'000);
    const std::uint64_t now = line.realtime(ticks);
    CHECK(before >= last);
    CHECK(now >= before);
    CHECK(now - before <= 2);  // no jump
    last = now;
    const std::uint64_t real = 1'700'000'001'500'000'000 + (second - 1) * 1'000'100'000;
    apart = real > now ? real - now : now - real;
  }
  CHECK(apart < 1'100'000);  // ten seconds' worth of the difference
  // A reading from another world moves it by 500 ppm at most.
  line.read(201'000'000'000, ~std::uint64_t{0} / 2);
  CHECK(line.realtime(202'000'000'000) - line.realtime(201'000'000'000) < 1'001'000'000);
  line.keep_newest(2);
  CHECK(line.realtime(202'000'000'000) > last);
  CHECK(line.realtime(5) < last);
}

TEST_CASE("words are those of the schema") {
  CHECK(word_of(*row_named("trace.loss"), {"reason", Type::u32, Means::value}, 4) == "lapped");
  CHECK(word_of(*row_named("status.hold"), {"mode", Type::u32, Means::value}, 1) == "shared");
  CHECK(word_of(*row_named("definition.mode"), {"mode", Type::u8, Means::value}, 1) == "contended");
  CHECK(word_of(*row_named("status.wait"), {"begun_by", Type::u32, Means::value}, 132) == "lock.block");
  CHECK(word_of(*row_named("status.wait"), {"begun_by", Type::u32, Means::value}, 1ULL << 40U).empty());
  CHECK(word_of(*row_named("definition.object"), {"kind", Type::u8, Means::value}, 200).empty());
}
