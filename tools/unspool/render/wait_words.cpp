// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/wait_words.hpp>
#include <unspool/replay/kinds.hpp>

#include <algorithm>
#include <set>

namespace unspool {

using trace::Kind;

void tell_apart(Names& names, const Deadlocks& deadlocks) {
  std::set<trace::ObjectNumber> objects;
  for (const Waiting& each : deadlocks.waiting()) {
    if (each.cycle != Waiting::left_out) objects.insert(each.wait.object);
  }
  names.tell_apart(objects);
}

namespace {

/// The call that waits, where a kind has several.
std::string_view call_of(const Waiting& waiting) {
  if (waiting.is(QueueCall::put) || waiting.is(PoolWait::room)) return "room in ";
  if (waiting.is(QueueCall::get)) return "an item from ";
  if (waiting.is(QueueCall::join)) return "the end of all items of ";
  if (waiting.is(PoolWait::result)) return "a task of ";
  if (waiting.is(PoolWait::work)) return "work from ";
  return waiting.is(PoolWait::all) ? "all tasks of " : "";
}

}  // namespace

std::string awaited(const Names& names, const Waiting& waiting, bool one_task) {
  const std::string object = names.object(waiting.wait.object, waiting.wait.kind);
  if (waiting.wait.kind == Kind::thread) return "the end of " + object;
  const std::uint32_t task = task_number(waiting);
  if (task != 0) return one_task ? fmt::format("task {} of {}", task, object) : "tasks of " + object;
  return std::string{call_of(waiting)} + object;
}

std::uint32_t task_number(const Waiting& waiting) {
  return waiting.is(PoolWait::result) ? waiting.b : 0;
}

namespace {

std::string_view could_do_to_queue(const Waiting& waiting) {
  if (waiting.is(QueueCall::put)) return "could make room";
  if (waiting.is(QueueCall::get)) return "could put one";
  return waiting.is(QueueCall::join) ? "could finish them" : "could end it";
}

std::string could_do_to_pool(const Past* past, const Waiting& waiting, trace::ThreadNumber thread) {
  if (!waiting.details_known) return "could end it";
  if (waiting.is(PoolWait::room)) return "could make room";
  if (waiting.is(PoolWait::work)) return "could submit some";
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

Role awaited_role(const Waiting& waiting) {
  if (waiting.is(QueueCall::put)) return Role::take;
  if (waiting.is(QueueCall::join)) return Role::finish;
  if (waiting.wait.kind == Kind::pool && !waiting.is(PoolWait::work)) return Role::finish;
  return Role::give;
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

std::string_view short_deed_done(Kind kind, Role role) {
  const bool semaphore = kind == Kind::semaphore || kind == Kind::bounded_semaphore;
  if (semaphore && role != Role::give) return "taken a permit";
  if (kind == Kind::barrier) return "come";
  return kind == Kind::pool && role != Role::give ? "run tasks" : short_deed(kind, role);
}

std::string_view which(const Waiting& waiting) {
  return waiting.by_class ? "another one made at the same line" : "it";
}

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

std::string taken_at(const Names& names, const Times& times, trace::SiteNumber site, trace::Ticks since, bool known) {
  if (site == 0) return {};
  return fmt::format("taken at {}{}", names.site_and_function(site), known ? " at " + times.offset(since) : "");
}

std::string where_taken(const Names& names, const Times& times, const Waiting& waiting) {
  if (!can_be_held(waiting.wait.kind) || waiting.owner == 0 || waiting.behind) return {};
  return taken_at(names, times, waiting.owner_site, waiting.owner_since, waiting.owner_since_known);
}

}  // namespace unspool
