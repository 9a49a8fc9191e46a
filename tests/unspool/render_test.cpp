// SPDX-License-Identifier: MIT
//
// Numbers, times, names and tables as people read them.
#include <catch2/catch.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/table.hpp>

using namespace unspool;

TEST_CASE("durations have three digits and the unit that fits") {
  CHECK(duration(0) == "0 ns");
  CHECK(duration(7) == "7 ns");
  CHECK(duration(999.4) == "999 ns");
  CHECK(duration(999.6) == "1.00 µs");
  CHECK(duration(12'345) == "12.3 µs");
  CHECK(duration(999'600) == "1.00 ms");
  CHECK(duration(9'996'000) == "10.0 ms");
  CHECK(duration(1.5e9) == "1.50 s");
  CHECK(duration(999.4e9) == "999 s");
  CHECK(duration(999.6e9) == "16 min 39 s");
  CHECK(duration(1.234567e12) == "20 min 34 s");
  CHECK(duration(3'600e9) == "1 h 0 min");
  CHECK(duration(20'820e9) == "5 h 47 min");
  CHECK(duration(47.99 * 3'600e9) == "47 h 59 min");
  CHECK(duration(49 * 3'600e9) == "2 d 1 h");
  CHECK(duration(20'820e9, "") == "5h47min");
  CHECK(duration(2e6, "") == "2.00ms");
}

TEST_CASE("counts and shares") {
  CHECK(count(0) == "0");
  CHECK(count(1234567) == "1,234,567");
  CHECK(short_count(99'999) == "99999");
  CHECK(short_count(100'000) == "100k");
  CHECK(short_count(30'812'345) == "30.8M");
  CHECK(columns(short_count(~std::uint64_t{0})) <= 6);
  CHECK(percent(1, 3) == "33.3 %");
  CHECK(percent(3, 3) == "100 %");
  CHECK(percent(99'999, 100'000) == "99.9 %");
  CHECK(percent(1, 100'000) == "<0.1 %");
  CHECK(percent(0, 0) == "0 %");
  CHECK(counted(1, "lock", "locks") == "1 lock");
  CHECK(counted(1000, "lock", "locks") == "1,000 locks");
}

TEST_CASE("text is cut by columns, not by bytes") {
  CHECK(columns("größe") == 5);
  CHECK(elided("größe", 5) == "größe");
  CHECK(elided("abcdefghij", 5) == "ab…ij");
  CHECK(elided("äöüäöü", 3) == "ä…ü");
  CHECK(elided("abc", 1) == "…");
  CHECK(elided("abc", 0).empty());
  CHECK(cut_at_end("transfer.cpp:40 (transfer)", 18) == "transfer.cpp:40 (…");
}

TEST_CASE("points in time: offsets either way, and the calendar by the clock reading") {
  Process process;
  process.frequency = 1'000'000'000;
  process.clocks.push_back({1'000'000'000, 0, 1'714'564'800'000'000'000, 0, 1'000'000'000});
  const Times times{process, 2'000'000'000};
  CHECK(times.offset(2'000'001'000) == "+0.000001 s");
  CHECK(times.offset(500'000'000) == "-1.500000 s");
  CHECK(times.calendar(2'234'567'890) == "2024-05-01T12:00:01.234Z");
  CHECK(times.calendar(0) == "2024-05-01T11:59:59.000Z");
}

TEST_CASE("hostile clocks give no calendar and no crash") {
  Process process;
  const Times none{process, 0};
  CHECK(none.calendar(5).empty());
  process.frequency = 0;
  process.clocks.push_back({~std::uint64_t{0}, 0, ~std::uint64_t{0}, 0, 0});
  const Times times{process, 0};
  CHECK_FALSE(times.offset(~std::uint64_t{0}).empty());
  CHECK(times.calendar(0).ends_with("Z"));
  CHECK(times.calendar(~std::uint64_t{0}).substr(0, 4) == "2554");
}

TEST_CASE("files are named by as much as tells them apart") {
  Process process;
  process.sites[1] = {"/src/kv/store.cpp", "put", 118};
  process.sites[2] = {"/src/kv/main.cpp", "main", 8};
  process.sites[3] = {"/src/bank/main.cpp", "", 9};
  process.sites[4] = {"plain.cpp", "", 1};
  const Names names{process};
  CHECK(names.site(1) == "store.cpp:118");
  CHECK(names.site_and_function(1) == "store.cpp:118 (put)");
  CHECK(names.site(2) == "kv/main.cpp:8");
  CHECK(names.site_and_function(3) == "bank/main.cpp:9");
  CHECK(names.site(4) == "plain.cpp:1");
  CHECK(names.site(0) == "unknown line");
}

TEST_CASE("threads that share a name are told apart by number") {
  Process process;
  process.threads[1].name = "worker";
  process.threads[2].name = "worker";
  process.threads[3].name = "other\n";
  const Names names{process};
  CHECK(names.thread(1) == "worker#1");
  CHECK(names.thread(3) == "other\\n");
  CHECK(names.thread(77) == "thread 77");
  CHECK(names.thread(0) == "unknown thread");
  CHECK(names.object(trace::first_object_number + 6, trace::Kind::lock) == "lock #7");
}

TEST_CASE("a table aligns its columns and takes what does not fit from the elastic ones") {
  Table table{{{"name", Table::Align::left, true}, {"count"}}};
  table.row({{"a"}, {"1"}});
  table.row({{"a long name that does not fit"}, {"12345"}});
  CHECK(table.text(100, false) ==
        "name                           count\n"
        "a                                  1\n"
        "a long name that does not fit  12345\n");
  CHECK(table.text(20, false) ==
        "name           count\n"
        "a                  1\n"
        "a long…ot fit  12345\n");
  CHECK(table.text(3, false) ==
        "name      count\n"
        "a             1\n"
        "a lo…fit  12345\n");
  CHECK(table.text(100, true).find('\x1b') != std::string::npos);
}

TEST_CASE("what does not fit costs functions and lines first, and no line number and no end of words") {
  using enum Table::Align;
  Table table{
      {{"who", left, true}, {"what", left, true, "", Table::Cut::wrap}, {"at", left, true, "", Table::Cut::end}}};
  table.row({{"alice-to-bob"}, {"lock \"bob\" of bob-to-alice"}, {"main.cpp:57 (transfer)"}});
  table.row({{"x"}, {"y"}, {"main.cpp:5 (f)"}});
  CHECK(table.text(60, false) ==
        "who           what                    at\n"
        "alice-to-bob  lock \"bob\" of           main.cpp:57 (transfer)\n"
        "              bob-to-alice\n"
        "x             y                       main.cpp:5 (f)\n");
  CHECK(table.text(45, false) ==
        "who           what            at\n"
        "alice-to-bob  lock \"bob\" of   main.cpp:57\n"
        "              bob-to-alice\n"
        "x             y               main.cpp:5 (f)\n");
}

TEST_CASE("of a lambda, and of what is made before main, only the line is told") {
  Process process;
  process.sites[1] = {"/src/main.cpp", "operator()", 7};
  process.sites[2] = {"/src/main.cpp", "serve", 8};
  process.sites[3] = {"/src/main.cpp", "__static_initialization_and_destruction_0", 9};
  const Names names{process};
  CHECK(names.site_and_function(1) == "main.cpp:7");
  CHECK(names.site_and_function(2) == "main.cpp:8 (serve)");
  CHECK(names.site_and_function(3) == "main.cpp:9");
}

TEST_CASE("sentences are wrapped at spaces") {
  CHECK(wrapped("  one two three", 9, 4) == "  one two\n    three\n");
  CHECK(wrapped("", 9, 4) == "\n");
  CHECK(wrapped("   ", 9, 4) == "   \n");
  CHECK(wrapped(std::string(50, 'x'), 9, 4) == std::string(50, 'x') + "\n");
}
