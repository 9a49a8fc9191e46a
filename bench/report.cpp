// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "machine.hpp"

#include <fmt/format.h>

namespace bench {
namespace {

constexpr std::string_view unit = "ns";
constexpr std::string_view columns = "{:<33} {:>8} {:>17}  {:<23} {:>8} {:>6} {:>6}  {:<10} {:>4}\n";

std::string number(double value) {
  return value < 100 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

std::string goal_of(const Row& row) {
  const auto goal = row.benchmark->goal;
  if (!goal) return "";
  return fmt::format("<={:.1f} {}", *goal, meets_goal(row) ? "yes" : "NO");
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    if (static_cast<unsigned char>(each) >= ' ') out += each;
  }
  return out + '"';
}

std::string as_json(const Row& row, const std::string& machine) {
  const Benchmark& benchmark = *row.benchmark;
  std::string out = fmt::format(R"({{"name": {}, "value": {:.4f}, "unit": "{}", "low": {:.4f}, "high": {:.4f}, )"
                                R"("quartiles": [{:.4f}, {:.4f}], "rounds": {}, )",
                                quoted(benchmark.name), row.ours.median, unit, row.ours.low, row.ours.high,
                                row.ours.first_quartile, row.ours.third_quartile, benchmark.rounds);
  if (row.ratio == 0) {
    out += R"("peer": null, "ratio": null)";
  } else {
    out += fmt::format(R"("peer": {}, "peer_value": {:.4f}, "ratio": {:.4f}, "paired_ratio": {:.4f})",
                       quoted(benchmark.peer), row.theirs.median, row.ratio, row.paired_ratio);
  }
  if (benchmark.goal) out += fmt::format(R"(, "goal": {}, "met": {})", *benchmark.goal, meets_goal(row));
  out += R"(, "facts": [)";
  for (std::size_t i = 0; i < row.facts.size(); ++i)
    out += (i == 0 ? "" : ", ") + quoted(row.facts[i]);
  return out + fmt::format("], \"machine\": {{{}}}}}", machine);
}

}  // namespace

Row reduce(const Benchmark& benchmark, const Samples& samples) {
  Row row{&benchmark, spread_of(samples.ours), spread_of(samples.theirs), 0, 0, samples.facts};
  if (samples.theirs.empty()) return row;
  row.ratio = row.ours.median / row.theirs.median;
  row.paired_ratio = paired_ratio(samples);
  return row;
}

bool meets_goal(const Row& row) {
  return !row.benchmark->goal || row.ratio <= *row.benchmark->goal;
}

std::string heading() {
  return fmt::format(fmt::runtime(columns), "", "median", "min..max", "", "", "of", "paired", "", "");
}

std::string as_line(const Row& row) {
  const bool peer = row.ratio != 0;
  std::string out =
      fmt::format(fmt::runtime(columns), row.benchmark->name, number(row.ours.median),
                  number(row.ours.low) + ".." + number(row.ours.high), peer ? row.benchmark->peer : "",
                  peer ? number(row.theirs.median) : "", peer ? fmt::format("{:.2f}", row.ratio) : "",
                  peer ? fmt::format("{:.2f}", row.paired_ratio) : "", goal_of(row), row.benchmark->rounds);
  for (const std::string& fact : row.facts)
    out += fmt::format("  {}\n", fact);
  return out;
}

std::string as_json(const std::vector<Row>& rows) {
  std::string machine;
  for (const auto& [name, value] : machine_facts()) {
    machine += fmt::format("{}{}: {}", machine.empty() ? "" : ", ", quoted(name), quoted(value));
  }
  std::string out = "[";
  std::string_view comma;
  for (const Row& row : rows) {
    out += fmt::format("{}\n {}", comma, as_json(row, machine));
    comma = ",";
  }
  return out + "\n]\n";
}

}  // namespace bench
