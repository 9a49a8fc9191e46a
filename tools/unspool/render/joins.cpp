// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/analyze/samples.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/joins.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_rows = 40;

std::string_view ending_of(const Join& join) {
  switch (join.ending) {
    case Ending::timeout:
      return "timed out";
    case Ending::cancel:
      return "cancelled";
    case Ending::unended:
      return "still waiting";
    default:
      return "joined";
  }
}

std::string_view name_of(Join::Target target) {
  switch (target) {
    case Join::Target::running:
      return "running";
    case Join::Target::returned:
      return "returned";
    case Join::Target::exception:
      return "exception";
  }
  return "running";
}

/// So many rows are told, whatever they say.
constexpr std::size_t few = 5;

/// It met a thread that had ended well already: of many such rows none tells anything.
bool is_smooth(const Join& join) {
  return join.waited == 0 && join.ending == Ending::continued && join.ended == Join::Target::returned;
}

std::size_t rows_told(const std::vector<Join>& joins, std::size_t most) {
  std::size_t told = std::min(joins.size(), most);
  while (told > few && is_smooth(joins[told - 1]))
    --told;
  return told;
}

/// Words for what became of the thread, where that is not what a join is expected to meet.
Table::Cell target_of(const Join& join) {
  if (join.ended == Join::Target::exception) return {"by an exception", Tone::bad};
  if (join.ended == Join::Target::returned) return {"returned"};
  return {"not yet"};
}

}  // namespace

std::string joins_table(const Process& process, const Analysis& analysis, const Options& options, std::size_t most) {
  using enum Table::Align;
  const Names names{process};
  const Times times{process, analysis.replay.first_time()};
  Table table{{{"who", left, true},
               {"joined", left, true},
               {"at", left, true, "", Table::Cut::end},
               {"waited"},
               {"how it ended", left},
               {"that thread ended", left}}};
  const auto& joins = analysis.joins.longest();
  const std::size_t told = rows_told(joins, most);
  for (std::size_t i = 0; i < told; ++i) {
    const Join& join = joins[i];
    const Tone tone = join.ending == Ending::unended ? Tone::bad : Tone::plain;
    table.row({{names.thread(join.joiner)},
               {names.thread(join.target)},
               {names.site_and_function(join.site)},
               {times.span(join.waited)},
               {std::string{ending_of(join)}, tone},
               target_of(join)});
  }
  std::string out = table.text(options.width, options.color);
  const std::uint64_t all = analysis.joins.totals().all();
  const bool rest_is_smooth =
      all == joins.size() && std::all_of(joins.begin() + static_cast<std::ptrdiff_t>(told), joins.end(), is_smooth);
  if (all > told && rest_is_smooth)
    return out + fmt::format("and {} that found the thread ended\n", counted(all - told, "join", "joins"));
  if (all > told) out += fmt::format("and {} that waited no longer\n", counted(all - told, "join", "joins"));
  return out;
}

std::string joins_sentence(const Process& process, const Analysis& analysis) {
  const Joins::Totals& totals = analysis.joins.totals();
  const Times times{process, 0};
  std::string out =
      fmt::format("{} waited {} in all", counted(totals.all(), "join", "joins"), times.span(totals.waited));
  const auto say = [&](std::uint64_t times_seen, std::string_view what) {
    if (times_seen != 0) out += fmt::format(", {} {}", count(times_seen), what);
  };
  say(totals.at_once, "found the thread ended");
  say(totals.timeouts, "timed out");
  say(totals.cancels, totals.cancels == 1 ? "was cancelled" : "were cancelled");
  say(totals.unended, totals.unended == 1 ? "still waits at the end" : "still wait at the end");
  say(totals.lost, totals.lost == 1 ? "more has no end in the trace" : "more have no end in the trace");
  return out + ".";
}

std::string joins_text(const Process& process, const Analysis& analysis, const Options& options) {
  const std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n";
  if (analysis.joins.totals().all() == 0)
    return out + (analysis.filter.is_on() ? "No join passes the filter.\n" : "No thread was joined.\n");
  return out + joins_table(process, analysis, options, most_rows) + "\n" +
         wrapped(joins_sentence(process, analysis), options.width, 2);
}

Json joins_json(const Process& process, const Analysis& analysis) {
  const ProcessJson json{process, analysis};
  const Joins::Totals& totals = analysis.joins.totals();
  Json out = json.process();
  out["totals"] = {{"joined", totals.joined},           {"at_once", totals.at_once}, {"timeouts", totals.timeouts},
                   {"cancels", totals.cancels},         {"unended", totals.unended}, {"lost", totals.lost},
                   {"waited", json.span(totals.waited)}};
  out["joins"] = Json::array();
  for (const Join& join : analysis.joins.longest()) {
    out["joins"].push_back({{"joiner", json.thread(join.joiner)},
                            {"target", json.thread(join.target)},
                            {"site", json.site(join.site)},
                            {"since", json.offset(join.since)},
                            {"waited", json.span(join.waited)},
                            {"ending", join.ending == Ending::continued ? "joined" : name_of(join.ending)},
                            {"target_ended", name_of(join.ended)}});
  }
  return out;
}

bool run_joins(std::span<Input> inputs, const Options& options, std::FILE* out) {
  for_each_process(
      inputs, options, out, "joins",
      [&](const Process& process, const Analysis& analysis) { return joins_text(process, analysis, options); },
      joins_json);
  return false;  // that a join waits is what it is for
}

}  // namespace unspool
