// SPDX-License-Identifier: MIT
//
// A whole trace, read: every kind of Record, every definition, however it is cut into segments, chunks and packets.
#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>

using namespace unspool_test;
using trace::Type;
using trace::Value;
using unspool::Record;

namespace {

const auto lock = object_number(17);

Value number(std::uint64_t value) {
  return value;
}

}  // namespace

// `unspool deadlocks` saw no semaphore wake anybody: a release's `count` was taken for that of a loss.
TEST_CASE("a release of permits says how many, and how many it woke") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.define_object(lock, trace::Kind::semaphore, "permits", 0);
  segment.writer(1, 100).transition(110, "semaphore.release", lock, 0, 1, 3, 2);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 1);
  CHECK(read.records[0].a == 3);
  CHECK(read.records[0].b == 2);
  CHECK(read.records[0].count == 0);
}

TEST_CASE("a trace gives its process, its definitions and its Records") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.define_mode(trace::Mode::contended);
  segment.define_thread(1, "main", trace::Origin::main).define_thread(2, "worker-1", trace::Origin::spool, 1, true);
  segment.define_object(lock, trace::Kind::lock, "accounts", 5).define_site(5, "/src/transfer.cpp", 31, "transfer");
  segment.writer(1, 100)
      .transition(110, "lock.acquire", lock, 5, 1, 2, 9)
      .transition(120, "lock.release", lock, 5, 2, 3, 1);
  segment.untouched(90);
  segment.writer(2, 100).record(130, "trace.end", 0, {number(5), number(2), number(0), number(0)});
  trace.write();

  const Reading read{trace.path()};
  REQUIRE(read.refusal.empty());
  CHECK(read.problems().empty());
  const auto& process = read.process();
  CHECK(process.program == "bank");
  CHECK(process.hostname == "host");
  CHECK(process.pid == 4711);
  CHECK(process.started == "2026-01-02T03:04:05Z");
  CHECK(process.clock_source == "tsc");
  CHECK(process.mode == trace::Mode::contended);
  CHECK(process.orderly_end);
  CHECK_FALSE(process.cut);
  REQUIRE(process.threads.size() == 2);
  CHECK(process.threads.at(2).name == "worker-1");
  CHECK(process.threads.at(2).daemon);
  CHECK(process.threads.at(2).creator == 1);
  CHECK(process.threads.at(2).native_id == 1002);
  CHECK(process.threads.at(1).origin == trace::Origin::main);
  CHECK(process.objects.at(lock).name == "accounts");
  CHECK(process.objects.at(lock).kind == trace::Kind::lock);
  CHECK(process.sites.at(5).file == "/src/transfer.cpp");
  CHECK(process.sites.at(5).line == 31);

  REQUIRE(read.records.size() == 3);
  const Record& acquire = read.records[0];
  CHECK(acquire.row->name == "lock.acquire");
  CHECK(acquire.time == 110);
  CHECK(acquire.thread == 1);
  CHECK(acquire.object == lock);
  CHECK(acquire.site == 5);
  CHECK(acquire.seq == 1);
  CHECK(acquire.a == 2);
  CHECK(acquire.b == 9);
  CHECK(acquire.place.segment == 1);
  CHECK(acquire.place.chunk == 1);
  CHECK(acquire.place.offset == sizeof(trace::PacketHeader));
  const Record& end = read.records[2];
  CHECK(end.row->name == "trace.end");
  CHECK(end.site == 5);
  CHECK(end.a == 2);
}

TEST_CASE("chained packets of two threads in one chunk are read as two threads") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.writer(1, 100)
      .transition(110, "lock.acquire", lock, 0, 1)
      .chain(2, 200)
      .transition(210, "lock.release", lock, 0, 2)
      .chain(3, 300)
      .transition(310, "lock.acquire", lock, 0, 3);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  REQUIRE(read.records.size() == 3);
  for (std::uint32_t i = 0; i < 3; ++i)
    CHECK(read.records[i].thread == i + 1);
}

TEST_CASE("messages of every argument type are read, and padding between Records is not") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  trace::MessageClass all{4096, trace::Level::warning, "net", "{} {}", {}};
  const std::vector<Type> types{Type::u8,  Type::u16, Type::u32, Type::u64, Type::i8,      Type::i16,
                                Type::i32, Type::i64, Type::f32, Type::f64, Type::boolean, Type::text};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < types.size(); ++i)
    names.push_back("arg" + std::to_string(i));
  for (std::size_t i = 0; i < types.size(); ++i)
    all.arguments.push_back({names[i], types[i], trace::Means::value});
  segment.define_message(all);
  const std::vector<Value> values{number(200),
                                  number(60000),
                                  number(4'000'000'000),
                                  number(~0ULL),
                                  std::int64_t{-1},
                                  std::int64_t{-300},
                                  std::int64_t{-70000},
                                  std::int64_t{-1} << 62,
                                  1.5F,
                                  -2.25,
                                  true,
                                  std::string_view{"ab\0\"\n", 5}};
  auto& chunk = segment.writer(1, 100);
  for (trace::Ticks i = 0; i < 5; ++i)
    chunk.message(110 + i, all, 7, values);
  chunk.record(120, "message", 0, {number(8), number(2), std::string_view{"log"}, std::string_view{"plain text"}});
  trace.write();

  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  REQUIRE(read.records.size() == 6);
  for (std::size_t i = 0; i < 5; ++i) {
    const Record& record = read.records[i];
    REQUIRE(record.message != nullptr);
    CHECK(record.row->name == "message");
    CHECK(record.site == 7);
    CHECK(record.message->level == trace::Level::warning);
    CHECK(record.message->logger == "net");
    CHECK(record.message->format == "{} {}");
    CHECK(record.message->argument_names == names);
    const auto bytes = std::as_bytes(std::span{read.copies[i]});
    const auto got = trace::read_values(record.message->arguments, bytes);
    REQUIRE(got);
    CHECK(*got == values);
  }
  const Record& plain = read.records[5];
  CHECK(plain.message == nullptr);
  CHECK(plain.site == 8);
  const auto fields = plain.row->fields().subspan(1);
  const auto got = trace::read_values(fields, std::as_bytes(std::span{read.copies[5]}));
  REQUIRE(got);
  CHECK(std::get<std::string_view>((*got)[2]) == "plain text");
}

TEST_CASE("a text that is longer than what is read at a time is whole") {
  TraceBuilder trace;
  const std::string text(300'000, 'x');
  trace.segment(1)
      .writer(1, 100)
      .record(110, "message", 0, {number(8), number(2), std::string_view{}, std::string_view{text}})
      .transition(120, "lock.acquire", lock, 0, 1);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  REQUIRE(read.records.size() == 2);
  CHECK(read.copies[0].ends_with(text));
}

TEST_CASE("many Records in a chunk are all read, across every boundary of what is read at a time") {
  TraceBuilder trace;
  trace::MessageClass odd{4096, trace::Level::info, "", "{}", {{"arg0", Type::u8, trace::Means::value}}};
  auto& segment = trace.segment(1);
  segment.define_message(odd);
  auto& chunk = segment.writer(1, 1);
  trace::Ticks time = 1;
  for (std::uint32_t i = 1; i <= 20'000; ++i) {
    chunk.transition(++time, "lock.acquire", lock, 3, i, i);
    if (i % 3 == 0) chunk.message(++time, odd, 4, {number(i % 256)});
  }
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  REQUIRE(read.records.size() == chunk.records());
  std::uint32_t seq = 0;
  for (const Record& record : read.records) {
    if (record.seq != 0) REQUIRE(record.seq == ++seq);
  }
  CHECK(seq == 20'000);
}

TEST_CASE("segments are one trace: later definitions replace earlier ones, threads go on") {
  TraceBuilder trace;
  trace.segment(1).define_thread(1, "old").writer(1, 100).transition(110, "lock.acquire", lock, 0, 1);
  trace.segment(2).define_thread(1, "new").writer(1, 200).transition(210, "lock.release", lock, 0, 2);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  CHECK(read.process().threads.at(1).name == "new");
  REQUIRE(read.records.size() == 2);
  CHECK(read.records[1].place.segment == 2);

  const Reading one{trace.segment_path(2)};
  CHECK(one.process().cut);
  CHECK(one.records.size() == 1);
  CHECK(one.records[0].seq == 2);
}

TEST_CASE("definitions are given out with the Records when they are asked for") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  segment.define_thread(1, "main").define_site(1, "a.cpp", 1);
  segment.writer(1, 100).transition(110, "lock.acquire", lock, 0, 1);
  trace.write();
  CHECK(Reading{trace.path(), true}.records.size() == 3);
  CHECK(Reading{trace.path()}.records.size() == 1);
}

TEST_CASE("status entries are read, unused ones are not") {
  TraceBuilder trace;
  trace.segment(1).writer(1, 100).transition(110, "lock.acquire", lock, 0, 1);
  trace::StatusEntry entry{};
  entry.thread = 1;
  entry.depth = 1;
  entry.holds[0] = {lock, 110, 5, 0};
  trace.status({});
  trace.status(entry);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  REQUIRE(read.process().status.size() == 1);
  CHECK(read.process().status[0].holds[0].object == lock);
}

TEST_CASE("the frequency over the whole trace is used, unless it is absurd") {
  const auto frequency_with = [](trace::Ticks ticks, std::uint64_t monotonic) {
    TraceBuilder trace;
    trace.segment(1)
        .define_clock(1000, 500, 0, 2'000'000'000)
        .define_clock(1000 + ticks, 500 + monotonic, 0, 2'000'000'000);
    trace.write();
    return Reading{trace.path()}.process().frequency;
  };
  CHECK(frequency_with(2'010'000'000, 1'000'000'000) == 2'010'000'000);
  CHECK(frequency_with(2'010'000, 1'000'000) == 2'000'000'000);          // a millisecond is too short to tell
  CHECK(frequency_with(9'010'000'000, 1'000'000'000) == 2'000'000'000);  // the machine slept
}

TEST_CASE("losses are not counted twice: the larger of headers and loss Records of a chunk counts") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  auto& one = segment.writer(1, 100);
  one.record(110, "trace.loss", 0, {number(7), number(0), number(0)});
  one.header().events_discarded = 7;
  auto& two = segment.writer(2, 100);
  two.record(110, "trace.loss", 0, {number(2), number(1), number(0)})
      .record(111, "trace.loss", 0, {number(3), number(1), number(0)});
  two.header().events_discarded = 4;
  segment.writer(3, 100).header().events_discarded = 10;
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.process().lost == 7 + 5 + 10);
  CHECK(read.records[0].count == 7);

  // The status file's sum has both, and what no Record could tell.
  trace.lost = 30;
  trace.status({});
  trace.write();
  CHECK(Reading{trace.path()}.process().lost == 30);
  trace.lost = 3;
  trace.write();
  CHECK(Reading{trace.path()}.process().lost == 7 + 5 + 10);
  CHECK(read.records[1].a == 1);
}

TEST_CASE("what a newer minor version adds is passed over, and said") {
  TraceBuilder trace;
  auto& segment = trace.segment(1);
  std::string& text = segment.metadata;
  // A further field of a known row, and a row of its own, with a text and an array.
  const std::string busy = "event { name = \"lock.busy\"";
  const auto at = text.find("u32 owner_site; }; };", text.find(busy));
  REQUIRE(at != std::string::npos);
  text.insert(at + std::string{"u32 owner_site;"}.size(), " u64 extra;");
  text +=
      "event { name = \"lock.dance\"; id = 900; stream_id = 0; fields := struct { u32 site; u64 steps[2]; p32 "
      "_n_length; utf8 n[_n_length]; }; };\n";
  auto& chunk = segment.writer(1, 100);
  chunk.raw(110, trace::record_id(trace::Kind::lock, trace::Verb::busy), lock,
            std::string("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0EXTRAEXT", 24));
  chunk.raw(120, 900, lock, std::string("\1\0\0\0....0123456789abcdef\3\0\0\0xyz", 31));
  chunk.transition(130, "lock.acquire", lock, 0, 1);
  trace.write();
  const Reading read{trace.path()};
  REQUIRE(read.records.size() == 2);
  CHECK(read.records[0].row->name == "lock.busy");
  CHECK(read.records[0].seq == 2);
  CHECK(read.records[0].b == 4);
  CHECK(read.records[1].time == 130);
  CHECK(read.problems() ==
        "note: " + trace.path() +
            ": 1 Records \"lock.dance\" are passed over: this unspool does not know them, a newer one may\n");
}

TEST_CASE("metadata without packets around it is read") {
  TraceBuilder trace;
  trace.segment(1).plain_metadata = true;
  trace.segment(1).writer(1, 100).transition(110, "lock.acquire", lock, 0, 1);
  trace.write();
  const Reading read{trace.path()};
  CHECK(read.problems().empty());
  CHECK(read.records.size() == 1);
}
