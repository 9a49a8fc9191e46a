// SPDX-License-Identifier: MIT
//
// Messages stand in their thread's stream with their line, level and text, beside the transitions.
#include <spool/log/message.hpp>
#include <spool/sync/guards.hpp>

#include "support/message_table.hpp"
#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>
#include <fmt/chrono.h>

#include <limits>
#include <stdexcept>

using namespace spool;
using namespace spool::test;

namespace {

/// The messages that `log` makes, in words.
template <class F>
Story messages_of(F log) {
  trace::ThreadNumber number = 0;
  run_in_thread("speaker", [&] {
    number = current_thread().ident();
    log();
  });
  Story told;
  for (const std::string& each : tap().story_by(number)) {
    if (each.find("speaker message") == 0) told.push_back(each);
  }
  return told;
}

}  // namespace

TEST_CASE("a message bears its line, level and text") {
  tap();
  const Story told = messages_of([] {
    info("served {} in {} ms", "/index", 12);    // @info
    critical("out of {}", std::string{"luck"});  // @critical
    trace_message("plain");                      // @trace
  });
  CHECK(told == Story{"speaker message @info [info] served /index in 12 ms",
                      "speaker message @critical [critical] out of luck", "speaker message @trace [trace] plain"});
}

TEST_CASE("arguments of every kind keep their values") {
  tap();
  const char* no_text = nullptr;
  const Story told = messages_of([&] {
    info("{} {} {}", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(), true);
    info("{} {} {} {}", std::int8_t{-3}, std::uint8_t{200}, std::int16_t{-300}, std::uint16_t{60'000});
    info("{} {:.3f} [{}]", 0.5F, 2.0 / 3.0, std::string_view{});
    info("{:>5}|{:<4}|{:#x}", 42, "ab", 255U);
    info("{}", no_text);
    info("{}", std::chrono::milliseconds{1500});
  });
  REQUIRE(told.size() == 6);
  CHECK(told[0].ends_with("-9223372036854775808 18446744073709551615 true"));
  CHECK(told[1].ends_with("-3 200 -300 60000"));
  CHECK(told[2].ends_with("0.5 0.667 []"));
  CHECK(told[3].ends_with("   42|ab  |0xff"));
  CHECK(told[4].ends_with("(null)"));
  CHECK(told[5].ends_with("1500ms"));
}

TEST_CASE("the text is fmt's, of every type of argument and every format") {
  tap();
  std::vector<std::string> expected;
  trace::ThreadNumber number = 0;
  run_in_thread("speaker", [&] {
    number = current_thread().ident();
    expected = say_table(Logger{"table"});
  });
  const auto told = tap().messages_by(number);
  REQUIRE(told.size() == expected.size());
  for (std::size_t i = 0; i < told.size(); ++i)
    CHECK(told[i].text == expected[i]);
}

TEST_CASE("enums without a formatter are their numbers, and a C string that is none says so") {
  tap();
  const char* no_text = nullptr;
  const Story told = messages_of([&] {
    info("{} {:>6}| {}", Plain::none, Plain::some, old_value);
    info("{} {}", no_text, arg<"none">(no_text));
    info("{} {}", std::byte{7}, Point{1, 2});
  });
  REQUIRE(told.size() == 3);
  CHECK(told[0].ends_with("-7    300| 200"));
  CHECK(told[1].ends_with("(null) (null)"));
  CHECK(told[2].ends_with("7 1/2"));
}

TEST_CASE("named arguments are found by name, in any order and in widths") {
  tap();
  using namespace fmt::literals;
  const Story told = messages_of([&] {
    info("{b} {a:>{w}}|", arg<"a">(1), arg<"b">(std::string{"two"}), arg<"w">(4));
    info("{} {b} {}", 1, 2, arg<"b">(3));
    info("{x} {y:.1f}", "x"_a = 'c', fmt::arg("y", 2.55));
    info("{p} {p:03}", arg<"p">(Point{1, 2}));  // two specs: the whole text is made by the caller
    info("not shown", arg<"silent">(1));
  });
  REQUIRE(told.size() == 5);
  CHECK(told[0].ends_with("two    1|"));
  CHECK(told[1].ends_with("1 3 2"));
  CHECK(told[2].ends_with("c 2.5"));
  CHECK(told[3].ends_with("1/2 001/002"));
  CHECK(told[4].ends_with("not shown"));
}

namespace {

struct Throws {};

}  // namespace

template <>
struct fmt::formatter<Throws> : fmt::formatter<int> {
  template <class Context>
  auto format(const Throws& /*unused*/, Context& context) const {
    throw std::runtime_error{"no shape"};
    return context.out();
  }
};

TEST_CASE("a formatter that throws costs its message the arguments, not the program") {
  tap();
  const Story told = messages_of([&] { info("shape {}", Throws{}); });
  REQUIRE(told.size() == 2);
  CHECK(told[0].ends_with("[info] shape {}"));
  CHECK(told[1].ends_with("[error] no shape"));
}

TEST_CASE("the same site with other names by fmt::arg is another class") {
  tap();
  const Story told = messages_of([&] {
    for (const char* name : {"a", "b", "a"})
      info("{a}", fmt::arg(name, 1));
  });
  REQUIRE(told.size() == 3);
  CHECK(told[0].ends_with("] 1"));
  CHECK(told[1].ends_with("] {a} [1]"));
  CHECK(told[2].ends_with("] 1"));
}

TEST_CASE("messages below the level make no Record") {
  tap();
  const Story told = messages_of([] {
    log::set_level(Level::error);
    warning("unwanted");
    error("wanted");
    log::set_level(Level::off);
    critical("unwanted");
    log::set_level(Level::trace);
  });
  REQUIRE(told.size() == 1);
  CHECK(told[0].ends_with("wanted"));
}

TEST_CASE("a message stands between the transitions that surround it") {
  tap();
  Lock lock;
  trace::ThreadNumber number = 0;
  run_in_thread("speaker", [&] {
    number = current_thread().ident();
    const std::lock_guard guard{lock};  // @held
    info("inside");                     // @inside
  });
  CHECK(tap().story_by(number) == Story{"speaker thread.begin seq=3 creator=MainThread",
                                        "speaker lock.acquire @held seq=1", "speaker message @inside [info] inside",
                                        "speaker lock.release @held seq=2 owner=speaker", "speaker thread.end seq=4"});
}

TEST_CASE("a text longer than a packet takes is cut, and says so") {
  tap();
  const std::string long_text(100'000, 'x');
  const Story told = messages_of([&] { info("{}", long_text); });
  REQUIRE(told.size() == 1);
  CHECK(told[0].size() < 5000);
  CHECK(told[0].find("cut: 100000 bytes") != std::string::npos);
}

TEST_CASE("one line with several texts or levels makes one Record each") {
  tap();
  // Not in the loop: clang 14 crashes on a temporary of it there.
  static constexpr Format<> same{"same"};
  const Story told = messages_of([] {
    for (const int n : {1, 2, 3})
      info("n is {}", n);
    for (const Level level : {Level::info, Level::error})
      log::message(level, same);
  });
  REQUIRE(told.size() == 5);
  CHECK(told[2].ends_with("n is 3"));
  CHECK(told[3].ends_with("[info] same"));
  CHECK(told[4].ends_with("[error] same"));
}

// The second message is of a known site, so that nothing has to be defined for it but the name.
TEST_CASE("a thread that is renamed is defined anew also between two messages of one site") {
  tap();
  trace::ThreadNumber number = 0;
  run_in_thread("before", [&] {
    number = current_thread().ident();
    for (const char* name : {"before", "after"}) {
      current_thread().set_name(name);
      info("named {}", name);
    }
  });
  CHECK(tap().messages_by(number).size() == 2);
  CHECK(tap().thread_name(number) == "after");
}

TEST_CASE("a thread that is renamed is defined anew before its next Record") {
  tap();
  run_in_thread("early", [] {
    info("as early");
    current_thread().set_name("late");
    info("as late");
    CHECK(tap().thread_name(current_thread().ident()) != "");
  });
  bool found = false;
  for (const TappedRecord& each : tap().all()) {
    if (each.text == "as late") found = tap().thread_name(each.thread) == "late";
  }
  CHECK(found);
}

TEST_CASE("more sites than may have classes of their own are written as texts, by names without end, too") {
  tap();
  const Story told = messages_of([&] {
    for (int i = 0; i < 2100; ++i)
      info("{n} is {}", i, fmt::arg(fmt::format("n{}", i).c_str(), 1), fmt::arg("n", i));
  });
  REQUIRE(told.size() == 2100);
  CHECK(told[0].ends_with("0 is 0"));
  CHECK(told[2099].ends_with("2099 is 2099"));
  CHECK(tap().lapped() == 0);
}
