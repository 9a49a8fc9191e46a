// SPDX-License-Identifier: MIT
//
// Messages of all kinds of arguments and formats, and what fmt itself makes of them: what a reader makes of the raw
// arguments has to be the same, wherever it reads.
#pragma once

#include <spool/log/logger.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <ratio>
#include <string>
#include <string_view>
#include <vector>

namespace spool::test {

enum class Plain : std::int16_t { none = -7, some = 300 };
enum Old : std::uint8_t { old_value = 200 };
/// With a formatter of its own.
enum class Colour { red, green };
struct Point {
  int x;
  int y;
};

}  // namespace spool::test

template <>
struct fmt::formatter<spool::test::Colour> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(spool::test::Colour colour, Context& context) const {
    return fmt::formatter<std::string_view>::format(colour == spool::test::Colour::red ? "red" : "green", context);
  }
};
template <>
struct fmt::formatter<spool::test::Point> : fmt::formatter<int> {
  template <class Context>
  auto format(const spool::test::Point& point, Context& context) const {
    context.advance_to(fmt::formatter<int>::format(point.x, context));
    auto out = context.out();
    *out++ = '/';
    context.advance_to(out);
    return fmt::formatter<int>::format(point.y, context);
  }
};

namespace spool::test {

/// Writes the table by `log`; what fmt makes of each line.
inline std::vector<std::string> say_table(const Logger& log) {
  using namespace std::chrono_literals;
  using std::chrono::duration;
  using Frames = duration<int, std::ratio<1, 60>>;
  std::vector<std::string> expected;
// NOLINTNEXTLINE: a format string is a constant, so this cannot be a function
#define SPOOL_SAY(...)   \
  log.info(__VA_ARGS__); \
  expected.push_back(fmt::format(__VA_ARGS__))

  SPOOL_SAY("plain");
  SPOOL_SAY("{{}} {} }}", 1);
  SPOOL_SAY("{} {} {}", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(), -1L);
  SPOOL_SAY("{} {} {} {}", std::int8_t{-3}, std::uint8_t{200}, std::int16_t{-300}, std::uint16_t{60'000});
  SPOOL_SAY("{:x} {:#010x} {:b} {:o} {:+} {:<6}| {:^7}| {:*>6}|", 255, 255U, 5, 8, 7, -42, 42, std::int8_t{-4});
  SPOOL_SAY("{:c} {:d} {}", 65, true, false);
  SPOOL_SAY("{} {} {:.3f} {:e} {:g} {:8.2f}|", 0.1F, 0.1, 2.0 / 3.0, 1e300, 1e-7F, 3.14159);
  SPOOL_SAY("{} {} {}", std::numeric_limits<double>::infinity(), -0.0, std::numeric_limits<float>::quiet_NaN());
  SPOOL_SAY("{} {:d} {:>3}| {:?}", 'x', 'x', 'y', '"');
  SPOOL_SAY("{} [{}] {:>6}| {:.2} {:?}", std::string{"text"}, std::string_view{}, "right", "precision", "quo\"ted");
  SPOOL_SAY("{1} {0} {1}", "second", 1);
  SPOOL_SAY("{:{}} {:.{}f}", 5, 8, 2.5, 3);
  SPOOL_SAY("{} {} {:>20} {:p}", nullptr, static_cast<void*>(nullptr), static_cast<const void*>(&expected),
            static_cast<void*>(&expected));
  SPOOL_SAY("{} {}", static_cast<int>(Plain::none), static_cast<unsigned>(old_value));
  SPOOL_SAY("{} {:>8}|", Colour::green, Colour::red);
  SPOOL_SAY("{} {:03} {}", Point{1, 2}, Point{3, 4}, 5);
  SPOOL_SAY("{0} {0:03}", Point{1, 2});
  SPOOL_SAY("{:0{}}", Point{3, 4}, 4);
  SPOOL_SAY("{} {} {} {} {} {} {}", 1ns, 2us, -3ms, 4s, 5min, 6h, std::chrono::days{7});
  SPOOL_SAY("{} {} {}", std::chrono::weeks{1}, std::chrono::months{2}, std::chrono::years{3});
  SPOOL_SAY("{:%S} {:%H:%M:%S} {:%T} {:%Q%q} {:>10}|", 1234ms, 3661s, 12'345'678us, 42ms, 5ms);
  SPOOL_SAY("{} {:.1} {:%S} {}", duration<double>{1.5}, duration<double, std::milli>{2.25}, duration<double>{3.75},
            duration<float, std::micro>{0.1F});
  SPOOL_SAY("{} {:%M} {}", duration<std::int8_t>{-3}, duration<std::uint32_t>{200},
            duration<std::int16_t, std::milli>{7});
  SPOOL_SAY("{} {:%Q}", Frames{90}, duration<std::uint64_t, std::nano>{std::numeric_limits<std::uint64_t>::max()});
  SPOOL_SAY("{:%Y-%m-%d}", std::chrono::system_clock::time_point{} + 86'400s * 400);
#undef SPOOL_SAY
  return expected;
}

}  // namespace spool::test
