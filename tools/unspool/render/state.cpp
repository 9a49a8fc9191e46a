// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/messages.hpp>
#include <unspool/render/state.hpp>
#include <unspool/render/state_dump.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/style.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace unspool {
namespace {

using Around = Dump::Around;
using Group = Dump::Group;

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
std::string awaited_words(const Dump& dump, const Wait& wait, const Waiting* waiting, const Around* around) {
  if (waiting != nullptr && call_number(*waiting) != 0) return "for " + awaited(dump.names, *waiting);
  std::string_view what = purpose(wait, around);
  if (what.empty()) what = wait.kind == trace::Kind::thread ? "for the end of" : "for";
  return fmt::format("{} {}", what, dump.names.object(wait.object, wait.kind));
}

/// Whose it is, from where and since when; or who ended such waits before, where and when the last time.
std::string owner_words(const Dump& dump, const Waiting& waiting) {
  const std::string whose = whose_it_is(dump.names, dump.analysis.deadlocks, waiting);
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
  const std::string where = site == 0 ? "" : " at " + dump.names.site(site);
  const std::string when = since ? dump.before(*since) : "";
  if (where.empty() && when.empty()) return "; " + whose;
  const std::string_view did = waiting.behind ? "asked" : held ? "taken" : "the last time";
  return fmt::format("; {}, {}{}{}", whose, did, where, when);
}

/// "waits 2.10 s for lock "a", held by worker-2, which took it at bank.cpp:12 3.00 s before"
std::string wait_words(const Dump& dump, const Wait& wait, const Waiting* waiting, const Around* around) {
  const bool just_now = dump.elapsed(wait.since) == 0;
  std::string out = fmt::format("waits {}{}{} at {}", just_now ? "" : dump.ago(wait.since), just_now ? "" : " ",
                                awaited_words(dump, wait, waiting, around), dump.names.site_and_function(wait.site));
  return waiting == nullptr ? out : out + owner_words(dump, *waiting);
}

std::string running_words(const Dump& dump, const Around* around) {
  if (around == nullptr) return "no Record of its own yet";
  std::string out =
      fmt::format("runs, or is blocked where spool does not see it; last Record{}", dump.before(around->time));
  if (around->row != nullptr) out += fmt::format(": {}", around->row->name);
  if (around->site != 0) out += fmt::format(" at {}", dump.names.site_and_function(around->site));
  return out;
}

std::string next_words(const Dump& dump, const Around* around) {
  if (around == nullptr || !dump.until.stopped()) return {};
  if (!around->has_next) return "no later Record";
  const trace::Ticks moment = dump.until.moment();
  return fmt::format("next Record {} later", dump.times.span(around->next > moment ? around->next - moment : 0));
}

std::string loss_words(const Around* around) {
  if (around == nullptr || around->lost == 0) return {};
  return fmt::format("{} lost here: its state is that of the last one before",
                     counted(around->lost, "Record was", "Records were"));
}

std::string held_lines(const Dump& dump, trace::ThreadNumber thread) {
  const auto found = dump.held.find(thread);
  if (found == dump.held.end()) return {};
  std::string out;
  for (const HeldObject& each : found->second) {
    std::string line = fmt::format("    holds {}{}, taken at {}", dump.names.object(each.object, each.kind),
                                   each.shared ? " (shared)" : "", dump.names.site_and_function(each.site));
    line += each.since_known ? dump.before(each.since) : ", not known since when";
    out += wrapped(line, dump.options.width, 6);
  }
  return out;
}

std::string thread_lines(const Dump& dump, trace::ThreadNumber number) {
  const Wait* const wait = dump.wait(number);
  const Around* const around = dump.around(number);
  std::string out = toned(dump.names.thread(number), Tone::strong, dump.options.color) + "\n";
  const std::string does =
      wait != nullptr ? wait_words(dump, *wait, dump.waiting(number), around) : running_words(dump, around);
  out += wrapped("    " + does, dump.options.width, 6);
  if (wait != nullptr) out += call_lines(dump.names, wait->stack, dump.options.width, 6);
  out += held_lines(dump, number);
  if (const Waiting* each = dump.waiting(number); each != nullptr && each->cycle != Waiting::no_cycle) {
    const std::string_view part = each->distance == 0 ? "is part of" : "hangs on";
    out += "    " + toned(fmt::format("{} a deadlock", part), Tone::bad, dump.options.color) + "\n";
  }
  if (const auto said = dump.analysis.messages.of({number}); !said.empty())
    out += "    logged last:\n" + said_lines(dump.names, dump.times, said, dump.options.width, 6);
  for (const std::string& more : {loss_words(around), next_words(dump, around)}) {
    if (!more.empty()) out += "    " + toned(more, Tone::faint, dump.options.color) + "\n";
  }
  return out;
}

/// Threads that wait alike and hold nothing, such as a pool's idle workers, are told together from this many on.
constexpr std::size_t few = 3;

using Alike = std::tuple<trace::ObjectNumber, trace::SiteNumber, std::string>;

std::optional<Alike> alike(const Dump& dump, trace::ThreadNumber number) {
  const Wait* const wait = dump.wait(number);
  const Around* const around = dump.around(number);
  const Waiting* const waiting = dump.waiting(number);
  const bool special = dump.held.contains(number) || (around != nullptr && around->lost != 0) ||
                       (waiting != nullptr && (waiting->owner != 0 || waiting->cycle != Waiting::no_cycle)) ||
                       dump.analysis.messages.any();
  if (wait == nullptr || special) return std::nullopt;
  return Alike{wait->object, wait->site, awaited_words(dump, *wait, waiting, around)};
}

/// Of threads that run and hold nothing, what they did last and where.
using LastDid = std::tuple<std::string_view, trace::SiteNumber, bool>;

std::optional<LastDid> last_did(const Dump& dump, trace::ThreadNumber number) {
  const Around* const around = dump.around(number);
  const bool special = dump.held.contains(number) || dump.analysis.messages.any();
  if (special || around == nullptr || around->row == nullptr || around->lost != 0) return std::nullopt;
  return LastDid{around->row->name, around->site, around->has_next};
}

/// "worker-0, worker-1, worker-2 and 5 more"
std::string some_names(const Dump& dump, const std::vector<trace::ThreadNumber>& threads) {
  constexpr std::size_t most = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(threads.size(), most); ++i)
    out += (i == 0 ? "" : ", ") + dump.names.thread(threads[i]);
  return threads.size() > most ? out + fmt::format(" and {} more", threads.size() - most) : out;
}

std::string group_lines(const Dump& dump, const std::vector<trace::ThreadNumber>& threads) {
  const auto since = [&](trace::ThreadNumber number) { return dump.wait(number)->since; };
  const auto [longest, shortest] = std::ranges::minmax(threads, {}, since);
  const Wait& wait = *dump.wait(longest);
  const std::string least = dump.ago(since(shortest));
  const std::string most = dump.ago(since(longest));
  const std::string how_long = least == most                        ? least
                               : dump.elapsed(since(shortest)) == 0 ? "up to " + most
                                                                    : fmt::format("{} to {}", least, most);
  const std::string does = fmt::format("    {} threads wait {} {} at {}; none of them holds anything", threads.size(),
                                       how_long, awaited_words(dump, wait, dump.waiting(longest), dump.around(longest)),
                                       dump.names.site_and_function(wait.site));
  return toned(wrapped(some_names(dump, threads), dump.options.width, 0), Tone::strong, dump.options.color) +
         wrapped(does, dump.options.width, 6);
}

/// Those that are alike are told together from `few` on, behind the others.
template <class KeyOf, class GroupLines>
std::string grouped_lines(const Dump& dump, const std::vector<trace::ThreadNumber>& threads, const KeyOf& key_of,
                          const GroupLines& lines_of_group) {
  using Key = typename std::invoke_result_t<KeyOf, const Dump&, trace::ThreadNumber>::value_type;
  std::map<Key, std::vector<trace::ThreadNumber>> groups;
  for (const trace::ThreadNumber number : threads) {
    if (const auto key = key_of(dump, number)) groups[*key].push_back(number);
  }
  std::string out;
  for (const trace::ThreadNumber number : threads) {
    const auto key = key_of(dump, number);
    if (!key || groups[*key].size() < few) out += "\n" + thread_lines(dump, number);
  }
  for (const auto& [key, members] : groups) {
    if (members.size() >= few) out += "\n" + lines_of_group(dump, members);
  }
  return out;
}

/// Its Records end at the moment, so what they say of the process's end would be of no use.
std::string state_heading(const Dump& dump) {
  const Process& process = dump.process;
  const std::string program = trace::escaped(process.program.empty() ? process.path : process.program);
  const std::string line = fmt::format("{}, pid {}: {} up to then, {} in all", program, process.pid,
                                       counted(dump.until.passed(), "Record", "Records"),
                                       dump.times.span(dump.until.last() - dump.until.first()));
  return toned(line, Tone::strong, dump.options.color) + "\n" + restrictions(process, dump.analysis, dump.options);
}

/// Where the moment lies, and whether anything is known of it.
std::string moment_lines(const Dump& dump) {
  const UntilMoment& until = dump.until;
  const std::string calendar = dump.times.calendar(until.moment());
  std::string out = fmt::format("State at {}{}", dump.times.offset(until.moment()),
                                calendar.empty() ? "" : fmt::format(" ({})", calendar));
  if (until.before_all()) {
    out += dump.process.cut ? ": before the first Record that is kept; who waits since then stands in the state at +0s"
                            : ": before the first Record; nothing is known of it";
  } else if (until.after_all()) {
    out += fmt::format(": {} after the last Record; this is the state as the Records leave it",
                       dump.times.span(until.moment() - until.last()));
    if (dump.now() < until.moment())
      out += fmt::format(". Nothing is known of the process after {}, and times are as of then",
                         dump.times.offset(dump.now()));
  } else if (!until.stopped()) {
    out += ": the last Record";
    const trace::Ticks quiet = dump.now() - until.moment();
    if (quiet != 0) {
      out += fmt::format("; the process lived on for {} at least, and times are as of then", dump.times.span(quiet));
    }
  }
  return wrapped(out + ".", dump.options.width, 2);
}

/// "12.0 µs to 3.40 ms"
std::string from_to(const Dump& dump, trace::Ticks least, trace::Ticks most) {
  const std::string first = dump.times.span(least);
  const std::string last = dump.times.span(most);
  return first == last ? first : fmt::format("{} to {}", first, last);
}

std::string running_group_lines(const Dump& dump, const std::vector<trace::ThreadNumber>& threads) {
  const trace::Ticks moment = dump.until.moment();
  const auto before = [&](trace::ThreadNumber each) { return dump.elapsed(dump.around(each)->time); };
  const auto later = [&](trace::ThreadNumber each) {
    const trace::Ticks next = dump.around(each)->next;
    return next > moment ? next - moment : 0;
  };
  const auto [newest, oldest] = std::ranges::minmax(threads, {}, before);
  const Around& around = *dump.around(threads.front());
  std::string does =
      fmt::format("    {} threads run, or are blocked where spool does not see it; last Records {} before: {}",
                  threads.size(), from_to(dump, before(newest), before(oldest)), around.row->name);
  if (around.site != 0) does += " at " + dump.names.site_and_function(around.site);
  if (around.has_next) {
    const auto [soonest, latest] = std::ranges::minmax(threads, {}, later);
    does += fmt::format("; next Records {} later", from_to(dump, later(soonest), later(latest)));
  } else if (dump.until.stopped()) {
    does += "; no later Record";
  }
  return toned(wrapped(some_names(dump, threads), dump.options.width, 0), Tone::strong, dump.options.color) +
         wrapped(does, dump.options.width, 6);
}

}  // namespace

std::string state_text(const Process& process, const Analysis& analysis, const UntilMoment& until,
                       const Options& options) {
  const Dump dump{process, analysis, until, options};
  std::string out = state_heading(dump) + reservations(process, analysis, options) + "\n";
  if (!until.any()) return out + "No thread has recorded anything.\n";
  out += moment_lines(dump);
  const auto waiting = dump.threads_of(Group::waiting);
  const auto running = dump.threads_of(Group::running);
  out += fmt::format("{}, {}, {} ended\n", counted(waiting.size(), "thread waits", "threads wait"),
                     counted(running.size(), "runs", "run"), count(dump.threads_of(Group::ended).size()));
  out += grouped_lines(dump, waiting, alike, group_lines);
  return out + grouped_lines(dump, running, last_did, running_group_lines);
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
