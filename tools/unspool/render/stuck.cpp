// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/stuck.hpp>
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
constexpr std::size_t most_followed = 64;

const Waiting* waiting_of(const Deadlocks& deadlocks, trace::ThreadNumber thread) {
  const auto& all = deadlocks.waiting();
  const auto found = std::ranges::lower_bound(all, thread, {}, [](const Waiting& each) { return each.wait.thread; });
  return found == all.end() || found->wait.thread != thread ? nullptr : &*found;
}

/// The call that waits, where a kind has several.
std::string_view call_of(const Waiting& waiting) {
  if (!waiting.details_known) return "";
  if (waiting.wait.kind == Kind::queue) {
    return waiting.a == 0 ? "room in " : waiting.a == 1 ? "an item from " : "the end of all items of ";
  }
  if (waiting.wait.kind != Kind::pool) return "";
  return waiting.a == 0 ? "room in " : waiting.a == 1 ? "a task of " : waiting.a == 2 ? "work from " : "all tasks of ";
}

}  // namespace

void tell_apart(Names& names, const Deadlocks& deadlocks) {
  std::set<trace::ObjectNumber> objects;
  for (const Waiting& each : deadlocks.waiting()) {
    if (each.cycle != Waiting::left_out) objects.insert(each.wait.object);
  }
  names.tell_apart(objects);
}

std::string awaited(const Names& names, const Waiting& waiting, bool one_task) {
  const std::string object = names.object(waiting.wait.object, waiting.wait.kind);
  if (waiting.wait.kind == Kind::thread) return "the end of " + object;
  const std::uint32_t task = task_number(waiting);
  if (task != 0) return one_task ? fmt::format("task {} of {}", task, object) : "tasks of " + object;
  return std::string{call_of(waiting)} + object;
}

std::uint32_t task_number(const Waiting& waiting) {
  const bool is_result = waiting.wait.kind == Kind::pool && waiting.details_known && waiting.a == 1;
  return is_result ? waiting.b : 0;
}

namespace {

std::string_view could_do_to_queue(const Waiting& waiting) {
  if (!waiting.details_known) return "could end it";
  return waiting.a == 0 ? "could make room" : waiting.a == 1 ? "could put one" : "could finish them";
}

std::string could_do_to_pool(const Past* past, const Waiting& waiting, trace::ThreadNumber thread) {
  if (!waiting.details_known) return "could end it";
  if (waiting.a == 0) return "could make room";
  if (waiting.a == 2) return "could submit some";
  if (const std::uint32_t task = task_number(waiting); task != 0) {
    const auto runs = past == nullptr ? decltype(past->running)::const_iterator{} : past->running.find(task);
    return past != nullptr && runs != past->running.end() && runs->second == thread ? "runs it" : "could run it";
  }
  if (past == nullptr) return "could run them";
  const auto runs = std::ranges::find(past->running, thread, [](const auto& each) { return each.second; });
  return runs == past->running.end() ? "could run them" : fmt::format("runs task {}", runs->first);
}

}  // namespace

std::string could_do(const Deadlocks& deadlocks, const Waiting& waiting, trace::ThreadNumber thread) {
  const Past* const past = deadlocks.past_of(waiting.wait.object);
  switch (waiting.wait.kind) {
    case Kind::event:
      return "could set it";
    case Kind::condition:
      return "could notify it";
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return "could release a permit";
    case Kind::barrier:
      return past != nullptr && past->acting == thread ? "runs its action" : "could come to it";
    case Kind::queue:
      return std::string{could_do_to_queue(waiting)};
    case Kind::pool:
      return could_do_to_pool(past, waiting, thread);
    default:
      return "could release it";
  }
}

std::uint32_t call_number(const Waiting& waiting) {
  const bool has_calls = waiting.wait.kind == Kind::queue || waiting.wait.kind == Kind::pool;
  return has_calls && waiting.details_known ? waiting.a : 0;
}

namespace {

/// What was done before is told of the object that is waited for, or of another one.
std::string_view which(const Waiting& waiting) {
  return waiting.by_class ? "another one made at the same line" : "it";
}

}  // namespace

std::string whose_it_is(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting) {
  if (waiting.owner == 0 || waiting.wait.kind == Kind::thread) return {};
  const std::string who = names.thread(waiting.owner);
  if (waiting.behind) return fmt::format("behind {}, who waits for it as well", who);
  if (can_be_held(waiting.wait.kind)) {
    return fmt::format("{} {}{}", waiting.edge == Edge::last_known ? "last held by" : "held by", who,
                       waiting.owner_ended ? ", which has ended" : "");
  }
  const auto suspect = std::ranges::find(waiting.suspects, waiting.owner, &Suspect::thread);
  if (suspect == waiting.suspects.end() || suspect->deed.count == 0) {
    return fmt::format("{} {}", who, could_do(deadlocks, waiting, waiting.owner));
  }
  return fmt::format("{} {} {} before", who, deed_name(waiting.wait.kind, suspect->role), which(waiting));
}

namespace {

std::string taken_at(const Names& names, const Times& times, trace::SiteNumber site, trace::Ticks since, bool known) {
  if (site == 0) return {};
  return fmt::format("taken at {}{}", names.site_and_function(site), known ? " at " + times.offset(since) : "");
}

}  // namespace

std::string where_taken(const Names& names, const Times& times, const Waiting& waiting) {
  if (!can_be_held(waiting.wait.kind) || waiting.owner == 0 || waiting.behind) return {};
  return taken_at(names, times, waiting.owner_site, waiting.owner_since, waiting.owner_since_known);
}

namespace {

/// One of those who hold what is waited for; of several readers each knows of itself.
std::string holder_words(const Names& names, const Times& times, const Waiting& waiting, const Suspect& suspect) {
  const Deed& deed = suspect.deed;
  const std::string taken = deed.count != 0 ? taken_at(names, times, deed.site, deed.last, deed.last != 0)
                            : suspect.thread == waiting.owner ? where_taken(names, times, waiting)
                                                              : std::string{};
  return names.thread(suspect.thread) + " holds it" + (taken.empty() ? "" : ", " + taken);
}

std::string what_it_does(const Names& names, const Times& times, const Deadlocks& deadlocks, const Suspect& suspect) {
  if (suspect.exception) return "ended by an exception";
  if (suspect.ended) return "has ended";
  const Waiting* const now = waiting_of(deadlocks, suspect.thread);
  if (now == nullptr) return "goes on";
  return fmt::format("waits for {} since {} at {}", awaited(names, *now), times.offset(now->wait.since),
                     names.site_and_function(now->wait.site));
}

/// As deed_name(), after "to have".
std::string_view deed_done(Kind kind, Role role) {
  switch (kind) {
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return role == Role::give ? "released a permit of" : "taken a permit of";
    case Kind::barrier:
      return "come to";
    case Kind::pool:
      return role == Role::give ? "submitted to" : "run tasks of";
    default:
      return deed_name(kind, role);
  }
}

/// How often and by whom is not known where Records are missing, or were not made in this mode.
std::string told_deed(const Deadlocks& deadlocks, Kind kind, Role role) {
  if (!deadlocks.incomplete()) return std::string{deed_name(kind, role)};
  return fmt::format("is recorded to have {}", deed_done(kind, role));
}

std::string suspect_line(const Names& names, const Times& times, const Deadlocks& deadlocks, const Waiting& waiting,
                         const Suspect& suspect) {
  const std::string name = names.thread(suspect.thread);
  const std::string now = what_it_does(names, times, deadlocks, suspect);
  if (waiting.wait.kind == Kind::thread) return fmt::format("{} has not ended, and {}", name, now);
  if (waiting.behind) return fmt::format("{} was there before, and {}", name, now);
  const bool holds = can_be_held(waiting.wait.kind) && suspect.role == Role::take;
  if (holds) return fmt::format("{}, and {}", holder_words(names, times, waiting, suspect), now);
  if (suspect.deed.count == 0) {
    return fmt::format("{} {}, and {}", name, could_do(deadlocks, waiting, suspect.thread), now);
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

}  // namespace

namespace {

/// What others have to do for such a wait to end.
Role awaited_role(const Waiting& waiting) {
  const std::uint32_t call = waiting.details_known ? waiting.a : 1;
  if (waiting.wait.kind == Kind::queue) return call == 0 ? Role::take : call == 1 ? Role::give : Role::finish;
  if (waiting.wait.kind == Kind::pool) return call == 2 ? Role::give : Role::finish;
  return Role::give;
}

/// As deed_name(), where the object stands beside it already.
std::string_view short_deed(Kind kind, Role role) {
  switch (kind) {
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return role == Role::give ? "released" : "took a permit";
    case Kind::barrier:
      return "came";
    case Kind::queue:
      return role == Role::give ? "put" : role == Role::take ? "got" : "finished an item";
    case Kind::pool:
      return role == Role::give ? "submitted" : "ran tasks";
    default:
      return deed_name(kind, role);
  }
}

/// As short_deed(), after "to have".
std::string_view short_deed_done(Kind kind, Role role) {
  const bool semaphore = kind == Kind::semaphore || kind == Kind::bounded_semaphore;
  if (semaphore && role != Role::give) return "taken a permit";
  if (kind == Kind::barrier) return "come";
  return kind == Kind::pool && role != Role::give ? "run tasks" : short_deed(kind, role);
}

std::string who_could(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting, const Suspect& suspect) {
  const Kind kind = waiting.wait.kind;
  const std::string who = names.thread(suspect.answers);
  if (suspect.answers != suspect.thread) {
    return fmt::format("{} goes on (made {})", who, names.thread(suspect.thread));
  }
  if (suspect.deed.count == 0) return who + " goes on";
  const bool semaphore = kind == Kind::semaphore || kind == Kind::bounded_semaphore;
  if (semaphore && suspect.role == Role::take) {
    return fmt::format("{} goes on ({} a permit)", who, deadlocks.incomplete() ? "may have" : "has");
  }
  return fmt::format("{} goes on ({} {})", who, short_deed(kind, suspect.role),
                     waiting.by_class ? "one made at the same line" : "before");
}

/// And does not wait itself.
bool goes_on(const Deadlocks& deadlocks, trace::ThreadNumber thread) {
  return thread != 0 && waiting_of(deadlocks, thread) == nullptr;
}

/// Whom the thread hopes for, as long as they are not stuck, whether they wait or not.
std::vector<trace::ThreadNumber> hopes_of(const Deadlocks& deadlocks, const Waiting& waiting) {
  std::vector<trace::ThreadNumber> out;
  const auto add = [&](trace::ThreadNumber thread) {
    const Waiting* const now = waiting_of(deadlocks, thread);
    if (thread != 0 && (now == nullptr || !now->stuck)) out.push_back(thread);
  };
  for (const Suspect& each : waiting.suspects)
    add(each.answers);
  std::ranges::for_each(waiting.kin, add);
  return out;
}

/// Of those that wait themselves the first, and on whose account it is not stuck, where that is known.
std::string who_is_not_stuck(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting) {
  std::vector<trace::ThreadNumber> threads = hopes_of(deadlocks, waiting);
  const auto other = std::ranges::find_if(threads, [&](auto each) { return each != waiting.wait.thread; });
  if (other == threads.end()) return {};
  const std::string first = names.thread(*other);
  for (std::size_t i = 0; i < threads.size() && i < most_followed; ++i) {
    const Waiting* const now = waiting_of(deadlocks, threads[i]);
    if (now == nullptr) return fmt::format("{} goes on, for which {} waits", names.thread(threads[i]), first);
    for (const trace::ThreadNumber each : hopes_of(deadlocks, *now)) {
      if (std::ranges::find(threads, each) == threads.end()) threads.push_back(each);
    }
  }
  return fmt::format("{} is not stuck", first);
}

/// A lock that is used as a signal: another thread than its owner may release it.
const Suspect* other_releaser(const Deadlocks& deadlocks, const Waiting& waiting) {
  const auto found = std::ranges::find_if(waiting.suspects, [&](const Suspect& each) {
    return each.role == Role::give && goes_on(deadlocks, each.answers);
  });
  return found == waiting.suspects.end() ? nullptr : &*found;
}

/// It never ended such a wait, as far as it is known.
std::string next_one(const Process& process, const std::string& who) {
  const bool changed = process.mode_changed || process.own_modes;
  if (process.mode == trace::Mode::all && !changed) return who + " goes on, and could be the next";
  if (changed) return who + " may do it: not every step was recorded";
  return fmt::format("{} may do it: mode {} does not tell", who, trace::name_of(process.mode));
}

}  // namespace

std::string why_not_stuck(const Process& process, const Names& names, const Deadlocks& deadlocks,
                          const Waiting& waiting) {
  const Kind kind = waiting.wait.kind;
  if (waiting.wait.limit == trace::WaitLimit::deadline) return "it has a time limit";
  if (kind == Kind::thread && waiting.owner_ended) return "that thread has ended: about to return";
  if (kind == Kind::thread) {
    return waiting_of(deadlocks, waiting.owner) == nullptr ? "that thread goes on" : "that thread is not stuck";
  }
  if (can_be_held(kind)) {
    if (const Suspect* const other = other_releaser(deadlocks, waiting)) {
      return names.thread(other->answers) + " goes on (released such a lock for its owner before)";
    }
    return waiting.owner == 0 ? "nobody is known to hold it" : whose_it_is(names, deadlocks, waiting);
  }
  if (kind == Kind::timer) return "until its time comes";
  if (waiting.hope == Hope::open && waiting.wait.limit == trace::WaitLimit::stop) return "it can be stopped";
  if (waiting.hope == Hope::open) return "it may go on at any time";
  for (const Suspect& each : waiting.suspects) {
    if (goes_on(deadlocks, each.answers)) return who_could(names, deadlocks, waiting, each);
  }
  for (const trace::ThreadNumber each : waiting.kin) {
    if (goes_on(deadlocks, each)) return next_one(process, names.thread(each));
  }
  if (std::string who = who_is_not_stuck(names, deadlocks, waiting); !who.empty()) return who;
  if (kind == Kind::barrier) return "others may still come";
  const Role role = awaited_role(waiting);
  return deadlocks.incomplete() ? fmt::format("nobody is recorded to have {}", short_deed_done(kind, role))
                                : fmt::format("nobody ever {}", short_deed(kind, role));
}

std::string_view deed_name(Kind kind, Role role) {
  switch (kind) {
    case Kind::event:
      return "set";
    case Kind::condition:
      return "notified";
    case Kind::semaphore:
    case Kind::bounded_semaphore:
      return role == Role::give ? "released a permit of" : "took a permit of";
    case Kind::barrier:
      return "came to";
    case Kind::queue:
      return role == Role::give ? "put into" : role == Role::take ? "got from" : "finished an item of";
    case Kind::pool:
      return role == Role::give ? "submitted to" : "ran tasks of";
    default:
      return role == Role::give ? "released" : "acquired";
  }
}

namespace {

std::string_view who_ended(bool in_part, bool of_permits) {
  if (of_permits)
    return in_part ? "are recorded to have taken it and not given it back" : "took it and did not give it back";
  return in_part ? "are recorded to have ended such a wait" : "ever ended such a wait";
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
  if (cycle.cause == Cause::abandoned && first.is_owned()) return who + ", whose owner has ended";
  if (cycle.cause == Cause::nobody && can_be_held(first.wait.kind)) {
    return who + ", which somebody holds whom no Record names, and no thread is left that goes on";
  }
  const bool semaphore = first.wait.kind == Kind::semaphore || first.wait.kind == Kind::bounded_semaphore;
  const bool of_permits = semaphore && !first.suspects.empty() && first.suspects.front().role == Role::take;
  const bool in_part = deadlocks.incomplete();
  if (cycle.cause == Cause::abandoned)
    return fmt::format("{}, and all that {} have ended", who, who_ended(in_part, of_permits));
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

}  // namespace

namespace {

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
  for (std::size_t i = 0; i < shown; ++i) {
    const Waiting& each = *lines[i].front();
    left -= lines[i].size();
    out += wrapped(member_line(names, times, lines[i]), width, 4);
    out += call_lines(names, each.wait.stack, width, 4);
    if (i != 0 && same_suspects(*lines[i - 1].front(), each, cycle)) continue;
    const std::string need = need_line(deadlocks, each);
    if (!need.empty()) out += wrapped("    " + need, width, 6);
    for (std::size_t k = 0; k < std::min(each.suspects.size(), most_suspects); ++k) {
      out += wrapped("    " + suspect_line(names, times, deadlocks, each, each.suspects[k]), width, 6);
    }
    if (each.suspects.size() > most_suspects) {
      out += fmt::format("    and {} more\n", count(each.suspects.size() - most_suspects));
    }
  }
  if (left != 0) out += fmt::format("  ... and {} more threads (all of them: --format json)\n", count(left));
  return out;
}

std::string_view stuck_advice(const Deadlocks& deadlocks, const Cycle& cycle) {
  const auto is = [&](auto what) {
    return std::ranges::all_of(cycle.members, [&](std::size_t each) { return what(deadlocks.waiting()[each]); });
  };
  if (is([](const Waiting& each) { return each.wait.kind == Kind::pool; })) {
    return "Tasks must not wait for tasks of their own pool unless a worker is left for them: give the inner tasks a "
           "pool of their own, or go on in the inner task.";
  }
  if (is([](const Waiting& each) { return each.lost_wake_up != Lost::no; })) {
    return "A notify is not kept for who waits later: set a flag under the lock, and wait with a predicate.";
  }
  const auto calls = [&](std::uint32_t call) {
    return is(
        [call](const Waiting& each) { return each.wait.kind == Kind::queue && each.details_known && each.a == call; });
  };
  if (cycle.cause == Cause::abandoned && calls(0)) return "Shut the queue down when its last consumer ends.";
  if (cycle.cause == Cause::abandoned && calls(1)) return "Shut the queue down when its last producer ends.";
  if (cycle.cause == Cause::abandoned && calls(2)) {
    return "Whoever gets an item has to say task_done of it, also where it fails.";
  }
  if (cycle.cause == Cause::abandoned && is([](const Waiting& each) { return can_be_held(each.wait.kind); })) {
    return "A guard (std::lock_guard) releases it also where the thread leaves by an exception.";
  }
  return "";
}

}  // namespace unspool
