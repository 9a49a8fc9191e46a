// SPDX-License-Identifier: MIT
//
// `unspool threads`: each thread of the process, from its creation to how it ended, or what it waits for.
#include <fmt/format.h>
#include <unspool/render/alike_waits.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/thread_lives.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <cmath>
#include <list>
#include <map>
#include <vector>

namespace unspool {
namespace {

using trace::Kind;

constexpr std::string_view word_for_end(const ThreadLife& life, bool orderly) {
  if (life.has_ended) return life.returned() ? "returned" : "exception";
  if (life.records == 0) return "no Records";
  return orderly ? "alive at the end" : "running";
}

/// What one process's rendering shares.
struct Context {
  const Process& process;
  const Analysis& analysis;
  const ThreadLives& threads;

  const Waiting* waiting(trace::ThreadNumber thread) const { return analysis.deadlocks.waiting_of(thread); }

  const Thread* defined(trace::ThreadNumber thread) const {
    const auto found = process.threads.find(thread);
    return found == process.threads.end() ? nullptr : &found->second;
  }

  /// It is asked for, and lived within the times.
  bool passes(trace::ThreadNumber number, const ThreadLife& life) const {
    const Filter& filter = analysis.filter;
    return filter.thread(number) && (life.records == 0 || filter.span(life.first, life.last));
  }

  /// The recorder's own threads write nothing and are not the user's.
  bool is_shown(trace::ThreadNumber number, const ThreadLife& life) const {
    const Thread* const thread = defined(number);
    if (!passes(number, life)) return false;
    return life.records > 0 || !thread || thread->origin != trace::Origin::internal;
  }

  trace::ThreadNumber creator(trace::ThreadNumber number, const ThreadLife& life) const {
    const Thread* const thread = defined(number);
    return life.creator != 0 || !thread ? life.creator : thread->creator;
  }
};

std::string state_of(const Context& context, trace::ThreadNumber number, const ThreadLife& life, const Names& names) {
  if (context.waiting(number)) return "waiting";
  std::string state{word_for_end(life, context.analysis.replay.ended_orderly())};
  if (!life.joiners.empty()) state += ", joined by " + elided(names.thread(life.joiners.front()), 16);
  if (life.joiners.size() > 1) state += fmt::format(" and {} more", life.joiners.size() - 1);
  return state;
}

/// A line for each thread that still waited; threads that wait for the same thing at the same line have one together.
std::string waits_text(const Context& context, const Names& names, const Times& times, unsigned width) {
  std::vector<const Waiting*> waits;
  for (const Waiting& each : context.analysis.deadlocks.waiting()) {
    if (context.analysis.filter.thread(each.wait.thread)) waits.push_back(&each);
  }
  std::string out;
  for (const AlikeWaits& alike : alike_waits(waits)) {
    const Waiting& first = alike.first();
    const std::size_t threads = alike.waits.size();
    const std::string who = threads == 1
                                ? names.thread(first.wait.thread) + " waits"
                                : fmt::format("{} and {} more wait", names.thread(first.wait.thread), threads - 1);
    const std::string owner = whose_it_is(names, context.analysis.deadlocks, first);
    out += wrapped(fmt::format("{} for {} since {}{} at {}{}{}.", who, awaited(names, first, alike.for_one_task()),
                               times.offset(alike.since()), threads == 1 ? "" : " or later",
                               names.site_and_function(first.wait.site), owner.empty() ? "" : "; ", owner),
                   width, 2);
  }
  return out.empty() ? out : "\n" + out;
}

/// Only spool's threads can be daemons: others have nobody who would wait for them.
std::string kind_of(const Thread* thread) {
  if (!thread) return "unknown";
  if (thread->daemon) return "daemon";
  return std::string{trace::name_of(thread->origin)};
}

/// From the first Record, in as few columns as a table has.
std::string offset(trace::Ticks time, const Times& times) {
  const double nanoseconds = times.offset_nanoseconds(time);
  return (nanoseconds < 0 ? '-' : '+') + duration(std::abs(nanoseconds), "");
}

/// When it began: by its own begin, else by its first Record, which may be later.
std::string begun(const ThreadLife& life, const Times& times) {
  if (life.has_begun) return offset(life.begun, times);
  return life.records > 0 ? offset(life.first, times) : std::string{unknown_figure};
}

std::string threads_text(const Context& context, const Options& options) {
  using enum Table::Align;
  const Names names{context.process};
  const Times times{context.process, context.analysis.replay.first_time()};
  Table table{{{"#"},
               {"thread", left, true},
               {"native"},
               {"origin", left},
               {"creator", left, true},
               {"begin"},
               {"end"},
               {"Records"},
               {"state at the end", left, true, "", Table::Cut::wrap}}};
  for (const auto& [number, life] : context.threads.lives()) {
    if (!context.is_shown(number, life)) continue;
    const Thread* const thread = context.defined(number);
    const trace::ThreadNumber creator = context.creator(number, life);
    const Waiting* const waiting = context.waiting(number);
    const bool stuck = waiting != nullptr && waiting->cycle < Waiting::left_out;
    const bool bad = stuck || (life.has_ended && !life.returned());
    table.row({{fmt::format("{}", number)},
               {names.thread(number)},
               {thread && thread->native_id != 0 ? fmt::format("{}", thread->native_id) : std::string{unknown_figure}},
               {kind_of(thread)},
               {creator == 0 ? std::string{unknown_figure} : names.thread(creator)},
               {begun(life, times)},
               {life.has_ended ? offset(life.ended, times) : std::string{unknown_figure}},
               {short_count(life.records)},
               {state_of(context, number, life, names), bad ? Tone::bad : Tone::plain}});
  }
  const std::string above = heading(context.process, context.analysis, options) +
                            reservations(context.process, context.analysis, options) + "\n";
  if (table.empty()) return above + "No thread has recorded anything.\n";
  return above + table.text(options.width, options.color) + waits_text(context, names, times, options.width);
}

Json thread_json(const Context& context, trace::ThreadNumber number, const ThreadLife& life) {
  const ProcessJson json{context.process, context.analysis};
  const Thread* const thread = context.defined(number);
  const trace::ThreadNumber creator = context.creator(number, life);
  Json out = json.thread(number);
  out["native_id"] = thread ? Json(thread->native_id) : Json{};
  out["daemon"] = thread ? Json(thread->daemon) : Json{};
  out["origin"] = thread ? Json(trace::name_of(thread->origin)) : Json{};
  out["creator"] = json.thread(creator);
  out["started_at"] = json.site(life.started_at);
  out["begin"] = life.has_begun ? json.offset(life.begun) : Json{};
  out["end"] = life.has_ended ? json.offset(life.ended) : Json{};
  out["first_record"] = life.records > 0 ? json.offset(life.first) : Json{};
  out["last_record"] = life.records > 0 ? json.offset(life.last) : Json{};
  out["records"] = life.records;
  out["outcome"] = life.has_ended ? Json(life.returned() ? "returned" : "exception") : Json{};
  out["joined_by"] = Json::array();
  for (const trace::ThreadNumber joiner : life.joiners)
    out["joined_by"].push_back(json.thread(joiner));
  out["waits_for"] = nullptr;
  if (const Waiting* const waiting = context.waiting(number)) {
    const Wait& wait = waiting->wait;
    out["waits_for"] = {{"object", json.object(wait.object, wait.kind)},
                        {"site", json.site(wait.site)},
                        {"since", json.offset(wait.since)},
                        {"owner", json.thread(waiting->owner)},
                        {"owner_waits", waiting->behind}};
  }
  return out;
}

Json threads_json(const Context& context) {
  Json out = ProcessJson{context.process, context.analysis}.process();
  out["threads"] = Json::array();
  for (const auto& [number, life] : context.threads.lives()) {
    if (context.passes(number, life)) out["threads"].push_back(thread_json(context, number, life));
  }
  return out;
}

}  // namespace

bool run_threads(std::span<Input> inputs, const Options& options, std::FILE* out) {
  std::list<ThreadLives> sources;
  std::vector<Input> watched;
  std::map<const Process*, const ThreadLives*> by_process;
  for (const Input& input : inputs) {
    ThreadLives& lives = sources.emplace_back(input.process, input.source);
    by_process[&input.process] = &lives;
    watched.push_back({input.process, lives, input.last});
  }
  for_each_process(
      watched, options, out, "threads",
      [&](const Process& process, const Analysis& analysis) {
        return threads_text({process, analysis, *by_process.at(&process)}, options);
      },
      [&](const Process& process, const Analysis& analysis) {
        return threads_json({process, analysis, *by_process.at(&process)});
      });
  return false;
}

}  // namespace unspool
