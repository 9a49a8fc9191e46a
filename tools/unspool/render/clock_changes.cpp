// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/analyze/clock_changes.hpp>
#include <unspool/render/clock_changes.hpp>

#include <algorithm>
#include <cmath>

namespace unspool {
namespace {

using What = ClockChange::What;

constexpr std::size_t most_told = 3;

std::string_view name_of(What what) {
  switch (what) {
    case What::suspended:
      return "suspended";
    case What::set:
      return "set";
    case What::counter:
      return "counter";
  }
  return "";
}

std::string sentence(const ClockChange& change, const Times& times) {
  const std::string by = duration(std::abs(static_cast<double>(change.by)));
  const std::string when = fmt::format("between {} and {}", times.offset(change.from), times.offset(change.to));
  const std::string_view way = change.by < 0 ? "back" : "forward";
  switch (change.what) {
    case What::suspended:
      return fmt::format("The machine was suspended for {} {}: waits and holds over it {}.", by, when,
                         change.counted ? "are longer by that" : "do not count it");
    case What::set:
      return fmt::format(
          "The wall clock was set {} by {} {}: durations and order are as they were, and times of day are told by the "
          "clock before it was set.",
          way, by, when);
    case What::counter:
      return fmt::format(
          "The counter that times the Records jumped {} by {} {}, against the system's clock: waits and holds over it "
          "are "
          "wrong by that.",
          way, by, when);
  }
  return {};
}

}  // namespace

std::vector<std::string> clock_sentences(const Process& process, const Times& times) {
  const std::vector<ClockChange> changes = clock_changes(process);
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < std::min(changes.size(), most_told); ++i)
    sentences.push_back(sentence(changes[i], times));
  if (changes.size() > most_told) {
    sentences.push_back(fmt::format("The clocks changed {} (all of them: --format json).",
                                    counted(changes.size() - most_told, "more time", "more times")));
  }
  return sentences;
}

Json clock_changes_json(const Process& process, const std::function<Json(trace::Ticks)>& point) {
  Json list = Json::array();
  for (const ClockChange& each : clock_changes(process)) {
    Json row = {{"what", name_of(each.what)}, {"from", point(each.from)}, {"to", point(each.to)}, {"by", each.by}};
    if (each.what == What::suspended) row["counted"] = each.counted;
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace unspool
