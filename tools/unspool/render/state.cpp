// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/messages.hpp>
#include <unspool/render/scene.hpp>
#include <unspool/render/state.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace unspool {
namespace {

using Around = UntilMoment::Around;

/// What the renderings of one dump share.
struct Context : Scene {
  const UntilMoment& until;
  std::map<trace::ThreadNumber, std::vector<HeldObject>> held;

  Context(const Process& a_process, const Analysis& an_analysis, const UntilMoment& an_until,
          const Options& some_options)
      : Scene{a_process, an_analysis, some_options, an_until.first()},
        until{an_until},
        held{held_objects(an_analysis.replay)} {
    std::set<trace::ObjectNumber> told;
    for (const auto& [thread, objects] : held) {
      for (const HeldObject& each : objects)
        told.insert(each.object);
    }
    for (const auto& [number, thread] : an_analysis.replay.threads()) {
      if (!thread.waits.empty()) told.insert(thread.waits.back().object);
    }
    names.tell_apart(told);
  }

  const ThreadState* state(trace::ThreadNumber thread) const {
    const auto found = analysis.replay.threads().find(thread);
    return found == analysis.replay.threads().end() ? nullptr : &found->second;
  }
  const Wait* wait(trace::ThreadNumber thread) const {
    const ThreadState* const known = state(thread);
    return known == nullptr || known->waits.empty() ? nullptr : &known->waits.back();
  }
  const Waiting* waiting(trace::ThreadNumber thread) const { return analysis.deadlocks.waiting_of(thread); }
  const Around* around(trace::ThreadNumber thread) const {
    const auto found = until.threads().find(thread);
    return found == until.threads().end() ? nullptr : &found->second;
  }
  trace::Ticks now() const { return known_until(until, analysis.replay); }
  trace::Ticks elapsed(trace::Ticks since) const { return now() > since ? now() - since : 0; }
  std::string ago(trace::Ticks since) const { return times.span(elapsed(since)); }
  /// " 1.20 s before"; empty where it was just then.
  std::string before(trace::Ticks since) const {
    return elapsed(since) == 0 ? "" : fmt::format(" {} before", ago(since));
  }
};

/// What a wait of a queue or pool is for, where its Record says it.
std::string_view purpose(const Wait& wait, const Around* around) {
  if (around == nullptr || around->row == nullptr || around->row->verb != trace::Verb::block) return {};
  if (wait.kind == trace::Kind::queue) {
    return around->a == 0 ? "for room in" : around->a == 1 ? "for an item from" : "for the end of all items of";
  }
  if (wait.kind == trace::Kind::pool) {
    static constexpr std::array<std::string_view, 4> words{"for room in the queue of", "for a task's result of",
                                                           "for work of", "for the end of all tasks of"};
    return around->a < words.size() ? words[around->a] : std::string_view{};
  }
  return {};
}

/// "for lock "a"", "for task 3 of pool #1", "for the end of worker-2"
std::string awaited_words(const Context& context, const Wait& wait, const Waiting* waiting, const Around* around) {
  if (waiting != nullptr && call_number(*waiting) != 0) return "for " + awaited(context.names, *waiting);
  std::string_view what = purpose(wait, around);
  if (what.empty()) what = wait.kind == trace::Kind::thread ? "for the end of" : "for";
  return fmt::format("{} {}", what, context.names.object(wait.object, wait.kind));
}

/// Whose it is, from where and since when; or who ended such waits before, where and when the last time.
std::string owner_words(const Context& context, const Waiting& waiting) {
  const std::string whose = whose_it_is(context.names, context.analysis.deadlocks, waiting);
  if (whose.empty()) return {};
  trace::SiteNumber site = waiting.owner_site;
  std::optional<trace::Ticks> since;
  if (waiting.owner_since_known) since = waiting.owner_since;
  const bool held = can_be_held(waiting.wait.kind);
  const auto suspect = std::ranges::find(waiting.suspects, waiting.owner, &Suspect::thread);
  if (!held && suspect != waiting.suspects.end() && suspect->deed.count != 0) {
    site = suspect->deed.site;
    since = suspect->deed.last;
  }
  const std::string where = site == 0 ? "" : " at " + context.names.site(site);
  const std::string when = since ? context.before(*since) : "";
  if (where.empty() && when.empty()) return "; " + whose;
  const std::string_view did = waiting.behind ? "asked" : held ? "taken" : "the last time";
  return fmt::format("; {}, {}{}{}", whose, did, where, when);
}

/// "waits 2.10 s for lock "a", held by worker-2, which took it at bank.cpp:12 3.00 s before"
std::string wait_words(const Context& context, const Wait& wait, const Waiting* waiting, const Around* around) {
  const bool just_now = context.elapsed(wait.since) == 0;
  std::string out =
      fmt::format("waits {}{}{} at {}", just_now ? "" : context.ago(wait.since), just_now ? "" : " ",
                  awaited_words(context, wait, waiting, around), context.names.site_and_function(wait.site));
  return waiting == nullptr ? out : out + owner_words(context, *waiting);
}

std::string running_words(const Context& context, const Around* around) {
  if (around == nullptr) return "no Record of its own yet";
  std::string out =
      fmt::format("runs, or is blocked where spool does not see it; last Record{}", context.before(around->time));
  if (around->row != nullptr) out += fmt::format(": {}", around->row->name);
  if (around->site != 0) out += fmt::format(" at {}", context.names.site_and_function(around->site));
  return out;
}

std::string next_words(const Context& context, const Around* around) {
  if (around == nullptr || !context.until.stopped()) return {};
  if (!around->has_next) return "no later Record";
  const trace::Ticks moment = context.until.moment();
  return fmt::format("next Record {} later", context.times.span(around->next > moment ? around->next - moment : 0));
}

std::string loss_words(const Around* around) {
  if (around == nullptr || around->lost == 0) return {};
  return fmt::format("{} lost here: its state is that of the last one before",
                     counted(around->lost, "Record was", "Records were"));
}

std::string held_lines(const Context& context, trace::ThreadNumber thread) {
  const auto found = context.held.find(thread);
  if (found == context.held.end()) return {};
  std::string out;
  for (const HeldObject& each : found->second) {
    std::string line = fmt::format("    holds {}{}, taken at {}", context.names.object(each.object, each.kind),
                                   each.shared ? " (shared)" : "", context.names.site_and_function(each.site));
    line += each.since_known ? context.before(each.since) : ", not known since when";
    out += wrapped(line, context.options.width, 6);
  }
  return out;
}

enum class Group { waiting, running, ended };

/// It is asked for, and so is what it waits for, or one of what it holds, where only some objects are.
bool passes(const Context& context, trace::ThreadNumber number) {
  const Filter& filter = context.analysis.filter;
  if (!filter.thread(number)) return false;
  if (!filter.is_on()) return true;
  const Wanted& wanted = filter.wanted();
  if (wanted.objects.empty() && wanted.kinds.empty() && wanted.min_wait == 0) return true;
  if (const Wait* const open = context.wait(number); open != nullptr) {
    Wait wait = *open;
    wait.until = std::max(context.until.moment(), wait.since);
    if (filter.passes(wait)) return true;
  }
  const auto found = context.held.find(number);
  return wanted.min_wait == 0 && found != context.held.end() &&
         std::ranges::any_of(found->second,
                             [&](const HeldObject& each) { return filter.object(each.object, each.kind); });
}

std::optional<Group> group_of(const Context& context, trace::ThreadNumber number) {
  const ThreadState* const state = context.state(number);
  const auto defined = context.process.threads.find(number);
  const bool internal = defined != context.process.threads.end() && defined->second.origin == trace::Origin::internal;
  if (state == nullptr || (internal && context.around(number) == nullptr)) return std::nullopt;
  if (!passes(context, number)) return std::nullopt;
  if (state->life == ThreadState::Life::ended) return Group::ended;
  return state->waits.empty() ? Group::running : Group::waiting;
}

std::string thread_lines(const Context& context, trace::ThreadNumber number) {
  const Wait* const wait = context.wait(number);
  const Around* const around = context.around(number);
  std::string out = toned(context.names.thread(number), Tone::strong, context.options.color) + "\n";
  const std::string does =
      wait != nullptr ? wait_words(context, *wait, context.waiting(number), around) : running_words(context, around);
  out += wrapped("    " + does, context.options.width, 6);
  if (wait != nullptr) out += call_lines(context.names, wait->stack, context.options.width, 6);
  out += held_lines(context, number);
  if (const Waiting* each = context.waiting(number); each != nullptr && each->cycle != Waiting::no_cycle) {
    const std::string_view part = each->distance == 0 ? "is part of" : "hangs on";
    out += "    " + toned(fmt::format("{} a deadlock", part), Tone::bad, context.options.color) + "\n";
  }
  if (const auto said = context.analysis.messages.of({number}); !said.empty())
    out += "    logged last:\n" + said_lines(context.names, context.times, said, context.options.width, 6);
  for (const std::string& more : {loss_words(around), next_words(context, around)}) {
    if (!more.empty()) out += "    " + toned(more, Tone::faint, context.options.color) + "\n";
  }
  return out;
}

/// Threads that wait alike and hold nothing, such as a pool's idle workers, are told together from this many on.
constexpr std::size_t few = 3;

using Alike = std::tuple<trace::ObjectNumber, trace::SiteNumber, std::string>;

std::optional<Alike> alike(const Context& context, trace::ThreadNumber number) {
  const Wait* const wait = context.wait(number);
  const Around* const around = context.around(number);
  const Waiting* const waiting = context.waiting(number);
  const bool special = context.held.contains(number) || (around != nullptr && around->lost != 0) ||
                       (waiting != nullptr && (waiting->owner != 0 || waiting->cycle != Waiting::no_cycle)) ||
                       context.analysis.messages.any();
  if (wait == nullptr || special) return std::nullopt;
  return Alike{wait->object, wait->site, awaited_words(context, *wait, waiting, around)};
}

/// Of threads that run and hold nothing, what they did last and where.
using LastDid = std::tuple<std::string_view, trace::SiteNumber, bool>;

std::optional<LastDid> last_did(const Context& context, trace::ThreadNumber number) {
  const Around* const around = context.around(number);
  const bool special = context.held.contains(number) || context.analysis.messages.any();
  if (special || around == nullptr || around->row == nullptr || around->lost != 0) return std::nullopt;
  return LastDid{around->row->name, around->site, around->has_next};
}

/// "worker-0, worker-1, worker-2 and 5 more"
std::string some_names(const Context& context, const std::vector<trace::ThreadNumber>& threads) {
  constexpr std::size_t most = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(threads.size(), most); ++i)
    out += (i == 0 ? "" : ", ") + context.names.thread(threads[i]);
  return threads.size() > most ? out + fmt::format(" and {} more", threads.size() - most) : out;
}

std::string group_lines(const Context& context, const std::vector<trace::ThreadNumber>& threads) {
  const auto since = [&](trace::ThreadNumber number) { return context.wait(number)->since; };
  const auto [longest, shortest] = std::ranges::minmax(threads, {}, since);
  const Wait& wait = *context.wait(longest);
  const std::string least = context.ago(since(shortest));
  const std::string most = context.ago(since(longest));
  const std::string how_long = least == most                           ? least
                               : context.elapsed(since(shortest)) == 0 ? "up to " + most
                                                                       : fmt::format("{} to {}", least, most);
  const std::string does =
      fmt::format("    {} threads wait {} {} at {}; none of them holds anything", threads.size(), how_long,
                  awaited_words(context, wait, context.waiting(longest), context.around(longest)),
                  context.names.site_and_function(wait.site));
  return toned(wrapped(some_names(context, threads), context.options.width, 0), Tone::strong, context.options.color) +
         wrapped(does, context.options.width, 6);
}

std::string waiting_lines(const Context& context, const std::vector<trace::ThreadNumber>& threads) {
  std::map<Alike, std::vector<trace::ThreadNumber>> groups;
  for (const trace::ThreadNumber number : threads) {
    if (const auto key = alike(context, number)) groups[*key].push_back(number);
  }
  std::string out;
  for (const trace::ThreadNumber number : threads) {
    const auto key = alike(context, number);
    if (!key || groups[*key].size() < few) out += "\n" + thread_lines(context, number);
  }
  for (const auto& [key, members] : groups) {
    if (members.size() >= few) out += "\n" + group_lines(context, members);
  }
  return out;
}

/// Its Records end at the moment, so what they say of the process's end would be of no use.
std::string state_heading(const Context& context) {
  const Process& process = context.process;
  const std::string program = trace::escaped(process.program.empty() ? process.path : process.program);
  const std::string line = fmt::format("{}, pid {}: {} up to then, {} in all", program, process.pid,
                                       counted(context.until.passed(), "Record", "Records"),
                                       context.times.span(context.until.last() - context.until.first()));
  return toned(line, Tone::strong, context.options.color) + "\n" +
         restrictions(process, context.analysis, context.options);
}

/// Where the moment lies, and whether anything is known of it.
std::string moment_lines(const Context& context) {
  const UntilMoment& until = context.until;
  const std::string calendar = context.times.calendar(until.moment());
  std::string out = fmt::format("State at {}{}", context.times.offset(until.moment()),
                                calendar.empty() ? "" : fmt::format(" ({})", calendar));
  if (until.before_all()) {
    out += context.process.cut
               ? ": before the first Record that is kept; who waits since then stands in the state at +0s"
               : ": before the first Record; nothing is known of it";
  } else if (until.after_all()) {
    out += fmt::format(": {} after the last Record; this is the state as the Records leave it",
                       context.times.span(until.moment() - until.last()));
    if (context.now() < until.moment())
      out += fmt::format(". Nothing is known of the process after {}, and times are as of then",
                         context.times.offset(context.now()));
  } else if (!until.stopped()) {
    out += ": the last Record";
    const trace::Ticks quiet = context.now() - until.moment();
    if (quiet != 0) {
      out += fmt::format("; the process lived on for {} at least, and times are as of then", context.times.span(quiet));
    }
  }
  return wrapped(out + ".", context.options.width, 2);
}

/// "12.0 µs to 3.40 ms"
std::string from_to(const Context& context, trace::Ticks least, trace::Ticks most) {
  const std::string first = context.times.span(least);
  const std::string last = context.times.span(most);
  return first == last ? first : fmt::format("{} to {}", first, last);
}

std::string running_group_lines(const Context& context, const std::vector<trace::ThreadNumber>& threads) {
  const trace::Ticks moment = context.until.moment();
  const auto before = [&](trace::ThreadNumber each) { return context.elapsed(context.around(each)->time); };
  const auto later = [&](trace::ThreadNumber each) {
    const trace::Ticks next = context.around(each)->next;
    return next > moment ? next - moment : 0;
  };
  const auto [newest, oldest] = std::ranges::minmax(threads, {}, before);
  const Around& around = *context.around(threads.front());
  std::string does = fmt::format("    {} threads run, or are blocked where spool does not see it; last Records {} before: {}",
                                 threads.size(), from_to(context, before(newest), before(oldest)), around.row->name);
  if (around.site != 0) does += " at " + context.names.site_and_function(around.site);
  if (around.has_next) {
    const auto [soonest, latest] = std::ranges::minmax(threads, {}, later);
    does += fmt::format("; next Records {} later", from_to(context, later(soonest), later(latest)));
  } else if (context.until.stopped()) {
    does += "; no later Record";
  }
  return toned(wrapped(some_names(context, threads), context.options.width, 0), Tone::strong, context.options.color) +
         wrapped(does, context.options.width, 6);
}

std::string running_lines(const Context& context, const std::vector<trace::ThreadNumber>& threads) {
  std::map<LastDid, std::vector<trace::ThreadNumber>> groups;
  for (const trace::ThreadNumber number : threads) {
    if (const auto did = last_did(context, number)) groups[*did].push_back(number);
  }
  std::string out;
  for (const trace::ThreadNumber number : threads) {
    const auto did = last_did(context, number);
    if (!did || groups[*did].size() < few) out += "\n" + thread_lines(context, number);
  }
  for (const auto& [did, members] : groups) {
    if (members.size() >= few) out += "\n" + running_group_lines(context, members);
  }
  return out;
}

std::vector<trace::ThreadNumber> threads_of(const Context& context, Group group) {
  std::vector<trace::ThreadNumber> numbers;
  for (const auto& [number, state] : context.analysis.replay.threads()) {
    if (group_of(context, number) == group) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

Json held_json(const Context& context, const ProcessJson& json, trace::ThreadNumber number) {
  Json out = Json::array();
  const auto found = context.held.find(number);
  if (found == context.held.end()) return out;
  for (const HeldObject& each : found->second) {
    out.push_back({{"object", json.object(each.object, each.kind)},
                   {"site", json.site(each.site)},
                   {"since", each.since_known ? json.offset(each.since) : Json{}},
                   {"mode", each.shared ? "shared" : "exclusive"}});
  }
  return out;
}

Json wait_json(const Context& context, const ProcessJson& json, trace::ThreadNumber number) {
  const Wait* const wait = context.wait(number);
  if (wait == nullptr) return nullptr;
  const Waiting* const waiting = context.waiting(number);
  Json out{{"object", json.object(wait->object, wait->kind)}, {"site", json.site(wait->site)}};
  out["since"] = json.offset(wait->since);
  out["owner"] = waiting == nullptr ? Json{} : json.thread(waiting->owner);
  out["owner_site"] = waiting == nullptr ? Json{} : json.site(waiting->owner_site);
  const bool known = waiting != nullptr && waiting->owner_since_known;
  out["owner_since"] = known ? json.offset(waiting->owner_since) : Json{};
  out["stack"] = json.stack(wait->stack);
  out["edge"] = waiting == nullptr ? Json{} : Json(name_of(waiting->edge));
  out["owner_waits"] = waiting != nullptr && waiting->behind;
  return out;
}

Json thread_json(const Context& context, const ProcessJson& json, trace::ThreadNumber number, Group group) {
  static constexpr std::array<std::string_view, 3> words{"waiting", "running", "ended"};
  const Around* const around = context.around(number);
  Json out = json.thread(number);
  out["state"] = words[static_cast<std::size_t>(group)];
  out["waits_for"] = wait_json(context, json, number);
  out["holds"] = held_json(context, json, number);
  out["last_record"] = around == nullptr ? Json{} : json.offset(around->time);
  out["last_site"] = around == nullptr ? Json{} : json.site(around->site);
  out["next_record"] = around == nullptr || !around->has_next ? Json{} : json.offset(around->next);
  out["lost"] = around == nullptr ? 0 : around->lost;
  const Messages& messages = context.analysis.messages;
  out["messages"] = messages.any() ? said_json(json, messages.of({number})) : Json{};
  return out;
}

}  // namespace

std::string state_text(const Process& process, const Analysis& analysis, const UntilMoment& until,
                       const Options& options) {
  const Context context{process, analysis, until, options};
  std::string out = state_heading(context) + reservations(process, analysis, options) + "\n";
  if (!until.any()) return out + "No thread has recorded anything.\n";
  out += moment_lines(context);
  const auto waiting = threads_of(context, Group::waiting);
  const auto running = threads_of(context, Group::running);
  out += fmt::format("{}, {}, {} ended\n", counted(waiting.size(), "thread waits", "threads wait"),
                     counted(running.size(), "runs", "run"), count(threads_of(context, Group::ended).size()));
  out += waiting_lines(context, waiting);
  return out + running_lines(context, running);
}

Json state_json(const Process& process, const Analysis& analysis, const UntilMoment& until) {
  const Context context{process, analysis, until, {}};
  const ProcessJson json{process, analysis};
  Json out = json.process();
  if (!until.after_all()) out["quiet"] = Json{};  // it is not that moment which was the last
  out["at"] = until.any() ? json.offset(until.moment()) : Json{};
  out["at_clock"] = until.any() ? json.calendar(until.moment()) : Json{};
  out["position"] = !until.any()         ? "no Records"
                    : until.before_all() ? "before the first Record"
                    : until.after_all()  ? "after the last Record"
                                         : "within";
  out["threads"] = Json::array();
  for (const Group group : {Group::waiting, Group::running, Group::ended}) {
    for (const trace::ThreadNumber number : threads_of(context, group))
      out["threads"].push_back(thread_json(context, json, number, group));
  }
  return out;
}

bool run_state(std::span<Input> inputs, const Options& options, const StateOptions& state, std::FILE* out) {
  Answers answers{"state", options, out};
  bool findings = false;
  for (const Input& input : inputs) {
    Process& process = input.process;
    // The status file is of the end; of an earlier moment it knows nothing.
    const bool at_end = state.at.from() == When::From::end;
    const auto status = at_end ? decltype(process.status){} : std::exchange(process.status, {});
    UntilMoment until{process, input.source, state.at, input.last};
    const Analysis analysis{process, until, nullptr, Filter{options.wanted, process, input.last}, {options.messages}};
    if (!at_end) process.status = status;
    findings = findings || std::ranges::any_of(analysis.deadlocks.cycles(), [&](const Cycle& cycle) {
                 return analysis.deadlocks.concerns(cycle, analysis.filter);
               });
    answers.join(process, analysis, known_until(until, analysis.replay));
    answers.add([&] { return state_text(process, analysis, until, options); },
                [&] { return state_json(process, analysis, until); });
  }
  answers.finish();
  return findings;
}

trace::Ticks last_time(RecordSource& source) {
  trace::Ticks latest = 0;
  for (Record record; source.next(record); record = {})
    latest = std::max(latest, record.time);
  return latest;
}

}  // namespace unspool
