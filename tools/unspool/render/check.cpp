// SPDX-License-Identifier: MIT
//
// `unspool check`: whether the Records keep to what the schema table states, and where they do not.
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/legality.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>
#include <list>
#include <map>

namespace unspool {
namespace {

constexpr std::size_t most_rows = 20;

/// Who has an object, in the middle of a sentence.
std::string holder_words(const Violation& violation, const Names& names) {
  return violation.holder == 0 ? "nobody holds it" : names.thread(violation.holder) + " holds it";
}

std::string figure_words(const Violation& violation, std::uint64_t figure, const Names& names) {
  return violation.of_threads ? names.thread(static_cast<trace::ThreadNumber>(figure)) : fmt::format("{}", figure);
}

std::string count_words(const Violation& violation, const Names& names) {
  // Who takes one of none leaves one less.
  constexpr std::uint64_t less_than_none = ~std::uint32_t{0};
  const std::string found =
      fmt::format("{} is {} in it", violation.field, figure_words(violation, violation.found, names));
  if (!violation.of_threads && violation.due == less_than_none) return found + ", though none was left";
  return fmt::format("{}, {} was due", found, figure_words(violation, violation.due, names));
}

std::string words_of(const Violation& violation, const Names& names) {
  switch (violation.rule) {
    case Rule::time:
      return "its time lies before that of its thread's last Record";
    case Rule::defined:
      return fmt::format("the number {} in it is not defined", violation.found);
    case Rule::step:
      return violation.after == nullptr ? "its thread may not begin with that"
                                        : fmt::format("it may not follow {}", violation.after->name);
    case Rule::sequence:
      return fmt::format("it bears the number {}, {} was due", violation.found, violation.due);
    case Rule::quote:
      return fmt::format("it quotes the number {}, {} was the last", violation.found, violation.due);
    case Rule::holder:
      return holder_words(violation, names);
    case Rule::waker:
      return fmt::format("the wait since {} was ended by nobody", violation.after->name);
    case Rule::count:
      return count_words(violation, names);
  }
  return {};
}

std::string table_of(const Process& process, const Analysis& analysis, const Legality& legality,
                     const Options& options) {
  using enum Table::Align;
  const Names names{process};
  const Times times{process, analysis.replay.first_time()};
  Table table{{{"when"},
               {"thread", left, true},
               {"Record", left},
               {"object", left, true},
               {"what is wrong", left, true, "", Table::Cut::wrap},
               {"where", left}}};
  for (const Violation& each : legality.violations()) {
    table.row({{times.offset(each.time)},
               {names.thread(each.thread)},
               {std::string{each.row->name}},
               {each.object == 0 ? std::string{} : names.object(each.object, each.kind)},
               {words_of(each, names), Tone::bad},
               {trace::escaped(place_text(process, each.place))}});
    if (&each - legality.violations().data() + 1 == most_rows) break;
  }
  std::string out = table.text(options.width, options.color);
  if (legality.all() > most_rows) out += fmt::format("and {} more\n", count(legality.all() - most_rows));
  return out;
}

std::string text_of(const Process& process, const Analysis& analysis, const Legality& legality,
                    const Options& options) {
  std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n";
  if (legality.judged() == 0) {
    out += "No Record to judge.\n";
  } else if (legality.all() == 0) {
    out += fmt::format("{} judged: all keep to the rules.\n", counted(legality.judged(), "Record", "Records"));
  } else {
    out += fmt::format("{} of {} judged break a rule:\n\n", counted(legality.all(), "Record", "Records"),
                       count(legality.judged())) +
           table_of(process, analysis, legality, options);
  }
  if (legality.unwritten() != 0) {
    out += wrapped(fmt::format("{} taken and the Record not written: the process was killed in between. That is no "
                               "violation.",
                               counted(legality.unwritten(), "number was", "numbers were")),
                   options.width, 0);
  }
  return out;
}

Json json_of(const Process& process, const Analysis& analysis, const Legality& legality) {
  const ProcessJson json{process, analysis};
  const Names names{process};
  Json out = json.process();
  out["judged"] = legality.judged();
  out["unwritten"] = legality.unwritten();
  for (std::size_t i = 0; i < rule_count; ++i)
    out["broken"][name_of(static_cast<Rule>(i))] = legality.count(static_cast<Rule>(i));
  out["violations"] = Json::array();
  for (const Violation& each : legality.violations()) {
    out["violations"].push_back({{"rule", name_of(each.rule)},
                                 {"record", each.row->name},
                                 {"time", json.offset(each.time)},
                                 {"thread", json.thread(each.thread)},
                                 {"object", each.object == 0 ? Json{} : json.object(each.object, each.kind)},
                                 {"what", words_of(each, names)},
                                 {"place", place_text(process, each.place)}});
  }
  return out;
}

}  // namespace

bool run_check(std::span<Input> inputs, const Options& options, std::FILE* out) {
  std::list<Legality> judges;
  std::vector<Input> judged;
  std::map<const Process*, const Legality*> by_process;
  for (const Input& input : inputs) {
    Legality& legality =
        judges.emplace_back(input.process, input.source, Filter{options.wanted, input.process, input.last});
    by_process[&input.process] = &legality;
    judged.push_back({input.process, legality, input.last});
  }
  for_each_process(
      judged, options, out, "check",
      [&](const Process& process, const Analysis& analysis) {
        return text_of(process, analysis, *by_process.at(&process), options);
      },
      [&](const Process& process, const Analysis& analysis) {
        return json_of(process, analysis, *by_process.at(&process));
      });
  return std::ranges::any_of(judges, [](const Legality& each) { return each.all() != 0; });
}

}  // namespace unspool
