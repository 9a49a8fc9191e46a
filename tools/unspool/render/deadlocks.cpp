// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/alike_waits.hpp>
#include <unspool/render/at_rest.hpp>
#include <unspool/render/classes.hpp>
#include <unspool/render/deadlocks.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/messages.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/remedies.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace unspool {
namespace {

constexpr std::size_t most_cycles_told = 10;
constexpr std::size_t most_threads_told = 20;
constexpr std::size_t most_groups = 20;
constexpr std::size_t most_instances = 5;
constexpr std::size_t most_names = 8;
constexpr std::string_view stuck_behind = "Stuck behind it";

using enum Table::Align;
constexpr auto at_end = Table::Cut::end;
constexpr auto wrap = Table::Cut::wrap;

/// Tells the cycles of one process.
class Story {
 public:
  Story(const Process& process, const Analysis& analysis, const Options& options, std::size_t most_threads)
      : process_{process},
        analysis_{analysis},
        options_{options},
        names_{process},
        times_{process, analysis.replay.first_time()},
        most_threads_{most_threads},
        classes_{classes_of(analysis.deadlocks.cycles())} {
    tell_apart(names_, analysis.deadlocks);
    numbers_.resize(analysis.deadlocks.cycles().size());
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      for (const std::size_t each : classes_[i])
        numbers_[each] = i + 1;
    }
  }

  /// Findings of one class are told once.
  const std::vector<std::vector<std::size_t>>& classes() const { return classes_; }
  std::string cycle(std::size_t number) const;
  /// The other findings of the same class, a line each.
  std::string instances(const std::vector<std::size_t>& same) const;

 private:
  std::string title(std::size_t number) const;
  std::string members(const Cycle& cycle) const;
  std::string start(const Cycle& cycle) const;
  std::string hanging(const std::vector<std::size_t>& threads, std::string_view behind) const;
  std::string hanging_line(const AlikeWaits& alike) const;
  std::string messages(const Cycle& cycle) const;
  bool reads(trace::ObjectNumber object, trace::ThreadNumber thread) const;
  void member_rows(Table& table, const Waiting& waiting, const Waiting& before) const;
  std::string since(trace::Ticks time) const { return "since " + times_.offset(time); }
  const Waiting& waiting(std::size_t index) const { return analysis_.deadlocks.waiting()[index]; }

  const Process& process_;
  const Analysis& analysis_;
  const Options& options_;
  Names names_;
  Times times_;
  std::size_t most_threads_;
  std::vector<std::vector<std::size_t>> classes_;
  std::vector<std::size_t> numbers_;  ///< under which each finding is told, from 1
};

/// Of locks and joins, each of the next: told as a table.
bool is_ring_of_owners(const Deadlocks& deadlocks, const Cycle& cycle) {
  if (cycle.cause != Cause::cycle || !cycle.ring) return false;
  return std::ranges::all_of(cycle.members, [&](std::size_t each) { return deadlocks.waiting()[each].has_owner(); });
}

/// Somebody else may end it, or nobody needs to.
bool is_weak(const Waiting& waiting) {
  return waiting.has_owner() && waiting.edge == Edge::candidate;
}

std::string_view why_weak(const Analysis& analysis, const Waiting& waiting) {
  if (waiting.wait.limit == trace::WaitLimit::stop) return "one of these waits can be stopped";
  if (waiting.by_others) return "such locks were also released by threads that did not own them";
  if (waiting.wait.limit == trace::WaitLimit::unknown) return "waits at such a line have timed out or were cancelled";
  return analysis.replay.complete() ? "another thread may release it"
                                    : "another thread may release it, which this mode does not record";
}

std::string why_possible(const Analysis& analysis, const Cycle& cycle) {
  const auto member = [&](std::size_t each) -> const Waiting& { return analysis.deadlocks.waiting()[each]; };
  const auto weak = std::ranges::find_if(cycle.members, [&](std::size_t each) { return is_weak(member(each)); });
  if (weak == cycle.members.end()) {
    const bool in_part = !analysis.replay.complete();
    return fmt::format("Possible and not likely, because {}: others may have ended such waits.",
                       in_part ? "what nobody waited for was not recorded in this mode" : "Records are missing");
  }
  return fmt::format("Possible and not certain, because {}.", why_weak(analysis, member(*weak)));
}

std::string why_not_certain(const Analysis& analysis, const Cycle& cycle, bool ring) {
  if (cycle.certainty == Certainty::certain) return "";
  if (cycle.certainty == Certainty::possible) return why_possible(analysis, cycle);
  if (cycle.cause == Cause::abandoned && analysis.deadlocks.waiting()[cycle.members.front()].is_owned()) {
    const bool ended = analysis.deadlocks.waiting()[cycle.members.front()].owner_ended;
    return ended ? "Likely and not certain: another thread might release it for the one that has ended."
                 : "Likely and not certain: a later task of the same worker might release it.";
  }
  if (ring) return "Likely and not certain, because Records are missing since the owner of one of the locks was seen.";
  if (analysis.deadlocks.standstill()) {
    return "Likely and not certain: every thread of the process waits without a limit, but a signal handler or a "
           "thread that spool does not know might go on.";
  }
  return "Likely and not certain: a thread that never did so before might end the wait.";
}

std::string threads_wait(std::size_t threads) {
  if (threads == 1) return "a thread waits for itself";
  return fmt::format("{} threads wait for each other", count(threads));
}

/// Of what began before the first Record that is kept the status file knows.
std::string Story::start(const Cycle& cycle) const {
  const trace::Ticks first = analysis_.replay.first_time();
  const std::string since = cycle.since < first
                                ? times_.span(first - cycle.since) + " before the first Record that is kept"
                                : times_.offset(cycle.since);
  const std::string calendar = times_.calendar(cycle.since);
  return calendar.empty() ? since : fmt::format("{} ({})", since, calendar);
}

std::string Story::title(std::size_t number) const {
  const Cycle& cycle = analysis_.deadlocks.cycles()[number];
  const std::string of = classes_.size() == 1 ? "" : fmt::format(" {} of {}", numbers_[number], classes_.size());
  const bool ring = is_ring_of_owners(analysis_.deadlocks, cycle);
  const std::string what = ring ? threads_wait(cycle.members.size()) : stuck_title(names_, analysis_.deadlocks, cycle);
  const std::string head = fmt::format("DEADLOCK{}, {}: {}.", of, name_of(cycle.certainty), what);
  std::string out = wrapped(toned(head, Tone::bad, options_.color), options_.width, 2);
  const trace::Ticks last = analysis_.replay.last_time();
  const trace::Ticks alive = analysis_.replay.last_sign_of_life();
  const std::string lasted = times_.span(alive > cycle.since ? alive - cycle.since : 0);
  const std::string until = alive > last         ? fmt::format(", for {} at least", lasted)
                            : last > cycle.since ? fmt::format(", {} before the last Record", lasted)
                                                 : "";
  out += wrapped(
      fmt::format("  Deadlocked since {}{}. Fingerprint {}.", start(cycle), until, hexadecimal(cycle.fingerprint)),
      options_.width, 2);
  const std::string reason = why_not_certain(analysis_, cycle, ring);
  if (!reason.empty()) {
    out += wrapped(fmt::format("  {}", reason), options_.width, 2);
  }
  return out + "\n";
}

bool Story::reads(trace::ObjectNumber object, trace::ThreadNumber thread) const {
  const auto found = analysis_.replay.objects().find(object);
  return found != analysis_.replay.objects().end() &&
         std::ranges::find(found->second.readers, thread, &Reader::thread) != found->second.readers.end();
}

/// What it holds (that `before` waits for), and what it waits for.
void Story::member_rows(Table& table, const Waiting& waiting, const Waiting& before) const {
  const std::string name = names_.thread(waiting.wait.thread);
  const bool joined = before.wait.kind == trace::Kind::thread;
  if (!joined) {
    table.row({{name, Tone::strong},
               {before.behind                                    ? "is before it at"
                : reads(before.wait.object, waiting.wait.thread) ? "reads"
                                                                 : "holds"},
               {names_.object(before.wait.object, before.wait.kind)},
               {before.owner_since_known ? times_.offset(before.owner_since) : "?"},
               {names_.site_and_function(before.owner_site)}});
  }
  const bool joins = waiting.wait.kind == trace::Kind::thread;
  const std::string what = names_.object(waiting.wait.object, waiting.wait.kind);
  table.row(
      {{joined ? name : "", Tone::strong},
       {joins ? "joins" : "waits for"},
       {joins ? what : fmt::format("{} {} {}", what, waiting.behind ? "behind" : "of", names_.thread(waiting.owner))},
       {times_.offset(waiting.wait.since)},
       {names_.site_and_function(waiting.wait.site)}});
}

std::string Story::members(const Cycle& cycle) const {
  Table table{
      {{"", left, true}, {"", left}, {"", left, true, "", wrap}, {"since", right}, {"at", left, true, "", at_end}}};
  const std::size_t shown = std::min(cycle.members.size(), most_threads_);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t before = i == 0 ? cycle.members.size() - 1 : i - 1;
    member_rows(table, waiting(cycle.members[i]), waiting(cycle.members[before]));
  }
  std::string out = table.text(options_.width, options_.color, 2);
  if (cycle.members.size() > shown) {
    out += fmt::format("  ... and {} more threads, the last of which waits for {} (all of them: --format json)\n",
                       count(cycle.members.size() - shown), names_.thread(waiting(cycle.members[0]).wait.thread));
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const Wait& wait = waiting(cycle.members[i]).wait;
    const std::string calls = call_lines(names_, wait.stack, options_.width, 4);
    if (!calls.empty()) out += fmt::format("  {} waits\n{}", names_.thread(wait.thread), calls);
  }
  return out;
}

/// Those that wait for the same thing at the same line share a line.
std::string Story::hanging(const std::vector<std::size_t>& threads, std::string_view behind) const {
  std::map<std::tuple<WaitKey, std::size_t, bool>, std::size_t> places;
  std::vector<AlikeWaits> lines;
  for (const std::size_t index : threads) {
    const Waiting& each = waiting(index);
    const std::tuple alike{key_of(each), each.cycle, each.distance == 1};
    const auto [place, is_new] = places.try_emplace(alike, lines.size());
    if (is_new) lines.emplace_back();
    lines[place->second].waits.push_back(&each);
  }
  for (AlikeWaits& each : lines)
    std::ranges::stable_sort(each.waits, {}, [](const Waiting* one) { return one->wait.since; });
  if (lines.empty()) return {};
  std::string out = fmt::format("  {}:\n", behind);
  std::size_t left = threads.size();
  for (std::size_t i = 0; i < std::min(lines.size(), most_threads_); ++i) {
    out += wrapped(hanging_line(lines[i]), options_.width, 6);
    left -= lines[i].waits.size();
  }
  if (left != 0) out += fmt::format("    and {} more\n", count(left));
  return out;
}

std::string Story::hanging_line(const AlikeWaits& alike) const {
  const Waiting& first = alike.first();
  const std::string owner = names_.thread(first.owner);
  const std::string object = names_.object(first.wait.object, first.wait.kind);
  const std::string what = first.wait.kind == trace::Kind::thread ? "in join for " + owner
                           : can_be_held(first.wait.kind)
                               ? fmt::format("for {} {} {}", object, first.behind ? "behind" : "of", owner)
                               : fmt::format("for {} ({} {})", awaited(names_, first, alike.for_one_task()), owner,
                                             could_do(analysis_.deadlocks, first, first.owner));
  const std::string part =
      first.distance == 1 ? fmt::format("part of deadlock {}", numbers_[first.cycle]) : "stuck behind it too";
  const auto& members = analysis_.deadlocks.cycles()[first.cycle].members;
  const bool told = std::ranges::any_of(members, [&](std::size_t each) {
    return waiting(each).wait.object == first.wait.object && waiting(each).owner == first.owner;
  });
  std::string taken = told ? "" : where_taken(names_, times_, first);
  if (!taken.empty()) taken = "; it was " + taken;
  const std::string site = names_.site_and_function(first.wait.site);
  const std::vector<const Waiting*>& waits = alike.waits;
  if (waits.size() == 1) {
    return fmt::format("    {} waits {}, {}, {} at {}{}", names_.thread(first.wait.thread), what, part,
                       since(first.wait.since), site, taken);
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(waits.size(), most_names); ++i)
    names += (i == 0 ? "" : ", ") + names_.thread(waits[i]->wait.thread);
  if (waits.size() > most_names) names += fmt::format(" and {} more", count(waits.size() - most_names));
  return fmt::format("    {} threads wait {}, {}, the first {} at {}{}: {}", count(waits.size()), what, part,
                     since(alike.since()), site, taken, names);
}

std::string Story::instances(const std::vector<std::size_t>& same) const {
  if (same.size() == 1) return {};
  std::string out =
      fmt::format("  The same again, {} (all of them: --format json):\n", counted(same.size() - 1, "time", "times"));
  for (std::size_t i = 1; i < std::min(same.size(), most_instances + 1); ++i) {
    const Cycle& cycle = analysis_.deadlocks.cycles()[same[i]];
    std::string line;
    for (std::size_t k = 0; k < std::min(cycle.members.size(), most_threads_); ++k) {
      const Waiting& each = waiting(cycle.members[k]);
      line +=
          fmt::format("{}{} for {}", k == 0 ? "    " : ", ", names_.thread(each.wait.thread), awaited(names_, each));
    }
    out += wrapped(line + (cycle.members.size() > most_threads_ ? ", ..." : ""), options_.width, 6);
  }
  std::vector<std::size_t> behind;
  for (std::size_t i = 1; i < same.size(); ++i)
    std::ranges::copy(analysis_.deadlocks.cycles()[same[i]].hanging, std::back_inserter(behind));
  return out + hanging(behind, "Stuck behind these");
}

std::string Story::messages(const Cycle& cycle) const {
  const auto said = analysis_.messages.of(threads_of(analysis_.deadlocks, cycle, most_threads_));
  if (said.empty()) return {};
  const Mark mark{cycle.since, "stuck from here on"};
  return "  What they logged last:\n" + said_lines(names_, times_, said, options_.width, 4, &mark);
}

std::string Story::cycle(std::size_t number) const {
  const Cycle& cycle = analysis_.deadlocks.cycles()[number];
  std::string out = title(number);
  out += is_ring_of_owners(analysis_.deadlocks, cycle)
             ? members(cycle)
             : stuck_members(names_, times_, analysis_, cycle, options_.width, most_threads_);
  out += hanging(cycle.hanging, stuck_behind) + messages(cycle);
  const std::string advice = stuck_remedy(process_, names_, analysis_.deadlocks, cycle);
  return advice.empty() ? out : out + wrapped(fmt::format("  Advice: {}", advice), options_.width, 2);
}

}  // namespace

std::vector<trace::ThreadNumber> threads_of(const Deadlocks& deadlocks, const Cycle& cycle, std::size_t most) {
  std::vector<trace::ThreadNumber> out;
  const auto add = [&](trace::ThreadNumber thread) {
    if (thread != 0 && out.size() < most && std::ranges::find(out, thread) == out.end()) out.push_back(thread);
  };
  for (const std::size_t member : cycle.members)
    add(deadlocks.waiting()[member].wait.thread);
  for (const std::size_t member : cycle.members) {
    for (const Suspect& each : deadlocks.waiting()[member].suspects)
      add(each.thread);
  }
  for (const std::size_t each : cycle.hanging)
    add(deadlocks.waiting()[each].wait.thread);
  return out;
}

namespace {

/// Somebody waits without a limit, and not for its next work, and what would end it need not be recorded.
bool hides_some(const Process& process, const Analysis& analysis) {
  if (process.mode == trace::Mode::all && !process.mode_changed && !process.own_modes) return false;
  return std::ranges::any_of(analysis.deadlocks.waiting(), [](const Waiting& each) {
    const bool for_good =
        each.wait.limit == trace::WaitLimit::none && !each.idle && each.wait.kind != trace::Kind::timer;
    return each.cycle == Waiting::no_cycle && for_good && each.wait.kind != trace::Kind::thread;
  });
}

std::string no_deadlock(const Process& process, const Analysis& analysis, const Options& options) {
  if (process.mode == trace::Mode::off && !process.mode_changed && !process.own_modes)
    return "Not known whether anything is stuck: mode `off` records no waits.\n";
  if (analysis.known.deadlocks == 0 && hides_some(process, analysis)) {
    return toned("No deadlock is seen.", Tone::good, options.color) + "\n" +
           wrapped(
               "Not every step was recorded that could end the waits below: those without a time limit that should not "
               "last may be stuck.",
               options.width, 2);
  }
  if (analysis.known.deadlocks == 0) return toned("No deadlock.", Tone::good, options.color) + "\n";
  return toned("No new deadlock.", Tone::good, options.color) +
         fmt::format(" ({} that the baseline accepts)\n", count(analysis.known.deadlocks));
}

}  // namespace

std::string verdict_text(const Process& process, const Analysis& analysis, const Options& options,
                         std::size_t most_cycles, std::size_t most_threads) {
  const auto& cycles = analysis.deadlocks.cycles();
  if (cycles.empty()) return no_deadlock(process, analysis, options);
  const Story story{process, analysis, options, most_threads};
  std::string out;
  std::size_t left = 0;
  for (std::size_t i = 0; i < story.classes().size(); ++i) {
    const std::vector<std::size_t>& same = story.classes()[i];
    if (i >= most_cycles) {
      left += same.size();
      continue;
    }
    out += (i == 0 ? "" : "\n") + story.cycle(same.front()) + story.instances(same);
  }
  if (left != 0) {
    out += fmt::format("\nand {} more (all of them: --format json)\n", counted(left, "deadlock", "deadlocks"));
  }
  return out;
}

std::string deadlocks_text(const Process& process, const Analysis& analysis, const Options& options) {
  std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n" +
                    verdict_text(process, analysis, options, most_cycles_told, most_threads_told);
  if (analysis.replay.ended_orderly() && !analysis.deadlocks.cycles().empty()) {
    out += "\nThe process ended in order all the same: it did not wait for these threads (daemons).\n";
  }
  const std::string others = others_text(process, analysis, options, most_groups);
  return others.empty() ? out : out + "\n" + others;
}

bool run_deadlocks(std::span<Input> inputs, const Options& options, std::FILE* out) {
  return for_each_process(
      inputs, options, out, "deadlocks",
      [&](const Process& process, const Analysis& analysis) { return deadlocks_text(process, analysis, options); },
      deadlocks_json);
}

}  // namespace unspool
