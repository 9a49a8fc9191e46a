// SPDX-License-Identifier: MIT
//
// spool_bench: what spool's calls cost, beside what a program would use instead.
#include "core_share.hpp"
#include "isolate.hpp"
#include "machine.hpp"
#include "report.hpp"
#include "rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace {

constexpr const char* usage =
    "usage: spool_bench [--only SUBSTRING] [--rounds N] [--json FILE] [--list]\n"
    "\n"
    "  --only SUBSTRING   the rows whose name has this in it; may be given again\n"
    "  --rounds N         so many rounds a row, instead of its own number\n"
    "  --json FILE        also writes the rows to FILE\n"
    "  --list             the names of the rows\n";

struct Options {
  std::vector<std::string> only;
  int rounds = 0;
  std::string json;
  bool list = false;
};

struct UsageError {
  std::string what;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    const auto value = [&]() -> std::string {
      if (++i == count) throw UsageError{option + " needs a value"};
      return arguments[i];
    };
    if (option == "--only")
      options.only.push_back(value());
    else if (option == "--rounds")
      options.rounds = std::atoi(value().c_str());
    else if (option == "--json")
      options.json = value();
    else if (option == "--list")
      options.list = true;
    else
      throw UsageError{"there is no option " + option};
  }
  return options;
}

std::vector<bench::Benchmark> chosen_rows(const Options& options) {
  std::vector<bench::Benchmark> chosen;
  for (const auto& subject : {bench::lock_rows, bench::sustained_rows, bench::lttng_rows, bench::contended_rows,
                              bench::primitive_rows, bench::boost_rows, bench::condition_rows, bench::handover_rows,
                              bench::message_rows, bench::feed_rows, bench::thread_rows}) {
    std::ranges::copy_if(subject(), std::back_inserter(chosen), [&](const bench::Benchmark& each) {
      return options.only.empty() || std::ranges::any_of(options.only, [&](const std::string& part) {
               return each.name.find(part) != std::string::npos;
             });
    });
  }
  if (options.rounds > 0) {
    for (bench::Benchmark& each : chosen)
      each.rounds = options.rounds;
  }
  return chosen;
}

/// What would be measured is set here, not from outside; but for SPOOL_CLOCK, for what the machine has is known outside.
void refuse_environment() {
  for (const char* name : {"SPOOL_DIR", "SPOOL_KEEP", "SPOOL_LEVEL", "SPOOL_TRANSITIONS"}) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    if (std::getenv(name) != nullptr) throw UsageError{fmt::format("{} is set; unset it first", name)};
  }
}

void print_head() {
  for (const auto& [name, value] : bench::machine_facts())
    fmt::print("{:<9} {}\n", name, value);
  fmt::print(
      "\nMedians in ns an operation. The machine is shared: trust ratios (of the two medians, and "
      "paired: the median of\n"
      "the ratios round by round) before times, and neither where min and max lie far apart.\n\n{}",
      bench::heading());
}

void run_all(const std::vector<bench::Benchmark>& benchmarks, const std::string& json) {
  std::vector<bench::Row> rows;
  for (const bench::Benchmark& benchmark : benchmarks) {
    std::fflush(stdout);
    rows.push_back(bench::reduce(benchmark, bench::run_apart(benchmark)));
    fmt::print("{}", bench::as_line(rows.back()));
  }
  const auto with_goal = std::ranges::count_if(rows, [](const auto& row) { return row.benchmark->goal.has_value(); });
  const auto missed = std::ranges::count_if(rows, [](const auto& row) { return !bench::meets_goal(row); });
  fmt::print("\n{} of {} goals met\n", with_goal - missed, with_goal);
  if (json.empty()) return;
  std::ofstream file{json};
  file << bench::as_json(rows);
  if (!file.flush()) throw std::runtime_error{"cannot write " + json};
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const Options options = parse(count, arguments);
    const std::vector<bench::Benchmark> benchmarks = chosen_rows(options);
    if (benchmarks.empty()) throw UsageError{"no row has that in its name; --list says what there is"};
    if (options.list) {
      for (const auto& each : benchmarks)
        fmt::print("{}\n", each.name);
      return 0;
    }
    refuse_environment();
    print_head();
    bench::learn_core_alone();
    run_all(benchmarks, options.json);
    return 0;
  } catch (const UsageError& problem) {
    fmt::print(stderr, "spool_bench: {}\n{}", problem.what, usage);
    return 2;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "spool_bench: {}\n", problem.what());
    return 1;
  }
}
