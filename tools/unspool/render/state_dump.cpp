// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/state_dump.hpp>

#include <algorithm>
#include <set>

namespace unspool {

Dump::Dump(const Process& a_process, const Analysis& an_analysis, const UntilMoment& an_until,
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

const Wait* Dump::wait(trace::ThreadNumber thread) const {
  const auto found = analysis.replay.threads().find(thread);
  const bool waits = found != analysis.replay.threads().end() && !found->second.waits.empty();
  return waits ? &found->second.waits.back() : nullptr;
}

const Dump::Around* Dump::around(trace::ThreadNumber thread) const {
  const auto found = until.threads().find(thread);
  return found == until.threads().end() ? nullptr : &found->second;
}

std::string Dump::before(trace::Ticks since) const {
  return elapsed(since) == 0 ? "" : fmt::format(" {} before", ago(since));
}

/// It is asked for, and so is what it waits for, or one of what it holds, where only some objects are.
bool Dump::passes(trace::ThreadNumber number) const {
  const Filter& filter = analysis.filter;
  if (!filter.thread(number)) return false;
  if (!filter.is_on()) return true;
  const Wanted& wanted = filter.wanted();
  if (wanted.objects.empty() && wanted.kinds.empty() && wanted.min_wait == 0) return true;
  if (const Wait* const open = wait(number); open != nullptr) {
    Wait so_far = *open;
    so_far.until = std::max(now(), so_far.since);
    if (filter.passes(so_far)) return true;
  }
  const auto found = held.find(number);
  return wanted.min_wait == 0 && found != held.end() && std::ranges::any_of(found->second, [&](const HeldObject& each) {
           return filter.object(each.object, each.kind);
         });
}

std::optional<Dump::Group> Dump::group_of(trace::ThreadNumber number) const {
  const auto state = analysis.replay.threads().find(number);
  const auto defined = process.threads.find(number);
  const bool internal = defined != process.threads.end() && defined->second.origin == trace::Origin::internal;
  if (state == analysis.replay.threads().end() || (internal && around(number) == nullptr)) return std::nullopt;
  if (!passes(number)) return std::nullopt;
  if (state->second.life == ThreadState::Life::ended) return Group::ended;
  return state->second.waits.empty() ? Group::running : Group::waiting;
}

std::vector<trace::ThreadNumber> Dump::threads_of(Group group) const {
  std::vector<trace::ThreadNumber> numbers;
  for (const auto& [number, state] : analysis.replay.threads()) {
    if (group_of(number) == group) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace unspool
