// SPDX-License-Identifier: MIT
//
// The trace room: the schema table, the metadata made from it, the text of messages, and what is safe to print.
#include <spool/config/environment.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/metadata.hpp>
#include <spool/trace/schema.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstring>
#include <limits>
#include <set>

using namespace spool::trace;
using spool::config::parse_size;
using namespace std::string_literals;

TEST_CASE("every row has an id, a name and fields of its own") {
  std::set<std::uint16_t> ids;
  std::set<std::string_view> names;
  for (const Row& row : rows()) {
    INFO(row.name);
    CHECK(ids.insert(record_id(row)).second);
    CHECK(names.insert(row.name).second);
    CHECK(record_id(row) < first_message_class);
    CHECK(row_named(row.name) == &row);
    CHECK((row_of(row.kind, row.verb) == &row) == (row.limit == WaitLimit::none));
    CHECK(row_of_id(record_id(row)) == &row);
    if (row.effect == Effect::wait) CHECK(limit_of(record_id(row)) == row.limit);
    std::set<std::string_view> fields;
    for (const Field& field : row.fields())
      CHECK(fields.insert(field.name).second);
  }
  CHECK(row_named("lock.nonsense") == nullptr);
  CHECK(row_of(Kind::lock, Verb::notify) == nullptr);
}

TEST_CASE("ids never change: they are the format") {
  CHECK(record_id(Kind::trace, Verb::loss) == 15);
  CHECK(record_id(Kind::thread, Verb::create) == 64);
  CHECK(record_id(Kind::lock, Verb::block) == 132);
  CHECK(record_id(Kind::lock, Verb::acquire) == 134);
  CHECK(record_id(Kind::condition, Verb::notify) == 203);
  CHECK(record_id(Kind::message, Verb::text) == 336);
  CHECK(record_id(Kind::definition, Verb::mode) == 405);
  CHECK(record_id(Kind::pool, Verb::submit) == 935);
  CHECK(record_id(Kind::status, Verb::stack) == 300);
  CHECK(record_id(Kind::definition, Verb::stack) == 428);
  CHECK(record_id(Kind::definition, Verb::frame) == 429);
  CHECK(record_id(Kind::definition, Verb::cost) == 430);
  CHECK(wait_id(Kind::lock, Verb::block, WaitLimit::none) == record_id(Kind::lock, Verb::block));
  CHECK(wait_id(Kind::lock, Verb::block, WaitLimit::deadline) == 1024 + record_id(Kind::lock, Verb::block));
  CHECK(wait_id(Kind::lock, Verb::block, WaitLimit::stop) == 2048 + record_id(Kind::lock, Verb::block));
  CHECK(wait_id(Kind::timer, Verb::block, WaitLimit::deadline) == record_id(Kind::timer, Verb::block));
}

TEST_CASE("a transition is 16 bytes behind its header, without padding") {
  for (const Row& row : rows()) {
    if (row.packed || row.kind == Kind::status) continue;
    INFO(row.name);
    std::size_t size = 0;
    for (const Field& field : row.fields()) {
      const std::size_t own = field.type == Type::u64 ? 8 : 4;
      CHECK(size % own == 0);
      size += own;
    }
    CHECK(size == 16);
  }
}

TEST_CASE("what may follow is a verb of the same kind") {
  for (const Row& row : rows()) {
    for (unsigned bit = 0; bit < 64; ++bit) {
      const auto verb = static_cast<Verb>(bit);
      if (row.next.has(verb) && row.kind != Kind::thread) {
        INFO(row.name << " then " << bit);
        CHECK(row_of(row.kind, verb) != nullptr);
      }
    }
    if (row.effect == Effect::wait) CHECK(row.next.bits != 0);
  }
}

TEST_CASE("at rest nothing ends that has not begun") {
  CHECK(at_rest(Kind::lock).has(Verb::acquire));
  CHECK(at_rest(Kind::lock).has(Verb::busy));
  CHECK_FALSE(at_rest(Kind::lock).has(Verb::timeout));
  CHECK_FALSE(at_rest(Kind::lock).has(Verb::cancel));
  CHECK_FALSE(at_rest(Kind::condition).has(Verb::resume));
  CHECK(at_rest(Kind::thread).has(Verb::resume));  // a join of an ended thread
  CHECK(at_rest(Kind::event).has(Verb::resume));   // a wait for what is set
  CHECK_FALSE(at_rest(Kind::barrier).has(Verb::resume));
}

TEST_CASE("names of kinds, modes and levels, also beyond their ends") {
  CHECK(name_of(Kind::shared_lock) == "shared_lock");
  CHECK(name_of(static_cast<Kind>(99)) == "unknown");
  CHECK(kind_named("condition") == Kind::condition);
  CHECK(kind_named("nonsense") == Kind::trace);
  CHECK(name_of(static_cast<Mode>(7)) == "unknown");
  for (const Level level : {Level::trace, Level::debug, Level::info, Level::warning, Level::error, Level::critical}) {
    CHECK(level_of_ctf(ctf_loglevel(level)) == level);
  }
}

TEST_CASE("the metadata declares every row, the clock and the process, whatever their names are") {
  Process process;
  process.program = "a\"b\\c\nd";
  process.hostname = "host";
  process.pid = 4711;
  process.clock = "tsc";
  process.frequency = 2'100'000'000;
  const std::string text = metadata_text(process, Uuid{1, 2, 3}, 7);
  CHECK(text.starts_with("/* CTF 1.8 */"));
  for (const Row& row : rows()) {
    // Of a trace the metadata itself says which process it is.
    const bool is_there = row.verb != Verb::process;
    CHECK((text.find("name = \"" + std::string{row.name} + "\";") != std::string::npos) == is_there);
  }
  CHECK(text.find(R"(procname = "a\"b\\c\012d")") != std::string::npos);
  CHECK(text.find("freq = 2100000000") != std::string::npos);
  CHECK(text.find("uuid = \"01020300-0000-0000-0000-000000000000\"") != std::string::npos);
  const std::string message = message_class_text({4096, Level::warning, "", "50% {} \"x\"\n", {{"arg0", Type::text}}});
  CHECK(message ==
        "event { name = \"message\"; id = 4096; stream_id = 0; loglevel = 4; "
        "model.emf.uri = \"50% {} \\\"x\\\"\\012\"; fields := struct { p32 site; p32 _arg0_length; "
        "utf8 arg0[_arg0_length]; }; };\n");
}

namespace {

std::string text_of(std::string_view format, const std::vector<Value>& arguments) {
  return message_text(format, {}, arguments);
}

}  // namespace

TEST_CASE("a message's text is fmt's") {
  CHECK(text_of("served {} in {} ms", {std::string_view{"/"}, std::int64_t{3}}) == "served / in 3 ms");
  CHECK(text_of("{:>6}|{:#x}|{:.2f}|{}", {std::uint64_t{7}, std::uint64_t{255}, 2.0 / 3.0, true}) ==
        "     7|0xff|0.67|true");
  CHECK(text_of("{1} {0}", {std::int64_t{1}, std::int64_t{2}}) == "2 1");
  CHECK(text_of("{{}}", {}) == "{}");
}

TEST_CASE("a format that does not fit shows everything and throws nothing") {
  CHECK(text_of("{} {}", {std::int64_t{1}}) == "{} {} [1]");
  CHECK(text_of("{:d}", {std::string_view{"text"}}) == "{:d} [text]");
  CHECK(text_of("{", {true}) == "{ [true]");
  CHECK(text_of("}", {}) == "}");
  CHECK(text_of("{:", {}) == "{:");
  CHECK(text_of("{:{}}", {std::int64_t{1}, std::string_view{"w"}}) == "{:{}} [1] [w]");
  CHECK(text_of("{:{}}", {std::int64_t{1}, std::int64_t{-5}}) == "{:{}} [1] [-5]");
}

TEST_CASE("a format that asks for a gigabyte of padding gets none") {
  for (const char* hostile : {"{:1000000000}", "{:.1000000000f}", "{0:9999999999999999999999}", "{:>99999999}"}) {
    CHECK(text_of(hostile, {2.0}).size() < 100);
  }
  CHECK(text_of("{:{}}", {std::int64_t{1}, std::int64_t{1'000'000'000}}).size() < 100);
  CHECK(text_of("{:{}}", {std::int64_t{1}, std::uint64_t{1'000'000'000}}).size() < 100);
  CHECK(text_of("{0:{1}.{1}}", {1.0, std::int64_t{2'000'000'000}}).size() < 100);
  CHECK(text_of("{:4096}", {std::int64_t{1}}).size() == 4096);
}

TEST_CASE("packed fields are read only as far as the bytes go") {
  const std::vector<Field> fields{{"a", Type::u16}, {"b", Type::text}, {"c", Type::i8}};
  std::vector<std::byte> bytes(2 + 4 + 3 + 1);
  const std::uint16_t a = 513;
  const std::uint32_t length = 3;
  std::memcpy(bytes.data(), &a, 2);
  std::memcpy(bytes.data() + 2, &length, 4);
  std::memcpy(bytes.data() + 6, "xyz", 3);
  bytes[9] = std::byte{0xff};
  const auto values = read_values(fields, bytes);
  REQUIRE(values);
  CHECK(*values == std::vector<Value>{std::uint64_t{513}, std::string_view{"xyz"}, std::int64_t{-1}});
  CHECK(packed_length(fields, bytes) == bytes.size());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(read_values(fields, std::span{bytes}.first(size)));
    CHECK_FALSE(packed_length(fields, std::span{bytes}.first(size)));
  }
  const std::uint32_t absurd = std::numeric_limits<std::uint32_t>::max();
  std::memcpy(bytes.data() + 2, &absurd, 4);
  CHECK_FALSE(read_values(fields, bytes));
}

TEST_CASE("escaped text is printable on one line, whatever came in") {
  CHECK(escaped("plain \"text\" über 漢 🧵") == "plain \"text\" über 漢 🧵");
  CHECK(escaped("a\nb\tc\rd\\e") == "a\\nb\\tc\\rd\\\\e");
  CHECK(escaped("\x1b[31m\x07\x7f") == "\\x1b[31m\\x07\\x7f");
  CHECK(escaped("nul\0!"s) == "nul\\x00!");
  CHECK(escaped("\xc2\x9b"
                "31m") == "\\x9b31m");         // C1: CSI in one character
  CHECK(escaped("\xc2\xa0") == "\xc2\xa0");    // the first one behind C1
  CHECK(escaped("\x80\xbf") == "\\x80\\xbf");  // continuations of nothing
  CHECK(escaped("\xc3") == "\\xc3");           // cut after the lead
  CHECK(escaped("\xe6\xbc") == "\\xe6\\xbc");  // cut in the middle
  CHECK(escaped("\xf0\x9f\xa7"
                "x") == "\\xf0\\x9f\\xa7x");
  CHECK(escaped("\xc0\xaf") == "\\xc0\\xaf");  // overlong '/'
  CHECK(escaped("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
  CHECK(escaped("\xf0\x80\x80\xaf") == "\\xf0\\x80\\x80\\xaf");
  CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(escaped("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  CHECK(escaped("\xff\xfe") == "\\xff\\xfe");
  CHECK(escaped("") == "");
}

TEST_CASE("every pair of bytes is escaped into printable ones") {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string out = escaped(std::string{static_cast<char>(first), static_cast<char>(second)});
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        const bool control = byte < 0x20 || byte == 0x7f;
        const bool c1 = byte == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
        if (control || c1) FAIL(first << " " << second << " gives " << out);
      }
    }
  }
}

TEST_CASE("sizes are read with their units, and refused when they are none") {
  CHECK(parse_size("1") == 1U);
  CHECK(parse_size("64K") == std::uint64_t{64} << 10U);
  CHECK(parse_size("256M") == std::uint64_t{256} << 20U);
  CHECK(parse_size("2G") == std::uint64_t{2} << 30U);
  CHECK(parse_size("all") == 0U);
  CHECK(parse_size("17179869183G") == std::uint64_t{17179869183} << 30U);
  for (const char* wrong : {"", "0", "-1", "M", "1.5M", "64k", "64MB", " 64M", "64 M", "0x10", "All", "17179869184G",
                            "18446744073709551616", "1e3", "+1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_size(wrong));
  }
}

TEST_CASE("names of arguments become identifiers, each another, and none of ours") {
  using Names = std::vector<std::string>;
  const auto made = [](std::vector<std::string_view> wanted) { return argument_names(wanted); };
  CHECK(made({"path", "arg1", "_x9"}) == Names{"path", "arg1", "_x9"});
  CHECK(made({"a", "a", "a_2", "a"}) == Names{"a", "a_2", "a_2_2", "a_3"});
  CHECK(made({"site", "2nd", "", "my-name",
              "gr\xc3\xb6\xc3\x9f"
              "e"}) == Names{"site_2", "_2nd", "_", "my_name", "gr____e"});
  CHECK(made({std::string_view{"x\0y;\n}", 6}}) == Names{"x_y___"});
  const std::string huge(10'000'000, 'n');
  CHECK(made({huge, huge})[1].size() < 70);
}

TEST_CASE("a name that CTF or our types have is declared with a _ that readers take away") {
  for (const char* name : {"event", "u32", "duration_1_1_i64", "_x", "void", "pointer"}) {
    INFO(name);
    CHECK(declared_name(name) == std::string{"_"} + name);
  }
  for (const char* name : {"path", "arg0", "event", "_x", "__x"})
    CHECK(name_of_declared(declared_name(name)) == name);
}

TEST_CASE("the metadata says what an argument's number stands for") {
  const Field ms{"took", Type::i64, Means::duration, {1, 1000}};
  const Field exact{"exact", Type::f64, Means::duration, {60, 1}};
  const MessageClass message{4097,
                             Level::info,
                             "http",
                             "{took}",
                             {ms, ms, exact, {"c", Type::u8, Means::character}, {"p", Type::u64, Means::pointer}}};
  CHECK(message_class_text(message) ==
        "event { name = \"message.http\"; id = 4097; stream_id = 0; loglevel = 6; model.emf.uri = \"{took}\"; "
        "fields := struct { typealias integer { size = 64; align = 8; signed = true; } := duration_1_1000_i64; "
        "typealias floating_point { exp_dig = 11; mant_dig = 53; byte_order = le; align = 8; } := duration_60_1_f64; "
        "p32 site; duration_1_1000_i64 took; duration_1_1000_i64 took; duration_60_1_f64 exact; utf8 c[1]; "
        "pointer p; }; };\n");
  CHECK(meaning_of_type("pointer").means == Means::pointer);
  CHECK(meaning_of_type("duration_60_1_f64").period == Period{60, 1});
  for (const char* none :
       {"p64", "duration_", "duration_1", "duration_1_", "duration_x_1_i64", "duration_99999999999_1"})
    CHECK(meaning_of_type(none).means == Means::value);
}

TEST_CASE("a text's count gets a name that no argument has") {
  const std::string text =
      message_class_text({4096, Level::info, "", "", {{"a", Type::text}, {"a_length", Type::u8}, {"b", Type::text}}});
  CHECK(text.find("p32 _a_length_; utf8 a[_a_length_]; u8 a_length; p32 _b_length;") != std::string::npos);
}

TEST_CASE(
    "durations, addresses and characters of a file are what fmt makes of them, and no harm where it could make none") {
  const Field hours{"h", Type::i64, Means::duration, {3600, 1}};
  const auto text = [](std::string_view format, const Field& field, const Value& value) {
    return message_text(format, std::array{field}, std::array{value});
  };
  CHECK(text("{} {h:%H}", hours, std::int64_t{25}) == "25h 01");
  CHECK(text("{h}", hours, std::numeric_limits<std::int64_t>::max()) == "9223372036854775807h");
  CHECK(text("{h:%H}", hours, std::numeric_limits<std::int64_t>::max()) == "{h:%H} [9223372036854775807h]");
  CHECK(text("{h:%H}", hours, std::numeric_limits<std::int64_t>::min()) == "{h:%H} [-9223372036854775808h]");
  CHECK(text("{h:%S}", {"h", Type::f64, Means::duration, {1, 1}}, std::numeric_limits<double>::quiet_NaN()).size() > 0);
  CHECK(text("{}", {"h", Type::i64, Means::duration, {0, 0}}, std::int64_t{5}) == "5");
  CHECK(text("{}", {"h", Type::i64, Means::duration, {1, 60}}, std::int64_t{5}) == "5");
  CHECK(text("{}", {"h", Type::text, Means::duration, {1, 1}}, std::string_view{"odd"}) == "odd");
  CHECK(text("{c} {c:d}", {"c", Type::u8, Means::character}, std::uint64_t{'x'}) == "x 120");
  CHECK(text("{p}", {"p", Type::u64, Means::pointer}, std::uint64_t{0xabc}) == "0xabc");
  CHECK(text("{nobody}", hours, std::int64_t{1}) == "{nobody} [1h]");
  CHECK(text("{h", hours, std::int64_t{1}) == "{h [1h]");
  CHECK(text("{h:{h:{h}}}", hours, std::int64_t{1}).size() < 100);
}

TEST_CASE("a duration in nanoseconds, where 64 bits hold it") {
  CHECK(nanoseconds_of({"d", Type::i64, Means::duration, {1, 1000}}, std::int64_t{-12}) == -12'000'000);
  CHECK(nanoseconds_of({"d", Type::f32, Means::duration, {60, 1}}, 0.5F) == 30'000'000'000);
  CHECK(nanoseconds_of({"d", Type::i64, Means::duration, {31'556'952, 1}}, std::int64_t{300}) == std::nullopt);
  CHECK(nanoseconds_of({"d", Type::f64, Means::duration, {1, 1}}, std::numeric_limits<double>::infinity()) ==
        std::nullopt);
  CHECK(nanoseconds_of({"d", Type::i64}, std::int64_t{1}) == std::nullopt);
}
