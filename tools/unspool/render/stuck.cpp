// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/stuck.hpp>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace unspool {

using trace::Kind;

namespace {

constexpr std::size_t most_suspects = 4;
constexpr std::size_t most_names = 8;
constexpr std::ptrdiff_t most_compared = 8;

/// One of those who hold what is waited for; of several readers each knows of itself.
std::string holder_words(const Names& names, const Times& times, const Waiting& waiting, const Suspect& suspect) {
  const Deed& deed = suspect.deed;
  const std::string taken = deed.count != 0 ? taken_at(names, times, deed.site, deed.last, deed.last != 0)
                            : suspect.thread == waiting.owner ? where_taken(names, times, waiting)
                                                              : std::string{};
  return names.thread(suspect.thread) + " holds it" + (taken.empty() ? "" : ", " + taken);
}

/// Threads of which the finding has a line of their own.
using OwnLines = std::set<trace::ThreadNumber>;

std::string what_it_does(const Names& names, const Times& times, const Deadlocks& deadlocks, const OwnLines& told,
                         const Suspect& suspect) {
  if (suspect.exception) return "ended by an exception";
  if (suspect.ended) return "has ended";
  const Waiting* const now = deadlocks.waiting_of(suspect.thread);
  if (now == nullptr) return "goes on";
  if (told.contains(suspect.thread)) return "waits itself";
  return fmt::format("waits for {} since {} at {}", awaited(names, *now), times.offset(now->wait.since),
                     names.site_and_function(now->wait.site));
}

/// How often and by whom is not known where Records are missing, or were not made in this mode.
std::string told_deed(const Deadlocks& deadlocks, Kind kind, Role role) {
  if (!deadlocks.incomplete()) return std::string{deed_name(kind, role)};
  return fmt::format("is recorded to have {}", deed_done(kind, role));
}

std::string suspect_line(const Names& names, const Times& times, const Deadlocks& deadlocks, const OwnLines& told,
                         const Waiting& waiting, const Suspect& suspect) {
  const std::string name = names.thread(suspect.thread);
  const std::string now = what_it_does(names, times, deadlocks, told, suspect);
  if (waiting.wait.kind == Kind::thread) return fmt::format("{} has not ended, and {}", name, now);
  if (waiting.behind) return fmt::format("{} was there before, and {}", name, now);
  const bool holds = can_be_held(waiting.wait.kind) && suspect.role == Role::take;
  if (holds) return fmt::format("{}, and {}", holder_words(names, times, waiting, suspect), now);
  if (suspect.deed.count == 0) {
    return fmt::format("{} {}, and {}", name, could_do(deadlocks, waiting, suspect.thread), now);
  }
  if (waiting.is(QueueCall::join) && suspect.role == Role::take && !deadlocks.incomplete()) {
    const Past* const past = deadlocks.past_of(waiting.wait.object);
    const auto did = past == nullptr ? decltype(past->threads)::const_iterator{} : past->threads.find(suspect.thread);
    const std::uint64_t finished =
        past == nullptr || did == past->threads.end() ? 0 : deed_of(did->second, Role::finish).count;
    return fmt::format("{} got {} from it and called task_done {}, and {}", name,
                       counted(suspect.deed.count, "item", "items"), counted(finished, "time", "times"), now);
  }
  return fmt::format("{} {} {} {}, the last time at {} at {}, and {}", name,
                     told_deed(deadlocks, waiting.wait.kind, suspect.role), which(waiting),
                     suspect.deed.count == 1 ? "once" : fmt::format("{} times", count(suspect.deed.count)),
                     times.offset(suspect.deed.last), names.site_and_function(suspect.deed.site), now);
}

/// Kept out by all of them, or by too few.
std::string need_line(const Deadlocks& deadlocks, const Waiting& waiting) {
  const Past* const past = deadlocks.past_of(waiting.wait.object);
  if (waiting.lost_wake_up == Lost::yes) return "The last notify before this wait met nobody: a wake-up that was lost.";
  if (waiting.lost_wake_up == Lost::perhaps) {
    return "The last notify before this wait met nobody: perhaps a wake-up that was lost.";
  }
  if (waiting.wait.kind != Kind::barrier || past == nullptr || past->parties == 0) return {};
  if (past->acting != 0) return fmt::format("All {} parties have come to it:", past->parties);
  if (deadlocks.incomplete()) {
    return fmt::format("{} of {} parties {} not recorded to have come. In earlier rounds came besides:", waiting.needs,
                       past->parties, waiting.needs == 1 ? "is" : "are");
  }
  return fmt::format("{} of {} parties {} missing. In earlier rounds came besides:", waiting.needs, past->parties,
                     waiting.needs == 1 ? "is" : "are");
}

/// "and all that ever set it have ended"
std::string who_ended(bool in_part, const Waiting& first, bool of_permits) {
  if (of_permits) {
    return fmt::format("and all that {} have ended", in_part ? "are recorded to have taken it and not given it back"
                                                             : "took it and did not give it back");
  }
  if (first.wait.kind == Kind::barrier) return "and too few of those who came to it before are left";
  const Role role = first.suspects.empty() ? awaited_role(first) : first.suspects.front().role;
  return in_part ? fmt::format("and all that are recorded to have {} {} have ended", deed_done(first.wait.kind, role),
                               which(first))
                 : fmt::format("and all that ever {} {} have ended", deed_name(first.wait.kind, role), which(first));
}

std::string never_done(bool in_part, const Waiting& waiting) {
  const Kind kind = waiting.wait.kind;
  if (kind == Kind::barrier)
    return in_part ? "to which too few are recorded to have come" : "to which too few have come";
  const Role role = awaited_role(waiting);
  return in_part ? fmt::format("which nobody is recorded to have {}", deed_done(kind, role))
                 : fmt::format("which nobody ever {}", deed_name(kind, role));
}

}  // namespace

std::string stuck_title(const Names& names, const Deadlocks& deadlocks, const Cycle& cycle) {
  const Waiting& first = deadlocks.waiting()[cycle.members.front()];
  const std::uint64_t threads = cycle.members.size();
  if (cycle.cause == Cause::cycle) {
    if (threads == 1) {
      return fmt::format("a thread waits for what only itself {} before",
                         deadlocks.incomplete() ? "is recorded to have done" : "did");
    }
    return fmt::format("{} threads wait for each other", count(threads));
  }
  const std::string who = counted(threads, "thread waits", "threads wait") + " for " + awaited(names, first);
  if (cycle.cause == Cause::abandoned && first.is_owned()) {
    return who + (first.owner_ended ? ", whose owner has ended" : ", which a task left held: its worker is at rest");
  }
  if (cycle.cause == Cause::nobody && can_be_held(first.wait.kind)) {
    return who + ", which somebody holds whom no Record names, and no thread is left that goes on";
  }
  const bool semaphore = first.wait.kind == Kind::semaphore || first.wait.kind == Kind::bounded_semaphore;
  const bool of_permits = semaphore && !first.suspects.empty() && first.suspects.front().role == Role::take;
  const bool in_part = deadlocks.incomplete();
  if (cycle.cause == Cause::abandoned) return fmt::format("{}, {}", who, who_ended(in_part, first, of_permits));
  return fmt::format("{}, {}, and no thread is left that goes on", who, never_done(in_part, first));
}

std::string call_lines(const Names& names, trace::StackNumber stack, unsigned width, unsigned indent) {
  constexpr std::size_t most_calls = 8;
  const std::vector<std::string> calls = names.calls(stack, most_calls + 1);
  std::string out;
  for (std::size_t i = 0; i < std::min(calls.size(), most_calls); ++i)
    out += wrapped(fmt::format("{:{}}in {}", "", indent, calls[i]), width, indent + 2);
  if (calls.size() > most_calls)
    out += fmt::format("{:{}}and further calls (all of them: --format json)\n", "", indent);
  return out;
}

namespace {

/// They need not be told again: not in a cycle each waits for others.
bool same_suspects(const Waiting& before, const Waiting& each, const Cycle& cycle) {
  if (cycle.cause != Cause::cycle) return true;
  return !each.is_owned() && before.wait.object == each.wait.object &&
         std::ranges::equal(before.suspects, each.suspects, {}, &Suspect::thread, &Suspect::thread);
}

using Alike = std::vector<const Waiting*>;

/// Those that wait for the same thing at the same line, and for the same threads, share a line.
std::vector<Alike> alike_members(const Names& names, const Deadlocks& deadlocks, const Cycle& cycle) {
  using Key = std::tuple<trace::ObjectNumber, std::string, trace::SiteNumber, trace::StackNumber, Lost>;
  std::map<Key, std::vector<std::size_t>> places;
  std::vector<Alike> lines;
  for (const std::size_t member : cycle.members) {
    const Waiting& each = deadlocks.waiting()[member];
    const Wait& wait = each.wait;
    std::vector<std::size_t>& like =
        places[{wait.object, awaited(names, each), wait.site, wait.stack, each.lost_wake_up}];
    const auto line =
        std::find_if(like.end() - std::min(std::ssize(like), most_compared), like.end(),
                     [&](std::size_t place) { return same_suspects(*lines[place].front(), each, cycle); });
    if (line != like.end()) {
      lines[*line].push_back(&each);
      continue;
    }
    like.push_back(lines.size());
    lines.push_back({&each});
  }
  return lines;
}

std::string member_line(const Names& names, const Times& times, const Alike& alike) {
  const Waiting& first = *alike.front();
  const std::string what = awaited(names, first);
  const std::string site = names.site_and_function(first.wait.site);
  if (alike.size() == 1) {
    return fmt::format("  {} waits for {} since {} at {}", names.thread(first.wait.thread), what,
                       times.offset(first.wait.since), site);
  }
  trace::Ticks since = first.wait.since;
  std::string who;
  for (std::size_t i = 0; i < alike.size(); ++i) {
    since = std::min(since, alike[i]->wait.since);
    if (i < most_names) who += (i == 0 ? "" : ", ") + names.thread(alike[i]->wait.thread);
  }
  if (alike.size() > most_names) who += fmt::format(" and {} more", count(alike.size() - most_names));
  return fmt::format("  {} threads wait for {}, the first since {} at {}: {}", count(alike.size()), what,
                     times.offset(since), site, who);
}

}  // namespace

std::string stuck_members(const Names& names, const Times& times, const Analysis& analysis, const Cycle& cycle,
                          unsigned width, std::size_t most_threads) {
  const Deadlocks& deadlocks = analysis.deadlocks;
  const std::vector<Alike> lines = alike_members(names, deadlocks, cycle);
  const std::size_t shown = std::min(lines.size(), most_threads);
  std::string out;
  std::size_t left = cycle.members.size();
  OwnLines told;
  for (std::size_t i = 0; i < shown; ++i) {
    if (lines[i].size() <= most_names)
      std::ranges::for_each(lines[i], [&](const Waiting* each) { told.insert(each->wait.thread); });
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const Waiting& each = *lines[i].front();
    left -= lines[i].size();
    out += wrapped(member_line(names, times, lines[i]), width, 4);
    out += call_lines(names, each.wait.stack, width, 4);
    if (i != 0 && same_suspects(*lines[i - 1].front(), each, cycle)) continue;
    const std::string need = need_line(deadlocks, each);
    if (!need.empty()) out += wrapped("    " + need, width, 6);
    for (std::size_t k = 0; k < std::min(each.suspects.size(), most_suspects); ++k) {
      out += wrapped("    " + suspect_line(names, times, deadlocks, told, each, each.suspects[k]), width, 6);
    }
    if (each.suspects.size() > most_suspects) {
      out += fmt::format("    and {} more\n", count(each.suspects.size() - most_suspects));
    }
  }
  if (left != 0) out += fmt::format("  ... and {} more threads (all of them: --format json)\n", count(left));
  return out;
}

}  // namespace unspool
