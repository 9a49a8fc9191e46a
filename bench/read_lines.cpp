// SPDX-License-Identifier: MIT
//
// How fast log lines become Records: one reading of a file and nothing else. bench/logs runs it.
//
//   read_lines FILE [RUNS]
#include <unspool/read/json_log.hpp>
#include <unspool/read/line_reader.hpp>
#include <unspool/read/line_record.hpp>
#include <unspool/read/pattern.hpp>
#include <unspool/read/text_log.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Seconds = std::chrono::duration<double>;

struct Reading {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Seconds took{};
};

Reading read_once(const unspool::LogFile& log, const unspool::Pattern& pattern) {
  const auto begin = std::chrono::steady_clock::now();
  unspool::LineReader reader{unspool::LogBytes::open(log), 0, 1};
  unspool::JsonLog json;
  unspool::TextLog text{pattern};
  unspool::Line line;
  unspool::HeldRecord held;
  Reading reading;
  for (unspool::RawLine raw; reader.next(raw);) {
    reading.bytes = raw.offset + raw.text.size() + 1;
    const unspool::Fault fault = raw.text.starts_with('{') ? json.parse(raw.text, unspool::Want::record, line)
                                                           : text.parse(raw.text, unspool::Want::record, line);
    if (fault != unspool::Fault::none) continue;
    held.assign(line, {0, 0, raw.offset});
    ++reading.records;
  }
  reading.took = std::chrono::steady_clock::now() - begin;
  return reading;
}

}  // namespace

int main(int count, char** values) {
  const std::span arguments{values, static_cast<std::size_t>(count)};
  if (arguments.size() < 2) {
    std::fputs("read_lines FILE [RUNS]\n", stderr);
    return 2;
  }
  unsigned runs = 5;
  if (const std::string_view word = arguments.size() > 2 ? arguments[2] : ""; !word.empty())
    std::from_chars(word.data(), word.data() + word.size(), runs);
  std::string refusal;
  const auto log = unspool::open_log(arguments[1], refusal);
  const auto pattern = unspool::Pattern::compile(unspool::Pattern::standard, refusal);
  if (!log || !pattern) {
    std::fprintf(stderr, "%s\n", refusal.c_str());
    return 2;
  }
  std::vector<Reading> readings;
  for (unsigned i = 0; i < std::max(runs, 1U); ++i)
    readings.push_back(read_once(*log, *pattern));
  std::ranges::sort(readings, {}, &Reading::took);
  const Reading& median = readings[readings.size() / 2];
  std::printf("%.0f MB/s %.2f M Records/s (%u runs, %lu Records)\n",
              static_cast<double>(median.bytes) / median.took.count() / 1e6,
              static_cast<double>(median.records) / median.took.count() / 1e6, static_cast<unsigned>(readings.size()),
              static_cast<unsigned long>(median.records));
  return 0;
}
